"""Sizes: commits and checkpoints at mission scale, fragment footers that every open must load, `IN` lists."""

import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import uuid
import zlib

import numpy as np
import pyarrow as pa
import tiledb

from log import State, plain_json, sealed

NOW = 1_800_000_000_000


def name(t=NOW):
    return f"__{t}_{t}_{uuid.uuid4().hex}_22"


def record(epoch, k, chunks=3):
    """A fragment as a commit of `isdb-store` records it."""
    lat, lon = random.uniform(-88, 80), random.uniform(-180, 170)
    return {
        "id": (epoch << 32) + k,
        "name": name(),
        "rows": random.randrange(500_000, 2_000_000),
        "bounds": {
            "latitude": [lat, lat + 5.123456789],
            "longitude": [lon, lon + 7.123456789],
            "time": [NOW * 1_000_000 + k, NOW * 1_000_000 + 9_876_543_210_123],
        },
        "chunks": [[random.randrange(60_000) + i, random.randrange(100_000)] for i in range(chunks)],
        "footer": {"bytes": 15_234, "crc32c": random.randrange(2**32)},
    }


def ledger_file(kind, rows):
    crc = random.randrange(2**32)
    return {"name": f"{uuid.uuid4()}.parquet", "kind": kind, "rows": rows, "bytes": 123_456, "crc32c": crc}


def commit(kind, fragments=0, removed=0, replaced=0, holders=2, files=()):
    change = State(n=9_000, T=NOW, epoch=8_990, at=NOW, horizon=8_000, deleting=8_001).change(kind, NOW)
    change["segments"]["added"] = [record(8_990, k) for k in range(fragments)]
    change["segments"]["removed"] = [(8_000 << 32) + k for k in range(removed)]
    change["dead_attempts"] = [
        {"id": (8_000 << 32) + k, "fragments": [(8_000 << 32) + 9 * k + j for j in range(holders)]}
        for k in range(replaced)
    ]
    change["ledger"]["added"] = [ledger_file(*file) for file in files]
    return sealed(plain_json(change))


def arrow(records):
    """The live fragments of a checkpoint: an Arrow IPC stream."""
    bounds = {
        f"{axis}_{end}": [r["bounds"][axis][k] for r in records]
        for axis in ("latitude", "longitude", "time")
        for k, end in enumerate(("min", "max"))
    }
    columns = {k: [r[k] for r in records] for k in ("id", "name", "rows")} | bounds
    chunks = [[{"chunk": c, "rows": n} for c, n in r["chunks"]] for r in records]
    table = pa.table(columns | {
        "chunks": pa.array(chunks, pa.list_(pa.struct([("chunk", pa.uint32()), ("rows", pa.uint64())]))),
        "footer": [r["footer"]["bytes"] for r in records],
        "crc32c": [r["footer"]["crc32c"] for r in records],
    })  # fmt: skip
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue().to_pybytes()


def objects():
    random.seed(1)
    print("object                                                           bytes   deflated")
    ingested = ("granules", 500), ("contents", 2_000)
    for title, data in (
        ("fence", commit("fence")),
        ("window of 500 granules, 20 fragments", commit("ingest", 20, files=ingested)),
        ("same, 500 replaced attempts in 2 fragments each", commit("ingest", 20, replaced=500, files=ingested)),
        ("same, 500 replaced attempts in 10 fragments each", commit("ingest", 20, 0, 500, 10, ingested)),
        ("compaction of 64 fragments to 1", commit("compact", 1, 64, files=[("contents", 1_600)])),
        ("merge of 33 ledger files", commit("compact", files=[("granules", 16_500)])),
        ("vacuum that hides 2,000 folders", sealed(plain_json({"hid": [name() for _ in range(2_000)]}))),
    ):
        print(f"{title:<61} {len(data):>9,} {len(zlib.compress(data)):>10,}")
    for fragments in (1_000, 10_000, 100_000):
        records = [record(i, 7) for i in range(fragments)]
        for form, data in (("JSON", plain_json(records)), ("Arrow", arrow(records))):
            title = f"live fragments of a checkpoint, {fragments:,}, {form}"
            print(f"{title:<61} {len(data):>9,} {len(zlib.compress(data, 1)):>10,}")
            start = time.monotonic()
            json.loads(data) if form == "JSON" else pa.ipc.open_stream(data).read_all()
            print(f"    read in {(time.monotonic() - start) * 1e3:.1f} ms")


def axis(name, width):
    return tiledb.Dim(name, domain=(-width, width), dtype=np.float64)


def footers(root, attributes=90, fragments=20):
    """What an open reads per fragment: the footer, measured from consolidated fragment metadata."""
    uri = str(root / "wide")
    time_axis = tiledb.Dim("time", domain=(0, 2**60), dtype=np.int64, tile=2**50)
    attrs = [tiledb.Attr(f"v{i}", dtype=np.float32, nullable=True) for i in range(attributes)]
    domain = tiledb.Domain(axis("latitude", 90), axis("longitude", 180), time_axis)
    schema = tiledb.ArraySchema(domain=domain, attrs=attrs, sparse=True, allows_duplicates=True, cell_order="hilbert")
    tiledb.Array.create(uri, schema)
    rows = 20_000
    for k in range(fragments):
        with tiledb.open(uri, "w", timestamp=k + 1) as A:
            lat = np.random.rand(rows)
            values = {f"v{i}": np.random.rand(rows).round(i % 7).astype(np.float32) for i in range(attributes)}
            A[lat, lat, np.arange(rows)] = values
    start = time.monotonic()
    tiledb.open(uri, timestamp=fragments).close()
    plain = time.monotonic() - start
    tiledb.consolidate(uri, config=tiledb.Config({"sm.consolidation.mode": "fragment_meta"}))
    meta = sum(p.stat().st_size for p in pathlib.Path(uri, "__fragment_meta").iterdir())
    start = time.monotonic()
    tiledb.open(uri, timestamp=fragments).close()
    print(f"footer of a fragment with {attributes} nullable attributes: {meta // fragments:,} bytes "
          f"(100,000 fragments: {meta // fragments * 100_000 / 1e9:.2f} GB at every open; 5,000: "
          f"{meta // fragments * 5_000 / 1e6:.0f} MB)")  # fmt: skip
    print(f"open of {fragments} fragments: {plain * 1e3:.0f} ms, with consolidated metadata "
          f"{(time.monotonic() - start) * 1e3:.0f} ms")  # fmt: skip


def lists(root, rows=4_000_000, fragments=4):
    """What `IN (live ids)` and `NOT IN (dead ids)` cost over a full scan of three columns."""
    uri = str(root / "long")
    attrs = [tiledb.Attr("fragment_id", dtype=np.int64), tiledb.Attr("h", dtype=np.float32)]
    domain = tiledb.Domain(axis("latitude", 90), axis("longitude", 180))
    schema = tiledb.ArraySchema(domain=domain, attrs=attrs, sparse=True, allows_duplicates=True, cell_order="hilbert")
    tiledb.Array.create(uri, schema)
    each = rows // fragments
    for k in range(fragments):
        with tiledb.open(uri, "w", timestamp=k + 1) as A:
            lat = np.random.rand(each) + k
            A[lat, lat] = {"fragment_id": np.full(each, k << 32), "h": lat.astype(np.float32)}
    with tiledb.open(uri, timestamp=fragments) as A:
        for title, ids in (
            ("no condition", None),
            ("NOT IN 200", range(9_000, 9_200)),
            ("NOT IN 2,000", range(9_000, 11_000)),
            ("IN 10,000", [*(k << 32 for k in range(fragments)), *range(1, 10_000)]),
        ):
            condition = ids and f"fragment_id {title.split(' 1')[0].split(' 2')[0].lower()} {list(ids)}"
            took = []
            for _ in range(5):
                start = time.monotonic()
                got = A.query(attrs=["h"], cond=condition)[:]
                took.append(time.monotonic() - start)
            print(f"full scan of {len(got['h']):,} rows, {title:<14} {min(took) * 1e3:>6.0f} ms")


if __name__ == "__main__":
    work = pathlib.Path(tempfile.mkdtemp(prefix="sizes-", dir=os.environ.get("COMMIT_BENCH_DIR")))
    objects()
    footers(work)
    lists(work)
    shutil.rmtree(work)
    sys.exit(0)
