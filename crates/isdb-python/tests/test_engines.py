"""Other engines over the array: what they filter, select and limit is not read."""

import pytest

import isdb


def test_polars_reads_the_columns_the_conditions_and_the_limit(uri, monkeypatch):
    polars = pytest.importorskip("polars")
    statements = []
    plan = isdb.Database._plan
    monkeypatch.setattr(isdb.Database, "_plan", lambda self, sql, *rest: statements.append(sql) or plan(self, sql, *rest))
    db = isdb.open(uri)
    lazy = db.scan_polars()
    tall = lazy.filter((polars.col("canopy_h") > 10) & (polars.col("beam") == "gt1l")).select("latitude", "canopy_h").collect()
    assert "canopy_h > 10" in statements[-1] and "beam = 'gt1l'" in statements[-1] and "h_te_best_fit" not in statements[-1]
    expected = db.sql("SELECT count(*) AS n FROM atl08 WHERE canopy_h > 10 AND beam = 'gt1l'").to_arrow()["n"][0].as_py()
    assert tall.columns == ["latitude", "canopy_h"] and tall.height == expected > 0
    assert lazy.select("latitude").head(7).collect().height == 7
    assert statements[-1].endswith("LIMIT 7")
    assert lazy.select(polars.len()).collect().item() == db.sql("SELECT count(*) AS n FROM atl08").to_arrow()["n"][0].as_py()


@pytest.mark.parametrize(
    "condition",
    [
        "polars.col('canopy_h').is_null()",
        "polars.col('canopy_h').is_not_null() & (polars.col('rgt') >= 1)",
        "polars.col('canopy_h').round(0) == 12",
        "(polars.col('canopy_h') > 10) | (polars.col('night_flag') == 1)",
        "~(polars.col('canopy_h') > 10)",
        "polars.col('canopy_h') != 3",
        "polars.col('beam').is_in(['gt1l', 'gt3r'])",
        "polars.col('canopy_h') > polars.col('canopy_h_mean') * 2",
        "polars.col('time') > polars.datetime(2019, 1, 1, time_zone='UTC')",
        "polars.col('latitude').is_between(10, 40)",
    ],
)
def test_polars_gets_the_rows_of_any_condition(db, condition):
    polars = pytest.importorskip("polars")
    expression = eval(condition, {"polars": polars})  # noqa: S307
    columns = ["latitude", "longitude", "time", "beam", "rgt", "night_flag", "canopy_h", "canopy_h_mean"]
    eager = db.sql(f"SELECT {', '.join(columns)} FROM atl08").to_polars().filter(expression)
    lazily = db.scan_polars().select(columns).filter(expression).collect()
    # The limit comes after the condition.
    some = db.scan_polars().filter(expression).select("latitude").head(3).collect()
    assert lazily.height == eager.height and some.height == min(3, eager.height)
    order = ["time", "beam", "latitude"]
    assert lazily.sort(order).equals(eager.sort(order))


def test_datafusion_pushes_conditions_and_columns_to_the_array(db):
    datafusion = pytest.importorskip("datafusion")
    context = datafusion.SessionContext()
    context.register_table("atl08", db.table())
    frame = context.sql("SELECT beam, count(*) AS n FROM atl08 WHERE latitude > 10 AND canopy_h > 5 GROUP BY beam ORDER BY beam")
    expected = db.sql("SELECT beam, count(*) AS n FROM atl08 WHERE latitude > 10 AND canopy_h > 5 GROUP BY beam ORDER BY beam")
    assert frame.to_arrow_table()["n"].to_pylist() == expected.to_arrow()["n"].to_pylist()
    plan = str(context.sql("EXPLAIN SELECT latitude FROM atl08 WHERE latitude > 10").to_arrow_table()["plan"].to_pylist())
    assert "latitude" in plan and "FilterExec" not in plan
    context.register_table("granules", db.table("granules"))
    assert context.sql("SELECT count(*) AS n FROM granules").to_arrow_table()["n"][0].as_py() > 0
    with pytest.raises(isdb.UnknownTable, match="did you mean atl08"):
        db.table("atl80")


def test_duckdb_reads_a_result_as_a_stream(db):
    duckdb = pytest.importorskip("duckdb")
    stream = db.sql("SELECT beam, canopy_h FROM atl08 WHERE canopy_h IS NOT NULL").reader()
    rows = duckdb.connect().from_arrow(stream).aggregate("beam, max(canopy_h)", "beam").fetchall()
    assert len(rows) == 6
