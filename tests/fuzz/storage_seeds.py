"""Write the seed inputs of the fuzz targets for the files of a database: schemas, metadata of fragments, tiles, and the commit log.

    storage_seeds.py CORPUS

Needs the packages of tests/python/requirements.txt, and the programs that `make demo` builds. Schemas and metadata are those of
crates/tiledb-format/testdata, some without compression, so that a changed byte reaches what they contain.
"""

import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy as np
import tiledb

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
ARRAYS = ROOT / "crates/tiledb-format/testdata/arrays"
PROGRAMS = ROOT / "target/debug"
# Few tiles and columns: most bytes of the metadata are headers of its parts.
FRAGMENTS = ("consolidated", "enumerated", "evolved", "peer", "tall")
CONFIG = """product: ATL08
variables: [h_canopy, night_flag]
filters: [{low: "h_canopy IS NULL OR h_canopy < 1000"}]
window: {granules: 1}
"""


def schemas(folder):
    for file in sorted(ARRAYS.glob("*/__schema/__1*")):
        (folder / f"{file.parent.parent.name}_{file.name[2:15]}").write_bytes(file.read_bytes())
    for file in ARRAYS.glob("*/__schema/__enumerations/*"):
        (folder / f"enumeration_{file.parent.parent.parent.name}").write_bytes(file.read_bytes())
    for file in sorted(folder.iterdir()):
        (folder / f"plain_{file.name}").write_bytes(plain(file.read_bytes()))


def plain(tile):
    """A generic tile of one chunk that was compressed with zlib or not at all, without compression."""
    import zlib

    (length,) = struct.unpack_from("<I", tile, 30)
    filters, tile = tile[34 : 34 + length], tile[34 + length :]
    chunks, size, _, metadata = struct.unpack_from("<QIII", tile)
    data = tile[20 + metadata :]
    assert chunks == 1
    content = zlib.decompress(data) if filters[4:8] != b"\0\0\0\0" else data
    assert len(content) == size
    stored = struct.pack("<QIII", 1, size, size, 0) + content
    return struct.pack("<IQQBQBIII", 22, len(stored), size, 4, 1, 0, 8, 65536, 0) + stored


def fragments(folder):
    with tempfile.TemporaryDirectory() as copies:
        for name in FRAGMENTS:
            copy = shutil.copytree(ARRAYS / name, pathlib.Path(copies) / name)
            for compression in ("gzip", "none"):
                if compression == "none":
                    subprocess.run([PROGRAMS / "examples/rewrite_metadata", copy, "none"], check=True, stdout=subprocess.DEVNULL)
                for file in sorted(copy.glob("__fragments/*/__fragment_metadata.tdb")):
                    # The last fragment has the last schema.
                    schema = sorted(copy.glob("__schema/__1*"))[-1 if "02_1700" in file.parent.name else 0].read_bytes()
                    input = struct.pack("<I", len(schema)) + schema + file.read_bytes()
                    (folder / f"{name}_{compression}").write_bytes(input)


def tiles(folder):
    zstd, rle = tiledb.ZstdFilter(level=3), tiledb.RleFilter()
    delta, width = tiledb.DoubleDeltaFilter(), tiledb.BitWidthReductionFilter()
    bits, bytes_ = tiledb.BitShuffleFilter(), tiledb.ByteShuffleFilter()
    pipelines = {
        "none": [], "zstd": [zstd], "gzip": [tiledb.GzipFilter(level=5)], "rle": [rle], "rle_zstd": [rle, zstd],
        "delta": [delta], "delta_zstd": [delta, zstd], "width": [width], "width_zstd": [width, zstd], "bits": [bits],
        "bits_zstd": [bits, zstd], "bytes": [bytes_], "bytes_zstd": [bytes_, zstd], "delta_width_zstd": [delta, width, zstd],
        "noop": [tiledb.NoOpFilter()], "width_bytes": [width, bytes_],
    }  # fmt: skip
    count = 40
    cells = {
        "flags": (np.arange(count) % 7 > 1).astype("u1"),
        "shorts": (np.arange(count) ** 2 // 9).astype("i2"),
        "floats": (np.arange(count) * 0.37).astype("f4"),
        "times": (1_500_000_000_000_000_000 + np.arange(count) * 123_456).astype("i8"),
    }
    codes = {"flags": 6, "shorts": 7, "floats": 2, "times": 1}
    wanted = {"flags": ("none", "zstd", "rle", "rle_zstd", "bits", "bits_zstd", "width_zstd"), "floats": ("bytes", "bytes_zstd", "bits", "rle", "zstd")}
    for kind, values in cells.items():
        for name, filters in pipelines.items():
            if name not in wanted.get(kind, pipelines) or (kind == "shorts" and name.endswith("zstd")):
                continue
            with tempfile.TemporaryDirectory() as array:
                attribute = tiledb.Attr("a", dtype=values.dtype, filters=tiledb.FilterList(filters))
                dimension = tiledb.Dim("row", domain=(0, 10_000), tile=None, dtype=np.int64)
                schema = tiledb.ArraySchema(tiledb.Domain(dimension), [attribute], sparse=True, capacity=count, cell_order="row-major")
                tiledb.Array.create(array, schema)
                with tiledb.open(array, "w") as target:
                    target[np.arange(count)] = values
                (tile,) = pathlib.Path(array).glob("__fragments/*/a0.tdb")
                # As a schema has them, after the name of the attribute, its type and the number of its values.
                (file,) = pathlib.Path(array).glob("__schema/__1*")
                content = plain(file.read_bytes())
                at = content.rindex(b"\1\0\0\0a") + 10
                (length,) = struct.unpack_from("<I", content, at + 4)
                end = at + 8
                for _ in range(length):
                    end += 5 + struct.unpack_from("<I", content, end + 1)[0]
                (folder / f"{kind}_{name}").write_bytes(struct.pack("<BB", codes[kind], 1) + content[at:end] + tile.read_bytes())


def log(folder):
    """One commit of each kind, and checkpoints."""
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        (place / "c.yml").write_text(CONFIG)
        run = lambda *command: subprocess.run(command, cwd=place, check=True, capture_output=True)
        isdb = lambda *arguments: run(PROGRAMS / "isdb", "--db", "db", *arguments)
        run(PROGRAMS / "examples/make_granules", "granules", "--count", "3", "--segments", "15")
        isdb("--config", "c.yml", "ingest", "granules")
        isdb("tag", "paper")
        isdb("consolidate")
        isdb("vacuum", "--older-than", "0s")
        content = lambda file: file.read_bytes().split(b"\n", 1)[1]
        kinds = {}
        for file in sorted((place / "db/commits").iterdir()):
            kind = content(file).split(b'"kind":"')[1].split(b'"')[0].decode()
            kinds.setdefault(kind, content(file))
        for kind, commit in kinds.items():
            (folder / f"commit_{kind}").write_bytes(commit)
        checkpoints = sorted((place / "db/checkpoints").iterdir())
        for at, file in ((0, checkpoints[0]), (1, checkpoints[-1])):
            (folder / f"checkpoint_{at}").write_bytes(content(file))


def main():
    corpus = pathlib.Path(sys.argv[1])
    for name, write in {"array_schema": schemas, "fragment_metadata": fragments, "tile": tiles, "commit_log": log}.items():
        folder = corpus / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write(folder)


main()
