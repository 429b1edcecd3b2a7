"""Footprints and lines of segments: GDAL reads the same shapes from every format, and they lie along the ground track.

Usage: segment_shapes.py FOLDER with shape.parquet, shape.geojson, shape.fgb, shape.gpkg, line.parquet, at_250000.csv and at_750000.csv.
Lengths and directions are those of GeographicLib.
"""

import csv
import pathlib
import re
import struct
import sys

import numpy as np
import pyarrow.parquet as pq
import pyogrio.raw
from geographiclib.geodesic import Geodesic

WGS84 = Geodesic.WGS84


def ring(blob):
    """The corners of a polygon with one ring, as well-known binary."""
    order, kind, rings, count = struct.unpack_from("<BIII", blob)
    assert (order, kind, rings) == (1, 3, 1), (order, kind, rings)
    return np.frombuffer(blob, "<f8", 2 * count, 13).reshape(count, 2)


def line(blob):
    order, kind, count = struct.unpack_from("<BII", blob)
    assert (order, kind) == (1, 2), (order, kind)
    return np.frombuffer(blob, "<f8", 2 * count, 9).reshape(count, 2)


def metres(a, b):
    return WGS84.Inverse(a[1], a[0], b[1], b[0])["s12"]


def main(folder):
    table = pq.read_table(folder / "shape.parquet")
    shapes = [ring(bytes(blob)) for blob in table["geometry"].to_pylist()]
    key = [column.to_numpy(zero_copy_only=False) for column in (table["segment_id_beg"], table["beam"], table["granule"])]
    order = np.lexsort((key[0], key[1].astype(str), key[2].astype(str)))
    for name in ("shape.geojson", "shape.fgb", "shape.gpkg"):
        meta, _, geometry, fields = pyogrio.raw.read(folder / name)
        assert meta["geometry_type"] == "Polygon" and meta["crs"] in ("EPSG:4326", "OGC:CRS84"), meta
        columns = dict(zip(meta["fields"], fields))
        found = np.lexsort((columns["segment_id_beg"], columns["beam"].astype(str), columns["granule"].astype(str)))
        assert len(found) == len(shapes), (name, len(found))
        for ours, theirs in zip(order, found):
            corners = ring(bytes(geometry[theirs]))
            assert np.allclose(corners, shapes[ours], rtol=0, atol=1e-12), (name, corners, shapes[ours])

    counts = table["n_geosegments"].to_pylist()
    for shape, count in zip(shapes, counts):
        polygon = WGS84.Polygon()
        for longitude, latitude in shape[:-1]:
            polygon.AddPoint(latitude, longitude)
        _, _, area = polygon.Compute()
        assert abs(area - 11 * 20 * count) < 0.1, (area, count)
    lines = [line(bytes(blob)) for blob in pq.read_table(folder / "line.parquet")["geometry"].to_pylist()]
    for corners, count in zip(lines, counts):
        assert len(corners) == 3 and abs(metres(corners[0], corners[2]) - 20 * count) < 1e-3, (corners, count)

    # North of the equator the satellite flies to the north-west, and to the south-west on the other half of its orbit.
    for geosegment, low, high in (("250000", -15, -3), ("750000", -177, -165)):
        row = next(csv.DictReader((folder / f"at_{geosegment}.csv").open()))
        points = [tuple(map(float, pair.split())) for pair in re.findall(r"[-0-9.]+ [-0-9.]+", row["line"])]
        azimuth = WGS84.Inverse(points[0][1], points[0][0], points[-1][1], points[-1][0])["azi1"]
        assert low < azimuth < high, (geosegment, azimuth)
    print(f"equal: {len(shapes)} shapes in four formats")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
