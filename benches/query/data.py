"""The data of the benchmark: granules, the database that isdb makes of them, its rows in two Parquet files, and icesat2db's array."""

import importlib.metadata
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ingest"))

from granules import make  # noqa: E402
from measure import bytes_under, measured  # noqa: E402

PEER = "icesat2db"
# Granules after which icesat2db writes. As shipped, it keeps all rows until the end: 3 GB of memory for 40 granules.
PEER_FLUSH = 12
# Days over which the granules are spread: eight quarters, which are eight windows.
DAYS = 730
ROW_GROUP = 100_000
SORTED = ("SELECT * FROM segments ORDER BY floor(latitude * 4), floor(longitude * 4), time, beam")


@dataclass
class Data:
    """The same rows in three forms, and the folder of icesat2db's array, which has fewer of them."""

    database: Path
    plain: Path
    split: Path
    peer: Path

    def described(self) -> str:
        fragments = [path for path in (self.database / "segments/__fragments").iterdir() if path.is_dir()]
        files = max(len(list(path.iterdir())) for path in fragments)
        rows = pq.ParquetFile(self.plain).metadata
        sizes = [bytes_under(self.database), self.plain.stat().st_size, self.split.stat().st_size]
        database, plain, split = (f"{size / 1e6:,.0f} MB" for size in sizes)
        return (f"{rows.num_rows:,} segments with {rows.num_columns} columns; database {database} in {len(fragments)} fragments of up "
                f"to {files} files; Parquet {plain} plain, {split} with byte stream split, {rows.num_row_groups} row groups")


def build(binaries: Path, folder: Path, granules: Path | None, count: int, segments: int, rebuild: str | None,
          with_peer: bool) -> Data:
    """Makes what an earlier call with the same arguments has not made. `rebuild` is `database` or `all`."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Data(folder / "database", folder / "plain.parquet", folder / "split.parquet", folder / PEER / "database")
    arguments = {"granules": str(granules.resolve()) if granules else None, "count": count, "segments": segments}
    built = folder / "built.json"
    if built.exists() and json.loads(built.read_text()) != arguments and rebuild != "all":
        raise SystemExit(f"{folder}: expected data of {arguments}, found {built.read_text()}\nhint: use --rebuild all or another --data")
    if rebuild == "all":
        built.unlink(missing_ok=True)
        shutil.rmtree(folder / PEER, ignore_errors=True)
    complete = built.exists()
    paths = []
    if rebuild or not complete or (with_peer and not data.peer.exists()):
        if granules is None:
            place = folder / "granules"
            place.mkdir(exist_ok=True)
            paths = make(binaries, place, count, segments, 0, DAYS / count)
        else:
            paths = sorted(granules.glob("*.h5"))
    if rebuild or not complete:
        ingest(binaries, folder, data.database, paths)
    if with_peer and not data.peer.exists():
        ingest_by_peer(folder, paths)
    if not complete:
        write_rows(binaries, folder, data)
        built.write_text(json.dumps(arguments) + "\n")
    return data


def ingest(binaries: Path, folder: Path, database: Path, granules: list[Path]) -> None:
    shutil.rmtree(database, ignore_errors=True)
    took = measured([binaries / "isdb", "--db", database, "ingest", *granules], folder / "ingest.log")
    print(f"ingested {len(granules)} granules in {took.wall:.1f} s", file=sys.stderr)


def ingest_by_peer(folder: Path, granules: list[Path]) -> None:
    """Lets icesat2db ingest the granules, as benches/ingest does: about a minute for a hundred."""
    files = importlib.metadata.files(PEER) or []
    shipped = next(Path(file.locate()) for file in files if file.match("data/config_files/data_config.yml"))
    unfinished = folder / f"{PEER}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    script = HERE.parent / "ingest" / "peer.py"
    command = [sys.executable, script, *granules, "--work", unfinished, "--config", shipped, "--workers", len(os.sched_getaffinity(0)),
               "--flush-every", PEER_FLUSH]
    took = measured(command, folder / f"{PEER}.log")
    shutil.rmtree(unfinished / "download", ignore_errors=True)
    unfinished.rename(folder / PEER)
    print(f"{PEER} ingested {len(granules)} granules in {took.wall:.1f} s", file=sys.stderr)


def write_rows(binaries: Path, folder: Path, data: Data) -> None:
    """Writes the rows of the database as Parquet, sorted by quarter degree."""
    rows = folder / "sorted.parquet"
    spilled = folder / "spilled"
    spilled.mkdir(exist_ok=True)
    isdb = [binaries / "isdb", "--db", data.database]
    measured([*isdb, "query", SORTED, "--output", rows, "--memory", "4GB", "--temp", spilled], folder / "export.log")
    source = pq.ParquetFile(rows)
    schema = source.schema_arrow.remove_metadata()
    floats = [path for path, kind in leaves(schema) if pa.types.is_floating(kind)]
    others = [path for path, kind in leaves(schema) if not pa.types.is_floating(kind)]
    plain = pq.ParquetWriter(data.plain, schema, compression="zstd", write_page_index=True)
    split = pq.ParquetWriter(data.split, schema, compression="zstd", write_page_index=True, use_dictionary=others,
                             use_byte_stream_split=floats)
    with plain, split:
        for group in row_groups(source, schema):
            plain.write_table(group, row_group_size=ROW_GROUP)
            split.write_table(group, row_group_size=ROW_GROUP)
    rows.unlink()
    shutil.rmtree(spilled)


def leaves(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """Paths of the columns of a Parquet file, and their types."""
    is_list = pa.types.is_fixed_size_list
    return [
        (f"{field.name}.list.element", field.type.value_type) if is_list(field.type) else (field.name, field.type) for field in schema
    ]


def row_groups(source: pq.ParquetFile, schema: pa.Schema):
    """Yields the rows in tables of the size of a row group."""
    waiting, rows = [], 0
    for batch in source.iter_batches(batch_size=10_000):
        while batch.num_rows:
            first = batch.slice(0, ROW_GROUP - rows)
            batch = batch.slice(first.num_rows)
            waiting.append(first)
            rows += first.num_rows
            if rows == ROW_GROUP:
                yield pa.Table.from_batches(waiting).replace_schema_metadata(None).cast(schema)
                waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting).replace_schema_metadata(None).cast(schema)
