"""Compare a database with the granules it was made of: every segment, every variable, every NULL.

    compare.py DATABASE TIMESTAMP

Reads the arrays with TileDB-Py at the timestamp that `isdb info` prints and the granules with h5py. It shares no code with
isdb and states the product's rules once more: a value is NULL if it equals the dataset's `_FillValue` or its non-zero HDF5
fill, or if it is a float that is NaN or at least 3.4e38; in profiles each element for itself.
"""

import sys

import h5py
import numpy as np
import tiledb

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
GPS_OF_2018 = 1198800018.0
NS_OF_2018 = 1514764800 * 10**9
NAMES = {"meters", "degrees", "radians"}


def fail(text):
    sys.exit(f"different: {text}")


def columns_of(array, visible=None):
    """Every column of the array as {name: (values, is_null)}."""
    table = array.query(use_arrow=True, return_arrow=True)[:]
    found = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        found[name] = column
    return found


def is_null(dataset, values):
    """Where the granule itself says that there is no value."""
    null = np.zeros(values.shape, bool)
    fills = [dataset.attrs["_FillValue"]] if "_FillValue" in dataset.attrs else []
    if dataset.fillvalue not in (None, 0):
        fills.append(dataset.fillvalue)
    for fill in fills:
        null |= values == np.asarray(fill).astype(values.dtype).reshape(-1)[0]
    if values.dtype.kind == "f":
        null |= ~(values < 3.4e38)
    return null


if __name__ == "__main__":
    print("not finished")
