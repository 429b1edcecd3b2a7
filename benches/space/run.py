"""How much slower than a plain scan are a join with plots, statistics by polygon, and the nearest segments?

    cargo build --release --bin isdb --example query_speed
    python3 benches/space/run.py --binaries target/release --database /tmp/query146/database.isdb

Places plots at random segments of the database and makes adjacent polygons around its extent, runs each statement some times in one
process, and prints the best time of each and its ratio to a scan of the same columns.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True, help="folder of isdb and examples/query_speed")
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--plots", type=int, default=20_000)
    parser.add_argument("--polygons", type=int, default=5_000)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))


def measure(options: argparse.Namespace, folder: Path) -> None:
    binaries, database = options.binaries.resolve(), options.database.resolve()
    extent = query(binaries, database, "SELECT min(longitude), min(latitude), max(longitude), max(latitude), count(*) FROM segments")[0]
    west, south, east, north = map(float, extent[:4])
    step = max(1, int(extent[4]) // options.plots)
    rows = query(binaries, database, f"SELECT latitude, longitude FROM (SELECT latitude, longitude, row_number() OVER () AS n FROM segments) "
                 f"WHERE n % {step} = 0 LIMIT {options.plots}")
    with (folder / "plots.csv").open("w") as file:
        csv.writer(file).writerows([("plot", "lat", "lon"), *((number, *row) for number, row in enumerate(rows))])
    (folder / "polygons.geojson").write_text(json.dumps(polygons(west, south, east, north, options.polygons)))
    statements = {
        "scan": "SELECT count(*), avg(canopy_h), max(latitude), max(longitude) FROM atl08",
        f"{len(rows)} plots": "SELECT p.plot, count(a.canopy_h), avg(a.canopy_h) FROM 'plots.csv' p "
                              "JOIN atl08 a ON near(a.latitude, a.longitude, p.lat, p.lon, 500) GROUP BY p.plot",
        f"{len(rows)} plots, left join": "SELECT p.plot, count(a.canopy_h), avg(a.canopy_h) FROM 'plots.csv' p "
                                         "LEFT JOIN atl08 a ON near(a.latitude, a.longitude, p.lat, p.lon, 500) GROUP BY p.plot",
        f"{options.polygons} polygons": "SELECT polygon_name(latitude, longitude, 'polygons.geojson', 'name') AS name, count(*), avg(canopy_h) "
                                        "FROM atl08 GROUP BY 1",
        "20 nearest": f"SELECT canopy_h FROM atl08 ORDER BY distance_m(latitude, longitude, {rows[0][0]}, {rows[0][1]}) LIMIT 20",
        "hexagons": "SELECT h3(latitude, longitude, 6) AS cell, count(*), avg(canopy_h) FROM atl08 GROUP BY 1",
    }
    engine = subprocess.Popen([binaries / "examples/query_speed", "isdb", database], cwd=folder, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    engine.stdout.readline()
    best = {name: float("inf") for name in statements}
    for _ in range(options.passes):
        for name, sql in statements.items():
            engine.stdin.write(json.dumps({"statements": [sql], "answers": False}) + "\n")
            engine.stdin.flush()
            best[name] = min(best[name], json.loads(engine.stdout.readline())["micros"][0])
    engine.stdin.close()
    engine.wait()
    print(f"{extent[4]} segments")
    for name, micros in best.items():
        print(f"{name:32} {micros / 1000:10.1f} ms {micros / best['scan']:8.2f}")


def polygons(west: float, south: float, east: float, north: float, count: int) -> dict:
    """Slanting quadrilaterals that share their edges."""
    columns = max(1, round((count / 2) ** 0.5 * 2))
    rows = -(-count // columns)
    width, height = (east - west) / columns, (north - south) / rows
    corner = lambda row, column: [west + (column + 0.3 * (row % 2)) * width, south + row * height]
    features = []
    for number in range(count):
        row, column = divmod(number, columns)
        ring = [corner(row, column), corner(row, column + 1), corner(row + 1, column + 1), corner(row + 1, column), corner(row, column)]
        features.append({"type": "Feature", "properties": {"name": f"polygon {number}"}, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    return {"type": "FeatureCollection", "features": features}


def query(binaries: Path, database: Path, sql: str) -> list[list[str]]:
    run = subprocess.run([binaries / "isdb", "--db", database, "query", "--format", "csv", sql], check=True, capture_output=True, text=True)
    return list(csv.reader(run.stdout.splitlines()))[1:]


main()
