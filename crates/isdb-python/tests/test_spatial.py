"""Nearest segments, sections along a pass, grids and maps."""

import numpy
import pytest

import isdb


def haversine(latitude, longitude, lat, lon):
    latitude, longitude, lat, lon = map(numpy.radians, (latitude, longitude, lat, lon))
    half = numpy.sin((latitude - lat) / 2) ** 2 + numpy.cos(latitude) * numpy.cos(lat) * numpy.sin((longitude - lon) / 2) ** 2
    return 2 * 6_371_008.8 * numpy.arcsin(numpy.sqrt(half))


def test_the_nearest_segments_are_those_of_a_brute_force_search(db):
    everything = db.sql("SELECT latitude, longitude, canopy_h FROM atl08_unique").to_arrow()
    latitude, longitude = everything["latitude"].to_numpy(), everything["longitude"].to_numpy()
    lat, lon = float(latitude[0]) + 0.01, float(longitude[0]) + 0.01
    found = db.nearest(lon=lon, lat=lat, n=20).to_arrow()
    expected = numpy.sort(haversine(latitude, longitude, lat, lon))[:20]
    assert numpy.allclose(found["distance_m"].to_numpy(), expected, rtol=0.006)
    assert "canopy_h" in found.column_names and found["distance_m"].to_pylist() == sorted(found["distance_m"].to_pylist())


def test_nearest_applies_conditions_first(db):
    pytest.importorskip("shapely")
    import shapely

    position = db.sql("SELECT longitude, latitude FROM atl08 LIMIT 1").to_arrow().to_pylist()[0]
    point = shapely.Point(position["longitude"], position["latitude"])
    tall = db.nearest(point=point, n=5, where="canopy_h > $h", params={"h": 12}, columns=["canopy_h"]).to_arrow()
    assert tall.column_names == ["canopy_h", "distance_m"] and min(tall["canopy_h"].to_pylist()) > 12
    near = db.nearest(point=point, n=100, within=300).to_arrow()
    assert 0 < near.num_rows < 100 and max(near["distance_m"].to_pylist()) <= 300
    for arguments in ({}, {"lon": 1}, {"lon": 1, "lat": 2, "point": point}, {"lon": 1, "lat": 2, "n": 0}):
        with pytest.raises(isdb.InvalidValue):
            db.nearest(**arguments)


def test_a_section_follows_one_beam_of_one_pass(db):
    one = db.sql("SELECT rgt, cycle, beam FROM atl08 LIMIT 1").to_arrow().to_pylist()[0]
    section = db.section(**one).to_arrow()
    where = f"rgt = {one['rgt']} AND cycle = {one['cycle']} AND beam = '{one['beam']}'"
    assert section.num_rows == db.sql(f"SELECT count(*) AS n FROM atl08_unique WHERE {where}").to_arrow()["n"][0].as_py() > 0
    times = section["time"].to_pylist()
    assert times == sorted(times) and section["along_track_km"].null_count == 0


def test_a_grid_has_the_statistics_of_its_cells(db):
    pytest.importorskip("xarray")
    grid = db.grid("avg(canopy_h)", cell=1.0)
    assert grid["value"].dims == ("latitude", "longitude") and grid.attrs["crs"] == "EPSG:4326"
    assert int(grid["n_segments"].sum()) == db.sql("SELECT count(*) AS n FROM atl08_unique").to_arrow()["n"][0].as_py()
    fullest = grid["n_segments"].stack(cell=("latitude", "longitude")).idxmax().item()
    south, west = fullest[0] - 0.5, fullest[1] - 0.5
    where = f"latitude >= {south} AND latitude < {south + 1} AND longitude >= {west} AND longitude < {west + 1}"
    expected = db.sql(f"SELECT avg(canopy_h) AS h FROM atl08_unique WHERE {where}").to_arrow()["h"][0].as_py()
    assert float(grid["value"].sel(latitude=fullest[0], longitude=fullest[1])) == pytest.approx(expected)
    empty = grid["value"].where(grid["n_segments"] == 0)
    assert bool(empty.isnull().all())


def test_a_grid_of_equal_areas_is_in_metres(db):
    pytest.importorskip("xarray")
    grid = db.grid(cell="36km")
    assert grid["value"].dims == ("y", "x") and grid.attrs["crs"] == "EPSG:6933"
    steps = numpy.diff(grid["x"].to_numpy())
    assert len(steps) == 0 or numpy.allclose(steps, 36_032.220840584)
    with pytest.raises(isdb.InvalidValue, match="expected"):
        db.grid(cell="7km")
    with pytest.raises(isdb.InvalidValue, match="no cell"):
        db.region((0, 89, 1, 89.5)).grid()


def test_a_map_has_a_bar_with_the_unit(db, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = db.sql("SELECT longitude, latitude, canopy_h FROM atl08 WHERE canopy_h > 5").plot()
    labels = {other.get_ylabel() for other in axes.figure.axes}
    assert "canopy_h [meters]" in labels and axes.get_xlabel() == "longitude [°]"
    axes.figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 5_000
    assert db.plot(color="canopy_h").collections
    with pytest.raises(isdb.InvalidValue, match="no column"):
        db.sql("SELECT longitude, latitude FROM atl08").plot("canopy_h")
