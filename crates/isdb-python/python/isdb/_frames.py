"""Arrow tables as frames and arrays of other packages. Missing values stay missing: none becomes 0 or a fill value."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from isdb._errors import InvalidValue
from isdb._packages import package

#: How pandas holds columns: ``None`` is numpy, where integers with NULL become floats and NULL is NaN; ``"numpy_nullable"`` keeps integers, as
#: ``Int32``; ``"pyarrow"`` keeps every type.
DtypeBackend = Literal["numpy_nullable", "pyarrow"]

#: The coordinate reference system of every geometry: longitude and latitude in degrees on WGS 84.
CRS = "OGC:CRS84"


def text_metadata(field: pa.Field) -> dict[str, str]:
    """The metadata of a column: units, long_name, description, labels of lists, and more."""
    return {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}


def to_pandas(table: pa.Table, dtype_backend: DtypeBackend | None) -> Any:
    pandas = package("pandas")
    table = _with_unique_dictionaries(table)
    if dtype_backend is None:
        return table.to_pandas()
    if dtype_backend == "pyarrow":
        return table.to_pandas(types_mapper=pandas.ArrowDtype)
    if dtype_backend == "numpy_nullable":
        return table.to_pandas(types_mapper=_nullable(pandas).get)
    raise InvalidValue(f"expected the dtype_backend 'numpy_nullable', 'pyarrow' or None, found {dtype_backend!r}")


def _with_unique_dictionaries(table: pa.Table) -> pa.Table:
    """The table with dictionaries that have each value once: those of joined batches repeat values, and categories of pandas may not."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(place).cast(field.type.value_type).dictionary_encode()
            table = table.set_column(place, field.with_type(column.type), column)
    return table


def _nullable(pandas: Any) -> dict[pa.DataType, Any]:
    return {
        pa.bool_(): pandas.BooleanDtype(),
        pa.int8(): pandas.Int8Dtype(),
        pa.int16(): pandas.Int16Dtype(),
        pa.int32(): pandas.Int32Dtype(),
        pa.int64(): pandas.Int64Dtype(),
        pa.uint8(): pandas.UInt8Dtype(),
        pa.uint16(): pandas.UInt16Dtype(),
        pa.uint32(): pandas.UInt32Dtype(),
        pa.uint64(): pandas.UInt64Dtype(),
        pa.float32(): pandas.Float32Dtype(),
        pa.float64(): pandas.Float64Dtype(),
        pa.string(): pandas.StringDtype(),
        pa.large_string(): pandas.StringDtype(),
        pa.string_view(): pandas.StringDtype(),
    }


def to_geopandas(table: pa.Table, positions: tuple[int, int] | None, crs: Any, dtype_backend: DtypeBackend | None) -> Any:
    geopandas, shapely = package("geopandas"), package("shapely")
    if any(text_metadata(field).get("ARROW:extension:name", "").startswith("geoarrow.") for field in table.schema):
        frame = geopandas.GeoDataFrame.from_arrow(table)
        return frame.to_crs(crs) if crs is not None else frame
    if positions is None:
        names = table.column_names
        if "longitude" not in names or "latitude" not in names:
            raise InvalidValue("the result has no positions", "select longitude and latitude")
        positions = names.index("longitude"), names.index("latitude")
    numpy = package("numpy")
    longitude, latitude = (
        table.column(place).cast(pa.float64()).to_numpy().astype(float, copy=False) for place in positions
    )
    points = numpy.full(table.num_rows, None, dtype=object)
    is_known = ~(numpy.isnan(longitude) | numpy.isnan(latitude))
    points[is_known] = shapely.points(longitude[is_known], latitude[is_known])
    frame = geopandas.GeoDataFrame(to_pandas(table, dtype_backend), geometry=points, crs=CRS)
    return frame.to_crs(crs) if crs is not None else frame


def to_xarray(table: pa.Table, dim: str) -> Any:
    xarray = package("xarray")
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns):
        metadata = text_metadata(field)
        values = to_numpy(column, len(metadata.get("labels", "").split()))
        if values.ndim == 2:
            second, labels = _second_axis(field.name, metadata, values.shape[1], coordinates)
            coordinates.setdefault(second, (second, labels, _label_attributes(metadata)))
            variables[field.name] = ((dim, second), values, _attributes(field, metadata))
        elif field.name in ("latitude", "longitude", "time"):
            coordinates[field.name] = (dim, values, _attributes(field, metadata))
        else:
            variables[field.name] = (dim, values, _attributes(field, metadata))
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return xarray.Dataset(variables, coordinates, metadata)


def to_numpy(column: pa.ChunkedArray, length: int = 0) -> Any:
    """A column as a numpy array: NULL as NaN or NaT, so that integers with NULL become float64; text as objects with None. Lists of one
    length, by default `length`, become a matrix."""
    numpy = package("numpy")
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_list(array.type):
        lengths = pc.unique(pc.list_value_length(array).drop_null()).to_pylist() or [length]
        if len(lengths) == 1 and lengths[0] > 0:
            array = array.cast(pa.list_(array.type.value_field, lengths[0]))
    if pa.types.is_fixed_size_list(array.type):
        return _matrix(array)
    if pa.types.is_timestamp(array.type):
        # xarray has no time zones: the times are UTC.
        return array.cast(pa.timestamp("ns")).to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(array.type) and array.null_count > 0:
        return array.cast(pa.uint8()).to_numpy(zero_copy_only=False).astype(numpy.float64)
    return array.to_numpy(zero_copy_only=False)


def _matrix(array: pa.FixedSizeListArray) -> Any:
    numpy = package("numpy")
    length = array.type.list_size
    # `values` ignores the offset of a slice, and has elements below NULL lists.
    elements = array.values.slice(array.offset * length, len(array) * length)
    values = elements.to_numpy(zero_copy_only=False).reshape(len(array), length)
    if array.null_count > 0:
        values = values.astype(values.dtype if values.dtype.kind == "f" else numpy.float64)
        values[numpy.asarray(array.is_null())] = numpy.nan
    return values


def _second_axis(name: str, metadata: dict[str, str], length: int, coordinates: dict[str, Any]) -> tuple[str, Any]:
    """The name and the labels of the second axis of a list: such as `percentile` with 10, 15, … 95."""
    numpy = package("numpy")
    words = metadata.get("labels", "").split()
    if len(words) != length:
        return f"{name}_element", numpy.arange(1, length + 1)
    try:
        labels = numpy.array([int(word) for word in words])
    except ValueError:
        labels = numpy.array(words)
    axis = metadata.get("label_name") or f"{name}_element"
    known = coordinates.get(axis)
    if known is not None and not numpy.array_equal(known[1], labels):
        axis = f"{name}_{axis}"
    return axis, labels


def _label_attributes(metadata: dict[str, str]) -> dict[str, str]:
    units = metadata.get("label_units", "")
    return {"units": units} if units else {}


def _attributes(field: pa.Field, metadata: dict[str, str]) -> dict[str, Any]:
    """Attributes by the CF conventions: units, long_name, flags and more."""
    numpy = package("numpy")
    attributes: dict[str, Any] = {
        key: value for key, value in metadata.items() if key not in ("labels", "label_name", "label_units", "null")
    }
    if pa.types.is_timestamp(field.type):
        # xarray encodes times with units of its own.
        attributes.pop("units", None)
        attributes["time_zone"] = "UTC"
    if "flag_values" in attributes:
        try:
            attributes["flag_values"] = numpy.array([int(word) for word in attributes["flag_values"].split()])
        except ValueError:
            pass
    return attributes
