"""Peak memory of `isdb ingest` against the number of full-size granules: it should not grow.

    venv/bin/python benches/ingest/memory.py --work /tmp/ingest --memory 512MB

The granules are copies of a few synthetic ones with the names of many tracks, without the photons that no ingest reads.
"""

import argparse
import json
import shutil
from pathlib import Path

from granules import EVERY, SEGMENTS, build, copies, described, make
from measure import bytes_under, measured

# The number of different granules.
DIFFERENT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for granules and databases (5 GB)")
    parser.add_argument("--counts", type=int, nargs="+", default=[20, 100, 200])
    parser.add_argument("--segments", type=int, default=SEGMENTS, help="segments a beam")
    parser.add_argument("--every", type=float, default=EVERY, help="days from one granule to the next")
    parser.add_argument("--memory", help="isdb ingest --memory, such as 512MB; without it isdb's default")
    parser.add_argument("--profile", choices=("release", "dev"), default="release", help="how isdb is built")
    parser.add_argument("--binaries", type=Path, help="use isdb and examples/make_granules from this folder, and build nothing")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()

    binaries = (options.binaries or build(options.profile)).resolve()
    different = options.work / "different"
    different.mkdir(parents=True, exist_ok=True)
    originals = make(binaries, different, DIFFERENT, options.segments, 0, options.every)
    memory = ["--memory", options.memory] if options.memory else []
    print(f"{described(originals)}, as many others; isdb built as {options.profile}; {' '.join(memory) or 'no --memory'}\n")
    print("| granules | peak MB | s | CPU s | rows | database MB |\n|---|---|---|---|---|---|", flush=True)
    figures = []
    for count in options.counts:
        granules = copies(originals, options.work / "copies", count)
        database = options.work / "database"
        shutil.rmtree(database, ignore_errors=True)
        isdb = [binaries / "isdb", "--db", database]
        took = measured([*isdb, "ingest", *memory, *granules], options.work / "ingest.log")
        rows = int(measured([*isdb, "query", "--format", "csv", "SELECT count(*) FROM segments"],
                            options.work / "check.log").output.split()[1])
        figures.append({"granules": count, "peak": took.peak, "seconds": took.wall, "cpu": took.cpu, "rows": rows})
        print(f"| {count} | {took.peak / 1e6:,.0f} | {took.wall:.1f} | {took.cpu:.1f} | {rows:,} "
              f"| {bytes_under(database) / 1e6:,.0f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
