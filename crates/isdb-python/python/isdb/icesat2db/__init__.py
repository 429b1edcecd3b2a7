"""The classes of icesat2db 2026.4 over isdb: a script runs with ``import isdb.icesat2db as icesat2db``.

The provider reads isdb databases and, without an ingest, arrays that icesat2db has made. ``docs/icesat2db.md`` lists the differences.
"""

from __future__ import annotations

import sys

from isdb._isdb import __version__
from isdb.icesat2db._processor import IceSat2Processor
from isdb.icesat2db._provider import IceSat2Provider, TileDBProvider
from isdb.icesat2db.core import icesat2processor, icesat2provider
from isdb.icesat2db.downloader import authentication
from isdb.icesat2db.downloader.authentication import EarthDataAuthenticator
from isdb.icesat2db.providers import tiledb_provider


def show_versions() -> None:
    """Print the versions of isdb and of the packages that it converts results to."""
    from importlib import metadata

    print(f"isdb: {__version__}", f"python: {sys.version.split()[0]}", sep="\n")
    for name in ("pyarrow", "numpy", "pandas", "geopandas", "xarray", "tiledb"):
        try:
            print(f"{name}: {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            print(f"{name}: not installed")


__all__ = [
    "EarthDataAuthenticator",
    "IceSat2Processor",
    "IceSat2Provider",
    "TileDBProvider",
    "__version__",
    "authentication",
    "icesat2processor",
    "icesat2provider",
    "show_versions",
    "tiledb_provider",
]
