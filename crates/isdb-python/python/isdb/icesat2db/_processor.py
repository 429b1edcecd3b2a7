"""`IceSat2Processor`: searches, downloads and ingests granules, with a ``data_config.yml`` of icesat2db."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import pathlib
import tempfile
import warnings
from types import TracebackType
from typing import Any

import isdb
from isdb import _isdb
from isdb._ingest import Report
from isdb._options import region_text


class IceSat2Processor:
    """Ingests the granules of an area and a period into a database of isdb, at ``atl08.isdb`` in the ``local_path`` of the config.

    Parameters
    ----------
    geometry
        The area: a GeoDataFrame, or the path of a file.
    start_date, end_date
        The first and the last day, as ``YYYY-MM-DD``.
    config_file
        The ``data_config.yml``.
    earth_data_dir
        The folder with the netrc of the Earthdata login; by default the home folder.
    credentials
        Refused: keys of an object store come from the environment, as those of the AWS command line.
    parallel_engine
        An executor, whose number of workers becomes the number of processors; another engine is not used, and all processors are.
    log_dir
        A folder for a file with the log.
    """

    def __init__(
        self,
        geometry: Any = None,
        start_date: str | None = None,
        end_date: str | None = None,
        config_file: str | os.PathLike[str] | None = None,
        earth_data_dir: str | os.PathLike[str] | None = None,
        credentials: dict[str, str] | None = None,
        parallel_engine: Any = None,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        if not config_file:
            raise ValueError("The 'config_file' argument must be a non-empty string pointing to the configuration file.")
        if geometry is None:
            raise ValueError("The 'geometry' parameter must be provided.")
        if not start_date or not end_date:
            raise ValueError("Both 'start_date' and 'end_date' must be provided.")
        self.start_date, self.end_date = _date(start_date), _date(end_date)
        if self.start_date > self.end_date:
            raise ValueError("'start_date' must be earlier than or equal to 'end_date'.")
        if credentials:
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            raise isdb.InvalidValue("credentials are read from the environment, not from an argument", hint)
        if earth_data_dir is not None:
            os.environ["NETRC"] = str(pathlib.Path(earth_data_dir) / ".netrc")
        self.region = region_text(geometry)
        self.config = convert_config(config_file)
        self.threads = _threads(parallel_engine)
        self._handler = _log_file(log_dir)
        if self.config["database"] is None:
            raise isdb.InvalidValue(f"{os.fspath(config_file)}: expected tiledb.local_path or tiledb.s3_bucket")

    @property
    def database(self) -> str:
        """Where the database is."""
        return str(self.config["database"])

    def compute(self, consolidate: bool = True, consolidation_type: str = "spatial") -> Report:
        """Search, download and ingest. Granules that are stored already are skipped.

        Parameters
        ----------
        consolidate
            Whether fragments are joined at the end.
        consolidation_type
            ``"spatial"`` joins fragments that overlap, ``"default"`` small ones.
        """
        return self.ingest(None, consolidate, consolidation_type)

    def ingest(self, granules: Any = None, consolidate: bool = True, consolidation_type: str = "spatial") -> Report:
        """The same with granules that are named: files, folders or work lists."""
        policy = {"spatial": "space", "default": "size"}.get(consolidation_type)
        if policy is None:
            raise ValueError(f"expected the consolidation_type 'spatial' or 'default', found {consolidation_type!r}")
        fragments = 16 if consolidate else 0
        text = f"{self.config['text']}consolidate:\n  policy: {policy}\n  fragments: {fragments}\n"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "atl08.yml"
            path.write_text(text, encoding="utf-8")
            return isdb.ingest(
                granules,
                config=path,
                region=self.region,
                start=self.start_date,
                end=self.end_date,
                release=self.config["release"] if granules is None else None,
                threads=self.threads,
            )

    def close(self) -> None:
        """Close the file with the log."""
        if self._handler is not None:
            logging.getLogger("isdb").removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def __enter__(self) -> IceSat2Processor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def process_single_granule(*arguments: Any, **options: Any) -> None:
        """Refused: a file is read by `isdb.read_granule`, and ingested by `isdb.ingest`."""
        raise NotImplementedError("isdb.read_granule(path) reads a file, and isdb.ingest(path, db) ingests it")


def convert_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The config of isdb that ``isdb init --from`` makes of a ``data_config.yml``: ``text``, ``database``, ``region``, ``release``, ``notes``."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    converted: dict[str, Any] = json.loads(_isdb.convert_config(os.fspath(path), text))
    return converted


def _date(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"expected a date as YYYY-MM-DD, found {text!r}") from None


def _threads(engine: Any) -> int | None:
    if engine is None:
        return None
    workers = getattr(engine, "_max_workers", None)
    if isinstance(workers, int):
        return workers
    warnings.warn(f"{type(engine).__name__} is not used: all processors of this machine are", isdb.IngestWarning, stacklevel=3)
    return None


def _log_file(folder: str | os.PathLike[str] | None) -> logging.Handler | None:
    if folder is None:
        return None
    os.makedirs(folder, exist_ok=True)
    handler = logging.FileHandler(pathlib.Path(folder) / f"isdb_{dt.datetime.now():%Y%m%d_%H%M%S}.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logger = logging.getLogger("isdb")
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    return handler
