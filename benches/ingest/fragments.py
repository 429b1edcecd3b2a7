"""Fragments and files of each window of an ingest of scattered granules.

    venv/bin/python benches/ingest/fragments.py --work /tmp/ingest

The granules lie on two continents and, by default, weeks apart; --every brings them together in time.
"""

import argparse
import json
import shutil
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

from granules import SEGMENTS, build, described, make
from measure import bytes_under, measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for granules and the database (1 GB)")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--segments", type=int, default=SEGMENTS, help="segments a beam")
    parser.add_argument("--every", type=float, default=37.0, help="days from one granule to the next")
    parser.add_argument("--consolidate", action="store_true", help="also run isdb consolidate, and print the table again")
    parser.add_argument("--profile", choices=("release", "dev"), default="release", help="how isdb is built")
    parser.add_argument("--binaries", type=Path, help="use isdb and examples/make_granules from this folder, and build nothing")
    options = parser.parse_args()

    binaries = (options.binaries or build(options.profile)).resolve()
    folder = options.work / "scattered"
    folder.mkdir(parents=True, exist_ok=True)
    granules = make(binaries, folder, options.count, options.segments, 0, options.every)
    database = options.work / "database"
    shutil.rmtree(database, ignore_errors=True)
    isdb = [binaries / "isdb", "--db", database]
    measured([*isdb, "ingest", *granules], options.work / "ingest.log")
    print(f"{described(granules)}, one every {options.every:g} days\n")
    print_windows(database)
    if options.consolidate:
        measured([*isdb, "consolidate"], options.work / "consolidate.log")
        print("\nafter isdb consolidate\n")
        print_windows(database)


def print_windows(database: Path) -> None:
    """Prints a line for each commit with fragments: the names of their files contain its timestamp in milliseconds."""
    windows = defaultdict(list)
    array = database / "segments"
    for commit in sorted((array / "__commits").glob("*.wrt")):
        windows[int(commit.name.split("_")[2])].append(array / "__fragments" / commit.stem)
    ledger = defaultdict(list)
    for path in sorted((database / "commits").iterdir()):
        commit = json.loads(path.read_text().splitlines()[1])
        ledger[commit["timestamp"]] += [file["bytes"] for file in commit.get("ledger", {}).get("added", [])]
    print("| window | fragments | files | MB | ledger files | ledger kB |\n|---|---|---|---|---|---|")
    sums = [0] * 5
    for timestamp, fragments in sorted(windows.items()):
        files = sum(len(list(fragment.iterdir())) + 1 for fragment in fragments)
        size, rows = sum(map(bytes_under, fragments)) / 1e6, ledger[timestamp]
        figures = [len(fragments), files, size, len(rows), sum(rows) / 1e3]
        sums = [total + figure for total, figure in zip(sums, figures)]
        moment = datetime.fromtimestamp(timestamp / 1000, timezone.utc).strftime("%H:%M:%S.%f")[:-3]
        print(row(moment, figures))
    print(row(f"{len(windows)} windows", sums))


def row(first: str, figures: list) -> str:
    fragments, files, size, ledger_files, ledger_size = figures
    return f"| {first} | {fragments} | {files} | {size:.1f} | {ledger_files} | {ledger_size:.1f} |"


if __name__ == "__main__":
    main()
