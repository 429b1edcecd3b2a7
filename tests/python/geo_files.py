"""Files with geometries compared with the same rows as Parquet: GDAL (pyogrio) reads GeoJSON, FlatGeobuf and GeoPackage, pyarrow GeoParquet.

Usage: geo_files.py FOLDER with rows.parquet, rows.geojson, rows.fgb and rows.gpkg.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import pyarrow.parquet as pq
import pyogrio.raw


def points(blobs):
    """Longitude and latitude of points in little-endian well-known binary."""
    parsed = [struct.unpack("<BIdd", bytes(blob)) for blob in blobs]
    assert all(head[:2] == (1, 1) for head in parsed)
    return np.array([point[2:] for point in parsed])


def from_parquet(path):
    file = pq.ParquetFile(path)
    geo = json.loads(file.metadata.metadata[b"geo"])
    assert geo["version"] == "1.1.0" and geo["primary_column"] == "geometry", geo
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB" and column["geometry_types"] == ["Point"] and "crs" not in column, column
    table = file.read()
    assert table.column_names[-1] == "geometry"
    found = points(table["geometry"].to_pylist())
    assert np.array_equal(found[:, 0], table["longitude"].to_numpy())
    assert np.array_equal(found[:, 1], table["latitude"].to_numpy())
    low, high = found.min(axis=0), found.max(axis=0)
    assert column["bbox"] == [low[0], low[1], high[0], high[1]], column
    return table.drop_columns(["geometry"])


def from_gdal(path, bounds=None):
    """Columns by name and points, in the order of track, beam and segment."""
    meta, _, geometry, fields = pyogrio.raw.read(path, bbox=bounds)
    assert meta["crs"] in ("EPSG:4326", "OGC:CRS84"), meta["crs"]
    assert meta["geometry_type"] == "Point", meta["geometry_type"]
    columns = dict(zip(meta["fields"], fields))
    order = np.lexsort((columns["segment_id_beg"], columns["beam"].astype(str), columns["granule"].astype(str)))
    return {name: values[order] for name, values in columns.items()}, points(geometry)[order]


def assert_equal(name, expected, found, path):
    """Compares a column; NULL is NaN or None to GDAL's readers."""
    if "string" in str(expected.type):
        values = [None if value is None else str(value) for value in expected.to_pylist()]
        assert values == [None if value is None else str(value) for value in found], (path, name)
        return
    if str(expected.type).startswith("timestamp"):
        milliseconds = expected.cast("int64").to_numpy() // 1_000_000
        # GeoJSON has nanoseconds, which GDAL rounds.
        most = 1 if path.suffix == ".geojson" else 0
        difference = np.abs(milliseconds - found.astype("datetime64[ms]").astype("int64"))
        assert difference.max() <= most, (path, name, difference.max())
        return
    values = expected.cast("float64").to_numpy(zero_copy_only=False)
    found = np.array([np.nan if value is None else value for value in found], dtype="float64")
    same = (values == found) | (np.isnan(values) & np.isnan(found))
    # GeoJSON has the shortest text of a float32.
    close = np.isclose(values, found, rtol=1e-7, atol=0, equal_nan=True)
    assert (close if path.suffix == ".geojson" else same).all(), (path, name, values[~same][:3], found[~same][:3])


def main(folder):
    table = from_parquet(folder / "rows.parquet")
    expected = {name: table[name].combine_chunks() for name in table.column_names}
    profile = expected.pop("h_canopy_20m")
    elements = np.array([row if row is not None else [None] * 5 for row in profile.to_pylist()], dtype="float64")
    longitude, latitude = expected["longitude"].to_numpy(), expected["latitude"].to_numpy()
    for name in ("rows.geojson", "rows.fgb", "rows.gpkg"):
        path = folder / name
        columns, found = from_gdal(path)
        assert np.array_equal(found, np.column_stack([longitude, latitude])), path
        for name, column in expected.items():
            assert_equal(name, column, columns[name], path)
        for at, metres in enumerate((10, 30, 50, 70, 90)):
            values = np.array([np.nan if v is None else v for v in columns[f"h_canopy_20m_{metres}m"]], dtype="float64")
            assert np.allclose(values, elements[:, at], rtol=1e-7, atol=0, equal_nan=True), path
    # The spatial index finds the rows of a box.
    middle = float(np.median(latitude))
    bounds = (-180.0, middle, 180.0, 90.0)
    inside = int((latitude >= middle).sum())
    for name in ("rows.fgb", "rows.gpkg"):
        _, found = from_gdal(folder / name, bounds)
        assert len(found) == inside, (name, len(found), inside)
    print(f"equal: {len(longitude)} rows in four formats")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
