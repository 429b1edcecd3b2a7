"""Switches rules off, one set at a time, and shows that the harness notices. Exit code 1 when a mutation survives."""

import shutil
import sys
import time

from harness import WORK, Enough, Judge
from run import ALL

SCENARIOS = {s.__name__: s for s in ALL}

MUTATIONS = [
    ({"fence"}, "a takeover commits no fence", ["paused", "any_order"]),
    ({"conditional commit"}, "a refused commit tries the next number", ["paused", "any_order"]),
    ({"fragments first"}, "the commit object before its fragments", ["writer_killed"]),
    ({"explicit T"}, "arrays opened at this machine's now", ["clocks"]),
    ({"T after T_c"}, "T is the wall clock alone", ["clocks"]),
    ({"dead list"}, "the reader adds no condition", ["replaced"]),
    ({"sweep", "strays hidden"}, "orphans neither removed nor hidden", ["writer_killed"]),
    ({"strays hidden"}, "unrecorded fragments are not looked for", ["late_removed"]),
    ({"names"}, "fragments are counted, names not compared", ["lost_and_late"]),
    ({"dead without id"}, "a late fragment hidden only while listed", ["late_given_up"]),
    ({"dead listed"}, "NOT IN names only the dead that are listed", ["grace_kept"]),
    ({"commit file first"}, "a vacuum removes the folder first", ["vacuum_killed"]),
    ({"horizon first"}, "a vacuum deletes before it commits the horizon", ["vacuum_killed"]),
    ({"horizon"}, "the reader ignores the horizon", ["late_removed"]),
    ({"horizon", "missing"}, "the reader does not check again after opening", ["slow_reader"]),
    ({"hide"}, "folders removed as soon as hidden", ["grace_kept"]),
    ({"list before fence"}, "the takeover lists after its fence", ["paused", "any_order"]),
    ({"ledger list before fence"}, "the takeover lists ledger files after its fence", ["paused", "any_order"]),
    ({"ledger dead"}, "the takeover removes dead ledger files, too", ["ledger_orphans"]),
    ({"ledger sweep"}, "the takeover removes no ledger files", ["writer_killed"]),
    ({"ledger first"}, "the commit before its ledger file", ["writer_killed"]),
    ({"ledger horizon"}, "dead ledger files removed without a horizon", ["merge_vacuumed"]),
    ({"ledger grace"}, "ledger files removed as soon as dead", ["grace_kept"]),
    ({"merge is data"}, "a merge of the ledger is not a data commit", ["tag_newest"]),
    ({"compaction contents"}, "a compaction names no contents, no check", ["replaced"]),
    ({"forget late"}, "a dead attempt leaves with its first fragment", ["replaced"]),
    ({"forget"}, "a dead attempt never leaves the state", ["replaced"]),
    ({"tag keeps"}, "a vacuum ignores tags", ["tag_reader"]),
    ({"tag keeps ledger"}, "a vacuum ignores tags for ledger files", ["tag_reader"]),
    ({"born"}, "a vacuum keeps what died after a tag, born or not", ["tags_killed"]),
    ({"tag since"}, "a vacuum keeps what was born before a tag", ["tag_newest"]),
    ({"tag data"}, "a tag names the head, not the data commit", ["tag_newest"]),
    ({"tag refusal"}, "an expired state can be tagged", ["tag_newest"]),
    ({"tag exempts"}, "the horizon has no exception for tags", ["tag_newest"]),
    ({"tag reads live"}, "a state that only a tag keeps trusts equal names", ["late_removed"]),
    ({"crc"}, "the CRC of a commit is not checked", ["flipped"]),
    ({"checkpoint crc"}, "the CRC of a checkpoint is not checked", ["flipped"]),
    ({"clock"}, "a clock that is ahead is not corrected", ["clock_ahead"]),
    ({"own clock"}, "ages by the log's time when it is later", ["clock_ahead"]),
    ({"repair is data"}, "a repair is not a data commit", ["tag_newest"]),
    ({"repair unlinks"}, "a repair leaves commit files of what is broken", ["repaired"]),
    ({"repair dead"}, "a repair looks at live fragments only", ["repaired"]),
    ({"reread"}, "a repair marks no incomplete attempts", ["repaired"]),
    ({"repair kills"}, "attempts without a ledger row stay visible", ["repaired"]),
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
                judge = SCENARIOS[name](off=off, **kwargs)
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
