//! Statements whose answer is probably not the intended one are refused or give a warning, also with a view, an alias or a
//! subquery between the statement and the column; other statements give none.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::{session, table};
use arrow::array::{ArrayRef, Int64Array, LargeStringArray, TimestampNanosecondArray, new_null_array};
use arrow::array::{Float64Array, Int32Array};
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::SessionContext;
use isdb_query::{Error, LedgerPart, LedgerTable, Warning, warnings};
use isdb_schema::catalogue::variable;
use isdb_schema::ledger::ledger_schema;
use isdb_schema::segments::stored_fields;
use isdb_testing::array::{DAY, TestArray, YEAR_2020, layout};
use tempfile::TempDir;

const VARIABLES: [&str; 10] = [
    "h_canopy",
    "canopy_h_metrics",
    "h_canopy_20m",
    "night_flag",
    "msw_flag",
    "segment_landcover",
    "segment_cover",
    "segment_snowcover",
    "n_ca_photons",
    "n_seg_ph",
];

/// One segment, NULL in all nullable columns.
fn segments() -> TestArray {
    let variables: Vec<_> = VARIABLES.iter().map(|name| variable(name).unwrap()).collect();
    let array = TestArray::create("segments", &layout(), Schema::new(stored_fields(&variables)));
    let column = |field: &Arc<Field>| -> ArrayRef {
        match field.name().as_str() {
            "latitude" | "longitude" => Arc::new(Float64Array::from(vec![1.0])),
            "time" => Arc::new(TimestampNanosecondArray::from(vec![YEAR_2020 + DAY]).with_timezone("UTC")),
            "ingest_id" | "fragment_id" => Arc::new(Int64Array::from(vec![1])),
            "beam" => cast(&LargeStringArray::from(vec!["gt1l"]), field.data_type()).unwrap(),
            _ => new_null_array(field.data_type(), 1),
        }
    };
    array.write(1, array.schema().fields().iter().map(column).collect());
    array
}

/// Writes the ledger of two granules of release 007, one of which failed, to a file in `folder`.
fn granules(folder: &Path) -> LedgerTable {
    let texts = |values: [&str; 2]| -> ArrayRef { Arc::new(LargeStringArray::from(values.to_vec())) };
    let numbers = |values: [i32; 2]| -> ArrayRef { Arc::new(Int32Array::from(values.to_vec())) };
    let columns: [(&str, ArrayRef); 8] = [
        ("ingest_id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("granule", texts(["ATL08_20190101000000_00770101_007_01", "ATL08_20190101000000_01230101_006_01"])),
        ("state", texts(["ingested", "failed"])),
        ("release", texts(["007", "006"])),
        ("revision", texts(["01", "01"])),
        ("rgt", numbers([77, 123])),
        ("cycle", numbers([4, 5])),
        ("region", numbers([6, 7])),
    ];
    let batch = isdb_testing::batch(&Arc::new(ledger_schema()), &columns);
    let path = folder.join("ledger.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    LedgerTable::new(vec![LedgerPart { path, bytes, rows: 2 }])
}

struct TestDatabase {
    context: SessionContext,
    /// Kept for their folders.
    _files: (TestArray, TempDir),
}

impl TestDatabase {
    async fn new() -> TestDatabase {
        let context = session(1);
        let files = (segments(), tempfile::tempdir().unwrap());
        context.register_table("segments", table(&files.0, None)).unwrap();
        context.register_table("granules", Arc::new(granules(files.1.path()))).unwrap();
        for sql in [
            "CREATE VIEW atl08 AS SELECT s.*, s.h_canopy AS canopy_h, s.segment_landcover AS landcover, \
             s.segment_cover AS canopy_cover, g.granule, g.rgt, g.cycle, g.region, g.release, g.revision \
             FROM segments AS s LEFT JOIN granules AS g ON s.ingest_id = g.ingest_id",
            "CREATE VIEW granules_current AS SELECT * FROM granules",
            "CREATE VIEW mine AS SELECT beam AS b, canopy_h_metrics AS p, time AS t, landcover FROM atl08",
            "CREATE TABLE plots AS SELECT 'GT1L' AS beam, TIMESTAMP '2019-07-31' AS time, 999 AS landcover, '7' AS release, \
             CAST(-999.0 AS FLOAT) AS h_canopy, 9999 AS rgt",
        ] {
            context.sql(sql).await.unwrap().collect().await.unwrap();
        }
        TestDatabase { context, _files: files }
    }

    /// Returns the warnings of `sql`, or problem and hint of its error.
    async fn check(&self, sql: &str) -> Result<Vec<Warning>, (String, String)> {
        let statement = |error: &Error| match error {
            Error::Statement { problem, hint } => (problem.clone(), hint.clone()),
            Error::Engine(error) => {
                let (problem, hint) = Error::find_statement(error).unwrap_or_else(|| panic!("{sql}: {error}"));
                (problem.to_owned(), hint.to_owned())
            }
            error => panic!("{sql}: {error}"),
        };
        let plan = self.context.state().create_logical_plan(sql).await;
        let plan = plan.map_err(|error| statement(&Error::Engine(error)))?;
        warnings(&self.context, &plan).await.map_err(|error| statement(&error))
    }

    /// Returns problem and hint of `sql`, which must be refused.
    async fn refused(&self, sql: &str) -> (String, String) {
        match self.check(sql).await {
            Err(refused) => refused,
            Ok(found) => panic!("{sql} is not refused: {found:?}"),
        }
    }

    /// Returns the only warning of `sql`.
    async fn warned(&self, sql: &str) -> Warning {
        match self.check(sql).await.as_deref() {
            Ok([one]) => one.clone(),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_certainly_wrong_are_refused_with_the_correct_form() {
    let database = TestDatabase::new().await;
    for (sql, expected, hint) in [
        ("SELECT avg(canopy_h^2) FROM atl08", "canopy_h ^ 2 is not a power", "write power(canopy_h, 2)"),
        ("SELECT 2^3", "2 ^ 3 is not a power", "write power(2, 3)"),
        ("SELECT 0.1 * canopy_h^2.1 FROM atl08", "^ is not a power", "write power(base, exponent)"),
        ("SELECT beam FROM atl08 AS a WHERE n_ca_photons ^ 2 > 9", "is not a power", "write power(n_ca_photons, 2)"),
        ("SELECT beam FROM atl08 WHERE canopy_h = NULL", "canopy_h = NULL", "write canopy_h IS NULL"),
        ("SELECT beam FROM atl08 a WHERE a.canopy_h <> NULL", "canopy_h != NULL", "write canopy_h IS NOT NULL"),
        ("SELECT count(*) FILTER (WHERE NULL = beam) FROM atl08", "beam = NULL", "write beam IS NULL"),
        ("SELECT beam FROM atl08 WHERE night_flag IN (1, NULL)", "NULL in the list", "OR night_flag IS NULL"),
        ("SELECT beam FROM atl08 WHERE night_flag NOT IN (1, NULL)", "NULL in the list", "AND night_flag IS NOT NULL"),
        ("SELECT beam FROM atl08 WHERE latitude BETWEEN NULL AND 3", "NULL is never true", "IS NULL"),
        ("SELECT canopy_h_metrics[0] FROM atl08", "no element 0: expected 1 to 18", "the first is canopy_h_metrics[1]"),
        ("SELECT avg(canopy_h_metrics[19]) FROM atl08", "no element 19: expected 1 to 18", "canopy_h_metrics[18]"),
        ("SELECT p[98] FROM mine", "p has no element 98", "the first is p[1]"),
        ("SELECT canopy_h_metrics[95] FROM atl08", "no element 95", "the percentile 95 is canopy_h_metrics[18]"),
        ("SELECT beam FROM atl08 WHERE h_canopy_20m[6] > 1", "expected 1 to 5", "h_canopy_20m[5]"),
        ("SELECT array_element(canopy_h_metrics, -19) FROM atl08", "no element -19", "[18]"),
        (
            "SELECT count(*) FROM atl08 WHERE beam = 'GT1L'",
            "beam has no value 'GT1L'",
            "write 'gt1l'; expected one of gt1l",
        ),
        ("SELECT 1 FROM mine WHERE 'GT1L' = b", "b has no value 'GT1L'", "write 'gt1l'"),
        (
            "SELECT 1 FROM (SELECT beam AS x FROM atl08 UNION ALL SELECT beam FROM atl08) WHERE x = 'one'",
            "x has no value",
            "gt1l",
        ),
        ("SELECT beam FROM atl08 WHERE beam IN ('gt1l', 'gt4l')", "beam has no value 'gt4l'", "expected one of gt1l"),
        ("SELECT beam FROM atl08 WHERE beam_strength <> 'Strong'", "no value 'Strong'", "write 'strong'"),
        ("SELECT CASE beam WHEN 'GT1L' THEN 1 END FROM atl08", "beam has no value 'GT1L'", "write 'gt1l'"),
        ("SELECT sum(CASE WHEN beam = 1 THEN 1 END) FROM atl08", "beam has no value 1", "expected one of gt1l"),
        ("SELECT 1 FROM atl08 WHERE beam LIKE 'GT1%'", "no value of beam is like 'GT1%'", "the values are gt1l, gt1r"),
        (
            "SELECT 1 FROM atl08 WHERE beam_strength NOT LIKE 'Str%'",
            "no value of beam_strength is like",
            "strong, weak",
        ),
        ("SELECT 1 FROM segments WHERE segment_landcover = 999", "no value 999", "`isdb variables segment_landcover`"),
        (
            "SELECT 1 FROM mine WHERE landcover NOT IN (20, 999)",
            "landcover has no value 999",
            "`isdb variables landcover`",
        ),
        ("SELECT 1 FROM atl08 WHERE night_flag = 'night'", "no value 'night'", "0 (day), 1 (night)"),
        ("SELECT 1 FROM atl08 WHERE night_flag = 2147483647", "no value", "write night_flag IS NULL"),
        ("SELECT 1 FROM atl08 WHERE CAST(rgt AS BIGINT) = 9999", "rgt has no value 9999", "expected 1 to 1387"),
        ("SELECT 1 FROM atl08 WHERE region = 15", "region has no value 15", "expected 1 to 14"),
        ("SELECT 1 FROM granules WHERE state = 'Failed'", "state has no value 'Failed'", "write 'failed'"),
        ("SELECT 1 FROM plots WHERE EXISTS (SELECT 1 FROM atl08 WHERE beam = 'GT1L')", "beam has no value", "gt1l"),
        ("SELECT (SELECT max(canopy_h) FROM atl08 WHERE beam = 'GT1L') AS most", "beam has no value", "gt1l"),
        ("SELECT 1 FROM plots p JOIN atl08 a ON a.beam = 'GT1L'", "beam has no value", "gt1l"),
        ("EXPLAIN SELECT 1 FROM atl08 WHERE beam = 'GT1L'", "beam has no value", "gt1l"),
        (
            "SELECT 1 FROM atl08 WHERE in_region(longitude, latitude, '0,0,1,1')",
            "exchanged",
            "in_region(latitude, longitude",
        ),
        (
            "SELECT 1 FROM atl08 WHERE in_region(latitude, longitude, '{\"type\":\"Polygon\",\"crs\":{\"type\":\"name\",\
             \"properties\":{\"name\":\"EPSG:3857\"}},\"coordinates\":[[[0,0],[4,0],[0,4],[0,0]]]}')",
            "found coordinates of EPSG:3857",
            "ogr2ogr -t_srs EPSG:4326",
        ),
    ] {
        let (problem, found) = database.refused(sql).await;
        assert!(problem.contains(expected), "{sql}: {problem}");
        assert!(found.contains(hint), "{sql}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_may_be_intended_give_a_warning_with_another_form() {
    let database = TestDatabase::new().await;
    for (sql, expected, hint) in [
        (
            "SELECT count(*) FROM atl08 WHERE time <= '2019-07-31'",
            "time <= '2019-07-31' ends at the first moment",
            "write time < '2019-08-01' to include it",
        ),
        (
            "SELECT 1 FROM atl08 WHERE time BETWEEN '2019-07-01' AND '2019-12-31'",
            "leaves the day itself",
            "'2020-01-01'",
        ),
        (
            "SELECT 1 FROM atl08 WHERE time BETWEEN DATE '2019-07-01' AND DATE '2019-07-31'",
            "first moment",
            "'2019-08-01'",
        ),
        ("SELECT 1 FROM mine WHERE t <= TIMESTAMP '2020-02-28'", "t <= '2020-02-28'", "t < '2020-02-29'"),
        ("SELECT 1 FROM atl08 a WHERE '2019-07-31' >= a.time", "time <= '2019-07-31'", "'2019-08-01'"),
        (
            "SELECT count(*) FROM atl08 WHERE time = '2019-07-28'",
            "first moment of that day alone",
            "write time >= '2019-07-28' AND time < '2019-07-29'",
        ),
        ("SELECT 1 FROM atl08 WHERE time IN ('2019-07-28')", "first moment of that day alone", "'2019-07-29'"),
        ("SELECT 1 FROM atl08 WHERE time <> '2019-07-28'", "leaves out the first moment", "write NOT (time >="),
        (
            "SELECT 1 FROM atl08 WHERE latitude BETWEEN -4 AND -7",
            "latitude BETWEEN -4 AND -7 is true for no value",
            "write latitude BETWEEN -7 AND -4",
        ),
        (
            "SELECT 1 FROM atl08 WHERE latitude NOT BETWEEN 5.5 AND 1",
            "is true for every value",
            "NOT BETWEEN 1 AND 5.5",
        ),
        ("SELECT 1 FROM plots WHERE landcover BETWEEN 9 AND 1", "is true for no value", "BETWEEN 1 AND 9"),
        ("SELECT 1 FROM atl08 WHERE canopy_h = -999", "canopy_h = -999 finds nothing", "write canopy_h IS NULL"),
        ("SELECT 1 FROM atl08 WHERE h_canopy > 3.4e38", "finds nothing", "write h_canopy IS NULL"),
        ("SELECT count(*) FILTER (WHERE n_ca_photons < -999) FROM atl08", "finds nothing", "n_ca_photons IS NULL"),
        (
            "SELECT 1 FROM atl08 WHERE canopy_cover = 32767",
            "canopy_cover = 32767 finds nothing",
            "canopy_cover IS NULL",
        ),
        (
            "SELECT 1 FROM atl08 WHERE canopy_h = 41.472694",
            "no canopy_h is exactly 41.472694",
            "abs(canopy_h - 41.472694) < 0.0001",
        ),
        ("SELECT 1 FROM atl08 WHERE release = '7'", "a release is written with 3 digits", "write release = '007'"),
        ("SELECT 1 FROM atl08 WHERE release >= 6", "written with 3 digits", "write release >= '006'"),
        ("SELECT 1 FROM granules WHERE revision IN ('1')", "written with 2 digits", "write revision = '01'"),
        ("SELECT 1 FROM atl08 WHERE release = '006'", "no granule in this database has release '006'", "it has 007"),
        ("SELECT 1 FROM atl08 WHERE rgt = 123 AND canopy_h > 1", "has rgt 123", "it has 77"),
        ("SELECT 1 FROM (SELECT cycle AS c FROM atl08) WHERE c IN (5, 6)", "has c 5, 6", "it has 4"),
        ("SELECT 1 FROM atl08 WHERE landcover = 5", "that is a code of release 004", "this database has release 007"),
        (
            "SELECT 1 FROM atl08 WHERE granule = 'ATL08_2'",
            "has granule 'ATL08_2'",
            "ATL08_20190101000000_00770101_007_01",
        ),
        ("SELECT log(canopy_h) FROM atl08", "log(canopy_h) is the logarithm to base 10", "write ln(canopy_h)"),
        ("SELECT to_char(time, 'YYYY') FROM atl08", "gives the text 'YYYY'", "'%Y'"),
        (
            "SELECT 1 FROM atl08 WHERE in_region(latitude, longitude, '-60,-8,-62.5,-6')",
            "in_region: the box crosses the dateline and is 357.5° wide",
            "did you mean -62.5,-8,-60,-6?",
        ),
    ] {
        let warning = database.warned(sql).await;
        assert!(warning.text.contains(expected), "{sql}: {}", warning.text);
        assert!(warning.hint.contains(hint), "{sql}: {}", warning.hint);
    }
    let twice = database
        .check("SELECT 1 FROM atl08 WHERE time <= '2019-07-31' UNION SELECT 2 FROM atl08 WHERE time <= '2019-07-31'");
    assert_eq!(twice.await.unwrap().len(), 1, "each warning once");
}

#[tokio::test(flavor = "multi_thread")]
async fn correct_statements_give_no_warning() {
    let database = TestDatabase::new().await;
    for sql in [
        "SELECT power(canopy_h, 2), canopy_h_metrics[1], canopy_h_metrics[18], canopy_h_metrics[-1] FROM atl08",
        "SELECT canopy_h_metrics[n_ca_photons] FROM atl08",
        "SELECT array_slice(canopy_h_metrics, 1, 30), [1, 2][3] FROM atl08",
        "SELECT 1 FROM atl08 WHERE canopy_h IS NULL AND beam IS DISTINCT FROM NULL",
        "SELECT nullif(canopy_h, NULL), coalesce(canopy_h, NULL), CASE WHEN canopy_h > 1 THEN NULL END FROM atl08",
        "SELECT 1 FROM atl08 WHERE beam IN ('gt1l', 'gt3r') AND beam_strength <> 'weak' AND night_flag = 1",
        "SELECT 1 FROM atl08 WHERE upper(beam) = 'GT1L' OR beam LIKE 'gt1%' OR beam LIKE '%_l' OR beam ILIKE 'GT3_' OR concat(beam, 'x') = 'GT1Lx'",
        "SELECT 1 FROM atl08 WHERE msw_flag = -1 OR msw_flag > 100",
        "SELECT 1 FROM atl08 WHERE landcover IN (111, 112) AND landcover NOT IN (5, 0) AND segment_snowcover <> 127",
        "SELECT CASE WHEN landcover = 5 THEN 1 WHEN release < '005' THEN 2 WHEN release = '004' THEN 3 END FROM atl08",
        "SELECT 1 FROM atl08 WHERE landcover = 5 OR landcover = 111",
        "SELECT 1 FROM plots WHERE beam = 'GT1L' AND landcover = 999 AND time <= '2019-07-31' AND release = '7'",
        "SELECT 1 FROM plots WHERE h_canopy = -999 AND rgt = 9999 AND time = '2019-07-31'",
        "SELECT 1 FROM plots JOIN atl08 ON plots.beam = upper(atl08.beam) WHERE plots.beam = 'GT1L'",
        "SELECT 1 FROM atl08 WHERE time >= '2019-07-01' AND time < '2019-08-01'",
        "SELECT 1 FROM atl08 WHERE time <= '2019-07-31T23:59:59Z' AND time > '2018-10-14'",
        "SELECT 1 FROM atl08 WHERE CAST(time AS DATE) = '2019-07-28' AND CAST(time AS DATE) <= DATE '2019-07-28'",
        "SELECT 1 FROM atl08 WHERE date_trunc('day', time) = '2019-07-28'",
        "SELECT 1 FROM (SELECT date_trunc('day', time) AS day FROM atl08) WHERE day BETWEEN '2019-07-01' AND '2019-07-31'",
        "SELECT 1 FROM atl08 WHERE latitude BETWEEN -7 AND -4 AND latitude BETWEEN 3 AND 3 AND canopy_h BETWEEN 1 AND n_ca_photons",
        "SELECT 1 FROM atl08 WHERE canopy_h > -999 AND canopy_h <> -999 AND canopy_h < 3.4e38 AND segment_cover < 32767",
        "SELECT 1 FROM atl08 WHERE rgt = 77 AND cycle IN (4, 5, 6) AND region = 6 AND release = '007' AND release >= '005'",
        "SELECT 1 FROM atl08 WHERE canopy_h = 0.5 OR canopy_h IN (1, 2.25) OR canopy_h = CAST(41.472694 AS REAL) OR canopy_h > 0.1",
        "SELECT 1 FROM atl08 WHERE latitude = 1.1",
        "SELECT 1 FROM granules WHERE rgt = 123 AND release = '006' AND state = 'failed'",
        "SELECT count(*) FILTER (WHERE rgt = 123) FROM atl08",
        "SELECT ln(canopy_h), log10(canopy_h), log(2, canopy_h), to_char(time, '%Y') FROM atl08",
        "SELECT 1 FROM atl08 WHERE in_region(latitude, longitude, '170,-20,-170,-10')",
        "SELECT 1 FROM atl08 WHERE in_region(latitude, longitude, '{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[4,0],[0,4],[0,0]]]}')",
        "EXPLAIN SELECT a.beam, count(*) / 2 FROM atl08 a JOIN atl08 b ON a.beam = b.beam AND a.rgt = b.rgt GROUP BY 1 ORDER BY 1",
    ] {
        assert_eq!(database.check(sql).await, Ok(Vec::new()), "{sql}");
    }
}
