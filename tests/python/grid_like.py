"""Grids that line up with a raster, compared with what rasterio and numpy say.

Usage: grid_like.py make FOLDER with rows.parquet writes rasters around the rows, NAME.tif, and prints the names.
       grid_like.py compare FOLDER compares NAME.grid.tif and NAME.grid.csv with the rows.
"""

import csv
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
import rasterio
import rasterio.transform
import rasterio.warp
from rasterio.transform import Affine

# The system, the size of a pixel, and the part of the rows' extent that is covered.
KINDS = {
    "degrees": ("EPSG:4326", 0.05, 1.1, "Area"),
    "point": ("EPSG:4326", 0.05, 1.1, "Point"),
    "mercator": ("EPSG:3857", 4000, 0.7, "Area"),
    "equal_area": ("EPSG:6933", 3002.685, 1.1, "Area"),
    "utm": (None, 2500, 0.8, "Area"),
}


def rows(folder):
    table = pq.read_table(folder / "rows.parquet")
    return {name: table[name].to_numpy(zero_copy_only=False).astype("float64") for name in table.column_names}


def make(folder):
    found = rows(folder)
    longitude, latitude = found["longitude"], found["latitude"]
    for name, (crs, size, part, area) in KINDS.items():
        if crs is None:
            zone = int((np.median(longitude) + 180) // 6) + 1
            crs = f"EPSG:{(32600 if np.median(latitude) > 0 else 32700) + zone}"
        x, y = (np.array(v) for v in rasterio.warp.transform("EPSG:4326", crs, longitude, latitude))
        west, east, south, north = x.min(), x.max(), y.min(), y.max()
        width, height = int((east - west) * part / size) + 2, int((north - south) * part / size) + 2
        transform = Affine(size, 0, west - size * 0.37, 0, -size, north + size * 0.41)
        with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", width=width, height=height, count=1, dtype="uint8", crs=crs, transform=transform) as file:
            file.write(np.zeros((1, height, width), "uint8"))
            file.update_tags(AREA_OR_POINT=area)
        print(name)


def compare(folder):
    found = rows(folder)
    compared = 0
    for name in KINDS:
        with rasterio.open(folder / f"{name}.tif") as like, rasterio.open(folder / f"{name}.grid.tif") as grid:
            assert grid.crs == like.crs and grid.shape == like.shape, name
            assert grid.transform == like.transform, (name, grid.transform, like.transform)
            assert grid.tags()["AREA_OR_POINT"] == like.tags()["AREA_OR_POINT"], name
            x, y = rasterio.warp.transform("EPSG:4326", like.crs, found["longitude"], found["latitude"])
            row, column = (np.array(v) for v in rasterio.transform.rowcol(like.transform, x, y))
            inside = (row >= 0) & (row < like.height) & (column >= 0) & (column < like.width)
            assert 0 < inside.sum(), name
            number = np.bincount(row[inside] * like.width + column[inside], minlength=like.width * like.height)
            data = grid.read()
            count = data[grid.descriptions.index("n_segments")]
            assert (count.ravel() == number).all(), (name, count.sum(), number.sum())
            has_height = inside & ~np.isnan(found["h_canopy"])
            cells = row[has_height] * like.width + column[has_height]
            total = np.bincount(cells, found["h_canopy"][has_height], like.width * like.height)
            heights = np.bincount(cells, minlength=like.width * like.height)
            with np.errstate(invalid="ignore"):
                mean = total / heights
            assert np.allclose(data[0].ravel(), mean, rtol=1e-5, equal_nan=True), name
            with open(folder / f"{name}.grid.csv", newline="") as file:
                listed = list(csv.DictReader(file))
            assert len(listed) == (number > 0).sum(), (name, len(listed))
            for cell in listed:
                x, y = rasterio.warp.transform("EPSG:4326", like.crs, [float(cell["longitude"])], [float(cell["latitude"])])
                at = ~like.transform * (x[0], y[0])
                assert abs(at[0] % 1 - 0.5) < 1e-6 and abs(at[1] % 1 - 0.5) < 1e-6, (name, cell, at)
                assert number[int(at[1]) * like.width + int(at[0])] == int(cell["n_segments"]), (name, cell)
            compared += len(listed)
    print(f"equal: {compared} cells")


if __name__ == "__main__":
    {"make": make, "compare": compare}[sys.argv[1]](pathlib.Path(sys.argv[2]))
