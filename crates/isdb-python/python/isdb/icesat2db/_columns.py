"""Variables and conditions as icesat2db writes them, as SQL."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa

from isdb._database import quoted
from isdb._frames import text_metadata

#: The integer that icesat2db makes of a segment: track, cycle, beam and number of the first geosegment.
_SEGMENT_ID = (
    "((arrow_cast(rgt, 'Int64') << 43) | (arrow_cast(cycle, 'Int64') << 35) | (arrow_cast(CASE beam WHEN 'gt1l' THEN 0 WHEN 'gt1r' THEN 1 "
    "WHEN 'gt2l' THEN 2 WHEN 'gt2r' THEN 3 WHEN 'gt3l' THEN 4 ELSE 5 END, 'Int64') << 32) | arrow_cast(segment_id_beg, 'Int64'))"
)

#: Variables that isdb has under another name, or computes. Seconds since 2018 have no leap seconds after that.
_EXPRESSIONS = {
    "segment_id": _SEGMENT_ID,
    "beam_id": "beam",
    "delta_time": "(arrow_cast(arrow_cast(time, 'Int64'), 'Float64') / 1e9 - 1514764800.0)",
}

#: ``>= 5``, ``== 'gt1l'``
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<|=)\s*(-?[0-9][\w.+-]*|'[^']*'|\"[^\"]*\")\s*\Z")
_LIST = re.compile(r"\s*in\s*[\[(](.*)[\])]\s*\Z", re.IGNORECASE)
_NUMBERED = re.compile(r"(.+)_([0-9]+)\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Column(NamedTuple):
    """A column of a result: its name, and the expression that computes it."""

    name: str
    sql: str


class Columns:
    """The variables of a database or an array."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def __contains__(self, name: str) -> bool:
        return name in self._schema.names

    def field(self, name: str) -> pa.Field:
        return self._schema.field(name)

    def is_list(self, name: str) -> bool:
        return name in self and pa.types.is_nested(self.field(name).type)

    def column(self, variable: str) -> Column:
        """A variable, ``canopy_h_metrics:50`` for an element by its label, or ``canopy_h_metrics_9`` by its number."""
        name, colon, label = variable.partition(":")
        if colon:
            return self._labelled(name, label)
        return Column(variable, self.expression(variable))

    def expression(self, variable: str) -> str:
        """The SQL of a variable without a label."""
        if variable in self:
            return quoted(variable)
        if variable in _EXPRESSIONS:
            return _EXPRESSIONS[variable]
        numbered = _NUMBERED.match(variable)
        if numbered and self.is_list(numbered[1]):
            return f"{quoted(numbered[1])}[{int(numbered[2])}]"
        if not _NAME.match(variable):
            raise ValueError(f"expected the name of a variable, found {variable!r}")
        # The engine knows similar names.
        return quoted(variable)

    def _labelled(self, name: str, label: str) -> Column:
        labels = labels_of(self.field(name)) if self.is_list(name) else []
        if not labels:
            raise ValueError(f"variable '{name}' has no labels, and no element '{label}'")
        if label.strip() not in labels:
            raise ValueError(f"label '{label}' not found in '{name}'; the labels are {', '.join(labels)}")
        return Column(labelled(name, self.field(name), label.strip()), f"{quoted(name)}[{labels.index(label.strip()) + 1}]")

    def condition(self, variable: str, text: str) -> str:
        """A quality filter: ``">= 5"``, ``">= 5 and <= 60"``, ``"in [111, 112]"``."""
        sql = self.expression(variable)
        choice = _LIST.match(text)
        if choice:
            return f"{sql} IN ({', '.join(_value(variable, value, text) for value in choice[1].split(','))})"
        return " AND ".join(self._comparison(variable, sql, part, text) for part in re.split(r"\band\b", text, flags=re.IGNORECASE))

    @staticmethod
    def _comparison(variable: str, sql: str, part: str, text: str) -> str:
        found = _COMPARISON.match(part)
        if not found:
            raise ValueError(f"{variable}: {text!r} is not a condition: write '>= 5', '>= 5 and <= 60' or 'in [1, 2]'")
        operator = {"==": "=", "!=": "<>"}.get(found[1], found[1])
        return f"{sql} {operator} {_value(variable, found[2], text)}"


def _value(variable: str, value: str, text: str) -> str:
    value = value.strip()
    if value[:1] in "'\"" and len(value) > 1:
        return "'" + value[1:-1].replace("'", "''") + "'"
    try:
        float(value)
    except ValueError:
        raise ValueError(f"{variable}: expected numbers or text in quotes in {text!r}, found {value!r}") from None
    return value


def labels_of(field: pa.Field) -> list[str]:
    """The labels that icesat2db knows: percentiles, and metres along the segment."""
    metadata = text_metadata(field)
    if not metadata.get("label_name", "").startswith(("percentile", "along_track_offset")):
        return []
    return metadata.get("labels", "").split()


def is_profile(field: pa.Field) -> bool:
    """Whether icesat2db calls the list a profile; it calls others sub-segments."""
    return text_metadata(field).get("label_name") == "percentile"


def dimension_of(field: pa.Field) -> str:
    """The name of the second dimension in icesat2db."""
    if is_profile(field):
        return "percentile"
    return "along_track_offset_m" if labels_of(field) else "subsegment_point"


def labelled(name: str, field: pa.Field, label: str) -> str:
    """``canopy_h_metrics_p50``, ``h_canopy_20m_50m``"""
    return f"{name}_p{label}" if is_profile(field) else f"{name}_{label}m"
