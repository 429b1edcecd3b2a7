"""Describes an answer in Arrow as answer.rs does, and compares descriptions of several engines."""

import numpy as np
import pyarrow as pa

# Relative to the magnitude of a sum: engines add in different orders.
TOLERANCE = 1e-9


def describe(table: pa.Table) -> dict:
    """Returns the number of rows, and sums of each column."""
    columns, before = [], None
    for values in table.columns:
        numbers, column = describe_column(values)
        if before is not None and numbers is not None:
            products = before * numbers
            column["pairs"], column["pairs_magnitude"] = float(products.sum()), float(np.abs(products).sum())
        columns.append(column)
        before = numbers
    return {"rows": table.num_rows, "columns": columns if table.num_rows else []}


def describe_column(values: pa.ChunkedArray) -> tuple[np.ndarray | None, dict]:
    kind = values.type
    column = {"kind": "other", "valid": len(values) - values.null_count, "integers": 0,
              "sum": 0.0, "magnitude": 0.0, "pairs": 0.0, "pairs_magnitude": 0.0}
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        kind = values.type
    if pa.types.is_floating(kind):
        numbers = values.cast(pa.float64()).fill_null(0).to_numpy()
        column |= {"kind": "float", "sum": float(numbers.sum()), "magnitude": float(np.abs(numbers).sum())}
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        integers = values.cast(pa.int64()).fill_null(0).to_numpy()
        column |= {"kind": "integer", "integers": int(integers.sum(dtype=np.int64))}
        numbers = integers.astype("float64")
    else:
        return None, column
    return numbers, column


def difference(left: dict, right: dict, compare: str, tolerance: float = TOLERANCE) -> str | None:
    """Returns how two answers differ, or None. `compare` is `rows` (their number), `first` (and the first column) or `all`."""
    if left["rows"] != right["rows"]:
        return f"{left['rows']:,} rows and {right['rows']:,} rows"
    if compare == "rows":
        return None
    if len(left["columns"]) != len(right["columns"]):
        return f"{len(left['columns'])} columns and {len(right['columns'])} columns"
    pairs = list(zip(left["columns"], right["columns"]))
    for index, (one, other) in enumerate(pairs[:1] if compare == "first" else pairs):
        close = all(
            abs(one[key] - other[key]) <= tolerance * max(one[scale], other[scale])
            for key, scale in (("sum", "magnitude"), ("pairs", "pairs_magnitude"))
        )
        same = all(one[key] == other[key] for key in ("kind", "valid", "integers"))
        if not (close and same):
            return f"column {index}: {one} and {other}"
    return None
