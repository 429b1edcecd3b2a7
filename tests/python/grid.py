"""Grids compared with statistics that numpy computes from the rows.

Usage: grid.py FOLDER with rows.parquet, degrees.tif, degrees.csv and km.tif.
"""

import csv
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
import rasterio
import rasterio.warp

BANDS = ("value", "n_segments", "n_canopy", "n_terrain", "n_passes", "n_tracks")


def statistics(rows, chosen):
    canopy = rows["h_canopy"][chosen]
    canopy = canopy[~np.isnan(canopy)].astype("float64")
    passes = np.unique(np.column_stack([rows["rgt"][chosen], rows["cycle"][chosen]]), axis=0)
    return (
        np.float32(np.median(canopy)) if len(canopy) else np.float32(np.nan),
        chosen.sum(),
        len(canopy),
        (~np.isnan(rows["h_te_best_fit"][chosen])).sum(),
        len(passes),
        len(np.unique(rows["rgt"][chosen])),
    )


def compare(path, rows, epsg, size):
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == epsg, file.crs
        assert file.descriptions == BANDS, file.descriptions
        assert np.isnan(file.nodata) and set(file.dtypes) == {"float32"}
        assert file.tags()["isdb_sql"].startswith("SELECT") and "ATL08" in file.tags()["isdb_citation"]
        transform, data = file.transform, file.read()
    assert np.isclose(transform.a, size, rtol=1e-12) and np.isclose(transform.e, -size, rtol=1e-12), transform
    x, y = rows["longitude"], rows["latitude"]
    if epsg != 4326:
        x, y = (np.array(v) for v in rasterio.warp.transform("EPSG:4326", f"EPSG:{epsg}", x, y))
    column = np.floor((x - transform.c) / size + 1e-9).astype(int)
    row = np.floor((transform.f - y) / size - 1e-9).astype(int)
    places = sorted(set(zip(row.tolist(), column.tolist())))
    for at_row, at_column in places:
        found = data[:, at_row, at_column]
        expected = np.array(statistics(rows, (row == at_row) & (column == at_column)), dtype="float64")
        assert np.allclose(found, expected, rtol=1e-6, equal_nan=True), (path, at_row, at_column, found, expected)
    empty = np.ones(data.shape[1:], dtype=bool)
    empty[tuple(np.array(places).T)] = False
    assert np.isnan(data[0][empty]).all() and not data[1:][:, empty].any(), path
    cells = len(places)
    assert cells and data[1].sum() == len(x), (cells, data[1].sum(), len(x))
    return cells, data, transform


def main(folder):
    table = pq.read_table(folder / "rows.parquet")
    rows = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    cells, data, transform = compare(folder / "degrees.tif", rows, 4326, 0.25)
    kilometres, _, _ = compare(folder / "km.tif", rows, 6933, 2 * 17_367_530.44516138 / 3856)
    with open(folder / "degrees.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == cells
    for cell in listed:
        column = int((float(cell["longitude"]) - transform.c) / 0.25)
        row = int((transform.f - float(cell["latitude"])) / 0.25)
        found = [float(cell[band] or "nan") for band in BANDS]
        assert np.allclose(found, data[:, row, column], rtol=1e-6, equal_nan=True), (cell, data[:, row, column])
    print(f"equal: {cells} cells of 0.25 degrees, {kilometres} of 9 km")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
