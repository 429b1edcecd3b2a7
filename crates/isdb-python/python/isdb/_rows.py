"""The rows of a statement."""

from __future__ import annotations

import html
import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from isdb import _frames
from isdb._errors import QueryWarning
from isdb._frames import DtypeBackend, text_metadata
from isdb._packages import package

if TYPE_CHECKING:
    from isdb._isdb import Statement

#: Rows that a notebook shows.
_SHOWN = 10


class Rows:
    """The rows of a statement over one state of a database: computed when they are requested, each time again.

    Other libraries accept it as it is, through Arrow's C stream: ``polars.DataFrame(rows)``, ``pyarrow.table(rows)``,
    ``duckdb.from_arrow(pyarrow.table(rows))``. A result shows the state that was the newest when the statement was planned; if a vacuum removes that
    state, it raises `Expired`.

    Times are UTC, positions are degrees on WGS 84, and a value that the product does not have is missing in every conversion.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    @property
    def sql(self) -> str:
        """The text of the statement."""
        return self._statement.sql

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types. The metadata of a field has its ``units``, ``long_name`` and ``description``."""
        return self._statement.schema

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    @property
    def units(self) -> dict[str, str]:
        """The units of the columns that have some; ``1`` means none."""
        units = {field.name: text_metadata(field).get("units", "") for field in self.schema}
        return {name: unit for name, unit in units.items() if unit}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._statement.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Iterate over batches of some thousand rows. A few are in memory at a time, however large the result is."""
        return iter(self._statement.batches())

    def reader(self) -> pa.RecordBatchReader:
        """The rows as a reader of pyarrow, in bounded memory."""
        return pa.RecordBatchReader.from_batches(self.schema, self)

    def to_arrow(self) -> pa.Table:
        """All rows as a table of pyarrow."""
        return pa.Table.from_batches(list(self), self.schema)

    def head(self, n: int = _SHOWN) -> pa.Table:
        """The first `n` rows; no more than needed are computed."""
        batches, left = [], n
        for batch in self:
            batches.append(batch.slice(0, left))
            left -= batches[-1].num_rows
            if left <= 0:
                break
        return pa.Table.from_batches(batches, self.schema)

    def to_pandas(self, dtype_backend: DtypeBackend | None = None) -> Any:
        """All rows as a data frame of pandas.

        Parameters
        ----------
        dtype_backend
            How columns are held. None: numpy, where an integer with NULL becomes a float and NULL is NaN. ``"numpy_nullable"``: integers
            stay integers, such as ``Int32``. ``"pyarrow"``: every type stays. Lists such as ``canopy_h_metrics`` are arrays in a column of
            objects, except with ``"pyarrow"``.
        """
        return _frames.to_pandas(self.to_arrow(), dtype_backend)

    def to_polars(self) -> Any:
        """All rows as a data frame of polars. Lists such as ``canopy_h_metrics`` are columns of its type ``Array``."""
        return package("polars").from_arrow(self.to_arrow())

    def to_geopandas(self, crs: Any = None, dtype_backend: DtypeBackend | None = None) -> Any:
        """All rows as a data frame of geopandas.

        The points are the stored positions if the statement returns them, else the columns ``longitude`` and ``latitude``. A geometry of the
        statement itself, of an ``ST_`` function, is used instead. The reference system is OGC:CRS84: longitude, latitude, in degrees on WGS 84.

        Parameters
        ----------
        crs
            Another reference system to transform to, such as ``3857``.
        dtype_backend
            As for `to_pandas`.
        """
        return _frames.to_geopandas(self.to_arrow(), self._statement.positions, crs, dtype_backend)

    def to_xarray(self, dim: str = "segment") -> Any:
        """All rows as a dataset of xarray, with the units and descriptions of the product as attributes.

        Each column is an array along `dim`. A list has a second axis with its labels as coordinate: ``canopy_h_metrics`` is ``(segment,
        percentile)`` with the percentiles 10 to 95. ``latitude``, ``longitude`` and ``time`` are coordinates. Times are UTC, without a time
        zone. An integer with NULL becomes a float with NaN.
        """
        return _frames.to_xarray(self.to_arrow(), dim)

    def to_duckdb(self, connection: Any = None) -> Any:
        """All rows as a relation of DuckDB, in `connection` or its default connection."""
        duckdb = package("duckdb")
        return (duckdb if connection is None else connection).from_arrow(self.to_arrow())

    def write(self, path: str | os.PathLike[str], format: str | None = None) -> int:
        """Write the rows to a file, in bounded memory, and return their number.

        Parameters
        ----------
        path
            The file. It appears when all rows are in it. Its ending decides the format: ``.parquet`` (GeoParquet if the rows have positions),
            ``.arrow``, ``.csv``, ``.json``, ``.ndjson``, ``.geojson``, ``.fgb``, ``.gpkg`` or ``.txt``. Formats with metadata get the
            statement, the state and the citation of the database.
        format
            The format, as ``isdb query --format`` has it, such as ``"parquet"``.
        """
        return self._statement.write(os.fspath(path), format)

    def explain(self, analyze: bool = False) -> str:
        """The plan as text. With `analyze` the statement runs, and the plan has the rows, the time and the bytes of each step."""
        return self._statement.explain(analyze)

    def plot(self, color: str | None = None, **options: Any) -> Any:
        """A map of the rows: of lonboard if it is installed, else of matplotlib.

        Parameters
        ----------
        color
            The column that colours the points; by default the first number that is not a position.
        **options
            Options of ``lonboard.viz`` or of ``matplotlib.axes.Axes.scatter``.
        """
        from isdb._plot import plot

        return plot(self, color, **options)

    def warn(self, stacklevel: int) -> Rows:
        """Issue the warnings of the statement."""
        for text, hint in self._statement.warnings:
            warnings.warn(f"{text}; {hint}" if hint else text, QueryWarning, stacklevel=stacklevel + 1)
        return self

    def __repr__(self) -> str:
        lines = []
        for field in self.schema:
            unit = text_metadata(field).get("units", "")
            lines.append(f"  {field.name}: {field.type}" + (f" [{unit}]" if unit not in ("", "1") else ""))
        return "\n".join(["isdb.Rows", *lines])

    def _repr_html_(self) -> str:
        first = self.head(_SHOWN + 1)
        shown = first.slice(0, _SHOWN)
        header = "".join(f"<th>{html.escape(name)}</th>" for name in shown.column_names)
        units = "".join(f"<th><small>{html.escape(_shown_unit(self.units.get(name)))}</small></th>" for name in shown.column_names)
        cells = [[_shown(value) for value in column.to_pylist()] for column in shown.columns]
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in zip(*cells))
        if first.num_rows > _SHOWN:
            note = "more rows follow"
        elif first.num_rows == 0:
            note = "; ".join(["no rows", *self._statement.why_no_rows()])
        else:
            note = f"rows: {first.num_rows}"
        return (
            f"<table><thead><tr>{header}</tr><tr>{units}</tr></thead><tbody>{rows}</tbody></table>"
            f"<small>{html.escape(note)}</small>"
        )


def _shown_unit(unit: str | None) -> str:
    return "" if unit in (None, "1") else str(unit)


def _shown(value: Any) -> str:
    if value is None:
        return "<i>NULL</i>"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        text = ", ".join("NULL" if element is None else _shown(element) for element in value[:4])
        return f"[{text}{', …' if len(value) > 4 else ''}]"
    return html.escape(str(value))


