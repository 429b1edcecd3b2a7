"""`IceSat2Provider`: queries of a database or of an array of icesat2db."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import pyarrow as pa

import isdb
from isdb._database import Database, quoted
from isdb._frames import text_metadata
from isdb._options import Region
from isdb._packages import package
from isdb.icesat2db._columns import Column, Columns
from isdb.icesat2db._results import COORDINATES, from_days, to_arrays, to_dataset, to_frame, to_lists

#: A polygon that covers less of its box is a filter of its own.
_BOX = 0.9


class TileDBProvider:
    """Queries a database of isdb, or an array that icesat2db has made.

    Parameters
    ----------
    storage_type
        ``"local"`` or ``"s3"``; by default local.
    s3_bucket, url, region, credentials
        The bucket and its object store. Without credentials it is read anonymously; keys come from the environment or the profile of the AWS
        command line.
    local_path
        The folder of the database, or the one in which icesat2db has made its array.
    s3_config_overrides
        Accepted and ignored: they are settings of libtiledb.
    """

    def __init__(
        self,
        storage_type: str | None = "local",
        s3_bucket: str | None = None,
        local_path: str | os.PathLike[str] | None = "./",
        url: str | None = None,
        region: str | None = "eu-central-1",
        credentials: dict[str, str] | None = None,
        s3_config_overrides: dict[str, str] | None = None,
    ) -> None:
        kind = (storage_type or "local").lower()
        if kind == "s3":
            if not s3_bucket:
                raise ValueError("The 's3_bucket' must be provided when 'storage_type' is set to 's3'.")
            self.db = _open_s3(s3_bucket, url, region, credentials)
        elif kind == "local":
            if not local_path:
                raise ValueError("The 'local_path' must be provided when 'storage_type' is set to 'local'.")
            self.db = _open_local(os.fspath(local_path))
        else:
            raise ValueError(f"Invalid 'storage_type': {storage_type}. Must be 'local' or 's3'.")
        self._known: Columns | None = None

    @property
    def _columns(self) -> Columns:
        if self._known is None:
            self._known = Columns(self.db.sql("SELECT * FROM atl08").schema)
        return self._known

    def get_available_variables(self) -> Any:
        """The variables as a data frame, with ``description``, ``units``, ``long_name`` and more for each name."""
        rows = {}
        for name in (*self._columns._schema.names, "beam_id", "delta_time", "segment_id"):
            metadata = text_metadata(self._columns.field(name)) if name in self._columns else {}
            if name not in COORDINATES:
                rows[name] = {"description": "", "units": "", "product_level": "ATL08", **metadata}
        return package("pandas").DataFrame.from_dict(rows, orient="index")

    def query_dataframe(
        self,
        variables: list[str],
        lat_min: float,
        lat_max: float,
        lon_min: float,
        lon_max: float,
        start_time: Any = None,
        end_time: Any = None,
        geometry: Any = None,
        use_polygon_filter: bool = False,
        **filters: str,
    ) -> Any:
        """The segments in a box as a data frame, in which lists are lists; None if there are none."""
        polygon = geometry if use_polygon_filter else None
        table = self._query(variables, (lon_min, lat_min, lon_max, lat_max), polygon, start_time, end_time, filters)
        return None if table is None else package("pandas").DataFrame(to_lists(table))

    def close(self) -> None:
        """Forget what is known of the columns. A database needs no closing."""
        self._known = None

    def _query(
        self,
        variables: list[str],
        box: tuple[float, float, float, float] | None,
        polygon: Region,
        start_time: Any,
        end_time: Any,
        filters: dict[str, str],
        nearest: tuple[tuple[float, float], int] | None = None,
    ) -> pa.Table | None:
        """The rows of a query; None without rows."""
        columns = {name: Column(name, name) for name in COORDINATES}
        columns.update((variable, self._columns.column(variable)) for variable in [*variables, "segment_id"])
        conditions = [self._columns.condition(name, text) for name, text in filters.items()]
        if box is not None:
            west, south, east, north = map(float, box)
            conditions.append(f"latitude BETWEEN {south!r} AND {north!r} AND longitude BETWEEN {west!r} AND {east!r}")
        selected = dict.fromkeys(f"{sql} AS {quoted(name)}" if sql != quoted(name) else sql for name, sql in columns.values())
        sql = "SELECT " + ", ".join(selected)
        if nearest is not None:
            (longitude, latitude), count = nearest
            sql += f", distance_m(latitude, longitude, {float(latitude)!r}, {float(longitude)!r}) AS _distance_m"
        sql += " FROM atl08"
        if conditions:
            sql += " WHERE " + " AND ".join(f"({condition})" for condition in conditions)
        if nearest is not None:
            sql += f" ORDER BY _distance_m LIMIT {int(count)}"
        db = self.db
        if polygon is not None:
            db = db.region(polygon)
        if start_time is not None or end_time is not None:
            db = db.period(_day(start_time), _day(end_time))
        table = db.sql(sql).to_arrow()
        if nearest is not None:
            table = table.drop_columns("_distance_m")
        return table if table.num_rows else None


class IceSat2Provider(TileDBProvider):
    """Queries a database of isdb, or an array that icesat2db has made, with the methods and results of icesat2db.

    Missing values are NaN; times are exact. Its parameters are those of `TileDBProvider`.
    """

    def __init__(
        self,
        storage_type: str | None = None,
        s3_bucket: str | None = None,
        local_path: str | os.PathLike[str] | None = None,
        url: str | None = None,
        region: str | None = "eu-central-1",
        credentials: dict[str, str] | None = None,
    ) -> None:
        super().__init__(storage_type, s3_bucket, local_path, url, region, credentials)

    def get_data(
        self,
        variables: list[str],
        geometry: Any = None,
        start_time: Any = None,
        end_time: Any = None,
        return_type: str = "xarray",
        query_type: str = "bounding_box",
        point: tuple[float, float] | None = None,
        num_shots: int | None = None,
        radius: float | None = None,
        use_polygon_filter: bool | str = "auto",
        **quality_filters: str,
    ) -> Any:
        """The segments in an area or the nearest ones to a position, as a dataset of xarray or a data frame of pandas; None if there are none.

        Parameters
        ----------
        variables
            Names of variables; ``"canopy_h_metrics:50"`` is an element by its label.
        geometry
            The area as a GeoDataFrame, in any reference system and with any number of polygons; without it, everywhere.
        start_time, end_time
            The first and the last day.
        return_type
            ``"xarray"`` or ``"dataframe"``.
        query_type
            ``"bounding_box"`` or ``"nearest"``.
        point, num_shots, radius
            The position as (longitude, latitude), the number of segments, and half of the width of the box around it in degrees; without a radius,
            the nearest ones everywhere. Distances are metres along the ellipsoid.
        use_polygon_filter
            Whether the area is the polygon or its box; ``"auto"`` takes the box if the polygon covers 90 % of it.
        **quality_filters
            Conditions by the name of a variable: ``">= 5"``, ``">= 5 and <= 60"``, ``"in [111, 112]"``.
        """
        if return_type not in ("xarray", "dataframe"):
            raise ValueError(f"Invalid return_type '{return_type}'. Must be either 'xarray' or 'dataframe'.")
        if query_type == "nearest":
            table = self._nearest(variables, point, num_shots, radius, start_time, end_time, quality_filters)
        elif query_type == "bounding_box":
            table = self._area(variables, geometry, start_time, end_time, use_polygon_filter, quality_filters)
        else:
            raise ValueError(f"Invalid query_type '{query_type}'. Must be 'bounding_box' or 'nearest'.")
        if table is None:
            return None
        return to_dataset(table) if return_type == "xarray" else to_frame(table)

    def query_data(
        self,
        variables: list[str],
        geometry: Any = None,
        start_time: Any = None,
        end_time: Any = None,
        use_polygon_filter: bool | str = "auto",
        **quality_filters: str,
    ) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[str]], dict[str, dict[str, Any]]]:
        """The segments in an area as arrays: those of lists by number (``canopy_h_metrics_1``, …), then which arrays belong to a profile and to
        sub-segments, and their labels. ``time`` is in days since 1970."""
        return to_arrays(self._area(variables, geometry, start_time, end_time, use_polygon_filter, quality_filters))

    def query_nearest_shots(
        self,
        variables: list[str],
        point: tuple[float, float],
        num_shots: int,
        radius: float,
        start_time: Any = None,
        end_time: Any = None,
        **quality_filters: str,
    ) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[str]], dict[str, dict[str, Any]]]:
        """The nearest segments to a position, as `query_data` returns them, from near to far."""
        return to_arrays(self._nearest(variables, point, num_shots, radius, start_time, end_time, quality_filters))

    def to_dataframe(
        self,
        scalar_data: dict[str, Any],
        profile_vars: dict[str, list[str]] | None = None,
        subsegment_vars: dict[str, list[str]] | None = None,
        label_info: dict[str, dict[str, Any]] | None = None,
    ) -> Any:
        """The arrays of `query_data` as a data frame."""
        frame = package("pandas").DataFrame({**scalar_data, "time": from_days(scalar_data["time"])})
        for variables, suffix in ((profile_vars, "_p{}"), (subsegment_vars, "_{}m")):
            for name, columns in (variables or {}).items():
                labels = (label_info or {}).get(name, {}).get("labels")
                if labels:
                    frame = frame.rename(columns={c: name + suffix.format(label) for c, label in zip(columns, labels)})
                else:
                    frame[name] = frame[columns].to_numpy().tolist()
                    frame = frame.drop(columns=columns)
        return frame

    def to_xarray(
        self,
        scalar_data: dict[str, Any],
        metadata: Any,
        profile_vars: dict[str, list[str]],
        subsegment_vars: dict[str, list[str]],
        label_info: dict[str, dict[str, Any]] | None = None,
    ) -> Any:
        """The arrays of `query_data` as a dataset, with `metadata` of `get_available_variables` as attributes."""
        xarray, numpy = package("xarray"), package("numpy")
        labels = label_info or {}
        parts = {column for columns in (*profile_vars.values(), *subsegment_vars.values()) for column in columns}
        coordinates: dict[str, Any] = {"segment_id": scalar_data["segment_id"]}
        variables: dict[str, Any] = {}
        for name, values in scalar_data.items():
            if name in ("latitude", "longitude"):
                coordinates[name] = ("segment_id", values)
            elif name == "time":
                coordinates[name] = ("segment_id", from_days(values))
            elif name != "segment_id" and name not in parts:
                variables[name] = ("segment_id", values)
        for group, plain in ((profile_vars, "profile_point"), (subsegment_vars, "subsegment_point")):
            for name, columns in group.items():
                dimension = labels.get(name, {}).get("dim_name", plain)
                values = numpy.stack([scalar_data[column] for column in columns], axis=-1).astype("f4")
                variables[name] = (("segment_id", dimension), values)
                if name in labels:
                    coordinates[dimension] = numpy.array(labels[name]["labels"], dtype="i4")
        data = xarray.Dataset(variables, coordinates)
        known = metadata.to_dict(orient="index")
        for name in data.variables:
            data[name].attrs.update(known.get(name, {}))
        return data

    def _area(
        self, variables: list[str], geometry: Any, start_time: Any, end_time: Any, use_polygon: bool | str, filters: dict[str, str]
    ) -> pa.Table | None:
        if geometry is None:
            return self._query(variables, None, None, start_time, end_time, filters)
        shape = geometry.geometry if geometry.crs is None else geometry.geometry.to_crs("OGC:CRS84")
        west, south, east, north = shape.total_bounds
        if use_polygon == "auto":
            area = (east - west) * (north - south)
            use_polygon = area > 0 and shape.union_all().area / area < _BOX
        polygon, box = (shape, None) if use_polygon else (None, (west, south, east, north))
        return self._query(variables, box, polygon, start_time, end_time, filters)

    def _nearest(
        self,
        variables: list[str],
        point: tuple[float, float] | None,
        num_shots: int | None,
        radius: float | None,
        start_time: Any,
        end_time: Any,
        filters: dict[str, str],
    ) -> pa.Table | None:
        if point is None or len(point) != 2:
            raise ValueError("For 'nearest' queries, 'point' must be a (longitude, latitude) tuple.")
        if num_shots is None or num_shots <= 0:
            raise ValueError("For 'nearest' queries, 'num_shots' must be a positive integer.")
        if radius is not None and radius <= 0:
            raise ValueError("For 'nearest' queries, 'radius' must be a positive float.")
        box = None
        if radius is not None:
            box = (point[0] - radius, point[1] - radius, point[0] + radius, point[1] + radius)
        return self._query(variables, box, None, start_time, end_time, filters, (point, num_shots))


def _open_local(path: str) -> Database:
    """A database of isdb, or the one that `IceSat2Processor` makes in the folder; else an array of icesat2db there."""
    for folder in (path, os.path.join(path, "atl08.isdb")):
        try:
            return isdb.open(folder)
        except isdb.NotFound:
            pass
    return isdb.open_array(path)


def _open_s3(bucket: str, url: str | None, region: str | None, credentials: dict[str, str] | None) -> Database:
    if credentials:
        hint = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE"
        raise isdb.InvalidValue("credentials are read from the environment, not from an argument", hint)
    settings = {"region": region, "endpoint": url, "path_style": "true" if url else None, "anonymous": "true"}
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "storage.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("storage:\n" + "".join(f"  {name}: {value}\n" for name, value in settings.items() if value))
        return isdb.open_array(f"s3://{bucket}", config=config)


def _day(time: Any) -> str | None:
    """The day of a time: icesat2db stores days, and compares days."""
    return None if time is None else str(package("pandas").Timestamp(time).date())
