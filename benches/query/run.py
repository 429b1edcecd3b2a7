"""Runs the same queries with isdb on its TileDB array, with DuckDB and DataFusion on Parquet files of the same rows, and with icesat2db.

    python3 -m venv venv && venv/bin/pip install -r benches/query/requirements.txt
    venv/bin/python benches/query/run.py --data /tmp/query --granules 24

Builds the data once and reuses it; --rebuild database makes the database again, for example after its format changed. Every engine
runs in a process of its own, which times statements from SQL to rows in memory, and stays for the whole run; the engines take
turns, so that other load falls on all of them. All answers must agree. docs/benchmarks.md explains the tables.
"""

import argparse
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from answer import difference
from data import HERE, PEER, build
from engines import Engine, Process, engines
from statements import Group, groups
from tables import Measured, first_table, print_tables

ROOT = HERE.parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder for granules, database and Parquet files (60 MB a granule)")
    parser.add_argument("--granules", type=int, default=24, help="granules to generate; 146 have 5.3 million segments")
    parser.add_argument("--segments", type=int, default=6_100, help="segments a beam")
    parser.add_argument("--from", dest="source", type=Path, help="a folder of granules to use instead of generating any")
    parser.add_argument("--rebuild", choices=("database", "all"), help="make the database, or all data, again")
    parser.add_argument("--profile", choices=("release", "dev"), default="release", help="how isdb is built")
    parser.add_argument("--binaries", type=Path, help="use isdb, examples/query_speed and examples/make_granules from this folder")
    parser.add_argument("--boxes", type=int, default=50, help="boxes of each size")
    parser.add_argument("--seed", type=int, default=1, help="of the random rows that boxes lie around")
    parser.add_argument("--passes", type=int, default=5, help="timed runs of each statement")
    parser.add_argument("--processes", type=int, default=5, help="new processes for the first query; 0 for none")
    parser.add_argument("--statistic", choices=("best", "median"), default="best", help="of the runs of a statement")
    parser.add_argument("--only", help="groups whose name contains this")
    parser.add_argument("--without", nargs="*", default=[], help="engines to leave out, by their name or its beginning")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    options = parser.parse_args()

    binaries = (options.binaries or built(options.profile)).resolve()
    with_peer = not PEER.startswith(tuple(options.without))
    data = build(binaries, options.data.resolve(), options.source, options.granules, options.segments, options.rebuild, with_peer)
    wanted = [engine for engine in engines(binaries, data) if not engine.name.startswith(tuple(options.without))]
    chosen = [group for group in groups(data.plain, options.boxes, options.seed) if not options.only or options.only in group.name]
    load = os.getloadavg()[0]
    figures, differences = measure(wanted, chosen, options.passes)
    first = first_queries(wanted, chosen, options.processes)
    title = (f"{data.described()}. {len(os.sched_getaffinity(0))} processors, load {load:.1f} before and {os.getloadavg()[0]:.1f} "
             f"after. {options.boxes} boxes of each size, {options.passes} passes, seed {options.seed}.")
    print_tables(title, wanted, chosen, figures, options.statistic)
    first_table(first)
    if options.json:
        options.json.write_text(json.dumps({"title": title, "first": first, "figures": [figure.__dict__ for figure in figures]}) + "\n")
    if differences:
        raise SystemExit("\nanswers differ:\n" + "\n".join(differences))


def built(profile: str) -> Path:
    """Builds the programs and returns their folder."""
    flags = ["--release"] if profile == "release" else []
    command = ["cargo", "build", *flags, "--bin", "isdb", "--example", "make_granules", "--example", "query_speed"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / ("release" if profile == "release" else "debug")


def measure(wanted: list[Engine], chosen: list[Group], passes: int) -> tuple[list[Measured], list[str]]:
    """Runs all groups on all engines. The first pass of each is also where its answers come from."""
    figures, differences = [], []
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(engine)) for engine in wanted]
        for group in chosen:
            print(group.name, file=sys.stderr)
            able = [process for process in processes if process.engine.statements(group)]
            measured = {process.engine.name: Measured(group.name, process.engine.name) for process in able}
            answers = {}
            for process in able:
                process.forget_peak()
                reply = process.request(process.engine.statements(group), answers=True)
                measured[process.engine.name].first = reply["micros"]
                answers[process.engine.name] = reply["answers"]
            differences += compare(group, {p.engine.name: answers[p.engine.name] for p in able if not p.engine.has_kept_rows})
            for process in able:
                if process.engine.has_kept_rows:
                    base = able[0]
                    kept = base.request(base.engine.kept(group), answers=True)["answers"]
                    differences += compare(group, {base.engine.name: kept, process.engine.name: answers[process.engine.name]})
            for process in able:
                process.forget_peak()
            for _ in range(passes):
                for process in able:
                    figure, before = measured[process.engine.name], process.cpu()
                    figure.runs.append(process.request(process.engine.statements(group))["micros"])
                    figure.cpu.append(process.cpu() - before)
            for process in able:
                figure = measured[process.engine.name]
                figure.peak = process.peak()
                figure.rows = [answer["rows"] for answer in answers[process.engine.name]]
            figures += measured.values()
    return figures, differences


def compare(group: Group, answers: dict[str, list[dict]]) -> list[str]:
    """Compares the answers of every engine with those of the first."""
    (base, expected), *others = answers.items()
    found = []
    for name, given in others:
        for number, (one, other) in enumerate(zip(expected, given, strict=True)):
            different = difference(one, other, group.compare, group.tolerance)
            if different:
                found.append(f"{group.name}, statement {number}: {base} and {name}: {different}")
    return found


def first_queries(wanted: list[Engine], chosen: list[Group], count: int) -> list[dict]:
    """Opens in new processes, and runs a statement the first time and then again."""
    group = next((group for group in chosen if group.selections and len(group.statements) > 1), None)
    if group is None or count == 0:
        return []
    print("first queries", file=sys.stderr)
    found = []
    for turn in range(count):
        for engine in wanted:
            statement = engine.statements(group)[turn % len(group.statements)]
            with Process(engine) as process:
                first = process.request([statement])["micros"][0]
                again = min(process.request([statement] * 5)["micros"])
                found.append({"engine": engine.name, "group": group.name, "open": process.opened, "first": first, "again": again})
    return found


if __name__ == "__main__":
    main()
