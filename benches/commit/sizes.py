"""Sizes: commit objects and checkpoints at mission scale, fragment footers that every open must load, `IN` lists."""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import uuid
import zlib

import numpy as np
import tiledb
from log import State


def name():
    t = int(time.time() * 1000)
    return f"__{t}_{t}_{uuid.uuid4().hex}_22"


def state(fragments, dead, ingests):
    s = State(n=9_000, T=1_800_000_000_000, epoch=8_990, at=1_800_000_000_000, kind="ingest", uuid=uuid.uuid4().hex)
    s.live["segments"] = {name(): {"id": (i << 32) + 7, "rows": 1_000_000} for i in range(fragments)}
    s.live["granules"] = {name(): {"id": (i << 32) + 9, "rows": 500} for i in range(100)}
    s.dead["segments"] = {name(): [(i << 32) + 5, 8_900, s.at] for i in range(dead)}
    s.dead_ingests = {(i << 32) + 3: [8_950, [(i << 32) + k for k in range(10)]] for i in range(ingests)}
    return s


def compact_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def objects():
    print("object                                                      bytes   deflated")
    for title, fragments, added, dead, ingests in (
        ("window of 500 granules: 20 fragments, nothing dead", 10_000, 20, 0, 0),
        ("same, 200 dead fragments, 20 dead ingests", 10_000, 20, 200, 20),
        ("same, 2,000 dead fragments, 1,000 dead ingests", 10_000, 20, 2_000, 1_000),
        ("fence", 10_000, 0, 0, 0),
    ):
        before = state(fragments, dead, ingests)
        after = before.next("ingest", before.at)
        after.live["segments"] |= {name(): {"id": 9_001 << 32, "rows": 1_000_000} for _ in range(added)}
        data = compact_json(after.head() | {"delta": after.delta(before), "note": None})
        print(f"{title:<56} {len(data):>9,} {len(zlib.compress(data)):>10,}")
    for fragments in (1_000, 10_000, 100_000):
        data = compact_json({"live": state(fragments, 0, 0).live})
        title = f"checkpoint, {fragments:,} fragments"
        print(f"{title:<56} {len(data):>9,} {len(zlib.compress(data)):>10,}")


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
