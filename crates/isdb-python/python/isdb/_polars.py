"""A table as a lazy frame of polars."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from isdb._packages import package

if TYPE_CHECKING:
    from isdb._database import Database

_COMPARISONS = {"Eq": "=", "NotEq": "<>", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_CONNECTIVES = {"And": "AND", "LogicalAnd": "AND", "Or": "OR", "LogicalOr": "OR"}


def scan(db: Database, table: str) -> Any:
    """A lazy frame whose columns, conditions and limit are those of a statement."""
    from isdb._database import quoted

    polars = package("polars")
    name = quoted(table)
    schema = polars.from_arrow(db._connection.statement(f"SELECT * FROM {name}", []).schema.empty_table()).schema

    def read(columns: list[str] | None, predicate: Any, n_rows: int | None, batch_size: int | None) -> Iterator[Any]:
        chosen = ", ".join(quoted(column) for column in (columns if columns is not None else schema))
        condition, is_whole = (None, True) if predicate is None else to_sql(predicate)
        # Columns of a condition need not be among the chosen ones.
        needed = [] if predicate is None or is_whole else [c for c in predicate.meta.root_names() if c not in (columns or schema)]
        chosen = ", ".join([chosen or "1 AS one", *map(quoted, needed)])
        sql = f"SELECT {chosen} FROM {name}" + (f" WHERE {condition}" if condition else "")
        if n_rows is not None and is_whole:
            sql += f" LIMIT {n_rows}"
        left = n_rows
        for batch in db._plan(sql, None, 2):
            frame = polars.from_arrow(batch)
            if predicate is not None and not is_whole:
                frame = frame.filter(predicate)
            if columns is not None:
                frame = frame.select(columns)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame
            if left == 0:
                return

    return polars.io.plugins.register_io_source(read, schema=schema)


class _Unknown(Exception):
    """A part of an expression that has no counterpart here."""


def to_sql(predicate: Any) -> tuple[str | None, bool]:
    """The condition as SQL, and whether that is the whole condition. Without a counterpart, polars filters the rows."""
    try:
        tree = json.loads(predicate.meta.serialize(format="json"))
    except Exception:
        return None, False
    parts = list(_conjunction(tree))
    conditions = []
    for part in parts:
        try:
            conditions.append(_condition(part))
        except _Unknown:
            pass
    return " AND ".join(f"({condition})" for condition in conditions) or None, len(conditions) == len(parts)


def _conjunction(tree: Any) -> Iterator[Any]:
    node = tree.get("BinaryExpr") if isinstance(tree, dict) else None
    if node is not None and _CONNECTIVES.get(node["op"]) == "AND":
        yield from _conjunction(node["left"])
        yield from _conjunction(node["right"])
    else:
        yield tree


def _condition(tree: Any) -> str:
    node = tree.get("BinaryExpr") if isinstance(tree, dict) else None
    if node is None:
        raise _Unknown
    if node["op"] in _CONNECTIVES:
        return f"({_condition(node['left'])}) {_CONNECTIVES[node['op']]} ({_condition(node['right'])})"
    if node["op"] not in _COMPARISONS:
        raise _Unknown
    return f"{_operand(node['left'])} {_COMPARISONS[node['op']]} {_operand(node['right'])}"


def _operand(tree: Any) -> str:
    from isdb._database import quoted

    if isinstance(tree, dict) and isinstance(tree.get("Column"), str):
        return quoted(tree["Column"])
    if isinstance(tree, dict) and "Literal" in tree:
        return _literal(tree["Literal"])
    raise _Unknown


def _literal(value: Any) -> str:
    while isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind in ("String", "StringOwned") and isinstance(inner, str):
            return "'" + inner.replace("'", "''") + "'"
        if kind in ("Date", "Datetime", "DatetimeOwned", "Duration", "Time"):
            raise _Unknown
        value = inner
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Unknown
    # A comparison with NaN or infinity differs between the two.
    if isinstance(value, float) and not math.isfinite(value):
        raise _Unknown
    return repr(value)


