"""Writes the small arrays in arrays/ with TileDB-Py, and beside each a JSON file with what TileDB says of it.

    PYTHONPATH=target/python-packages python3 crates/tiledb-format/testdata/make_arrays.py

The tests read both. Names of fragments contain random identifiers, so a new run changes every name; the values stay.
"""
import json
import os
import shutil

import numpy as np
import pyarrow as pa
import tiledb

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "arrays")
CTX = tiledb.Ctx({"sm.compute_concurrency_level": "1", "sm.io_concurrency_level": "1"})
START = 1_700_000_000_000
ZSTD = tiledb.ZstdFilter(level=3)
SHUFFLE = tiledb.ByteShuffleFilter()


def filters(*list_of_filters):
    return tiledb.FilterList(list_of_filters)


def attribute(name, dtype, nullable=True, **more):
    size = np.dtype(dtype).itemsize if not more.get("var") else 1
    chosen = filters(ZSTD) if size == 1 else filters(SHUFFLE, ZSTD)
    return tiledb.Attr(name, dtype=dtype, nullable=nullable, filters=chosen, ctx=CTX, **more)


def ns(text):
    return np.datetime64(text, "ns")


def schema(attributes, capacity, order="hilbert", coordinate="f8", **more):
    whole = np.dtype(coordinate).type
    dims = [
        tiledb.Dim("latitude", domain=(whole(-90), whole(90)), tile=None, dtype=coordinate, filters=filters(SHUFFLE, ZSTD), ctx=CTX),
        # Without filters of its own: the schema's filters of coordinates apply.
        tiledb.Dim("longitude", domain=(whole(-180), whole(180)), tile=whole(10) if order == "row-major" else None, dtype=coordinate, ctx=CTX),
        tiledb.Dim("time", domain=(ns("1700-01-01"), ns("2250-01-01")), tile=None, dtype="M8[ns]",
                   filters=filters(tiledb.DoubleDeltaFilter(), tiledb.BitWidthReductionFilter(), ZSTD), ctx=CTX),
    ]
    return tiledb.ArraySchema(
        domain=tiledb.Domain(*dims, ctx=CTX), attrs=attributes, sparse=True, allows_duplicates=True, capacity=capacity, cell_order=order,
        tile_order="row-major", offsets_filters=filters(tiledb.DoubleDeltaFilter(), ZSTD),
        validity_filters=filters(tiledb.RleFilter(), ZSTD), ctx=CTX, **more)


def coordinates(n, seed, coordinate="f8"):
    g = np.random.default_rng(seed)
    lat = np.round(g.uniform(40, 50, n), 3).astype(coordinate)
    lon = np.round(g.uniform(-10, 10, n), 3).astype(coordinate)
    time = ns("2020-01-01") + g.integers(0, 90 * 86400, n).astype("m8[s]").astype("m8[ns]")
    return lat, lon, time


KINDS = [("ingest_id", "i8"), ("h_canopy", "f4"), ("ratio", "f8"), ("flag", "i1"), ("count", "i4"), ("land", "u1"), ("small", "u2"), ("wide", "u8")]
NOT_NULL = ("ingest_id", "wide")


def segment_attributes():
    attributes = [attribute(name, dtype, name not in NOT_NULL) for name, dtype in KINDS]
    attributes.append(tiledb.Attr("valid", dtype="bool", nullable=True, filters=filters(ZSTD), ctx=CTX))
    attributes.append(tiledb.Attr("beam", dtype="U0", var=True, nullable=True, filters=filters(ZSTD), ctx=CTX))
    attributes.append(attribute("profile", np.dtype([("", "f4")] * 5), False))
    return attributes


def segment_values(n, seed):
    g = np.random.default_rng(seed + 1000)
    valid = (np.arange(n) // 7) % 3 != 1
    values = {
        "ingest_id": np.arange(n) // 10 + 1, "h_canopy": g.gamma(2, 8, n).astype("f4"), "ratio": g.normal(size=n),
        "flag": g.integers(-4, 4, n).astype("i1"), "count": g.integers(-5, 3000, n).astype("i4"), "land": g.integers(0, 4, n).astype("u1"),
        "small": g.integers(0, 60000, n).astype("u2"), "wide": g.integers(0, 9, n).astype("u8") + np.uint64(2**63),
        "valid": g.integers(0, 2, n).astype(bool),
        "beam": np.array(["gt1l", "", "gt22l, a long one", "ü"])[g.integers(0, 4, n)],
    }
    cells = {name: v if name in NOT_NULL else pa.array(v, mask=~valid) for name, v in values.items()}
    cells["profile"] = np.arange(5 * n, dtype="f4").view([("", "f4")] * 5)
    return cells


def plain(value):
    """A NumPy value as JSON; floats as text, which every parser reads exactly."""
    if isinstance(value, np.ma.core.MaskedConstant):
        return None
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return int(value.astype("i8"))
    if isinstance(value, (tuple, np.void)):
        return [plain(x) for x in value]
    value = value.decode() if isinstance(value, bytes) else value
    value = value.item() if isinstance(value, np.generic) else value
    return repr(value) if isinstance(value, float) else value


def describe(path):
    """What TileDB says of an array: fragments, their rectangles, and rows and aggregates of each."""
    out = {"fragments": []}
    with tiledb.open(path, ctx=CTX) as array:
        out["schema_version"] = array.schema.version
        out["attributes"] = [array.schema.attr(i).name for i in range(array.schema.nattr)]
    if os.path.isdir(f"{path}/__fragments") and os.listdir(f"{path}/__fragments"):
        for info in tiledb.array_fragments(path, include_mbrs=True, ctx=CTX):
            name = os.path.basename(info.uri)
            entry = {
                "name": name, "version": info.version, "cells": info.cell_num, "schema": info.array_schema_name,
                "timestamps": list(info.timestamp_range), "consolidated": bool(info.has_consolidated_metadata),
                "non_empty_domain": [[plain(x) for x in d] for d in info.nonempty_domain],
                "mbrs": [[[plain(x) for x in d] for d in mbr] for mbr in info.mbrs],
                "files": {f: os.path.getsize(f"{path}/__fragments/{name}/{f}") for f in sorted(os.listdir(f"{path}/__fragments/{name}"))},
            }
            with tiledb.open(path, timestamp=info.timestamp_range, ctx=CTX) as array:
                rows = array.query(order="G")[:]
                columns = {k: [plain(x) for x in v] for k, v in rows.items()}
                entry["rows"] = columns
            out["fragments"].append(entry)
    with open(path + ".json", "w") as f:
        json.dump(out, f, separators=(",", ":"), sort_keys=True)


def write(path, at, coords, cells):
    with tiledb.open(path, "w", timestamp=START + at, ctx=CTX) as array:
        array[coords] = cells


def create(name, array_schema, root=ROOT):
    path = os.path.join(root, name)
    tiledb.Array.create(path, array_schema, ctx=CTX)
    # The schema carries the time of now; it must come before START.
    folder = f"{path}/__schema"
    (name,) = [x for x in os.listdir(folder) if x != "__enumerations"]
    os.rename(f"{folder}/{name}", f"{folder}/__{START - 1}_{START - 1}_{name.split('_')[4]}")
    return path


def config(mode):
    return tiledb.Config({"sm.consolidation.mode": mode, "sm.vacuum.mode": mode, "sm.compute_concurrency_level": "1"})


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(ROOT)

    create("empty", schema(segment_attributes(), 20))
    # 1 row, a full tile, one row more, three tiles and a half
    path = create("segments", schema(segment_attributes(), 20))
    for at, n in enumerate((1, 20, 21, 70)):
        write(path, at, coordinates(n, at), segment_values(n, at))

    # 123 tiles: three levels of the R-tree; float32 coordinates; row-major
    path = create("tall", schema([attribute("value", "i4", False)], 2, order="row-major", coordinate="f4"))
    write(path, 0, coordinates(245, 9, "f4"), {"value": np.arange(245, dtype="i4")})

    path = create("evolved", schema([attribute("first", "i4")], 10))
    write(path, 0, coordinates(15, 20), {"first": pa.array(np.arange(15, dtype="i4"))})
    evolution = tiledb.ArraySchemaEvolution(ctx=CTX)
    evolution.add_attribute(attribute("second", "f4"))
    evolution.timestamp(START + 1)
    evolution.array_evolve(path)
    write(path, 2, coordinates(12, 21), {"first": pa.array(np.arange(12, dtype="i4")), "second": pa.array(np.arange(12, dtype="f4"))})

    beams = tiledb.Enumeration("beams", False, values=["gt1l", "gt1r", "", "gt3rr"], ctx=CTX)
    codes = tiledb.Enumeration("codes", True, values=np.array([3, 1, 70000], "i4"), ctx=CTX)
    attributes = [tiledb.Attr("beam", dtype="u1", enum_label="beams", nullable=True, filters=filters(ZSTD), ctx=CTX),
                  tiledb.Attr("code", dtype="i2", enum_label="codes", filters=filters(ZSTD), ctx=CTX)]
    path = create("enumerated", schema(attributes, 10, enums=[beams, codes]))
    write(path, 0, coordinates(11, 30), {"beam": pa.array(np.arange(11) % 4, type=pa.uint8(), mask=np.arange(11) == 3), "code": (np.arange(11) % 3).astype("i2")})

    path = create("consolidated", schema([attribute("value", "f4"), tiledb.Attr("beam", dtype="U0", var=True, nullable=True, filters=filters(ZSTD), ctx=CTX)], 10))
    for at in range(3):
        n = 9
        write(path, at, coordinates(n, 40 + at), {"value": pa.array(np.arange(n, dtype="f4") + 10 * at),
                                                  "beam": pa.array([f"gt{i % 3 + 1}l" * (i % 2) for i in range(n)])})
    for mode in ("fragments", "commits"):
        tiledb.consolidate(path, config=config(mode))
        tiledb.vacuum(path, config=config(mode))

    # As gedidb and icesat2db make theirs, and ASCII, whose tiles have least and greatest values.
    dims = [tiledb.Dim("latitude", domain=(-56.0, 56.0), tile=1, dtype="f8", filters=filters(ZSTD), ctx=CTX),
            tiledb.Dim("longitude", domain=(-180.0, 180.0), tile=1, dtype="f8", filters=filters(ZSTD), ctx=CTX),
            tiledb.Dim("time", domain=(17532, 22279), tile=1825, dtype="i8", filters=filters(tiledb.DoubleDeltaFilter(), ZSTD), ctx=CTX)]
    attributes = [tiledb.Attr("name", dtype="ascii", var=True, nullable=True, filters=filters(ZSTD), ctx=CTX),
                  tiledb.Attr("beam", dtype=np.dtype("U10"), filters=filters(ZSTD), ctx=CTX),
                  tiledb.Attr("n", dtype="i4", filters=filters(tiledb.BitWidthReductionFilter(), ZSTD), ctx=CTX)]
    path = create("peer", tiledb.ArraySchema(domain=tiledb.Domain(*dims, ctx=CTX), attrs=attributes, sparse=True, allows_duplicates=True,
                                             capacity=10, cell_order="hilbert", ctx=CTX))
    lat, lon, _ = coordinates(25, 50)
    names = [["b", "", "aa", "abc", "zz"][i * i % 5] for i in range(25)]
    write(path, 0, (lat, lon, np.arange(18000, 18025)),
          {"name": pa.array(names, mask=np.arange(25) % 4 == 1), "beam": np.array(["BEAM0000", "BEAM1011"])[np.arange(25) % 2], "n": np.arange(25, dtype="i4") - 5})

    for name in ("empty", "segments", "tall", "evolved", "enumerated", "consolidated", "peer"):
        describe(os.path.join(ROOT, name))


if __name__ == "__main__":
    main()
