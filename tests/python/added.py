"""Prints the number of cells of an attribute, the number that are not NULL, and its units and vertical reference.

    added.py ARRAY TIMESTAMP ATTRIBUTE
"""

import sys

import numpy as np
import tiledb

uri, timestamp, name = sys.argv[1:]
with tiledb.open(uri, timestamp=int(timestamp)) as array:
    cells = array.query(attrs=[name])[:][name]
    facts = [array.meta[f"{name}.{key}"] for key in ("units", "vertical_reference")]
print(cells.size, np.ma.count(cells), *facts, sep=",")
