"""The content of a database, read without isdb: its arrays with TileDB-Py, and a Parquet file of all its rows with pyarrow."""

import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tiledb


class Rows:
    """Rows by column: `columns` has values and a NULL mask, lists as a second axis."""

    def __init__(self, columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns["latitude"][0])

    def __getitem__(self, name):
        return self.columns[name]


def from_array(database, timestamp):
    """The array `segments` and its metadata at `timestamp`."""
    with tiledb.open(f"{database}/segments", timestamp=timestamp) as array:
        columns = dict(array.query()[:])
        meta = dict(array.meta.items())
        labels = {name: array.attr(name).enum_label for name in columns if array.schema.has_attr(name)}
        texts = {name: np.array(array.enum(label).values(), object) for name, label in labels.items() if label}
    rows = {name: stored(column, meta.get(f"{name}.element_null")) for name, column in columns.items()}
    return Rows(rows | {name: (text[rows[name][0]], rows[name][1]) for name, text in texts.items()}), meta


def ledger(database, timestamp):
    """The ledger's rows as dictionaries, None for NULL."""
    names = (
        "ingest_id", "source", "state", "start_time", "rgt", "cycle", "region", "release", "revision", "identity_source",
        "qa_granule_pass_fail",
    )  # fmt: skip
    rows = []
    for name in ledger_files(database, timestamp):
        table = pq.read_table(f"{database}/ledger/{name}", columns=list(names))
        table = table.set_column(3, "start_time", table["start_time"].cast(pa.int64()))
        rows.extend(table.to_pylist())
    return rows


def ledger_files(database, timestamp):
    """The Parquet files with the ledger's rows at `timestamp`: what the commits up to it have added and not removed."""
    live = set()
    for path in sorted(pathlib.Path(database, "commits").iterdir()):
        commit = json.loads(path.read_text().splitlines()[1])
        if commit["timestamp"] <= timestamp:
            ledger = commit.get("ledger", {})
            live -= set(ledger.get("removed", []))
            live |= {file["name"] for file in ledger.get("added", []) if file["kind"] == "granules"}
    return sorted(live)


def stored(column, element_null):
    """Values and NULLs of a column as TileDB-Py returns it: plain, masked, or with one field per element of a list."""
    null = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else np.zeros(len(column), bool)
    values = np.ma.getdata(column)
    if values.dtype.names:
        null = null[values.dtype.names[0]] if null.dtype.names else null
        values = np.stack([values[name] for name in values.dtype.names], axis=1)
        null = np.repeat(null[:, None], values.shape[1], axis=1)
        null |= np.isnan(values) if values.dtype.kind == "f" else values == int(element_null)
    return values, null


def from_parquet(path):
    """The rows of a Parquet file without their points; its lists must have a fixed length."""
    table = pq.read_table(path).drop_columns(["geometry"]).combine_chunks()
    return Rows({name: unpacked(table[name].combine_chunks()) for name in table.column_names})


def unpacked(column):
    """Values and NULLs of an Arrow column; what is NULL has an arbitrary value."""
    if pa.types.is_fixed_size_list(column.type):
        elements = [unpacked(pc.list_element(column, index)) for index in range(column.type.list_size)]
        return tuple(np.stack(parts, axis=1) for parts in zip(*elements))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        raise TypeError("a list column of the Parquet file has lost its length")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    null = np.asarray(column.is_null())
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist(), object), null
    return np.asarray(column.fill_null(0)), null
