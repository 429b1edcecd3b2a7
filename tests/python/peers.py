"""Write arrays as icesat2db (2026.4.14) and gedidb (2026.4.30) create, fill and consolidate them.

    peers.py FOLDER [ascii] [lz4]

With names, writes small arrays of that type or filter instead, which the two packages do not have.

Schema and filters are those of their `icesat2database.py`, `gedidatabase.py` and `utils/filters.py`, with a few of their variables and a
number of each row. Both packages have the same classes; gedidb has filters only if `use_filters` is set.
"""

import pathlib
import sys

import numpy as np
import tiledb

ROWS = 900


def filters(*steps):
    return tiledb.FilterList(list(steps))


def for_dtype(dtype, use_filters):
    kind, size = np.dtype(dtype).kind, np.dtype(dtype).itemsize
    if not use_filters:
        return filters(tiledb.ZstdFilter(level=1))
    if kind == "f":
        return filters(tiledb.ByteShuffleFilter(), tiledb.ZstdFilter(level=4))
    if kind in "iu" and size <= 4:
        return filters(tiledb.BitWidthReductionFilter(), tiledb.ZstdFilter(level=3))
    return filters(tiledb.ZstdFilter(level=3))


ATTRIBUTES = {
    "beam_name": "U10", "granule_name": "U30", "rh_1": "f4", "rh_2": "f4", "elevation": "f8", "quality_flag": "u1", "channel": "i1",
    "selected_mode": "i2", "degrade": "u2", "landcover": "i4", "shot_number": "u8", "row": "i8",
}  # fmt: skip


def create(uri, use_filters, capacity):
    level = 3 if use_filters else 1
    spatial = filters(tiledb.ZstdFilter(level=level))
    days = filters(tiledb.DoubleDeltaFilter(), tiledb.ZstdFilter(level=level))
    domain = tiledb.Domain(
        tiledb.Dim("latitude", domain=(-56.0, 56.0), tile=1, dtype=np.float64, filters=spatial),
        tiledb.Dim("longitude", domain=(-180.0, 180.0), tile=1, dtype=np.float64, filters=spatial),
        tiledb.Dim("time", domain=(17532, 22279), tile=1825, dtype=np.int64, filters=days),
    )
    attributes = [tiledb.Attr(name, dtype=np.dtype(dtype), filters=for_dtype(dtype, use_filters)) for name, dtype in ATTRIBUTES.items()]
    stamps = filters(tiledb.DoubleDeltaFilter(), tiledb.ZstdFilter(level=2 if use_filters else 1))
    attributes.append(tiledb.Attr("timestamp_ns", dtype=np.int64, filters=stamps))
    schema = tiledb.ArraySchema(domain, attributes, sparse=True, allows_duplicates=True, capacity=capacity, cell_order="hilbert")
    tiledb.Array.create(uri, schema)


def write(uri, part):
    rng = np.random.default_rng(part)
    texts = {"U10": np.array(["BEAM0000", "BEAM1011", ""]), "U30": np.array(["GEDI02_A_2019", "ATL08_2020"])}
    data = {}
    for name, dtype in ATTRIBUTES.items():
        kind = np.dtype(dtype).kind
        if kind == "U":
            data[name] = texts[dtype][rng.integers(0, len(texts[dtype]), ROWS)].astype(dtype)
        elif kind == "f":
            data[name] = rng.gamma(2, 8, ROWS).astype(dtype)
        else:
            low, high = (0, 200) if kind == "u" else (-100, 100)
            data[name] = rng.integers(low, high, ROWS).astype(dtype)
    data["rh_2"][::7] = np.nan
    data["shot_number"] += np.uint64(10**17)
    data["row"] = np.arange(ROWS) + part * ROWS
    data["timestamp_ns"] = np.sort(rng.integers(15 * 10**17, 16 * 10**17, ROWS))
    with tiledb.open(uri, "w", timestamp=1_700_000_000_000 + part) as array:
        array[rng.uniform(-50, 50, ROWS), rng.uniform(-180, 180, ROWS), rng.integers(18000, 19000, ROWS)] = data


def consolidate(uri):
    """In the order of `consolidate_fragments`."""
    for mode in ("fragments", "array_meta", "fragment_meta", "commits"):
        config = tiledb.Config({"sm.mem.total_budget": str(300 << 20), "sm.consolidation.mode": mode, "sm.vacuum.mode": mode})
        tiledb.consolidate(uri, config=config)
        tiledb.vacuum(uri, config=config)


def other(uri, name):
    kind, steps = {"ascii": ("ascii", [tiledb.ZstdFilter()]), "lz4": (np.dtype("U1"), [tiledb.LZ4Filter()])}[name]
    domain = tiledb.Domain(tiledb.Dim("latitude", domain=(-56.0, 56.0), tile=1, dtype=np.float64))
    attributes = [tiledb.Attr("row", dtype=np.int64), tiledb.Attr("text", dtype=kind, var=True, filters=filters(*steps))]
    tiledb.Array.create(uri, tiledb.ArraySchema(domain, attributes, sparse=True, allows_duplicates=True, cell_order="hilbert"))
    with tiledb.open(uri, "w") as array:
        array[np.array([1.0, 2.0, 3.0])] = {"row": np.arange(3), "text": np.array(["a", "", "beam"], dtype="O" if name == "lz4" else "S4")}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:]:
        other(str(folder / name), name)
    if sys.argv[2:]:
        return
    for name, use_filters, capacity in (("icesat2db", True, 200_000), ("gedidb", False, 100_000), ("small_tiles", True, 100)):
        for is_consolidated in (False, True):
            uri = str(folder / (name + ("_consolidated" if is_consolidated else "")))
            create(uri, use_filters, capacity)
            for part in range(2):
                write(uri, part)
            if is_consolidated:
                consolidate(uri)
                # A fragment after the consolidated one.
                write(uri, 2)


main()
