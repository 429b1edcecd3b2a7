"""Asks libtiledb about fragments whose metadata this crate wrote: rows, ranges with conditions, aggregates, rectangles, and
consolidation must be the same as before.

    cargo build -p isdb-tiledb-format --example rewrite_metadata
    PYTHONPATH=target/python-packages python3 crates/tiledb-format/testdata/check_rewritten.py target/debug/examples/rewrite_metadata
"""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import tiledb

import make_arrays as make

PROGRAM = os.path.abspath(sys.argv[1])
NUMBERS = {"segments": [name for name, _ in make.KINDS], "large": [name for name, _ in make.KINDS], "tall": ["value"],
           "evolved": ["first"], "enumerated": [], "consolidated": ["value"], "peer": ["n"]}


def same(a, b):
    """Whether two results are equal, NULLs and NaN included."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ma.MaskedArray):
        return same(np.ma.getmaskarray(a), np.ma.getmaskarray(b)) and same(a.compressed(), b.compressed())
    if isinstance(a, float):
        # libtiledb adds tiles in the order in which threads finish.
        return np.isclose(a, b, rtol=1e-12, atol=0, equal_nan=True)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b


def questions(path, name):
    """What libtiledb answers about an array."""
    answers = {}
    fragments = tiledb.array_fragments(path, include_mbrs=True)
    answers["fragments"] = str([(f.cell_num, f.nonempty_domain, f.mbrs, f.version, f.array_schema_name) for f in fragments])
    with tiledb.open(path) as array:
        answers["unordered"] = array.query(order="U")[:]
        answers["global"] = array.query(order="G")[:]
        answers["range"] = array.multi_index[42.0:45.0, -5.0:6.0]
        for number in NUMBERS[name]:
            query = array.query(order="U", attrs=[number], cond=f"{number} > 1")
            answers[f"condition {number}"] = query.multi_index[41.0:49.0, -8.0:9.0]
        for number in NUMBERS[name]:
            wanted = ["min", "max", "sum", "mean", "count"]
            if array.schema.attr(number).isnullable:
                wanted.append("null_count")
            # In this order, libtiledb takes statistics of whole tiles from the metadata.
            for label, region in (("all", slice(None)), ("box", slice(42.0, 46.0))):
                answers[f"{label} of {number}"] = array.query(order="U", attrs=[number]).agg({number: wanted})[region]
    return answers


def consolidated(path):
    for mode in ("fragment_meta", "fragments"):
        tiledb.consolidate(path, config=make.config(mode))
    tiledb.vacuum(path, config=make.config("fragments"))
    with tiledb.open(path) as array:
        return array.query(order="G")[:]


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        large = make.create("large", make.schema(make.segment_attributes(), 1000), folder)
        for at in range(2):
            make.write(large, at, make.coordinates(23_456, at), make.segment_values(23_456, at))
        for name in NUMBERS:
            source = large if name == "large" else os.path.join(make.ROOT, name)
            before = questions(source, name)
            plain = os.path.join(folder, "plain")
            shutil.copytree(source, plain)
            merged = consolidated(plain)
            shutil.rmtree(plain)
            for compression in ("none", "zstd"):
                copy = os.path.join(folder, "copy")
                shutil.copytree(source, copy)
                subprocess.run([PROGRAM, copy, compression], check=True, stdout=subprocess.DEVNULL)
                after = questions(copy, name)
                wrong = [key for key in before if not same(before[key], after[key])]
                if not same(merged, consolidated(copy)):
                    wrong.append("consolidation")
                shutil.rmtree(copy)
                rows = len(before["global"]["latitude"])
                assert rows > 0, "nothing was compared"
                print(f"{name}, {compression}: {len(before) + 1} answers about {rows} rows, wrong: {wrong or 'none'}")
                failed |= bool(wrong)
    sys.exit(failed)


main()
