"""Fragments and files of each window of an ingest of scattered granules.

    venv/bin/python benches/ingest/fragments.py --work /tmp/ingest

The granules lie on two continents and, by default, weeks apart; --every brings them together in time.
"""

import argparse
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
    """Prints a line for each window: the names of all files that it writes contain its timestamp in milliseconds."""
    windows = defaultdict(lambda: defaultdict(list))
    for array in ("segments", "granules"):
        for commit in sorted((database / array / "__commits").glob("*.wrt")):
            windows[int(commit.name.split("_")[2])][array].append(database / array / "__fragments" / commit.stem)
    print("| window | fragments | files | MB | ledger fragments | ledger files |\n|---|---|---|---|---|---|")
    sums = [0] * 5
    for timestamp, arrays in sorted(windows.items()):
        figures = []
        for array in ("segments", "granules"):
            fragments = arrays[array]
            files = sum(len(list(fragment.iterdir())) + 1 for fragment in fragments)
            figures += [len(fragments), files] + ([sum(map(bytes_under, fragments)) / 1e6] if array == "segments" else [])
        sums = [total + figure for total, figure in zip(sums, figures)]
        moment = datetime.fromtimestamp(timestamp / 1000, timezone.utc).strftime("%H:%M:%S.%f")[:-3]
        print(row(moment, figures))
    print(row(f"{len(windows)} windows", sums))


def row(first: str, figures: list) -> str:
    fragments, files, size, ledger, ledger_files = figures
    return f"| {first} | {fragments} | {files} | {size:.1f} | {ledger} | {ledger_files} |"


if __name__ == "__main__":
    main()
