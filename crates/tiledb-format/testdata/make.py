"""Writes the golden tiles of this folder with TileDB-Py (0.36, libtiledb 2.30).

    python3 make.py

Each case is a file of `tiles/`, compressed with gzip: some byte strings, each after its length as an unsigned 64-bit integer. The first is
a data file of one tile as libtiledb wrote it, the second its values before the filters. Text has two more: the file of its offsets, and the
offsets before the filters. `hilbert.gz` holds columns of latitude, longitude (float64) and time (int64, nanoseconds), in libtiledb's Hilbert
order.
"""

import gzip
import pathlib
import shutil
import struct
import sys
import tempfile

import numpy as np
import tiledb

HERE = pathlib.Path(__file__).parent / "tiles"
ZSTD = tiledb.ZstdFilter(level=3)
SMALL = 2000


def one(array, suffix):
    """The only file with this ending in the only fragment."""
    (found,) = pathlib.Path(array).glob(f"__fragments/*/{suffix}.tdb")
    return found.read_bytes()


def write(schema, rows, values):
    folder = tempfile.mkdtemp()
    array = f"{folder}/array"
    tiledb.Array.create(array, schema)
    with tiledb.open(array, "w") as target:
        target[np.arange(rows)] = values
    return folder, array


def schema(rows, attribute, **options):
    dimension = tiledb.Dim("row", domain=(0, 10_000_000), tile=None, dtype=np.int64)
    return tiledb.ArraySchema(
        domain=tiledb.Domain(dimension), attrs=[attribute], sparse=True, capacity=rows, cell_order="row-major", **options
    )


def save(name, *parts):
    joined = b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    (HERE / f"{name}.gz").write_bytes(gzip.compress(joined, 9, mtime=0))


def fixed(name, values, filters):
    attribute = tiledb.Attr("a", dtype=values.dtype, filters=tiledb.FilterList(filters))
    folder, array = write(schema(len(values), attribute), len(values), values)
    save(name, one(array, "a0"), values.tobytes())
    shutil.rmtree(folder)


def validity(name, valid, filters):
    import pyarrow as pa

    attribute = tiledb.Attr("a", dtype=np.float32, nullable=True, filters=tiledb.FilterList([ZSTD]))
    described = schema(len(valid), attribute, validity_filters=tiledb.FilterList(filters))
    values = np.zeros(len(valid), np.float32)
    folder = tempfile.mkdtemp()
    array = f"{folder}/array"
    tiledb.Array.create(array, described)
    with tiledb.open(array, "w") as target:
        target[np.arange(len(valid))] = pa.array(values, mask=valid == 0)
    save(name, one(array, "a0_validity"), valid.tobytes())
    shutil.rmtree(folder)


def text(name, cells, filters=(ZSTD,)):
    """`cells` is a list of byte strings of ASCII."""
    attribute = tiledb.Attr("a", dtype="ascii", var=True, filters=tiledb.FilterList(list(filters)))
    described = schema(len(cells), attribute, offsets_filters=tiledb.FilterList([tiledb.DoubleDeltaFilter(), ZSTD]))
    values = np.array(cells, dtype=object)
    folder, array = write(described, len(cells), values)
    lengths = np.array([len(cell) for cell in cells])
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    save(name, one(array, "a0_var"), b"".join(cells), one(array, "a0"), offsets.astype("<u8").tobytes())
    shutil.rmtree(folder)


def hilbert():
    random = np.random.default_rng(8)
    count = 2000
    start, step = np.datetime64("2018-10-14", "ns").astype(np.int64), 86_400 * 10**9
    latitude = np.round(random.uniform(-90, 90, count), 6)
    longitude = np.round(random.uniform(-180, 180, count), 6)
    time = start + random.integers(0, 2500 * step, count)
    latitude[:6] = [-90, 90, -90, 90, 0, 0]
    longitude[:6] = [-180, 180, 180, -180, 0, 0]
    # The domain of this project's segments.
    low, high = np.datetime64(-8_520_336_000_000_000_000, "ns"), np.datetime64(8_835_868_800_000_000_000, "ns")
    time[:6] = [low.astype(np.int64), high.astype(np.int64), start, start, start, start + 1]
    # Neighbours in space and time, whose order the last bits decide.
    latitude[6:400] = 12.5 + random.integers(0, 40, 394) * 1e-6
    longitude[6:400] = 100.25 + random.integers(0, 40, 394) * 1e-6
    time[6:400] = start + random.integers(0, 10**9, 394)
    dimensions = [
        tiledb.Dim("latitude", domain=(-90.0, 90.0), tile=None, dtype=np.float64),
        tiledb.Dim("longitude", domain=(-180.0, 180.0), tile=None, dtype=np.float64),
        tiledb.Dim("time", domain=(low, high), tile=None, dtype="datetime64[ns]"),
    ]
    attribute = tiledb.Attr("a", dtype=np.int32)
    described = tiledb.ArraySchema(
        domain=tiledb.Domain(*dimensions), attrs=[attribute], sparse=True, cell_order="hilbert", capacity=10_000, allows_duplicates=True
    )
    folder = tempfile.mkdtemp()
    array = f"{folder}/array"
    tiledb.Array.create(array, described)
    with tiledb.open(array, "w") as target:
        target[latitude, longitude, time.view("datetime64[ns]")] = np.arange(count, dtype=np.int32)
    with tiledb.open(array) as source:
        order = source.query(order="G")[:]["a"]
    save("hilbert", *(column[order].tobytes() for column in (latitude, longitude, time)))
    shutil.rmtree(folder)


def main():
    HERE.mkdir(exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    random = np.random.default_rng(7)
    heights = np.round(random.normal(12, 4, SMALL), 2).astype(np.float32)
    fixed("byteshuffle_zstd_f32", heights, [tiledb.ByteShuffleFilter(), ZSTD])
    # Two chunks, whose values are long runs, so that the files stay small.
    two_chunks = np.repeat(np.round(random.normal(12, 4, 180), 2), 100)
    fixed("byteshuffle_zstd_two_chunks_f32", two_chunks.astype(np.float32), [tiledb.ByteShuffleFilter(), ZSTD])
    fixed("byteshuffle_zstd_f64", np.cumsum(random.normal(0, 1e-4, 500)), [tiledb.ByteShuffleFilter(), ZSTD])
    fixed("byteshuffle_zstd_i16", random.integers(-300, 300, 1001).astype(np.int16), [tiledb.ByteShuffleFilter(), ZSTD])
    fixed("zstd_f64", np.round(np.cumsum(random.normal(0, 1e-3, 500)), 6), [ZSTD])
    fixed("zstd_minus_one_i32", random.integers(0, 9, 500).astype(np.int32), [tiledb.ZstdFilter(level=-1)])
    fixed("plain_i32", np.arange(300, dtype=np.int32), [])
    fixed("gzip_i32", np.arange(300, dtype=np.int32), [tiledb.GzipFilter(level=5)])
    fixed("rle_i32", np.repeat(np.arange(5, dtype=np.int32), [1, 70000, 3, 2, 40]), [tiledb.RleFilter()])
    for kind in (np.int32, np.int16, np.int64, np.float64):
        # 2,049 and 1,001 values: blocks of 8,192 bytes, and a rest that is not a multiple of 8 values.
        for count in (2049, 1001, 1000):
            values = np.cumsum(random.integers(-3, 4, count)).astype(kind)
            fixed(f"bitshuffle_zstd_{np.dtype(kind).name}_{count}", values, [tiledb.BitShuffleFilter(), ZSTD])
    time = 1_500_000_000_000_000_000 + np.cumsum(random.integers(0, 100, 800)) * 100_000
    fixed("double_delta_zstd_i64", time, [tiledb.DoubleDeltaFilter(), ZSTD])
    fixed("double_delta_i64_extremes", np.array([-(2**61), 2**61 - 1, 5, -7, 2**60]), [tiledb.DoubleDeltaFilter()])
    fixed("double_delta_i64_one", np.array([-5]), [tiledb.DoubleDeltaFilter()])
    # The first delta needs more bits than all differences of deltas.
    fixed("double_delta_i64_first", np.array([0, 1000, 1999, 3000, 4000]), [tiledb.DoubleDeltaFilter()])
    fixed("double_delta_i64_two", np.array([-5, 9]), [tiledb.DoubleDeltaFilter()])
    fixed("double_delta_i32", np.cumsum(random.integers(-5, 99, 300)).astype(np.int32), [tiledb.DoubleDeltaFilter()])
    fixed("double_delta_i16_raw", np.array([0, 32767, -32768, 32767, 1], np.int16), [tiledb.DoubleDeltaFilter()])
    fixed("double_delta_u16", np.array([0, 60000, 60001, 65000, 65001], np.uint16), [tiledb.DoubleDeltaFilter()])
    width = [tiledb.BitWidthReductionFilter(), ZSTD]
    fixed("bit_width_zstd_i32", random.integers(-90_000, 90_000, 700).astype(np.int32), width)
    fixed("bit_width_zstd_i32_narrow", random.integers(-50, 50, 701).astype(np.int32), width)
    fixed("bit_width_zstd_i32_full", random.integers(-(2**31), 2**31, 500).astype(np.int32), width)
    fixed("bit_width_zstd_i16", (random.integers(0, 40, 901) - 32760).astype(np.int16), width)
    fixed("bit_width_zstd_u16", (random.integers(0, 200, 901) + 65300).astype(np.uint16), width)
    fixed("bit_width_zstd_i64", 10**15 + random.integers(0, 10**7, 300), width)
    fixed("double_delta_bit_width_zstd_i64", time, [tiledb.DoubleDeltaFilter(), *width])
    fixed("bit_width_zstd_u8", random.integers(0, 9, 300).astype(np.uint8), width)
    fixed("bit_width_byteshuffle_zstd_i32", random.integers(-50, 50, 701).astype(np.int32), [width[0], tiledb.ByteShuffleFilter(), ZSTD])

    scattered = (random.random(4096) > 0.3).astype(np.uint8)
    runs = np.tile(np.repeat(np.array([1, 0, 1], np.uint8), [70, 9, 121]), 30)[:5003]
    long_runs = np.repeat(np.array([1, 0, 1], np.uint8), [66_000, 70_000, 13])
    for name, valid in (("scattered", scattered), ("runs", runs), ("long_runs", long_runs), ("short", scattered[:5])):
        validity(f"validity_rle_zstd_{name}", valid, [tiledb.RleFilter(), ZSTD])
        validity(f"validity_bitshuffle_zstd_{name}", valid, [tiledb.BitShuffleFilter(), ZSTD])

    chunk = 65_536
    text("text_small", [b"gt1l", b"", b"gt3r", b"", b""] * 30)
    text("text_empty", [b""] * 7)
    text("text_exact_chunk", [b"ab" * (chunk // 2)])
    text("text_one_long", [b"x" * (chunk + 1)])
    # Cells around half and one and a half chunks: short then long, long then short, and a long cell as the last one.
    a, b = chunk // 2, chunk + chunk // 2
    lengths = [a, b - a, 0, a + 1, b - a, 3, a + 1, chunk + 1, 5, 0, chunk - 5, 1, 1, a - 1, b - a + 1, 2 * chunk, 0, 7, a + 1, 2 * chunk]
    text("text_rule", [bytes([97 + i % 26]) * n for i, n in enumerate(lengths)])
    text("text_ends_full", [b"q" * (chunk - 1), b"rs"])
    text("text_byteshuffle", [b"gt1l", b"", b"gt3r"] * 30, [tiledb.ByteShuffleFilter(), ZSTD])
    hilbert()
    total = sum(path.stat().st_size for path in HERE.iterdir())
    print(f"{len(list(HERE.iterdir()))} files, {total} bytes", file=sys.stderr)


main()
