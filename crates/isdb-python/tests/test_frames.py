"""Frames of other packages: the same rows as in a file of the command, and missing values that stay missing."""

import datetime as dt
import subprocess

import numpy
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import pytest

import isdb

#: Columns of every type, some with missing values.
SQL = (
    "SELECT longitude, latitude, time, beam, beam_strength, rgt, night_flag, landcover, canopy_h, canopy_h_metrics, h_canopy_20m, "
    "nullif(landcover, 112) AS some_landcover, canopy_h > 10 AS tall, granule FROM atl08 ORDER BY time, beam LIMIT 5000"
)


@pytest.fixture(scope="module")
def rows(uri):
    return isdb.open(uri).sql(SQL)


@pytest.fixture(scope="module")
def file(uri, command, tmp_path_factory):
    """The same rows, written by the command and read by pyarrow."""
    path = tmp_path_factory.mktemp("files") / "rows.parquet"
    subprocess.run([*command, "--db", uri, "query", "-o", path, SQL], check=True, capture_output=True)
    return pyarrow.parquet.read_table(path)


def plain(table):
    """A table without dictionaries and views, to compare values."""
    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if column.type in (pa.string_view(), pa.large_string()):
            column = column.cast(pa.string())
        columns.append(column.combine_chunks())
    return pa.table(columns, names=table.column_names)


def test_arrow_has_the_rows_of_the_command(rows, file):
    table = rows.to_arrow()
    assert table.num_rows == 5000
    assert plain(table).to_pylist() == plain(file.drop_columns("geometry")).to_pylist()
    assert table.schema.field("canopy_h").metadata[b"units"] == b"meters"


def test_pandas_has_the_rows_of_the_command_with_every_backend(rows, file):
    pandas = pytest.importorskip("pandas")
    expected = plain(file).to_pandas()
    for backend in (None, "numpy_nullable", "pyarrow"):
        frame = rows.to_pandas(dtype_backend=backend)
        assert list(frame.columns) == list(expected.columns.drop("geometry"))
        for name in ("longitude", "canopy_h", "rgt"):
            assert numpy.array_equal(frame[name].astype(float).to_numpy(), expected[name].to_numpy(dtype=float), equal_nan=True)
        assert frame["canopy_h"].isna().sum() == file["canopy_h"].null_count > 0
        assert frame["some_landcover"].isna().sum() == file["some_landcover"].null_count > 0
        assert frame["tall"].isna().sum() == file["tall"].null_count
        assert str(frame["time"].dt.tz) == "UTC" and (frame["time"] == expected["time"]).all()
    assert rows.to_pandas()["some_landcover"].dtype == float
    assert isinstance(rows.to_pandas("numpy_nullable")["some_landcover"].dtype, pandas.Int64Dtype)
    with pytest.raises(isdb.InvalidValue):
        rows.to_pandas("polars")


def test_polars_has_the_rows_of_the_command(rows, file):
    polars = pytest.importorskip("polars")
    frame = rows.to_polars()
    assert frame["canopy_h"].null_count() == file["canopy_h"].null_count
    assert frame["some_landcover"].null_count() == file["some_landcover"].null_count and frame["some_landcover"].dtype.is_integer()
    assert frame["time"].dtype == polars.Datetime("ns", "UTC")
    assert frame["canopy_h_metrics"].dtype == polars.Array(polars.Float32, 18)
    assert frame["canopy_h"].to_list() == file["canopy_h"].to_pylist()
    assert frame["canopy_h_metrics"].to_list() == file["canopy_h_metrics"].to_pylist()
    assert polars.DataFrame(rows).equals(frame)


def test_geopandas_has_points_on_wgs_84(rows, file):
    geopandas = pytest.importorskip("geopandas")
    frame = rows.to_geopandas()
    assert frame.crs.to_authority() == ("OGC", "CRS84")
    assert numpy.array_equal(frame.geometry.x, file["longitude"]) and numpy.array_equal(frame.geometry.y, file["latitude"])
    mercator = rows.to_geopandas(crs=3857)
    assert mercator.crs.to_epsg() == 3857 and abs(mercator.geometry.x.iloc[0]) > 180
    assert isinstance(frame, geopandas.GeoDataFrame) and frame["canopy_h"].isna().sum() == file["canopy_h"].null_count


def test_positions_are_found_under_any_name_and_missing_ones_are_missing(db):
    pytest.importorskip("geopandas")
    renamed = db.sql("SELECT longitude AS x, latitude AS y FROM atl08 LIMIT 5").to_geopandas()
    assert renamed.geometry.x.tolist() == renamed["x"].tolist()
    some = db.sql("SELECT CASE WHEN rgt > 0 AND beam <> 'gt1l' THEN longitude END AS longitude, latitude FROM atl08").to_geopandas()
    assert some.geometry.isna().sum() == some["longitude"].isna().sum() > 0
    with pytest.raises(isdb.InvalidValue, match="no positions"):
        db.sql("SELECT canopy_h FROM atl08 LIMIT 5").to_geopandas()


def test_xarray_has_units_and_the_labels_of_profiles(rows, file):
    pytest.importorskip("xarray")
    data = rows.to_xarray()
    assert data["canopy_h_metrics"].dims == ("segment", "percentile")
    assert data["percentile"].to_numpy().tolist() == list(range(10, 100, 5))
    assert data["h_canopy_20m"].dims == ("segment", "along_track_offset")
    assert data["along_track_offset"].to_numpy().tolist() == [10, 30, 50, 70, 90] and data["along_track_offset"].units == "meters"
    assert data["canopy_h"].attrs["units"] == "meters"
    assert numpy.array_equal(data["canopy_h"], file["canopy_h"].to_numpy(), equal_nan=True)
    assert numpy.isnan(data["some_landcover"]).sum() == file["some_landcover"].null_count
    assert data["rgt"].dtype.kind == "i"
    expected = [[numpy.nan if x is None else x for x in (values or [None] * 18)] for values in file["canopy_h_metrics"].to_pylist()]
    assert numpy.array_equal(data["canopy_h_metrics"], numpy.array(expected, dtype="f4"), equal_nan=True)
    first = file["time"][0].as_py().astimezone(dt.timezone.utc).replace(tzinfo=None)
    assert data["time"].to_numpy()[0].astype("datetime64[us]").item() == first.replace(tzinfo=None)
    assert data["time"].attrs["time_zone"] == "UTC"
    assert data.sel(percentile=50)["canopy_h_metrics"].shape == (5000,)


def test_xarray_labels_a_slice_of_lists_by_its_own_rows():
    pytest.importorskip("xarray")
    from isdb import _frames

    lists = pa.FixedSizeListArray.from_arrays(pa.array([1, 2, 3, 4, 5, 6, 7, 8], pa.int32()), 2)
    values = pa.array([[1, 2], None, [5, None], [7, 8]], pa.list_(pa.int32(), 2))
    table = pa.table({"whole": lists, "some": values}).slice(1)
    data = _frames.to_xarray(table, "row")
    assert data["whole"].to_numpy().tolist() == [[3, 4], [5, 6], [7, 8]]
    assert numpy.array_equal(data["some"], [[numpy.nan] * 2, [5, numpy.nan], [7, 8]], equal_nan=True)
    assert data["some"].dims == ("row", "some_element")


def test_duckdb_has_the_rows_of_the_command(rows, file):
    duckdb = pytest.importorskip("duckdb")
    relation = rows.to_duckdb(duckdb.connect())
    mean, missing = relation.aggregate("avg(canopy_h), count(*) - count(canopy_h)").fetchall()[0]
    assert missing == file["canopy_h"].null_count
    assert mean == pytest.approx(pc.mean(file["canopy_h"]).as_py())


def test_a_file_has_the_rows_and_the_citation(rows, file, tmp_path):
    for ending in ("parquet", "arrow", "csv", "ndjson", "fgb", "gpkg", "geojson"):
        assert rows.write(tmp_path / f"rows.{ending}") == 5000
    written = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
    assert plain(written).to_pylist() == plain(file).to_pylist()
    assert b"Neuenschwander" in written.schema.metadata[b"isdb_citation"]
    with pytest.raises(isdb.InvalidValue, match="does not determine the format"):
        rows.write(tmp_path / "rows.xyz")
    with pytest.raises(isdb.Error, match="expected one of"):
        rows.write(tmp_path / "rows.xyz", format="shp")
    assert rows.write(tmp_path / "rows.xyz", format="csv") == 5000


def test_an_empty_result_has_its_columns_everywhere(db):
    nothing = db.sql("SELECT longitude, latitude, time, canopy_h, canopy_h_metrics, beam, landcover FROM atl08 WHERE canopy_h > 1e6")
    assert nothing.to_arrow().num_rows == 0 and len(nothing.to_arrow().column_names) == 7
    for convert in (nothing.to_pandas, nothing.to_polars, nothing.to_geopandas):
        assert convert().shape[0] == 0
    assert nothing.to_xarray()["canopy_h_metrics"].shape == (0, 18)


def test_a_package_that_is_not_installed_is_named(rows, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(isdb.MissingPackage, match=r"pip install 'isdb\[polars\]'"):
        rows.to_polars()
