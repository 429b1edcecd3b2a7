"""Prints the figures as Markdown tables."""

import statistics
from dataclasses import dataclass, field

from data import PEER
from engines import Engine
from statements import Group

PARQUET = ("DuckDB", "DataFusion")
# Of an engine that cannot answer.
MISSING = "–"


@dataclass
class Measured:
    """What an engine needed for a group: microseconds of each statement in each run, CPU seconds of each run, peak bytes."""

    group: str
    engine: str
    first: list[float] = field(default_factory=list)
    runs: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int = 0
    rows: list[int] = field(default_factory=list)

    def time(self, statistic: str) -> float:
        """The median over the statements of the best or the median run, in milliseconds."""
        of_runs = min if statistic == "best" else statistics.median
        return statistics.median(of_runs(times) for times in zip(*self.runs)) / 1e3

    def first_time(self) -> float:
        """The median over the statements of their first run in a process that already ran others, in milliseconds."""
        return statistics.median(self.first) / 1e3

    def cpu_time(self, statistic: str) -> float:
        """CPU milliseconds of a statement: the mean over the statements of the best or the median run."""
        of_runs = min if statistic == "best" else statistics.median
        return of_runs(self.cpu) / len(self.first) * 1e3


def print_tables(title: str, wanted: list[Engine], chosen: list[Group], figures: list[Measured], statistic: str) -> None:
    by_group = {group.name: [figure for figure in figures if figure.group == group.name] for group in chosen}
    titles = {engine.name: engine.title for engine in wanted}
    columns = list(dict.fromkeys(titles.values()))
    print(f"\n{title}\n\nMilliseconds, the {statistic} run of each statement, median of the statements\n")
    head("query", "rows", *columns, "best on Parquet", "Parquet ÷ isdb", f"{PEER} ÷ isdb")
    shown, best_on_parquet = {}, {}
    for name, found in by_group.items():
        shown[name] = better(found, titles, statistic)
        times = {column: figure.time(statistic) for column, figure in shown[name].items()}
        best = min((column for column in times if column.startswith(PARQUET)), key=times.get, default="")
        best_on_parquet[name] = best
        row(name, f"{statistics.median(found[0].rows):,.0f}", *(number(times.get(column)) for column in columns), best,
            ratio(times.get(best), times.get("isdb")), ratio(times.get(PEER), times.get("isdb")))
    print("\nMilliseconds, the first run of each statement in a process that has answered others\n")
    table(columns, by_group, lambda name, column: number(time_of(shown[name].get(column), Measured.first_time)))
    print(f"\nCPU milliseconds of a statement, mean of the statements, the {statistic} run; the ratio is for the best on Parquet above\n")
    head("query", *columns, "Parquet ÷ isdb", f"{PEER} ÷ isdb")
    for name in by_group:
        times = {column: figure.cpu_time(statistic) for column, figure in shown[name].items()}
        row(name, *(number(times.get(column)) for column in columns), ratio(times.get(best_on_parquet[name]), times.get("isdb")),
            ratio(times.get(PEER), times.get("isdb")))
    print("\nPeak memory of the process during the runs, MB\n")
    table(columns, by_group, lambda name, column: f"{shown[name][column].peak / 1e6:,.0f}" if column in shown[name] else MISSING)


def better(found: list[Measured], titles: dict[str, str], statistic: str) -> dict[str, Measured]:
    """The figures of the best engine of each column."""
    best = {}
    for figure in sorted(found, key=lambda figure: figure.time(statistic)):
        best.setdefault(titles[figure.engine], figure)
    return best


def first_table(first: list[dict]) -> None:
    """Prints what a new process needs for its first query."""
    if not first:
        return
    print(f"\nA new process: milliseconds to open, of the first query ({first[0]['group']}), and of the same query again; medians\n")
    head("engine", "open", "first query", "together", "again")
    for name in dict.fromkeys(one["engine"] for one in first):
        of_engine = [one for one in first if one["engine"] == name]
        middle = lambda what: statistics.median(map(what, of_engine)) / 1e3  # noqa: E731
        row(name, *(number(middle(what)) for what in (
            lambda one: one["open"], lambda one: one["first"], lambda one: one["open"] + one["first"], lambda one: one["again"],
        )))


def time_of(figure: Measured | None, what) -> float | None:
    return None if figure is None else what(figure)


def ratio(parquet: float | None, isdb: float | None) -> str:
    return f"{parquet / isdb:.2f}" if parquet and isdb else MISSING


def number(milliseconds: float | None) -> str:
    """Three digits, at least to the microsecond."""
    if milliseconds is None:
        return MISSING
    digits = 3 if milliseconds < 1 else 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:,.{digits}f}"


def table(columns: list[str], names, cell) -> None:
    head("query", *columns)
    for name in names:
        row(name, *(cell(name, column) for column in columns))


def head(*cells: str) -> None:
    row(*cells)
    print("|---" * len(cells) + "|")


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")
