"""Options as the extension module takes them: dictionaries of plain values."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable
from typing import Any

from isdb._errors import InvalidValue
from isdb._packages import package

#: Anything that names an area: ``(west, south, east, north)`` in degrees, text in that form, GeoJSON, the path of a file with polygons, a
#: shapely geometry, or a GeoSeries or GeoDataFrame.
Region = Any

#: An instant: ISO 8601, a date, a naive datetime (UTC) or one with a time zone, or a pandas or numpy timestamp.
Time = Any


def open_options(
    uri: str | os.PathLike[str] | None = None,
    config: str | os.PathLike[str] | None = None,
    single_writer: bool = False,
    array: bool = False,
    memory: str | int | None = None,
    temp: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    return {
        "uri": None if uri is None else os.fspath(uri),
        "config": None if config is None else os.fspath(config),
        "single_writer": single_writer,
        "array": array,
        "memory": memory_text(memory),
        "temp": None if temp is None else os.fspath(temp),
    }


def restrictions(
    filters: str | Iterable[str] | None = None, region: Region = None, start: Time = None, end: Time = None
) -> dict[str, str | None]:
    return {
        "filters": filter_text(filters),
        "region": region_text(region),
        "start": time_text(start),
        "end": time_text(end),
    }


def track(
    release: str | int | None = None, rgt: int | None = None, cycle: int | None = None, orbit_region: int | None = None
) -> dict[str, int | None]:
    return {"release": None if release is None else int(release), "rgt": rgt, "cycle": cycle, "orbit_region": orbit_region}


def memory_text(memory: str | int | None) -> str | None:
    """``"2GB"``, or a number of bytes."""
    return None if memory is None else str(memory)


def filter_text(filters: str | Iterable[str] | None) -> str | None:
    """``"strong,night"``, or several names."""
    if filters is None or isinstance(filters, str):
        return filters
    return ",".join(filters) or "none"


def time_text(time: Time) -> str | None:
    """A time as ISO 8601. A year, month or day stays what it is: as an end it is inclusive."""
    if time is None or isinstance(time, str):
        return time
    if isinstance(time, int):
        # A year.
        return f"{time:04}"
    if not isinstance(time, dt.date) and hasattr(time, "astype") and hasattr(time, "dtype"):
        text = str(time)
        return text if len(text) <= len("2020-06-01") else text + "Z"
    if isinstance(time, dt.datetime):
        return _utc(time).isoformat().replace("+00:00", "Z")
    if isinstance(time, dt.date):
        return time.isoformat()
    raise InvalidValue(f"expected a time, found {time!r}", "a time is '2020-06', '2020-06-01T12:00:00Z', a date or a datetime")


def state_text(state: Any) -> str | None:
    """A state: milliseconds since 1970, a time, or the name of a tag."""
    return str(state) if isinstance(state, int) else time_text(state)


def _utc(time: dt.datetime) -> dt.datetime:
    return time.replace(tzinfo=dt.timezone.utc) if time.tzinfo is None else time.astimezone(dt.timezone.utc)


def nanoseconds(time: dt.datetime) -> int:
    """Nanoseconds since 1970 UTC. A naive time is UTC."""
    if hasattr(time, "as_unit") and hasattr(time, "value"):
        # pandas.Timestamp, whose value is UTC whatever its zone is.
        return int(time.as_unit("ns").value)
    since = _utc(time) - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def region_text(region: Region) -> str | None:
    """A region as ``W,S,E,N``, GeoJSON or the path of a GeoJSON file."""
    if region is None:
        return None
    if isinstance(region, (str, os.PathLike)):
        return _path_or_text(os.fspath(region))
    if hasattr(region, "to_crs"):
        return _degrees(region).to_json()
    if hasattr(region, "__geo_interface__"):
        return json.dumps(region.__geo_interface__)
    if isinstance(region, dict):
        return json.dumps(region)
    try:
        numbers = [float(number) for number in region]
    except TypeError:
        numbers = []
    if len(numbers) != 4:
        raise InvalidValue(
            f"expected a region, found {type(region).__name__}",
            "a region is (west, south, east, north) in degrees, a polygon of shapely, a GeoDataFrame, or the path of a file",
        )
    return ",".join(map(repr, numbers))


#: Files with polygons that geopandas reads, beside GeoJSON.
_FILES = (".gpkg", ".shp", ".fgb", ".parquet", ".kml", ".zip")


def _path_or_text(text: str) -> str:
    if text.lower().endswith(_FILES) and os.path.exists(text):
        geopandas = package("geopandas")
        read = geopandas.read_parquet if text.lower().endswith(".parquet") else geopandas.read_file
        return _degrees(read(text)).to_json()
    return text


def _degrees(frame: Any) -> Any:
    """The geometries of a GeoSeries or GeoDataFrame alone, in degrees; without a reference system they are in degrees already."""
    geometry = frame.geometry
    if geometry.crs is not None:
        geometry = geometry.to_crs("OGC:CRS84")
    return geometry[geometry.notna()]
