"""A database, or an array of another program."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from isdb import _grid, _isdb
from isdb._errors import InvalidValue
from isdb._frames import to_pandas
from isdb._options import Region, Time, open_options, restrictions, state_text
from isdb._parameters import parameters
from isdb._rows import Rows

if TYPE_CHECKING:
    from isdb._ingest import Report

#: A name that SQL does not have to quote.
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


def open(
    uri: str | os.PathLike[str] | None = None,
    *,
    at: Time | int | str | None = None,
    filters: str | Iterable[str] | None = None,
    region: Region = None,
    start: Time = None,
    end: Time = None,
    config: str | os.PathLike[str] | None = None,
    memory: str | int | None = None,
    temp: str | os.PathLike[str] | None = None,
    single_writer: bool = False,
) -> Database:
    """Open a database.

    Parameters
    ----------
    uri
        The folder of the database, or ``s3://bucket/prefix``; without it, the environment variable ``ISDB_DB`` or the config names it.
    at, filters, region, start, end
        The state and the restrictions of the views, as for `Database.at`, `Database.filters`, `Database.region` and `Database.period`.
    config
        The file of a config. It has the settings of an object store.
    memory
        Memory for the rows of queries, such as ``"2GB"``; by default half of what the process may use. Sorts, groups and joins spill to
        disk what does not fit.
    temp
        The folder to spill to.
    single_writer
        Whether no other process writes to the database, for an object store without conditional writes.

    Raises
    ------
    NotFound
        If no database exists there.
    """
    options = open_options(os.environ.get("ISDB_DB") if uri is None else uri, config, single_writer, False, memory, temp)
    return Database._open(options, restrictions(filters, region, start, end), state_text(at))


def open_array(
    uri: str | os.PathLike[str],
    *,
    at: Time | int | None = None,
    filters: str | Iterable[str] | None = None,
    region: Region = None,
    start: Time = None,
    end: Time = None,
    config: str | os.PathLike[str] | None = None,
    memory: str | int | None = None,
    temp: str | os.PathLike[str] | None = None,
) -> Database:
    """Open a TileDB array that icesat2db, gedidb or another program has made, to read it.

    `uri` is the folder or ``s3://bucket/prefix`` of the array, or the name of a public one: ``"icesat2db"`` or ``"gedidb"``. The tables are
    ``atl08`` or ``gedi``, and ``cells`` as they are stored. The other parameters are those of `open`.
    """
    options = open_options(uri, config, False, True, memory, temp)
    return Database._open(options, restrictions(filters, region, start, end), state_text(at))


class Database:
    """A database, restricted by filters, a region and a period. `open` returns it.

    It follows the database: each statement reads the state that is the newest when it is planned. `at` returns one that stays at a state.

    It may be used by several threads, and be sent to other processes, which open it again. A process that was forked after isdb was used
    cannot use it.
    """

    def __init__(
        self, connection: _isdb.Connection, options: dict[str, Any], given: dict[str, str | None], at: str | None
    ) -> None:
        self._connection = connection
        self._options = options
        self._given = given
        self._at = at

    @classmethod
    def _open(cls, options: dict[str, Any], given: dict[str, str | None], at: str | None) -> Database:
        return cls(_isdb.Connection(options, given, at), options, given, at)

    def _with(self, at: str | None, **given: str | None) -> Database:
        all_given = {**self._given, **given}
        return Database(self._connection.reopen(all_given, at), self._options, all_given, at)

    def __reduce__(self) -> tuple[Any, ...]:
        return Database._open, (self._options, self._given, self._at)

    # ------------------------------------------------------------------ restrictions

    def at(self, state: Time | int | str | None) -> Database:
        """The database at an earlier state, where it stays; with None, one that follows the newest state.

        Parameters
        ----------
        state
            A time, whose last state is opened (a date means the end of that day); milliseconds since 1970; or the name of a tag.
        """
        return self._with(state_text(state))

    def filters(self, filters: str | Iterable[str] | None) -> Database:
        """The database with the views ``atl08`` and ``atl08_unique`` restricted to segments that pass these filters, such as
        ``"strong,night"``. They replace earlier ones. `isdb.filters` lists them."""
        return self._with(self._at, filters=restrictions(filters)["filters"])

    def region(self, region: Region) -> Database:
        """The database with the views restricted to a region. It replaces an earlier one.

        Parameters
        ----------
        region
            ``(west, south, east, north)`` in degrees; if west is greater than east, the box crosses the dateline. Or polygons: of shapely, a
            GeoSeries or GeoDataFrame (in any reference system), GeoJSON, or the path of a file.
        """
        return self._with(self._at, region=restrictions(region=region)["region"])

    def period(self, start: Time = None, end: Time = None) -> Database:
        """The database with the views restricted to a period. A year, month or day as `end` is inclusive, and an instant exclusive."""
        given = restrictions(start=start, end=end)
        return self._with(self._at, start=given["start"], end=given["end"])

    # ------------------------------------------------------------------ statements

    def sql(self, sql: str, params: Mapping[str, Any] | None = None) -> Rows:
        """Plan a statement, whose rows are computed when they are requested.

        Parameters
        ----------
        sql
            A statement that reads. ``CREATE VIEW`` and ``DROP VIEW`` are executed at once; a view lasts as long as this object.
        params
            Values of the parameters of the statement: ``db.sql("… WHERE canopy_h > $least", params={"least": 5})``. A datetime without a time
            zone is UTC.

        Raises
        ------
        InvalidStatement, UnknownColumn, UnknownTable
            With a hint at the correct form.

        Warns
        -----
        QueryWarning
            For a statement that probably does not mean what it says.
        """
        return self._plan(sql, params, 2)

    def _plan(self, sql: str, params: Mapping[str, Any] | None, stacklevel: int) -> Rows:
        return Rows(self._connection.statement(sql, parameters(params))).warn(stacklevel + 1)

    def explain(self, sql: str, params: Mapping[str, Any] | None = None, analyze: bool = False) -> str:
        """The plan of a statement as text, as `Rows.explain`."""
        return self._plan(sql, params, 2).explain(analyze)

    def register(self, name: str, rows: Any) -> None:
        """Add a table for the statements of this object: a frame of pandas, geopandas or polars, or anything with Arrow's C stream.

        Points of a GeoDataFrame become the columns ``longitude`` and ``latitude``, in degrees on WGS 84; other geometries become WKT in
        ``geometry``.
        """
        self._connection.register(name, arrow_table(rows))

    def tables(self) -> list[str]:
        """The names of the tables and views."""
        return self._connection.tables()

    def table(self, name: str = "atl08") -> _isdb.Table:
        """A table for the package ``datafusion``: ``context.register_table("atl08", db.table())``. Its filters, projections and limits reach the
        array. The table stays at the present state."""
        return self._connection.table(name)

    def scan_polars(self, table: str = "atl08") -> Any:
        """A lazy frame of polars. Its columns, comparisons and limit reach the array; polars does the rest."""
        from isdb._polars import scan

        return scan(self, table)

    # ------------------------------------------------------------------ common questions

    def nearest(
        self,
        lon: float | None = None,
        lat: float | None = None,
        n: int = 10,
        *,
        point: Any = None,
        where: str | None = None,
        within: float | None = None,
        columns: Iterable[str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Rows:
        """The `n` nearest segments to a position, with ``distance_m``, metres along the ellipsoid, from near to far.

        Parameters
        ----------
        lon, lat
            The position in degrees on WGS 84.
        point
            The position as a point of shapely, instead.
        where
            A condition that the segments have to meet, such as ``"canopy_h > 5"``.
        within
            The greatest distance in metres.
        columns
            The columns of the segments; by default position, time, beam, canopy and terrain height.
        params
            Values of the parameters of `where`.
        """
        if (point is None) == (lon is None) or (lon is None) != (lat is None):
            raise InvalidValue("expected a position", "nearest(lon=25.5, lat=61.0), or nearest(point=shapely.Point(25.5, 61.0))")
        longitude, latitude = (float(point.x), float(point.y)) if point is not None else (float(lon or 0), float(lat or 0))
        if isinstance(n, bool) or n < 1:
            raise InvalidValue(f"expected a number of segments, found {n!r}")
        distance = f"distance_m(latitude, longitude, {latitude!r}, {longitude!r})"
        conditions = [] if where is None else [f"({where})"]
        if within is not None:
            conditions.append(f"near(latitude, longitude, {latitude!r}, {longitude!r}, {float(within)!r})")
        sql = f"SELECT {self._names(columns)}, {distance} AS distance_m FROM {self._view()}"
        if conditions:
            sql += " WHERE " + " AND ".join(conditions)
        return self._plan(f"{sql} ORDER BY distance_m LIMIT {n}", params, 2)

    def section(self, rgt: int, cycle: int, beam: str, columns: Iterable[str] | None = None) -> Rows:
        """The segments of one beam of one pass, in the direction of flight, with ``along_track_km``.

        Parameters
        ----------
        rgt, cycle
            The reference ground track, 1 to 1387, and the cycle.
        beam
            ``"gt1l"`` to ``"gt3r"``.
        columns
            The columns of the segments; by default position, time, beam, canopy and terrain height.
        """
        sql = (
            f"SELECT along_track_km(segment_id_beg) AS along_track_km, {self._names(columns)} FROM atl08_unique "
            "WHERE rgt = $rgt AND cycle = $cycle AND beam = $beam ORDER BY time"
        )
        return self._plan(sql, {"rgt": int(rgt), "cycle": int(cycle), "beam": beam}, 2)

    def grid(self, value: str = "median(canopy_h)", cell: str | float = "0.1deg", min_passes: int = 1) -> Any:
        """Statistics of the segments in each cell of a grid, as a dataset of xarray.

        Each segment counts once. ``value`` is NaN and the counts are 0 in cells without segments: ``n_segments``, ``n_canopy`` and
        ``n_terrain`` (segments with a height), ``n_passes`` and ``n_tracks``.

        Parameters
        ----------
        value
            An aggregate of columns of ``atl08``.
        cell
            The size of cells: degrees that divide 90, as a number or ``"0.25deg"``, for the dimensions ``(latitude, longitude)``; or ``"9km"`` of
            EASE-Grid 2.0, whose cells have equal areas, for ``(y, x)`` in metres (EPSG:6933).
        min_passes
            Cells with fewer passes are empty.
        """
        text = cell if isinstance(cell, str) else f"{cell!r}deg"
        sql, west, north, size, epsg = self._connection.grid(value, text, min_passes)
        table = self._plan(sql, None, 2).to_arrow()
        return _grid.to_dataset(table, _grid.Map(west, north, size, epsg), value)

    def plot(self, sql: str | None = None, color: str | None = None, **options: Any) -> Any:
        """A map of a statement's rows, as `Rows.plot`; by default of the canopy height of a sample of 20,000 segments."""
        if sql is None:
            sql = f"SELECT longitude, latitude, canopy_h FROM {self._view()} WHERE canopy_h IS NOT NULL LIMIT 20000"
        return self._plan(sql, None, 2).plot(color, **options)

    def _view(self) -> str:
        return "atl08_unique" if "granules" in self.tables() else "atl08"

    def _names(self, columns: Iterable[str] | None) -> str:
        if isinstance(columns, str):
            return columns
        if columns is None:
            stored = self._connection.statement(f"SELECT * FROM {self._view()}", []).schema.names
            wanted = ("longitude", "latitude", "time", "beam", "beam_strength", "rgt", "cycle", "canopy_h", "terrain_h")
            columns = [name for name in wanted if name in stored]
        return ", ".join(quoted(name) for name in columns)

    # ------------------------------------------------------------------ what the database is

    @property
    def uri(self) -> str:
        """The place of the database."""
        return self._connection.state()[0]

    @property
    def commit(self) -> int | None:
        """The number of the commit that the next statement reads; None for an array of another program."""
        return self._connection.state()[1]

    @property
    def timestamp(self) -> int | None:
        """The time of that commit in milliseconds since 1970 UTC, for `at`; None for an array of another program."""
        return self._connection.state()[2]

    def info(self) -> dict[str, Any]:
        """A summary: granules by state, segments, extent (degrees, and times in UTC), variables, filters, region, tags with the bytes that they
        keep, and the URI of the array for other programs."""
        return json.loads(self._connection.info())

    def variables(self) -> Any:
        """The variables of the product as a data frame: units, vertical reference, releases, and whether the database stores them."""
        return to_pandas(pa.Table.from_batches([self._connection.variables()]), None)

    def granules(self) -> Rows:
        """The granules of the database: those that were ingested, and neither replaced nor removed. The table ``granules`` has every attempt."""
        return self._plan("SELECT * FROM granules_current", None, 2)

    def cite(self) -> Citation:
        """The citation of this state: NASA's data sets with their DOIs, filters, region, and how to open the state again."""
        return Citation(*self._connection.cite())

    # ------------------------------------------------------------------ ingest

    def ingest(self, granules: Any = None, **options: Any) -> Report:
        """Add granules, as `isdb.ingest` does. The next statement reads them."""
        from isdb._ingest import ingest

        given = {key: self._options[key] for key in ("config", "single_writer")}
        return ingest(granules, db=self._options["uri"], **{**given, **options})

    def __repr__(self) -> str:
        uri, commit, _ = self._connection.state()
        given = [f"{name}={value[:60]!r}" for name, value in (*self._given.items(), ("at", self._at)) if value is not None]
        state = [] if commit is None else [f"commit {commit}"]
        return f"<isdb.Database {', '.join([uri, *state, *given])}>"


class Citation(str):
    """A citation as text. `data` is the same as a dictionary, with the same keys in every version."""

    data: dict[str, Any]

    def __new__(cls, text: str, data: str) -> Citation:
        citation = super().__new__(cls, text)
        citation.data = json.loads(data)
        return citation


def quoted(name: str) -> str:
    """A name of a column as SQL needs it."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def arrow_table(rows: Any) -> pa.Table:
    """Rows of any kind as a table of pyarrow."""
    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "to_crs") and hasattr(rows, "geometry"):
        rows = _without_geometry(rows)
    if hasattr(rows, "iloc"):
        return pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    if isinstance(rows, dict):
        return pa.table(rows)
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.table(rows)
    raise InvalidValue(f"expected a table, found {type(rows).__name__}", "a table is a data frame, or has Arrow's C stream")


def _without_geometry(frame: Any) -> Any:
    geometry = frame.geometry if frame.crs is None else frame.geometry.to_crs("OGC:CRS84")
    rest = frame.drop(columns=frame.geometry.name)
    if (geometry.geom_type.dropna() == "Point").all():
        return rest.assign(longitude=geometry.x, latitude=geometry.y)
    return rest.assign(geometry=geometry.to_wkt())
