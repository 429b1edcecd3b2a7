"""Ingest of granules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from isdb import _isdb
from isdb._archive import Granules
from isdb._errors import GranulesFailed
from isdb._options import Region, Time, memory_text, open_options, region_text, restrictions, track
from isdb._packages import package
from isdb._progress import Listener, listener


class Report:
    """The outcome of an ingest.

    Attributes
    ----------
    data : dict
        Everything, with the keys of ``isdb ingest --report``.
    """

    def __init__(self, text: str) -> None:
        self.data: dict[str, Any] = json.loads(text)

    @property
    def counts(self) -> dict[str, int]:
        """The number of granules by outcome: ``ingested``, ``replaced``, ``empty``, ``skipped``, ``failed``, ``failed_before``."""
        return self.data["counts"]

    @property
    def segments(self) -> int:
        """The segments that were stored."""
        return self.data["rows"]["kept"]

    @property
    def granules(self) -> Any:
        """A row for each granule as a data frame: its state, the reason if it was skipped or failed, and its segments."""
        return package("pandas").DataFrame(self.data["granules"])

    @property
    def filters(self) -> Any:
        """A row for each filter as a data frame: the segments that it removed."""
        return package("pandas").DataFrame(self.data["filters"])

    @property
    def failures(self) -> list[tuple[str, str]]:
        """The granules that failed, in this ingest or before, and the reason."""
        failed = [granule for granule in self.data["granules"] if granule["state"] in ("failed", "failed_before")]
        return [(granule["granule"], granule["error"] or "") for granule in failed]

    def raise_for_failures(self) -> Report:
        """Raise `GranulesFailed` if a granule failed; else return the report."""
        if self.failures:
            first = [f"{name}: {error}" for name, error in self.failures[:10]]
            raise GranulesFailed(
                "\n".join([f"{len(self.failures)} granules failed", *first]), "retry=True tries files again that have not changed"
            )
        return self

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count) or "no granules"
        return f"<isdb.Report {counts}; {self.segments} segments in {self.data['seconds']:.1f} s>"


def ingest(
    granules: Granules | str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    db: str | os.PathLike[str] | None = None,
    *,
    filters: str | Iterable[str] | None = None,
    region: Region = None,
    start: Time = None,
    end: Time = None,
    release: str | int | None = None,
    rgt: int | None = None,
    cycle: int | None = None,
    orbit_region: int | None = None,
    add_region: Region = None,
    whole_granules: bool = False,
    config: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    keep: bool = False,
    direct: bool = False,
    threads: int | None = None,
    memory: str | int | None = None,
    spill: str | os.PathLike[str] | None = None,
    retry: bool = False,
    force: bool = False,
    replace_release: bool = False,
    refilter: bool = False,
    single_writer: bool = False,
    progress: bool | Listener = True,
) -> Report:
    """Add granules to a database, which is created if it does not exist.

    Granules that it has already are skipped, so that a repeated call continues what was interrupted. Windows of granules become visible as a whole. The stop
    button or Ctrl-C drops the window at work; no row of it becomes visible, and earlier windows stay.

    Parameters
    ----------
    granules
        HDF5 files, folders, patterns such as ``"data/*_007_*.h5"``, work lists (``.ndjson``), objects (``s3://bucket/…``), or `Granules` of a search. Without them
        NASA's archive is searched for `region`, `start`, `end` and the track, and the files are downloaded.
    db
        The database; without it, the config names it.
    filters
        Keep only segments that pass these filters; by default those of the database, else of the config.
    region, start, end
        Keep only segments in this region, and granules of this period.
    release, rgt, cycle, orbit_region
        Restrictions of a search, as for `isdb.search`.
    add_region
        Add this region to that of the database, and ingest what is new there.
    whole_granules
        Keep all segments of the granules that a region finds.
    config
        The file of a config: variables, derived columns, filters, windows.
    data, keep, direct
        The folder for downloads, whether they stay, and whether granules are read directly from S3 (only within AWS us-west-2).
    threads, memory, spill
        Processors, memory for rows such as ``"2GB"``, and the folder for rows that do not fit.
    retry
        Try files again that failed before and have not changed.
    force
        Let a file replace stored segments even if it has fewer than half as many.
    replace_release
        Accept granules of another release; they replace those of the same pass.
    refilter
        Change the filters of the database, and ingest these granules again with them.
    single_writer
        As for `isdb.open`.
    progress
        True shows progress, False does not, and a function gets its events as dictionaries; its error ends the ingest.

    Raises
    ------
    Error
        When the ingest ends early. The exception has the report so far as ``report``. A granule that cannot be ingested is an outcome in the
        report, and no exception.
    """
    found = None
    paths: list[str] = []
    if isinstance(granules, Granules):
        found = granules._granules
    elif isinstance(granules, (str, os.PathLike)):
        paths = [os.fspath(granules)]
    elif granules is not None:
        paths = [os.fspath(path) for path in granules]
    run = {
        "paths": paths,
        "add_region": region_text(add_region),
        "whole_granules": whole_granules,
        "data": None if data is None else os.fspath(data),
        "keep": keep,
        "direct": direct,
        "threads": threads,
        "memory": memory_text(memory),
        "spill": None if spill is None else os.fspath(spill),
        "retry": retry,
        "force": force,
        "replace_release": replace_release,
        "refilter": refilter,
    }
    listen, close = listener(progress)
    try:
        text, error = _isdb.ingest(
            open_options(os.environ.get("ISDB_DB") if db is None else db, config, single_writer),
            run,
            found,
            restrictions(filters, region, start, end),
            track(release, rgt, cycle, orbit_region),
            listen,
        )
    finally:
        close()
    report = Report(text)
    if error is not None:
        error.report = report
        raise error
    return report


class Granule:
    """The segments of one file.

    Attributes
    ----------
    id : str
        The granule, such as ``ATL08_20200821122613_08730802_004_01``.
    rows_rejected : int
        Segments of the file without a position or a time, which are left out.
    """

    def __init__(self, id: str, table: pa.Table, rows_rejected: int) -> None:
        self.id = id
        self.rows_rejected = rows_rejected
        self._table = table

    def to_arrow(self) -> pa.Table:
        """The segments, with units and descriptions as metadata of the fields."""
        return self._table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return self._table.num_rows

    def __repr__(self) -> str:
        return f"<isdb.Granule {self.id}: {len(self)} segments, {self._table.num_columns} columns>"


def read_granule(path: str | os.PathLike[str], variables: Iterable[str] | None = None) -> Granule:
    """Read the segments of a granule's HDF5 file, without a database and without filters.

    Parameters
    ----------
    path
        The file.
    variables
        Names of variables; by default all. Position, time, beam and orientation are always there.

    Raises
    ------
    Error
        When the file is not a complete ATL08 granule.
    """
    return Granule(*_isdb.read_granule(os.fspath(path), None if variables is None else list(variables)))
