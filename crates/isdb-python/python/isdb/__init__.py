"""ICESat-2 ATL08 granules as a database: ingest HDF5 files, and query them with SQL.

>>> import isdb
>>> db = isdb.open("amazon.isdb")  # doctest: +SKIP
>>> tall = db.sql("SELECT longitude, latitude, time, canopy_h FROM atl08 WHERE canopy_h > 30")  # doctest: +SKIP
>>> frame = tall.to_geopandas()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import pyarrow as _pyarrow

from isdb import _isdb
from isdb._archive import Account, Granules, download, login, search
from isdb._database import Citation, Database, open, open_array
from isdb._errors import (
    ArchiveError,
    Damaged,
    Error,
    Expired,
    Forked,
    GranulesFailed,
    IngestWarning,
    InvalidStatement,
    InvalidValue,
    Locked,
    LoginFailed,
    MissingPackage,
    NotFound,
    OutOfMemory,
    QueryWarning,
    UnknownColumn,
    UnknownTable,
)
from isdb._frames import to_pandas as _to_pandas
from isdb._ingest import Granule, Report, ingest, read_granule
from isdb._isdb import __version__
from isdb._rows import Rows


def variables() -> Any:
    """The variables of the product as a data frame of pandas: name, HDF5 path, type, units, vertical reference, releases and description."""
    return _to_pandas(_pyarrow.Table.from_batches([_isdb.variables()]), None)


def filters() -> Any:
    """The filters as a data frame of pandas: name, releases, parameters, and what they keep."""
    return _to_pandas(_pyarrow.Table.from_batches([_isdb.filters()]), None)


__all__ = [
    "Account",
    "ArchiveError",
    "Citation",
    "Damaged",
    "Database",
    "Error",
    "Expired",
    "Forked",
    "Granule",
    "Granules",
    "GranulesFailed",
    "IngestWarning",
    "InvalidStatement",
    "InvalidValue",
    "Locked",
    "LoginFailed",
    "MissingPackage",
    "NotFound",
    "OutOfMemory",
    "QueryWarning",
    "Report",
    "Rows",
    "UnknownColumn",
    "UnknownTable",
    "__version__",
    "download",
    "filters",
    "ingest",
    "login",
    "open",
    "open_array",
    "read_granule",
    "search",
    "variables",
]
