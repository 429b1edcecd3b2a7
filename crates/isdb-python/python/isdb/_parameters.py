"""Values of the parameters of a statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from isdb._errors import InvalidValue
from isdb._options import nanoseconds


def parameters(values: Mapping[str, Any] | None) -> list[tuple[str, str, Any]]:
    """Names, kinds and values for the extension module."""
    return [(name, *_value(name, value)) for name, value in (values or {}).items()]


def _value(name: str, value: Any) -> tuple[str, Any]:
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        if value.dtype.kind == "M":
            return "timestamp", int(value.astype("datetime64[ns]").astype("int64"))
        value = value.item()
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int):
        return "integer", value
    if isinstance(value, float):
        return "float", value
    if isinstance(value, str):
        return "text", value
    if isinstance(value, dt.datetime):
        return "timestamp", nanoseconds(value)
    if isinstance(value, dt.date):
        return "date", (value - dt.date(1970, 1, 1)).days
    raise InvalidValue(
        f"expected a number, text, time or None for ${name}, found {type(value).__name__}",
        "rows are a table: db.register('plots', frame)",
    )
