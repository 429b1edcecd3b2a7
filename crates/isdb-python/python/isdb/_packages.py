"""Packages that are optional."""

from __future__ import annotations

import importlib
from typing import Any

from isdb._errors import MissingPackage

#: The extra that installs a package.
_EXTRAS = {
    "pandas": "pandas",
    "geopandas": "geo",
    "shapely": "geo",
    "xarray": "xarray",
    "numpy": "xarray",
    "polars": "polars",
    "duckdb": "duckdb",
    "matplotlib.pyplot": "plot",
}


def package(name: str) -> Any:
    """Import a package, or explain how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        hint = f"pip install 'isdb[{_EXTRAS[name]}]'"
        raise MissingPackage(f"this needs {top}, which cannot be imported: {error}", hint) from error


def is_installed(name: str) -> bool:
    """Whether a package can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
