"""Values of rasters, compared with those of rasterio (GDAL and PROJ).

Usage: raster.py make FOLDER writes rasters of many kinds, and positions around each, NAME.tif and NAME.csv, and prints the names.
       raster.py compare FOLDER reads NAME.out.csv with columns n, nearest, bilinear and cell, and compares them.
"""

import csv
import pathlib
import sys

import numpy as np
import rasterio
import rasterio.transform
import rasterio.warp
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine

BAND = 2


def utm(zone, east, north, size):
    return CRS.from_epsg(zone), Affine(size, 0, east, 0, -size, north)


def degrees(west, north, size):
    return CRS.from_epsg(4326), Affine(size, 0, west, 0, -size, north)


# name: ((coordinate system, pixels), type, nodata, options of the writer)
KINDS = {
    "utm_u8_lzw": (utm(32720, 400_000, 9_500_000, 30), "uint8", 255, dict(compress="lzw", predictor=2)),
    "utm_i16_tiled": (utm(32720, 400_000, 9_500_000, 30), "int16", -32768, dict(compress="deflate", tiled=True, blockxsize=32, blockysize=32)),
    "degrees_f32_zstd": (degrees(-70, -3, 0.01), "float32", -9999, dict(compress="zstd", predictor=3, tiled=True, blockxsize=16, blockysize=48)),
    "degrees_f64": (degrees(-70, -3, 0.01), "float64", None, {}),
    "degrees_u16_big": (degrees(-70, -3, 0.01), "uint16", 0, dict(BIGTIFF="YES", ENDIANNESS="BIG", compress="deflate", predictor=2)),
    "ease_u32_packbits": ((CRS.from_epsg(6933), Affine(1000.9, 0, 17_000_000, 0, -1000.9, 500_000)), "uint32", 7, dict(compress="packbits")),
    "ease_i32_planar": ((CRS.from_epsg(6933), Affine(1000.9, 0, -7_000_000, 0, -1000.9, 500_000)), "int32", -1, dict(interleave="band", tiled=True, blockxsize=16, blockysize=16, compress="deflate")),
    "polar_f32_pixel": ((CRS.from_epsg(3413), Affine(5000, 0, -600_000, 0, -5000, 700_000)), "float32", np.nan, dict(interleave="pixel", compress="lzw", predictor=3)),
    "laea_i8": ((CRS.from_epsg(3035), Affine(100, 0, 4_321_000, 0, -100, 3_210_000)), "int8", -128, dict(compress="deflate")),
    "albers_u64": ((CRS.from_epsg(5070), Affine(250, 0, -400_000, 0, -250, 1_900_000)), "uint64", None, dict(compress="zstd", tiled=True, blockxsize=32, blockysize=16)),
    "rotated_f32": ((CRS.from_epsg(32633), Affine(20, 8, 500_000, 6, -20, 5_600_000)), "float32", -1, {}),
    "south_up_i16": ((CRS.from_epsg(32633), Affine(30, 0, 500_000, 0, 30, 5_500_000)), "int16", -5, dict(tiled=True, blockxsize=16, blockysize=16)),
    "mercator_u8_palette": ((CRS.from_epsg(3857), Affine(100, 0, -7_000_000, 0, -100, -400_000)), "uint8", 0, dict(photometric="palette", compress="deflate")),
    "point_f32": (degrees(-70.005, -2.995, 0.01), "float32", None, dict(AREA="Point")),
    "west_of_dateline_f32": (degrees(179, -16, 0.02), "float32", None, dict(compress="deflate")),
    "rgba_u8": (utm(32633, 300_000, 5_000_000, 10), "uint8", None, dict(photometric="rgb", alpha="unspecified", compress="deflate", predictor=2)),
    "sparse_i16": (utm(32633, 300_000, 5_000_000, 10), "int16", -1, dict(tiled=True, blockxsize=32, blockysize=32, SPARSE_OK="TRUE")),
}
WIDTH, HEIGHT = 90, 70


def make(folder):
    random = np.random.default_rng(7)
    for name, ((crs, transform), dtype, nodata, options) in KINDS.items():
        options = dict(options)
        area = options.pop("AREA", None)
        # A palette has one band, colours have four.
        bands = 1 if "palette" in name else 5 if "rgba" in name else 3
        shape = (bands, HEIGHT, WIDTH)
        if np.dtype(dtype).kind == "f":
            data = random.normal(20, 500, shape).astype(dtype)
        else:
            limits = np.iinfo(dtype)
            high = min(limits.max, 2**53)
            data = random.integers(max(limits.min, -(2**53)), high, shape, dtype="int64").astype(dtype)
        if nodata is not None:
            data[:, random.random(shape[1:]) < 0.15] = nodata
        if name == "sparse_i16":
            data[:, :40, :40] = nodata
        path = folder / f"{name}.tif"
        with rasterio.open(path, "w", driver="GTiff", width=WIDTH, height=HEIGHT, count=bands, dtype=dtype, crs=crs, transform=transform, nodata=nodata, **options) as file:
            file.write(data)
            if area:
                file.update_tags(AREA_OR_POINT=area)
            if "palette" in name:
                file.write_colormap(1, {value: (value, 0, 255 - value, 255) for value in range(256)})
        # Positions inside, in the outermost half pixels, and outside.
        n = 300
        column, row = random.uniform(-1.5, WIDTH + 1.5, n), random.uniform(-1.5, HEIGHT + 1.5, n)
        column[:20], row[:20] = random.uniform(0, 0.5, 20), random.uniform(0, HEIGHT, 20)
        column[20:40], row[20:40] = random.uniform(0, WIDTH, 20), random.uniform(HEIGHT - 0.5, HEIGHT, 20)
        x, y = transform * (column, row)
        longitude, latitude = rasterio.warp.transform(crs, "EPSG:4326", x, y)
        with open(folder / f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["n", "latitude", "longitude"])
            for number in range(n):
                # Longitudes of a table of the user may count to 360.
                east = longitude[number] + (360 if number % 3 == 0 and longitude[number] < 0 else 0)
                writer.writerow([number, repr(latitude[number]), repr(east)])
        print(name, BAND if bands > 1 else 1)


def bilinear(source, band, x, y):
    """What GDAL's warper computes for a tiny pixel around a place."""
    size = 1e-3 * abs(source.transform.a)
    transform = Affine(size, 0, x - size / 2, 0, -size, y + size / 2)
    found = np.full((1, 1), np.nan)
    rasterio.warp.reproject(
        rasterio.band(source, band), found, dst_transform=transform, dst_crs=source.crs, dst_nodata=np.nan,
        resampling=Resampling.bilinear,
    )
    return found[0, 0]


def compare(folder):
    compared = 0
    for name in KINDS:
        with rasterio.open(folder / f"{name}.tif") as source:
            band = BAND if source.count > 1 else 1
            data = source.read(band, masked=True)
            with open(folder / f"{name}.csv", newline="") as file:
                places = list(csv.DictReader(file))
            with open(folder / f"{name}.out.csv", newline="") as file:
                rows = {int(row["n"]): row for row in csv.DictReader(file)}
            assert len(rows) == len(places), name
            longitude = [float(place["longitude"]) for place in places]
            longitude = [east - 360 if east > 180 else east for east in longitude]
            latitude = [float(place["latitude"]) for place in places]
            xs, ys = rasterio.warp.transform("EPSG:4326", source.crs, longitude, latitude)
            values = with_data = 0
            for number, (x, y) in enumerate(zip(xs, ys)):
                if source.crs.to_epsg() == 4326 and x < source.bounds.left - 5:
                    x += 360
                column, row = ~source.transform * (x, y)
                if min(abs(column - round(column)), abs(row - round(row))) < 1e-6:
                    continue
                inside = 0 <= column < WIDTH and 0 <= row < HEIGHT
                found = rows[number]
                at = rasterio.transform.rowcol(source.transform, x, y)
                cell = at[0] * WIDTH + at[1] if inside else None
                assert found["cell"] == ("" if cell is None else str(cell)), (name, number, found, cell)
                value = data[int(row), int(column)] if inside else np.ma.masked
                is_null = value is np.ma.masked or np.isnan(float(value))
                assert (found["nearest"] == "") == is_null, (name, number, found, value)
                if not is_null:
                    assert float(found["nearest"]) == float(value), (name, number, found, value)
                    with_data += 1
                if not inside:
                    assert found["bilinear"] == "", (name, number, found)
                    continue
                expected = bilinear(source, band, x, y)
                if np.isnan(expected):
                    assert found["bilinear"] == "", (name, number, found)
                else:
                    # GDAL computes with the weights of single precision for some types.
                    spread = np.ptp(data.compressed().astype("float64"))
                    assert abs(float(found["bilinear"]) - expected) <= 2e-5 * spread, (name, number, found, expected)
                values += 1
            assert values > 200 and with_data > 150, (name, values, with_data)
            compared += values
    print(f"equal: {compared} positions in {len(KINDS)} rasters")


if __name__ == "__main__":
    {"make": make, "compare": compare}[sys.argv[1]](pathlib.Path(sys.argv[2]))
