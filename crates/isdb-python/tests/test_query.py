"""Statements: results, parameters, warnings, errors, states."""

import datetime as dt
import threading

import pyarrow as pa
import pytest

import isdb


def count(db, where="TRUE", params=None):
    return db.sql(f"SELECT count(*) AS n FROM atl08 WHERE {where}", params).to_arrow()["n"][0].as_py()


def test_rows_are_computed_when_they_are_requested_each_time_again(db):
    rows = db.sql("SELECT latitude, canopy_h FROM atl08 WHERE canopy_h > 10")
    assert rows.columns == ["latitude", "canopy_h"]
    assert rows.to_arrow().num_rows == rows.to_arrow().num_rows > 0
    assert sum(batch.num_rows for batch in rows) == rows.to_arrow().num_rows
    # Scans run in parallel, so that the order of rows differs.
    streams = [pa.table(rows), pa.RecordBatchReader.from_stream(rows).read_all(), rows.reader().read_all(), rows.to_arrow()]
    first, *others = [table.sort_by([("latitude", "ascending"), ("canopy_h", "ascending")]) for table in streams]
    assert all(first.equals(other) for other in others)


def test_columns_have_their_units(db):
    rows = db.sql("SELECT canopy_h, latitude, beam FROM atl08")
    assert rows.units["canopy_h"] == "meters" and rows.units["latitude"].startswith("degrees")
    assert "canopy_h: float [meters]" in repr(rows)


def test_parameters_have_the_values_that_they_are_given(db):
    all_rows = count(db)
    low = count(db, "canopy_h <= $h", {"h": 10})
    high = count(db, "canopy_h > $h", {"h": 10})
    unknown = count(db, "canopy_h IS NULL")
    assert low > 0 and high > 0 and low + high + unknown == all_rows
    assert count(db, "beam = $beam", {"beam": "gt1l"}) == count(db, "beam = 'gt1l'") > 0
    assert count(db, "$yes", {"yes": True}) == all_rows


def test_a_naive_datetime_is_utc(db):
    first = db.sql("SELECT min(time) AS t FROM atl08").to_arrow()["t"][0].as_py()
    assert first.tzinfo is not None
    naive = first.astimezone(dt.timezone.utc).replace(tzinfo=None) + dt.timedelta(seconds=1)
    elsewhere = naive.replace(tzinfo=dt.timezone.utc).astimezone(dt.timezone(dt.timedelta(hours=5)))
    before = count(db, "time < $t", {"t": naive})
    assert 0 < before < count(db)
    assert count(db, "time < $t", {"t": elsewhere}) == before


def test_a_parameter_without_a_value_and_a_value_without_a_parameter_are_errors(db):
    with pytest.raises(isdb.InvalidStatement, match=r"\$h has no value"):
        db.sql("SELECT 1 FROM atl08 WHERE canopy_h > $h")
    with pytest.raises(isdb.InvalidStatement, match=r"no parameter \$x"):
        db.sql("SELECT 1", {"x": 1})
    with pytest.raises(isdb.InvalidValue, match="found list"):
        db.sql("SELECT $x AS y", {"x": [1, 2]})


def test_an_error_has_the_hint_of_the_command(db):
    with pytest.raises(isdb.UnknownColumn, match="h_canopi") as error:
        db.sql("SELECT h_canopi FROM atl08")
    assert "did you mean h_canopy" in error.value.hint and "hint: " in str(error.value)
    with pytest.raises(isdb.UnknownTable):
        db.sql("SELECT * FROM atl80")
    with pytest.raises(isdb.InvalidStatement):
        db.sql("SELEC 1")
    with pytest.raises(isdb.InvalidStatement, match="not allowed"):
        db.sql("COPY atl08 TO 'x.parquet'")
    with pytest.raises(isdb.NotFound, match="nowhere.isdb"):
        isdb.open("nowhere.isdb")


def test_a_failure_of_a_row_is_an_exception_with_the_class_of_its_kind(db):
    rows = db.sql("SELECT CAST(beam AS INT) AS x FROM atl08")
    with pytest.raises(isdb.Error):
        rows.to_arrow()
    with pytest.raises(isdb.Error):
        list(rows)


def test_a_statement_that_probably_means_something_else_warns(db):
    with pytest.warns(isdb.QueryWarning, match="fill values of the product are NULL") as caught:
        db.sql("SELECT latitude FROM atl08 WHERE canopy_h = -999")
    assert caught[0].filename == __file__


def test_a_view_lasts_as_long_as_the_object(db, uri):
    db.sql("CREATE VIEW tall AS SELECT * FROM atl08 WHERE canopy_h > 10")
    assert db.sql("SELECT count(*) AS n FROM tall").to_arrow()["n"][0].as_py() == count(db, "canopy_h > 10")
    assert db.period(start="2018").sql("SELECT 1 FROM tall LIMIT 1").to_arrow().num_rows == 1
    with pytest.raises(isdb.UnknownTable):
        isdb.open(uri).sql("SELECT * FROM tall")


def test_a_frame_is_a_table_and_points_are_positions(db):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    position = db.sql("SELECT longitude, latitude FROM atl08 LIMIT 1").to_arrow().to_pylist()[0]
    plot = shapely.Point(position["longitude"], position["latitude"])
    plots = geopandas.GeoDataFrame({"plot": ["a"]}, geometry=[plot], crs="OGC:CRS84").to_crs(3857)
    db.register("plots", plots)
    near = "SELECT plot, count(*) AS n FROM plots JOIN atl08 AS a ON near(a.latitude, a.longitude, plots.latitude, plots.longitude, 50) GROUP BY plot"
    assert db.sql(near).to_arrow()["n"][0].as_py() >= 1
    db.register("plots", {"plot": ["b"], "height_m": [None]})
    assert db.sql("SELECT * FROM plots").to_arrow().to_pylist() == [{"plot": "b", "height_m": None}]
    with pytest.raises(isdb.Error, match="belongs to the database"):
        db.register("atl08", {"x": [1]})


def test_a_database_follows_the_newest_state_and_results_keep_theirs(own):
    path, more = own
    db = isdb.open(path)
    then = db.at(db.timestamp)
    rows = db.sql("SELECT count(*) AS n FROM segments")
    db.sql("CREATE VIEW v AS SELECT 1 AS one")
    before = rows.to_arrow()["n"][0].as_py()
    commit = db.commit
    assert isdb.ingest(more, path, progress=False).counts["ingested"] == 1
    assert rows.to_arrow()["n"][0].as_py() == before
    assert then.sql("SELECT count(*) AS n FROM segments").to_arrow()["n"][0].as_py() == before
    assert db.sql("SELECT count(*) AS n FROM segments").to_arrow()["n"][0].as_py() > before
    assert db.commit > commit == then.commit
    assert db.sql("SELECT * FROM v").to_arrow().num_rows == 1


def test_a_state_that_a_vacuum_has_removed_is_expired(own, command, granules):
    import subprocess

    path, more = own
    db = isdb.open(path)
    rows = db.sql("SELECT canopy_h FROM atl08")
    name = db.sql("SELECT granule FROM granules_current").to_arrow()["granule"][0].as_py()
    isdb.ingest(more, path, progress=False)
    for arguments in (["remove", name], ["consolidate", "--policy", "none"], ["vacuum", "--older-than", "0s"]):
        subprocess.run([*command, "--db", path, *arguments], check=True, capture_output=True)
    with pytest.raises(isdb.Expired, match="vacuum"):
        rows.to_arrow()
    assert db.sql("SELECT canopy_h FROM atl08").to_arrow().num_rows > 0


def test_threads_share_a_database(db, uri):
    other = isdb.open(uri).filters("strong")
    expected = [count(db), count(other)]
    results, errors = [], []

    def ask():
        try:
            for _ in range(5):
                results.append([count(db), count(other)])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors and results == [expected] * 30


def test_a_notebook_shows_the_first_rows_with_units(db):
    shown = db.sql("SELECT canopy_h, beam, canopy_h_metrics FROM atl08 ORDER BY time")._repr_html_()
    assert "<th>canopy_h</th>" in shown and "<small>meters</small>" in shown and shown.count("<tr>") == 12
    assert "more rows follow" in shown
    nothing = db.sql("SELECT latitude FROM atl08 WHERE latitude > 89.5")._repr_html_()
    assert "no rows; latitude &gt; 89.5 is outside the database" in nothing


def test_the_plan_has_the_ranges_of_the_array(db):
    plan = db.explain("SELECT canopy_h FROM atl08 WHERE latitude BETWEEN $s AND $n", {"s": 10, "n": 11})
    assert "latitude" in plan and "physical_plan" in plan
    assert "output_rows" in db.explain("SELECT canopy_h FROM atl08 LIMIT 5", analyze=True)
