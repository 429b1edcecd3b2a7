"""Candidate layouts of the array `segments`, and writing one data set into each as the ingest will: one UNORDERED
submit per fragment, at an explicit timestamp, no fragment spanning a time window. `measure.py` reads what is written.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tiledb
from tiledb import sparse_array

from tracks import CANOPY, TERRAIN, Segments

FIRST_TIMESTAMP = 1_000
WINDOWS = {"all": None, "year": "M8[Y]", "quarter": "M8[3M]", "month": "M8[M]"}


@dataclass(frozen=True)
class Layout:
    """One candidate. `years` is the domain of the time dimension, None when time is an attribute."""

    name: str
    years: tuple[int, int] | None
    capacity: int = 10_000
    extents: tuple[float, float, int] | None = None  # degrees, degrees, days; row-major cells and tiles when given


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("attribute", None),
        Layout("attribute-100k", None, capacity=100_000),
        Layout("wide", (1700, 2250)),
        Layout("wide-4k", (1700, 2250), capacity=4_000),
        Layout("wide-100k", (1700, 2250), capacity=100_000),
        Layout("century", (1970, 2070)),
        Layout("narrow", (2018, 2035)),
        Layout("narrow-4k", (2018, 2035), capacity=4_000),
        Layout("row-major", (2018, 2035), extents=(1.0, 1.0, 30)),
        Layout("row-major-space", (2018, 2035), extents=(1.0, 1.0, 6_205)),
    )
}


@dataclass(frozen=True)
class Fragmentation:
    """How rows are cut into fragments: a time window, and in each window this many blocks of neighbouring chunks."""

    window: str
    blocks: int = 1

    @classmethod
    def parse(cls, text: str) -> "Fragmentation":
        """`month`, or `monthx4` for four blocks in each month."""
        window, _, blocks = text.partition("x")
        if window not in WINDOWS:
            raise SystemExit(f"unknown time window {window!r}: one of {', '.join(WINDOWS)}")
        return cls(window, int(blocks or 1))

    @property
    def name(self) -> str:
        return self.window if self.blocks == 1 else f"{self.window}x{self.blocks}"


def schema(layout: Layout, ctx: tiledb.Ctx) -> tiledb.ArraySchema:
    """The array schema of a candidate, with the filters every candidate shares."""
    floats = tiledb.FilterList([tiledb.ByteShuffleFilter(), tiledb.ZstdFilter(3)])
    whole = tiledb.FilterList([tiledb.DoubleDeltaFilter(), tiledb.BitWidthReductionFilter(), tiledb.ZstdFilter(3)])
    lat_tile, lon_tile, days = layout.extents or (None, None, None)
    dims = [
        tiledb.Dim("latitude", domain=(-90.0, 90.0), tile=lat_tile, dtype="f8", filters=floats, ctx=ctx),
        tiledb.Dim("longitude", domain=(-180.0, 180.0), tile=lon_tile, dtype="f8", filters=floats, ctx=ctx),
    ]
    attrs = []
    if layout.years is None:
        attrs.append(tiledb.Attr("time", dtype="datetime64[ns]", filters=whole, ctx=ctx))
    else:
        domain = tuple(np.datetime64(f"{year}-01-01", "ns") for year in layout.years)
        tile = None if days is None else np.timedelta64(days * 86_400 * 10**9, "ns")
        dims.append(tiledb.Dim("time", domain=domain, tile=tile, dtype="datetime64[ns]", filters=whole, ctx=ctx))
    attrs += [tiledb.Attr(name, dtype="i8", filters=whole, ctx=ctx) for name in ("ingest_id", "fragment_id")]
    attrs += [tiledb.Attr(name, dtype="f4", nullable=True, filters=floats, ctx=ctx) for name in CANOPY]
    attrs += [tiledb.Attr(name, dtype="f4", filters=floats, ctx=ctx) for name in TERRAIN]
    order = "hilbert" if layout.extents is None else "row-major"
    return tiledb.ArraySchema(
        domain=tiledb.Domain(*dims, ctx=ctx),
        attrs=attrs,
        sparse=True,
        allows_duplicates=True,
        cell_order=order,
        tile_order="row-major",
        capacity=layout.capacity,
        ctx=ctx,
    )


def cut(data: Segments, how: Fragmentation, chunk_degrees: float) -> list[np.ndarray]:
    """Row numbers of each fragment: rows of a window, ordered by the Morton code of their chunk, in equal blocks."""
    unit = WINDOWS[how.window]
    window = np.zeros(len(data), "i8") if unit is None else data.time.astype(unit).astype("i8")
    order = np.lexsort((_chunk(data, chunk_degrees), window))
    edges = np.flatnonzero(np.diff(window[order])) + 1
    return [block for rows in np.split(order, edges) for block in np.array_split(rows, how.blocks) if len(block)]


def _chunk(data: Segments, degrees: float) -> np.ndarray:
    """Morton code of the chunk (a square of `degrees`) each row lies in."""
    code = np.zeros(len(data), "i8")
    rows = ((data.latitude + 90) / degrees).astype("i8")
    columns = ((data.longitude + 180) / degrees).astype("i8")
    for bit in range(16):
        code |= ((rows >> bit) & 1) << (2 * bit + 1) | ((columns >> bit) & 1) << (2 * bit)
    return code


class Writer:
    """Writes one data set into one array, a fragment at a time, so that several arrays can be written in turn."""

    def __init__(self, uri: Path, layout: Layout, data: Segments, fragments: list[np.ndarray], ctx: tiledb.Ctx):
        shutil.rmtree(uri, ignore_errors=True)
        tiledb.Array.create(str(uri), schema(layout, ctx), ctx=ctx)
        self.uri, self.layout, self.data, self.fragments, self.ctx = uri, layout, data, fragments, ctx

    @property
    def timestamp(self) -> int:
        """Timestamp at which everything written is visible."""
        return FIRST_TIMESTAMP + len(self.fragments)

    def prepare(self, number: int) -> tuple[tuple, dict, dict]:
        """Coordinates, values and validity of a fragment; kept apart so that gathering rows is not timed."""
        rows = self.fragments[number]
        values = {name: column[rows] for name, column in self.data.attributes.items()}
        validity = {name: (~np.isnan(values[name])).astype("u1") for name in CANOPY}
        for name in CANOPY:
            values[name] = np.nan_to_num(values[name])
        values["ingest_id"] = (1 << 32) + self.data.orbit[rows].astype("i8")
        values["fragment_id"] = np.full(len(rows), (1 << 32) + number, "i8")
        coords = (self.data.latitude[rows], self.data.longitude[rows], self.data.time[rows])
        if self.layout.years is None:
            values["time"] = coords[2]
            coords = coords[:2]
        return coords, values, validity

    def submit(self, number: int, prepared: tuple[tuple, dict, dict]) -> None:
        """Write a prepared fragment at its own timestamp."""
        coords, values, validity = prepared
        with tiledb.open(str(self.uri), "w", timestamp=FIRST_TIMESTAMP + number, ctx=self.ctx) as array:
            # `array[coords] = values` turns nullable columns into Python lists first; this takes validity as it is.
            sparse_array._setitem_impl_sparse(array, coords, values, validity)


def on_disk(uri: Path) -> tuple[int, int]:
    """Bytes and files of an array."""
    sizes = [path.stat().st_size for path in uri.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)
