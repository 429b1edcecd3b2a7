"""Filters, regions, periods and states."""

import datetime as dt
import json
import pickle

import pytest

import isdb


def count(db):
    return db.sql("SELECT count(*) AS n FROM atl08").to_arrow()["n"][0].as_py()


@pytest.fixture
def box(db):
    """The western half of the extent: west, south, east, north."""
    extent = db.info()["extent"]
    (west, east), (south, north) = extent["longitude"], extent["latitude"]
    return west, south, (west + east) / 2, north


def test_every_form_of_a_region_selects_the_same_segments(db, box, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    west, south, east, north = box
    where = f"longitude BETWEEN {west!r} AND {east!r} AND latitude BETWEEN {south!r} AND {north!r}"
    expected = db.sql(f"SELECT count(*) AS n FROM atl08 WHERE {where}").to_arrow()["n"][0].as_py()
    assert 0 < expected < count(db)
    polygon = shapely.box(*box)
    series = geopandas.GeoSeries([polygon], crs="OGC:CRS84")
    file = tmp_path / "area.gpkg"
    series.to_file(file)
    geojson = tmp_path / "area.geojson"
    geojson.write_text(json.dumps(shapely.geometry.mapping(polygon)))
    forms = [box, list(box), ",".join(map(repr, box)), polygon, series, geopandas.GeoDataFrame(geometry=series), str(file), geojson]
    # A narrow strip at the edge is left to rounding of the segments on it.
    counts = {count(db.region(form)) for form in forms}
    assert counts == {count(db.region(box))} and abs(counts.pop() - expected) <= 1


def test_a_region_in_another_reference_system_is_transformed(db, box):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    series = geopandas.GeoSeries([shapely.box(*box)], crs="OGC:CRS84")
    difference = count(db.region(series.to_crs(3857))) - count(db.region(series))
    assert abs(difference) <= 2


def test_a_region_that_is_none_of_these_is_refused(db):
    with pytest.raises(isdb.InvalidValue, match="expected a region"):
        db.region((1, 2, 3))
    with pytest.raises(isdb.Error, match="region"):
        db.region("nowhere.geojson")


def test_a_box_whose_coordinates_are_probably_swapped_warns(db):
    with pytest.warns(isdb.QueryWarning, match="crosses the dateline"):
        db.region((60, 10, -110, 12)).sql("SELECT 1 FROM atl08 LIMIT 1")


def test_filters_are_names_or_a_list_of_names(db):
    assert count(db.filters("strong,night")) == count(db.filters(["strong", "night"])) < count(db)
    assert count(db.filters("strong").filters(None)) == count(db)
    with pytest.raises(isdb.InvalidValue, match="unknown filter"):
        db.filters("stong")


def test_a_period_ends_with_its_last_day(db):
    time = db.sql("SELECT min(time) AS t FROM atl08").to_arrow()["t"][0].as_py().astimezone(dt.timezone.utc)
    day = count(db.period(time.date(), time.date()))
    assert 0 < day < count(db)
    assert day == count(db.period(f"{time:%Y-%m-%d}", f"{time:%Y-%m-%d}"))
    midnight = dt.datetime(time.year, time.month, time.day)
    assert day == count(db.period(midnight, midnight + dt.timedelta(days=1)))
    assert count(db.period(time.year, time.year)) > day


def test_restrictions_add_up_and_a_database_can_be_sent_to_another_process(db, box):
    restricted = db.filters("strong").region(box).period(start="2018")
    assert count(restricted) <= count(db.region(box))
    again = pickle.loads(pickle.dumps(restricted))
    assert count(again) == count(restricted) and "filters='strong'" in repr(again)


def test_a_state_is_opened_by_its_time_or_its_tag(own, command):
    import subprocess

    path, more = own
    subprocess.run([*command, "--db", path, "tag", "paper"], check=True, capture_output=True)
    db = isdb.open(path)
    before = count(db)
    isdb.ingest(more, path, progress=False)
    assert count(db) > before
    assert count(isdb.open(path, at="paper")) == count(db.at("paper")) == before
    assert count(db.at("paper").at(None)) == count(db)
    assert db.info()["tags"]["paper"]["commit"] == db.at("paper").commit
    with pytest.raises(isdb.NotFound, match="papper"):
        db.at("papper")
    with pytest.raises(isdb.NotFound):
        db.at(dt.datetime(2019, 1, 1))
