"""Write one data set into several candidate layouts, query them in turn, and print the figures as Markdown tables.

    python run.py layouts --data globe --window month     # candidates side by side
    python run.py fragments --data region                 # one layout, more and more fragments

Candidates are interleaved (A B C A B C …), so that a load on the machine falls on all of them.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import tiledb

from layouts import LAYOUTS, WINDOWS, Fragmentation, Layout, Writer, cut, on_disk
from measure import Query, Sample, context, io, run, workload
from tracks import Segments, globe, region

REGION = (44.0, 48.0, 8.0, 12.0)
CUTS = ("all", "year", "quarter", "month", "monthx4", "monthx16")


@dataclass
class Candidate:
    """An array under test, and what was measured on it."""

    name: str
    layout: Layout
    writer: Writer
    ctx: tiledb.Ctx
    write_wall: float = 0.0
    write_cpu: float = 0.0
    kept: tiledb.Array | None = None
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[str, list[dict[str, int]]] = field(default_factory=lambda: defaultdict(list))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=("layouts", "fragments"))
    parser.add_argument("--data", choices=("globe", "region"), default="globe",
                        help="globe: thinned over all land; region: a 4° box at the density of the whole mission")
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--window", choices=tuple(WINDOWS), default="month", help="time window (suite layouts)")
    parser.add_argument("--layouts", nargs="+", choices=tuple(LAYOUTS), help="which candidates (default: all; wide)")
    parser.add_argument("--cuts", nargs="+", default=CUTS, help="windows, and blocks in each (suite fragments)")
    parser.add_argument("--consolidate-metadata", action="store_true", help="consolidate fragment metadata first")
    parser.add_argument("--keep-open", action="store_true", help="query arrays that stay open, as a session may")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE",
                        help="query every array a second time with these TileDB settings (shown as: tuned)")
    parser.add_argument("--work", type=Path, required=True, help="folder for the arrays (a GB or more)")
    parser.add_argument("--json", type=Path, help="also write every sample here")
    return parser.parse_args()


def candidates(args: argparse.Namespace, data: Segments, ctx: tiledb.Ctx) -> list[Candidate]:
    chunk = 1.0 if args.data == "globe" else 0.25
    if args.suite == "layouts":
        pairs = [(LAYOUTS[name], Fragmentation(args.window)) for name in args.layouts or LAYOUTS]
    else:
        pairs = [(LAYOUTS[name], Fragmentation.parse(how)) for name in args.layouts or ["wide"] for how in args.cuts]
    result = []
    for layout, how in pairs:
        name = f"{layout.name}, {how.name}"
        writer = Writer(args.work / name.replace(", ", "-"), layout, data, cut(data, how, chunk), ctx)
        result.append(Candidate(name, layout, writer, ctx))
    return result


def tuned(arrays: list[Candidate], ctx: tiledb.Ctx) -> list[Candidate]:
    """The same arrays, to be read through another context."""
    return [Candidate(f"{array.name}, tuned", array.layout, array.writer, ctx) for array in arrays]


def write(arrays: list[Candidate]) -> None:
    """Write all candidates, each advancing by the same share of its fragments before the next one's turn."""
    steps = max(len(array.writer.fragments) for array in arrays)
    for step in range(steps):
        for array in arrays:
            count = len(array.writer.fragments)
            for number in range(step * count // steps, (step + 1) * count // steps):
                prepared = array.writer.prepare(number)
                wall, cpu = time.perf_counter(), time.process_time()
                array.writer.submit(number, prepared)
                array.write_wall += time.perf_counter() - wall
                array.write_cpu += time.process_time() - cpu


def consolidate_metadata(arrays: list[Candidate]) -> None:
    for array in arrays:
        config = tiledb.Config({"sm.consolidation.mode": "fragment_meta", "sm.enable_signal_handlers": "false"})
        tiledb.consolidate(str(array.writer.uri), config=config)


def query(arrays: list[Candidate], rounds: list[list[Query]]) -> None:
    """Time every query on every candidate, in turn; all must return the same number of rows."""
    for number, queries in enumerate(rounds):
        for one in queries:
            answers = set()
            for array in arrays[number % len(arrays):] + arrays[:number % len(arrays)]:
                sample = run(array.writer.uri, array.layout, one, array.writer.timestamp, array.ctx, array.kept)
                array.samples[one.kind].append(sample)
                answers.add(sample.rows)
            if len(answers) != 1:
                raise SystemExit(f"candidates disagree on {one}: {answers}")
    for queries in rounds[:3]:
        for one in queries:
            for array in arrays:
                counters = io(array.writer.uri, array.layout, one, array.writer.timestamp, array.ctx)
                array.counters[one.kind].append(counters)


def table(arrays: list[Candidate], kinds: list[str], title: str, cell) -> None:
    print(f"\n{title}\n\n| | " + " | ".join(kinds) + " |\n|---" + "|---" * len(kinds) + "|")
    for array in arrays:
        print(f"| {array.name} | " + " | ".join(cell(array, kind) for kind in kinds) + " |")


def report(arrays: list[Candidate], kinds: list[str]) -> None:
    print("\n| | fragments | write s | write CPU s | MB | files | open ms |\n|---|---|---|---|---|---|---|")
    for array in (array for array in arrays if array.write_wall):  # a tuned one is another's array
        size, files = on_disk(array.writer.uri)
        opening = statistics.median(s.opening for samples in array.samples.values() for s in samples)
        print(f"| {array.name} | {len(array.writer.fragments)} | {array.write_wall:.1f} | {array.write_cpu:.1f} "
              f"| {size / 1e6:.0f} | {files} | {opening * 1e3:.1f} |")

    def timing(array: Candidate, kind: str) -> str:
        walls = [s.wall * 1e3 for s in array.samples[kind]]
        cpu = statistics.median(s.cpu * 1e3 for s in array.samples[kind])
        return f"{statistics.median(walls):.1f} ({min(walls):.1f}; {cpu:.1f})"

    def volume(array: Candidate, kind: str) -> str:
        size, reads = (statistics.median(c[key] for c in array.counters[kind]) for key in ("bytes", "reads"))
        return f"{size / 1e6:.2f} / {reads:.0f}"

    def rows(array: Candidate, kind: str) -> str:
        return f"{statistics.median(s.rows for s in array.samples[kind]):.0f}"

    table(arrays[:1], kinds, "Rows returned (median)", rows)
    table(arrays, kinds, "Milliseconds, opening included: median (least; CPU)", timing)
    table(arrays, kinds, "MB read / read operations (median of 3)", volume)


def main() -> None:
    args = arguments()
    if args.data == "globe":
        data, share, small, large = globe(args.rows), None, 1.0, 10.0
    else:
        (data, share), small, large = region(args.rows, REGION), 0.1, 1.0
    print(f"{args.data}: {len(data)} rows" + (f", {share:.2f} of all segments" if share else ""))
    ctx = context({})
    args.work.mkdir(parents=True, exist_ok=True)
    arrays = candidates(args, data, ctx)
    write(arrays)
    if args.consolidate_metadata:
        consolidate_metadata(arrays)
    if args.config:
        arrays += tuned(arrays, context(dict(setting.split("=", 1) for setting in args.config)))
    if args.keep_open:
        for array in arrays:
            array.kept = tiledb.open(str(array.writer.uri), timestamp=array.writer.timestamp, ctx=array.ctx)
    rounds = workload(data, args.rounds, small, large)
    query(arrays, rounds[:1])  # warms the page cache
    for array in arrays:
        array.samples.clear()
        array.counters.clear()
    query(arrays, rounds)
    kinds = [one.kind for one in rounds[0]]
    report(arrays, kinds)
    if args.json:
        found = {a.name: {kind: [vars(s) for s in a.samples[kind]] for kind in kinds} for a in arrays}
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
