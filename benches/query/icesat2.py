"""Queries boxes of an array of the Python package icesat2db with the package's own provider.

    icesat2.py FOLDER

The same protocol and the same statements as peer.py. The time of an answer is that of `get_data()`, which returns a pandas data frame.
"""

import json
import logging
import sys
import time

import geopandas
import pyarrow as pa
from icesat2db import IceSat2Provider
from shapely.geometry import box

from serve import serve
from statements import SHARED

# The package logs a line for each query.
logging.disable(logging.INFO)


def main() -> None:
    start = time.perf_counter_ns()
    provider = IceSat2Provider(storage_type="local", local_path=sys.argv[1])
    provider.get_available_variables()
    opened = (time.perf_counter_ns() - start) / 1e3

    def run(statement: str):
        wanted = json.loads(statement)
        south, north, west, east = wanted["box"] or (-90.0, 90.0, -180.0, 180.0)
        column, condition = wanted["condition"].split(" ", 1)
        return provider.get_data(
            variables=[name for name in wanted["columns"] if name not in ("latitude", "longitude", "time")],
            geometry=geopandas.GeoDataFrame(geometry=[box(west, south, east, north)], crs="EPSG:4326"),
            return_type="dataframe", use_polygon_filter=False, **{column: condition},
        )

    serve(opened, run, table)


def table(frame) -> pa.Table:
    """The columns that both databases store; no rows for `None`."""
    if frame is None:
        return pa.table({name: pa.array([], pa.float64()) for name in SHARED})
    return pa.Table.from_pandas(frame[SHARED], preserve_index=False)


if __name__ == "__main__":
    main()
