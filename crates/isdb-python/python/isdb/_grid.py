"""Cells of a grid as a dataset of xarray."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from isdb._errors import InvalidValue
from isdb._packages import package

#: Cells of the largest array: its six bands take 2.4 GB.
_MOST_CELLS = 50_000_000


class Map(NamedTuple):
    """The western and northern edge of a map, the size of its cells, and the EPSG code of its coordinate reference system."""

    west: float
    north: float
    size: float
    epsg: int


def to_dataset(table: pa.Table, map: Map, value: str) -> Any:
    """Place cells, rows with `cell_column` and `cell_row`, on the part of the map that contains them."""
    xarray, numpy = package("xarray"), package("numpy")
    # Beyond the edges of the map a cell has no row.
    table = table.filter(table["cell_row"].is_valid()) if table["cell_row"].null_count else table
    if table.num_rows == 0:
        raise InvalidValue("no cell of the grid has a segment", "db.info() has the extent; min_passes=1 keeps cells of a single pass")
    columns, rows = (table[name].to_numpy().astype(numpy.int64) for name in ("cell_column", "cell_row"))
    width, height = (int(axis.max() - axis.min()) + 1 for axis in (columns, rows))
    if width * height > _MOST_CELLS:
        raise InvalidValue(f"the grid has {width} x {height} cells", "choose larger cells, or a smaller region: db.region(…).grid(…)")
    centres_x = map.west + (columns.min() + numpy.arange(width) + 0.5) * map.size
    centres_y = map.north - (rows.min() + numpy.arange(height) + 0.5) * map.size
    at = (rows - rows.min(), columns - columns.min())
    is_degrees = map.epsg == 4326
    dims = ("latitude", "longitude") if is_degrees else ("y", "x")
    units = ("degrees_north", "degrees_east") if is_degrees else ("m", "m")
    variables: dict[str, Any] = {}
    for name in table.column_names[2:]:
        band = table[name].to_numpy()
        if name == "value":
            cells = numpy.full((height, width), numpy.nan)
            attributes = {"long_name": value}
        else:
            cells = numpy.zeros((height, width), dtype=numpy.int64)
            attributes = {"long_name": f"number of {name.removeprefix('n_')}", "units": "1"}
        cells[at] = band
        variables[name] = (dims, cells, attributes)
    coordinates = {
        dims[0]: (dims[0], centres_y, {"units": units[0]}),
        dims[1]: (dims[1], centres_x, {"units": units[1]}),
    }
    return xarray.Dataset(variables, coordinates, {"crs": f"EPSG:{map.epsg}"})
