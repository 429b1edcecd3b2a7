"""A picture of points, compared with the rows: a point is where the world file places it, in the colour of its value.

Usage: map.py FOLDER with rows.parquet and look.png, and few.png with the points of FEW. Their scale is 0 to 40.
"""

import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
import rasterio

# Longitude, latitude and colour of viridis: its ends, its middle, and a value beyond the scale.
FEW = [
    (10.0, 50.0, (68, 1, 84)),
    (11.0, 50.4, (33, 145, 140)),
    (12.0, 50.0, (253, 231, 37)),
    (10.5, 50.6, (253, 231, 37)),
]


def few(folder):
    with rasterio.open(folder / "few.png") as file:
        image, transform = file.read().astype(int), file.transform
    for longitude, latitude, colour in FEW:
        column, row = (int(np.floor(v)) for v in ~transform * (longitude, latitude))
        assert np.abs(image[:, row, column] - colour).max() <= 6, (longitude, image[:, row, column], colour)


def main(folder):
    few(folder)
    table = pq.read_table(folder / "rows.parquet")
    longitude, latitude = (table[name].to_numpy().astype("float64") for name in ("longitude", "latitude"))
    with rasterio.open(folder / "look.png") as file:
        image, transform, tags = file.read(), file.transform, file.tags()
    assert image.shape[0] == 3, image.shape
    assert not transform.is_identity and transform.e < 0, transform
    assert tags["isdb_sql"].startswith("SELECT") and "ATL08" in tags["isdb_citation"], tags
    column, row = ~transform * (longitude, latitude)
    column, row = np.floor(column).astype(int), np.floor(row).astype(int)
    assert (row > 0).all() and (row < image.shape[1]).all() and (column > 0).all() and (column < image.shape[2]).all()
    pixels = image[:, row, column].astype(int)
    coloured = (pixels.max(axis=0) - pixels.min(axis=0)) > 20
    assert coloured.mean() > 0.999, coloured.mean()
    # Nothing else is coloured: each coloured pixel of the map is beside a point.
    height, width = image.shape[1:]
    near = np.zeros((height, width), dtype=bool)
    for down in range(-4, 5):
        for right in range(-4, 5):
            near[np.clip(row + down, 0, height - 1), np.clip(column + right, 0, width - 1)] = True
    left, right = column.min() - 5, column.max() + 5
    spread = image.max(axis=0).astype(int) - image.min(axis=0)
    assert not (spread[:, left:right] > 20)[~near[:, left:right]].any()
    print(f"equal: {len(longitude)} points, {len(FEW)} colours")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
