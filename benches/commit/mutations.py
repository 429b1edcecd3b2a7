"""Switches rules off, one set at a time, and shows that the harness notices. Exit code 1 when a mutation survives."""

import shutil
import sys
import time

import scenarios
from harness import WORK, Enough, Judge

MUTATIONS = [
    ({"fence"}, "a takeover commits no fence", ["paused", "any_order"]),
    ({"conditional commit"}, "a refused commit tries the next number", ["paused", "any_order"]),
    ({"fragments first"}, "the commit object before the fragments", ["writer_killed"]),
    ({"explicit T"}, "arrays opened at this machine's now", ["clocks"]),
    ({"T after T_c"}, "T is the wall clock alone", ["clocks"]),
    ({"dead list"}, "the reader adds no condition", ["replaced"]),
    ({"sweep", "strays hidden"}, "orphans neither removed nor hidden", ["writer_killed"]),
    ({"strays hidden"}, "no search for late fragments", ["paused"]),
    ({"dead without id"}, "a late fragment hidden only while listed", ["late_given_up"]),
    ({"commit file first"}, "a vacuum removes the folder first", ["vacuum_killed"]),
    ({"horizon first"}, "a vacuum deletes before it commits the horizon", ["vacuum_killed"]),
    ({"horizon"}, "the reader ignores the horizon", ["cancelling"]),
    ({"horizon", "count"}, "the reader does not check again after opening", ["slow_reader"]),
    ({"hide"}, "a vacuum removes folders of fragments just hidden", ["grace_kept"]),
    ({"list before fence"}, "the takeover lists after its fence", ["paused", "any_order"]),
]


def main(words):
    survivors, Judge.stop_early = 0, True
    for off, title, judges in MUTATIONS:
        if words and not any(w in title for w in words):
            continue
        start, found, cases, first = time.monotonic(), 0, 0, ""
        for name in judges:
            kwargs = {"seeds": range(40)} if name == "any_order" else {}
            try:
                judge = getattr(scenarios, name)(off=off, **kwargs)
            except Enough as enough:
                judge = enough.args[0]
            found, cases, first = found + len(judge.faults), cases + judge.cases, first or (judge.faults or [""])[0]
            if found:
                break
        survivors += not found
        verdict = "caught" if found else "SURVIVED"
        seconds = time.monotonic() - start
        print(f"{title:<52} {verdict:<9} after {cases:>5} checks, {seconds:>4.0f} s  {first[:160]!r}", flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
