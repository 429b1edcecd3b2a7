"""Ingests the same full-size granules with isdb and with the Python package icesat2db, and prints the cost of each.

    python3 -m venv venv && venv/bin/pip install -r benches/ingest/requirements.txt
    venv/bin/python benches/ingest/run.py --work /tmp/ingest --profile release

Both store the variables of the package's shipped config and keep the same segments: with a canopy height and its
uncertainty, outside towns and water. (The package intends to drop segments without terrain, too, but its rule is always true.)
Rows and two sums must agree. isdb is measured from start to end of its process. The package gets the benefit of the doubt: its
time is that of `compute()` alone, without imports and array creation, and the table also shows it without its consolidation.
Neither downloads anything. One run each; the granules are read once before, so that both find them in the page cache.

Further: memory.py (peak memory against the number of granules), fragments.py (fragments and files per window).
"""

import argparse
import atexit
import csv
import importlib.metadata
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import tiledb
import yaml

from granules import EVERY, FULL_SIZE, SEGMENTS, build, described, make
from measure import bytes_under, measured

HERE = Path(__file__).resolve().parent
PEER = "icesat2db"
# The effect of the package's rules.
FILTERS = [
    {"canopy_estimated": "h_canopy IS NOT NULL AND h_canopy_uncertainty IS NOT NULL"},
    {"outside_towns": "urban_flag = 0"},
    {"outside_water": "segment_watermask = 0"},
]
CHECK = "SELECT count(*) AS rows, sum(CAST(segment_id_beg AS BIGINT)) AS segment_ids, sum(CAST(h_canopy AS DOUBLE)) AS canopy FROM segments"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for granules and databases (5 GB)")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--segments", type=int, default=SEGMENTS, help="segments a beam")
    parser.add_argument("--size", type=int, default=FULL_SIZE, help="bytes a granule, reached with photons that no ingest reads")
    parser.add_argument("--every", type=float, default=EVERY, help="days from one granule to the next")
    parser.add_argument("--profile", choices=("release", "dev"), default="release", help="how isdb is built")
    parser.add_argument("--binaries", type=Path, help="use isdb and examples/make_granules from this folder, and build nothing")
    parser.add_argument("--memory", help="isdb ingest --memory, such as 512MB")
    parser.add_argument("--engines", nargs="*", choices=("threads", "dask"), default=["threads", "dask"],
                        help="engines of the package; none: isdb alone")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()

    workers = len(os.sched_getaffinity(0))
    binaries = (options.binaries or build(options.profile)).resolve()
    granules = make(binaries, folder(options.work / "granules"), options.count, options.segments, options.size, options.every)
    shipped = shipped_config()
    for path in granules:
        path.read_bytes()
    runs = [run_isdb(options, binaries, granules, shipped)]
    runs += [run_peer(options.work, granules, shipped, engine, workers) for engine in options.engines]
    title = f"{described(granules)}, one every {options.every:g} days; {workers} processors, load {os.getloadavg()[0]:.1f}; isdb built as {options.profile}"
    print_table(title, runs, len(granules))
    if options.json:
        options.json.write_text(json.dumps({"title": title, "runs": runs}, indent=1) + "\n")
    if not agree(runs):
        raise SystemExit("the databases differ")


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def fresh(place: Path, name: str) -> Path:
    """A new folder, which is removed at the end: for seconds after a deletion, ext4 searches long for the inode of a new file."""
    work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place)).resolve()
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    return work


def shipped_config() -> Path:
    files = importlib.metadata.files(PEER) or []
    return next(Path(file.locate()) for file in files if file.match("data/config_files/data_config.yml"))


def run_isdb(options, binaries: Path, granules: list[Path], shipped: Path) -> dict:
    work = fresh(options.work, "isdb")
    isdb = [binaries / "isdb", "--db", work / "database"]
    names = yaml.safe_load(shipped.read_text())["level_atl08"]["variables"]
    listed = measured([*isdb, "variables", "--release", "7", "--format", "csv"], work / "variables.log").output
    ours = {row["name"] for row in csv.DictReader(io.StringIO(listed))}
    config = work / "config.yml"
    wanted = {"product": "ATL08", "variables": [name for name in names if name in ours], "filters": FILTERS}
    config.write_text(yaml.safe_dump(wanted, sort_keys=False))
    memory = ["--memory", options.memory] if options.memory else []
    took = measured([*isdb, "--config", config, "ingest", *memory, *granules], work / "ingest.log")
    checked = measured([*isdb, "query", "--format", "json", CHECK], work / "check.log").output
    return {
        "who": f"isdb {memory[1]}" if memory else "isdb", "seconds": took.wall, "without consolidation": took.wall,
        "whole process": took.wall, "cpu": took.cpu, "peak": took.peak, "bytes": bytes_under(work / "database"),
        "fragments": len(list((work / "database/segments/__commits").glob("*.wrt"))), "variables": len(wanted["variables"]),
        **json.loads(checked)[0],
    }


def run_peer(place: Path, granules: list[Path], shipped: Path, engine: str, workers: int) -> dict:
    work = fresh(place, f"{PEER}-{engine}")
    command = [sys.executable, HERE / "peer.py", *granules, "--work", work / "run", "--config", shipped,
               "--engine", engine, "--workers", workers]
    took = measured(command, work / "ingest.log")
    report = json.loads(took.output.splitlines()[-1])
    return {
        "who": f"{PEER} {engine}", "seconds": report["compute"], "without consolidation": report["compute"] - report["consolidation"],
        "whole process": took.wall, "cpu": took.cpu, "peak": took.peak, "bytes": bytes_under(Path(report["array"])),
        "fragments": len(tiledb.FragmentInfoList(report["array"])),
        "variables": len(yaml.safe_load(shipped.read_text())["level_atl08"]["variables"]), **stored(report["array"]),
    }


def stored(array: str) -> dict:
    """Rows of the package's database, and the two sums."""
    total = {"rows": 0, "segment_ids": 0, "canopy": 0.0}
    with tiledb.open(array) as opened:
        query = opened.query(attrs=["segment_id_beg", "h_canopy"], dims=[])
        found = query[:]
        total["rows"] = len(found["h_canopy"])
        total["segment_ids"] = int(found["segment_id_beg"].astype("int64").sum())
        total["canopy"] = float(found["h_canopy"].astype("float64").sum())
    return total


def agree(runs: list[dict]) -> bool:
    first = runs[0]
    return all(
        run["rows"] == first["rows"] and run["segment_ids"] == first["segment_ids"]
        and abs(run["canopy"] - first["canopy"]) <= 1e-6 * abs(first["canopy"]) for run in runs
    )


def print_table(title: str, runs: list[dict], count: int) -> None:
    print(f"\n{title}\n")
    head = ("", "granules/min", "s", "without consolidation", "whole process", "CPU s", "peak MB", "database MB", "fragments",
            "rows", "speed", "memory")
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    isdb = runs[0]
    for run in runs:
        cells = (
            run["who"], f"{count / run['seconds'] * 60:.1f}", f"{run['seconds']:.1f}", f"{run['without consolidation']:.1f}",
            f"{run['whole process']:.1f}", f"{run['cpu']:.1f}", f"{run['peak'] / 1e6:,.0f}", f"{run['bytes'] / 1e6:,.0f}",
            run["fragments"], f"{run['rows']:,}", f"{run['seconds'] / isdb['seconds']:.2f} ×", f"{run['peak'] / isdb['peak']:.2f} ×",
        )
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
