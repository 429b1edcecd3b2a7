"""Print how many cells of an attribute there are and how many are not NULL, and two facts of its metadata.

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
