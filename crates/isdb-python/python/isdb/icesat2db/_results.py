"""Results as icesat2db returns them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from isdb._frames import to_numpy, text_metadata
from isdb._packages import package
from isdb.icesat2db._columns import dimension_of, is_profile, labelled, labels_of

#: The coordinates of every result.
COORDINATES = ("latitude", "longitude", "time")


def from_days(days: Any) -> Any:
    numpy = package("numpy")
    return (numpy.datetime64("1970-01-01", "D") + numpy.asarray(days)).astype("datetime64[ns]")


def to_arrays(
    table: pa.Table | None,
) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[str]], dict[str, dict[str, Any]]]:
    if table is None:
        return {}, {}, {}, {}
    scalars: dict[str, Any] = {}
    profiles: dict[str, list[str]] = {}
    subsegments: dict[str, list[str]] = {}
    labels: dict[str, dict[str, Any]] = {}
    for field, column in zip(table.schema, table.columns):
        values = to_numpy(column)
        if values.ndim == 2:
            names = [f"{field.name}_{number}" for number in range(1, values.shape[1] + 1)]
            (profiles if is_profile(field) else subsegments)[field.name] = names
            scalars.update((name, values[:, place]) for place, name in enumerate(names))
            if labels_of(field):
                labels[field.name] = {"labels": [int(label) for label in labels_of(field)], "dim_name": dimension_of(field)}
        else:
            scalars[field.name] = values.astype("datetime64[D]").astype("i8") if field.name == "time" else values
    return scalars, profiles, subsegments, labels


def to_lists(table: pa.Table) -> dict[str, Any]:
    """Columns with lists as lists."""
    arrays = {field.name: to_numpy(column) for field, column in zip(table.schema, table.columns)}
    return {name: values.tolist() if values.ndim == 2 else values for name, values in arrays.items()}


def to_frame(table: pa.Table) -> Any:
    """A column for each labelled element, and lists of others."""
    columns: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns):
        values, labels = to_numpy(column), labels_of(field)
        if values.ndim == 1:
            columns[field.name] = values
        elif labels:
            columns.update((labelled(field.name, field, label), values[:, place]) for place, label in enumerate(labels))
        else:
            columns[field.name] = values.tolist()
    return package("pandas").DataFrame(columns)


def to_dataset(table: pa.Table) -> Any:
    xarray, numpy = package("xarray"), package("numpy")
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns):
        values, attributes = to_numpy(column), text_metadata(field)
        if pa.types.is_timestamp(field.type):
            attributes.pop("units", None)
        if values.ndim == 2:
            dimension = dimension_of(field)
            variables[field.name] = (("segment_id", dimension), values.astype("f4"), attributes)
            if labels_of(field):
                coordinates[dimension] = numpy.array([int(label) for label in labels_of(field)], dtype="i4")
        elif field.name == "segment_id":
            coordinates[field.name] = (field.name, values, attributes)
        else:
            target = coordinates if field.name in COORDINATES else variables
            target[field.name] = ("segment_id", values, attributes)
    return xarray.Dataset(variables, coordinates)
