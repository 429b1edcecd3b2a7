"""Runs all scenarios, or the named ones, and prints the table, and each violation to stderr; exit code 1 when there was one."""

import shutil
import sys
import time

import damage
import kept
import late
import scenarios
from harness import WORK

ALL = [
    scenarios.writer_killed,
    scenarios.compactor_killed,
    scenarios.vacuum_killed,
    scenarios.killed_anywhere,
    scenarios.merge_killed,
    scenarios.merge_vacuumed,
    scenarios.ledger_orphans,
    scenarios.clocks,
    scenarios.paused,
    scenarios.slow_reader,
    scenarios.grace_kept,
    late.cancelling,
    late.late_given_up,
    late.lost_and_late,
    late.late_removed,
    scenarios.unlink_fails,
    scenarios.replaced,
    scenarios.lost_answer,
    scenarios.any_order,
    kept.tags_killed,
    kept.tag_raced,
    kept.tag_reader,
    kept.tag_newest,
    kept.clock_ahead,
    damage.flipped,
    damage.repaired,
]


def main(names):
    chosen = [s for s in ALL if not names or s.__name__ in names]
    total = 0
    print(f"{'scenario':<52} {'checks':>7} {'refused':>8} {'violations':>11} {'s':>6}")
    for scenario in chosen:
        start = time.monotonic()
        judge = scenario()
        total += len(judge.faults)
        seconds = time.monotonic() - start
        found = len(judge.faults)
        print(f"{judge.name:<52} {judge.cases:>7} {judge.refused:>8} {found:>11} {seconds:>6.0f}", flush=True)
    print(f"{total} violations")
    shutil.rmtree(WORK)
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
