"""Maps of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from isdb._errors import InvalidValue
from isdb._frames import text_metadata
from isdb._packages import is_installed, package

if TYPE_CHECKING:
    from isdb._rows import Rows


def plot(rows: Rows, color: str | None, **options: Any) -> Any:
    if is_installed("lonboard"):
        import lonboard  # type: ignore[import-not-found]

        return lonboard.viz(rows.to_geopandas(), **options)
    table = rows.to_arrow()
    return scatter(table, color or first_number(table), **options)


def first_number(table: pa.Table) -> str | None:
    """The first column with numbers that is not a position."""
    for field in table.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        if is_number and field.name not in ("longitude", "latitude"):
            return str(field.name)
    return None


def scatter(table: pa.Table, color: str | None, ax: Any = None, **options: Any) -> Any:
    """Draw points on axes of matplotlib, with a bar of colours, and return the axes."""
    pyplot, numpy = package("matplotlib.pyplot"), package("numpy")
    names = table.column_names
    if "longitude" not in names or "latitude" not in names:
        raise InvalidValue("the result has no positions", "select longitude and latitude")
    if color is not None and color not in names:
        raise InvalidValue(f"the result has no column {color}", f"the columns are {', '.join(names)}")
    if ax is None:
        _, ax = pyplot.subplots()
    longitude, latitude = (table[name].to_numpy() for name in ("longitude", "latitude"))
    options = {"s": 2, "marker": ".", **options}
    if color is not None:
        options["c"] = table[color].to_numpy()
    points = ax.scatter(longitude, latitude, **options)
    if color is not None:
        field = table.schema.field(color)
        unit = text_metadata(field).get("units", "")
        ax.figure.colorbar(points, ax=ax, label=f"{color} [{unit}]" if unit not in ("", "1") else color)
    ax.set_xlabel("longitude [°]")
    ax.set_ylabel("latitude [°]")
    if len(latitude):
        # A degree of longitude is shorter by the cosine of the latitude.
        middle = numpy.radians((numpy.nanmin(latitude) + numpy.nanmax(latitude)) / 2)
        ax.set_aspect(1 / max(float(numpy.cos(middle)), 0.05), adjustable="datalim")
    return ax
