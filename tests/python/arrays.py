"""Write an array as icesat2db (2026.4.14) makes it, and what TileDB-Py reads of it.

    arrays.py FOLDER

FOLDER/array_uri has some of the package's variables, in two fragments with small tiles. Fills are those that its ingest lets through: the
largest single in heights, 255 in land cover, NaN in pieces of 20 m. FOLDER/expected.json has the rows that a user of the package would
get for each of the questions below.
"""

import json
import pathlib
import sys

import numpy as np
import tiledb

ROWS = 600
FILL = np.float32(3.4028235e38)
BEAMS = np.array(["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"])
ATTRIBUTES = {
    "h_canopy": "f4", "h_te_best_fit": "f4", "night_flag": "i4", "segment_landcover": "i2", "sc_orient": "i1", "rgt": "i2",
    "segment_id": "i8", "beam_id": "U4",
}  # fmt: skip
METADATA = {
    "h_canopy.units": "meters", "h_canopy.description": "Canopy height", "h_canopy_20m.units": "meters",
    "h_canopy_20m.subsegment_length": 5, "h_canopy_20m.subsegment_labels": "10,30,50,70,90",
    "h_canopy_20m.subsegment_label_name": "along_track_offset_m",
}  # fmt: skip
PIECES = [f"h_canopy_20m_{piece}" for piece in range(1, 6)]


def filters(*steps):
    return tiledb.FilterList([*steps, tiledb.ZstdFilter(level=1)])


def create(uri):
    domain = tiledb.Domain(
        tiledb.Dim("latitude", domain=(-90.0, 90.0), tile=6, dtype=np.float64, filters=filters()),
        tiledb.Dim("longitude", domain=(-180.0, 180.0), tile=6, dtype=np.float64, filters=filters()),
        tiledb.Dim("time", domain=(17532, 24106), tile=1825, dtype=np.int64, filters=filters(tiledb.DoubleDeltaFilter())),
    )
    kinds = ATTRIBUTES | dict.fromkeys(PIECES, "f4")
    attributes = [tiledb.Attr(name, dtype=np.dtype(kind), filters=filters()) for name, kind in kinds.items()]
    attributes.append(tiledb.Attr("timestamp_ns", dtype=np.int64, filters=filters(tiledb.DoubleDeltaFilter())))
    schema = tiledb.ArraySchema(domain, attributes, sparse=True, allows_duplicates=True, capacity=50, cell_order="hilbert")
    tiledb.Array.create(uri, schema)
    with tiledb.open(uri, "w") as array:
        for key, value in METADATA.items():
            array.meta[key] = value


def write(uri, part):
    rng = np.random.default_rng(part)
    heights = rng.gamma(2, 6, ROWS).astype("f4")
    heights[rng.integers(0, 6, ROWS) == 0] = FILL
    times = 18262 * 86_400_000_000_000 + rng.integers(0, 700 * 86_400_000_000_000, ROWS)
    beams = rng.integers(0, 6, ROWS)
    data = {
        "h_canopy": heights,
        "h_te_best_fit": np.where(rng.integers(0, 9, ROWS) == 0, FILL, rng.uniform(0, 900, ROWS)).astype("f4"),
        "night_flag": rng.integers(0, 2, ROWS).astype("i4"),
        "segment_landcover": rng.choice([111, 115, 20, 255], ROWS).astype("i2"),
        "sc_orient": rng.integers(0, 3, ROWS).astype("i1"),
        "rgt": np.full(ROWS, 77 + part, "i2"),
        "segment_id": (np.int64(77 + part) << 43) | (np.int64(9) << 35) | (beams << 32) | np.arange(ROWS),
        "beam_id": BEAMS[beams],
        "timestamp_ns": times,
    }
    for piece in PIECES:
        data[piece] = np.where(rng.integers(0, 4, ROWS) == 0, np.nan, rng.gamma(2, 6, ROWS)).astype("f4")
    with tiledb.open(uri, "w", timestamp=1_700_000_000_000 + part) as array:
        array[rng.uniform(-40, 60, ROWS), rng.uniform(-180, 180, ROWS), times // 86_400_000_000_000] = data


def rows(cells, mask, columns):
    """Returns the columns of the rows that `mask` selects, in the order of segment_id; None for what is not a measurement."""
    order = np.flatnonzero(mask)[np.argsort(cells["segment_id"][mask])]

    def value(number):
        number = number.item() if hasattr(number, "item") else number
        is_missing = isinstance(number, float) and (np.isnan(number) or number >= 3.4e38)
        return None if is_missing else number

    return [[value(cells[column][row]) for column in columns] for row in order]


def main():
    folder = pathlib.Path(sys.argv[1])
    uri = str(folder / "array_uri")
    create(uri)
    for part in range(2):
        write(uri, part)
    with tiledb.open(uri) as array:
        cells = array[:]
    known, height = cells["h_canopy"] < 3.4e38, cells["h_canopy"]
    inside = (cells["latitude"] > 0) & (cells["latitude"] < 40) & (cells["longitude"] > -60)
    day = cells["time"]
    questions = {
        "all": (np.ones(2 * ROWS, bool), ["segment_id", "latitude", "h_canopy", "night_flag", "beam_id", "timestamp_ns", *PIECES]),
        "tall": (known & (height > 5), ["segment_id", "h_canopy"]),
        "missing": (~known, ["segment_id"]),
        "box": (inside & known & (height > 20), ["segment_id", "h_canopy", "h_te_best_fit"]),
        "year": ((day >= 18628) & (day < 18628 + 365), ["segment_id"]),
        "forest": ((cells["segment_landcover"] > 100) & (cells["segment_landcover"] != 255), ["segment_id", "segment_landcover"]),
        "strong": (
            ((cells["sc_orient"] == 0) & np.char.endswith(cells["beam_id"].astype("U4"), "l"))
            | ((cells["sc_orient"] == 1) & np.char.endswith(cells["beam_id"].astype("U4"), "r")),
            ["segment_id"],
        ),
    }
    expected = {name: rows(cells, mask, columns) for name, (mask, columns) in questions.items()}
    (folder / "expected.json").write_text(json.dumps(expected))


main()
