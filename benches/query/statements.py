"""The statements of the benchmark: groups that are reported as one row of the table."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

FOUR = ["latitude", "longitude", "time", "h_canopy"]
TEN = [*FOUR, "h_te_best_fit", "h_canopy_uncertainty", "terrain_slope", "segment_landcover", "n_ca_photons", "solar_elevation"]
TALL = "h_canopy > 5"
# What icesat2db stores with the same values: its times are days.
SHARED = ["latitude", "longitude", "h_canopy"]
# The segments that icesat2db keeps.
KEPT = "h_canopy IS NOT NULL AND h_canopy_uncertainty IS NOT NULL AND urban_flag = 0 AND segment_watermask = 0"
SIZES = (0.1, 1.0, 10.0)


@dataclass
class Group:
    """Statements whose median is one row of the table; `{table}` is the name of the table.

    `compare` says how answers are compared (answer.py): computed numbers are `close`, and the `first` column is where ties decide the
    others.
    """

    name: str
    statements: list[str]
    compare: str = "exact"
    tolerance: float = 1e-9
    # The same for peer.py and icesat2.py; empty if they cannot answer.
    selections: list[str] = field(default_factory=list)
    # The same rows as icesat2db stores them, to compare its answers with.
    kept: list[str] = field(default_factory=list)


def groups(rows: Path, boxes: int, seed: int) -> list[Group]:
    """Returns all groups, with boxes around random rows of the Parquet file `rows`."""
    chosen = random.Random(seed)
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW segments AS SELECT * FROM read_parquet({quoted(rows)}, file_row_number = true)")
        found = []
        for size in SIZES:
            around = [box(latitude, longitude, size) for latitude, longitude in centres(database, boxes, chosen)]
            found.append(box_group(f"box {size:g}°, four columns", around, FOUR))
            found.append(box_group(f"box {size:g}°, count", around, None))
        found.append(box_group("box without rows", empty_boxes(database, boxes, chosen), FOUR))
    return found + whole()


def whole() -> list[Group]:
    """Statements over the whole array."""
    columns = ", ".join(FOUR)
    return [
        Group("all, filter, four columns", [f"SELECT {columns} FROM {{table}} WHERE {TALL}"], selections=[selection(None, FOUR)],
              kept=[kept(TALL)]),
        Group("all, filter, count", [f"SELECT count(*) FROM {{table}} WHERE {TALL}"]),
        Group("all, 1° grid", ["SELECT floor(latitude) AS south, floor(longitude) AS west, count(*), avg(h_canopy) FROM {table} "
                               "GROUP BY floor(latitude), floor(longitude)"], compare="close"),
        Group("all, average", ["SELECT avg(h_canopy) FROM {table}"], compare="close"),
        Group("all, ten tallest", ["SELECT h_canopy, latitude, longitude, time FROM {table} ORDER BY h_canopy DESC NULLS LAST LIMIT 10"],
              compare="first"),
        # One engine interpolates in 32 bits, another in 64.
        Group("all, median by land cover", ["SELECT segment_landcover, median(h_canopy) FROM {table} GROUP BY segment_landcover"],
              compare="close", tolerance=1e-6),
        Group("all, ten columns", [f"SELECT {', '.join(TEN)} FROM {{table}}"]),
        Group("SELECT * LIMIT 10", ["SELECT * FROM {table} LIMIT 10"], compare="rows"),
    ]


def box_group(name: str, boxes: list[tuple], columns: list[str] | None) -> Group:
    what = "count(*)" if columns is None else ", ".join(columns)
    statements = [f"SELECT {what} FROM {{table}} WHERE {inside(bounds)} AND {TALL}" for bounds in boxes]
    if columns is None:
        return Group(name, statements)
    return Group(name, statements, selections=[selection(bounds, columns) for bounds in boxes],
                 kept=[kept(f"{inside(bounds)} AND {TALL}") for bounds in boxes])


def kept(condition: str) -> str:
    return f"SELECT {', '.join(SHARED)} FROM {{table}} WHERE {condition} AND {KEPT}"


def selection(bounds: tuple | None, columns: list[str]) -> str:
    return json.dumps({"box": bounds, "condition": TALL, "columns": columns})


def box(latitude: float, longitude: float, size: float) -> tuple:
    """South, north, west and east of a square in degrees; what reaches beyond the globe is cut off."""
    half = size / 2
    return (max(latitude - half, -90.0), min(latitude + half, 90.0), max(longitude - half, -180.0), min(longitude + half, 180.0))


def inside(bounds: tuple) -> str:
    south, north, west, east = bounds
    return f"latitude BETWEEN {south!r} AND {north!r} AND longitude BETWEEN {west!r} AND {east!r}"


def centres(database: duckdb.DuckDBPyConnection, count: int, chosen: random.Random) -> list[tuple[float, float]]:
    """Positions of random rows."""
    total = database.execute("SELECT count(*) FROM segments").fetchone()[0]
    numbers = [chosen.randrange(total) for _ in range(count)]
    wanted = ", ".join(map(str, numbers))
    found = database.execute(f"SELECT file_row_number, latitude, longitude FROM segments WHERE file_row_number IN ({wanted})").fetchall()
    places = {number: (latitude, longitude) for number, latitude, longitude in found}
    return [places[number] for number in numbers]


def empty_boxes(database: duckdb.DuckDBPyConnection, count: int, chosen: random.Random) -> list[tuple]:
    """Boxes of 0.1° without any row, each within 2° of a row: where nothing is far away, an engine has nothing to skip."""
    found = []
    while len(found) < count:
        (latitude, longitude), = centres(database, 1, chosen)
        bounds = box(latitude + chosen.uniform(-2, 2), longitude + chosen.uniform(-2, 2), 0.1)
        if database.execute(f"SELECT count(*) FROM segments WHERE {inside(bounds)}").fetchone()[0] == 0:
            found.append(bounds)
    return found


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
