"""Timed queries of the layout prototype: each opens the array again at an explicit timestamp and reads four columns of
the rows with `h_canopy > 5`, in bounded batches. Bytes and reads are libtiledb's own counters, read in a later pass.
"""

import json
import resource
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tiledb

from layouts import Layout
from tracks import Segments

COLUMNS = ("latitude", "longitude", "h_canopy", "h_te_best_fit")
CONDITION = "h_canopy > 5"


@dataclass(frozen=True)
class Query:
    """A box (south, north, west, east) or the whole globe, and a half-open time range or all time."""

    kind: str
    box: tuple[float, float, float, float] | None = None
    times: tuple[np.datetime64, np.datetime64] | None = None


@dataclass
class Sample:
    """One run of one query: rows out, wall and processor seconds of opening plus reading, wall seconds of opening."""

    rows: int
    wall: float
    cpu: float
    opening: float


def context(settings: dict[str, str]) -> tiledb.Ctx:
    """A context like isdb's, plus settings to try; the buffers bound the batches (16 MB a column)."""
    return tiledb.Ctx({"sm.enable_signal_handlers": "false", "py.init_buffer_bytes": str(16 << 20)} | settings)


def workload(data: Segments, rounds: int, small: float, large: float, seed: int = 7) -> list[list[Query]]:
    """Per round the five kinds of query, around places and months where there is data; the same for every candidate."""
    rng = np.random.default_rng(seed)
    months = np.unique(data.time.astype("M8[M]"))[1:-1]
    result = []
    for _ in range(rounds):
        at = rng.integers(0, len(data))
        month = rng.choice(months)
        span = (month.astype("M8[ns]"), (month + 1).astype("M8[ns]"))

        def around(size: float, at: int = at) -> tuple[float, float, float, float]:
            lat, lon = data.latitude[at], data.longitude[at]
            return lat - size / 2, lat + size / 2, lon - size / 2, lon + size / 2

        result.append([
            Query(f"{small:g}° box", around(small)),
            Query(f"{large:g}° box", around(large)),
            Query(f"month × {large:g}° box", around(large), span),
            Query("month", None, span),
            Query("all"),
        ])
    return result


def _select(array: tiledb.Array, layout: Layout, query: Query):
    """An incomplete-query iterator over the requested rows."""
    condition = CONDITION
    ranges = [slice(None), slice(None)]
    if query.box:
        ranges = [slice(*query.box[:2]), slice(*query.box[2:])]
    if query.times:
        first, end = query.times
        if layout.years is None:
            condition += f" and time >= {first.astype('i8')} and time < {end.astype('i8')}"
        else:
            ranges.append(slice(first, end - np.timedelta64(1, "ns")))
    elif layout.years is not None:
        ranges.append(slice(None))
    dims = [name for name in COLUMNS if array.schema.domain.has_dim(name)]
    attrs = [name for name in COLUMNS if name not in dims]
    reader = array.query(attrs=attrs, dims=dims, cond=condition, order="U", return_incomplete=True)
    return reader.multi_index[tuple(ranges)]


def run(uri: Path, layout: Layout, query: Query, timestamp: int, ctx: tiledb.Ctx, kept=None) -> Sample:
    """Open, read, close; nothing is kept from run to run but the context and the operating system's page cache.

    With `kept`, an array that stays open, its fragment metadata is kept too, and opening costs nothing.
    """
    before, began = _cpu(), time.perf_counter()
    with nullcontext(kept) if kept else tiledb.open(str(uri), timestamp=timestamp, ctx=ctx) as array:
        opening = time.perf_counter() - began
        rows = sum(len(batch["h_canopy"]) for batch in _select(array, layout, query))
    return Sample(rows, time.perf_counter() - began, _cpu() - before, opening)


def io(uri: Path, layout: Layout, query: Query, timestamp: int, ctx: tiledb.Ctx) -> dict[str, int]:
    """Counts the bytes and read operations that the query requests from storage, which do not depend on the load."""
    tiledb.stats_enable()
    tiledb.stats_reset()
    run(uri, layout, query, timestamp, ctx)
    counters = json.loads(tiledb.stats_dump(print_out=False, json=True))["counters"]
    tiledb.stats_disable()
    names = {"bytes": "Context.VFS.read_byte_num", "reads": "Context.VFS.read_ops_num"}
    return {short: counters.get(name, 0) for short, name in names.items()}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
