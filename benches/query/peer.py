"""Reads boxes of the array of a database with TileDB-Py, which is how the Python package icesat2db queries its own arrays.

    peer.py DATABASE

The same protocol as main.rs, but a statement is JSON: the box (south, north, west, east; none for the whole array), the condition,
and the columns.
"""

import json
import sys
import time

import numpy as np
import tiledb

from serve import serve

DIMENSIONS = ("latitude", "longitude", "time")


def main() -> None:
    start = time.perf_counter_ns()
    array = tiledb.open(f"{sys.argv[1]}/segments")
    opened = (time.perf_counter_ns() - start) / 1e3

    def run(statement: str):
        wanted = json.loads(statement)
        columns = wanted["columns"]
        query = array.query(
            cond=wanted["condition"], attrs=[name for name in columns if name not in DIMENSIONS],
            dims=[name for name in columns if name in DIMENSIONS], return_arrow=True,
        )
        if wanted["box"] is None:
            return query.df[:].select(columns)
        south, north, west, east = wanted["box"]
        return query.df[singles(south, north), singles(west, east)].select(columns)

    serve(opened, run)


def singles(low: float, high: float) -> slice:
    """The numbers of single precision from `low` to `high`. TileDB-Py would round each bound to the nearest one, which may be outside."""
    first, last = np.float32(low), np.float32(high)
    first = np.nextafter(first, np.float32(np.inf)) if float(first) < low else first
    last = np.nextafter(last, np.float32(-np.inf)) if float(last) > high else last
    return slice(first, last)


if __name__ == "__main__":
    main()
