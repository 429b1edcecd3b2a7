"""Describes an answer in Arrow as answer.rs does, and compares descriptions of several engines."""

import numpy as np
import pyarrow as pa

# Relative to the magnitude of a sum: engines add in different orders.
TOLERANCE = 1e-9
MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
NULL = np.uint64(0x7FF8_0000_0000_0BAD)


def describe(table: pa.Table) -> dict:
    """Returns the number of rows, the sum of their hashes, and sums of each column."""
    hashes, columns = np.zeros(table.num_rows, "uint64"), []
    for values in table.columns:
        column = {"valid": len(values) - values.null_count, "sum": 0.0, "magnitude": 0.0}
        columns.append(column)
        found = numbers(values)
        if found is None:
            continue
        plain = found.fill_null(0).to_numpy() + 0.0
        bits = np.where(found.is_valid().to_numpy(), plain.view("uint64"), NULL)
        hashes = (hashes ^ bits) * MULTIPLIER
        hashes ^= hashes >> np.uint64(32)
        column |= {"sum": float(plain.sum()), "magnitude": float(np.abs(plain).sum())}
    return {"rows": table.num_rows, "hash": int(hashes.sum(dtype="uint64")), "columns": columns if table.num_rows else []}


def numbers(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Numbers, times in microseconds and flags as numbers; None for other columns."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return None
    return values.cast(pa.float64(), safe=False)


def difference(left: dict, right: dict, compare: str, tolerance: float = TOLERANCE) -> str | None:
    """Returns how two answers differ, or None.

    `compare` is `exact` (every row), `close` (the sums of the columns), `first` (the sum of the first column) or `rows` (their number).
    """
    if left["rows"] != right["rows"]:
        return f"{left['rows']:,} rows and {right['rows']:,} rows"
    if compare == "rows":
        return None
    if len(left["columns"]) != len(right["columns"]):
        return f"{len(left['columns'])} columns and {len(right['columns'])} columns"
    pairs = list(zip(left["columns"], right["columns"]))
    for index, (one, other) in enumerate(pairs[:1] if compare == "first" else pairs):
        close = abs(one["sum"] - other["sum"]) <= tolerance * max(one["magnitude"], other["magnitude"])
        if one["valid"] != other["valid"] or not close:
            return f"column {index}: {one} and {other}"
    if compare == "exact" and left["hash"] != right["hash"]:
        return "the sums of the columns agree, and rows differ"
    return None
