//! The library as a program embeds it: the builder, and the tables in another session.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use isdb::datafusion::dataframe::DataFrame;
use isdb::datafusion::prelude::SessionContext;
use isdb::{Database, Error, read_region};
use tokio::runtime::Runtime;

use crate::support::TestFolder;

const COUNT: &str = "SELECT count(*) FROM atl08";

async fn number(frame: DataFrame) -> i64 {
    let batches = frame.collect().await.unwrap();
    batches.iter().find(|batch| batch.num_rows() > 0).unwrap().column(0).as_primitive::<Int64Type>().value(0)
}

async fn count(database: &Database) -> i64 {
    number(database.sql(COUNT).await.unwrap()).await
}

fn prepared() -> (TestFolder, String) {
    let place = TestFolder::in_memory();
    place.synthesise("granules", 2, 60);
    place.ok(&["ingest", "granules"]);
    let uri = place.path("db").to_str().unwrap().to_owned();
    (place, uri)
}

#[test]
fn the_builder_selects_a_state_filters_and_a_region() {
    let (place, uri) = prepared();
    let timestamp: u64 = place.timestamp().parse().unwrap();
    place.make_granules("more", &["--count", "1", "--seed", "5", "--segments", "60"]);
    place.ok(&["ingest", "more"]);
    Runtime::new().unwrap().block_on(async {
        let newest = Database::open(&uri).await.unwrap();
        let earlier = Database::open(&uri).at(timestamp).await.unwrap();
        assert!(count(&earlier).await < count(&newest).await && earlier.commit() < newest.commit());
        assert_eq!(earlier.timestamp(), timestamp);

        let strong = Database::open(&uri).filters("strong").memory(256 << 20).await.unwrap();
        let expected = number(newest.sql("SELECT count(*) FROM atl08 WHERE beam_strength = 'strong'").await.unwrap());
        assert_eq!(count(&strong).await, expected.await);
        let nowhere = Database::open(&uri).region(read_region("0,89.9,1,90").unwrap()).await.unwrap();
        assert_eq!(count(&nowhere).await, 0);

        let info = newest.info().await.unwrap();
        assert_eq!(i64::try_from(info.segments).unwrap(), count(&newest).await);
        assert!(newest.cite().await.unwrap().to_string().contains("doi.org"));
    });
}

#[test]
fn errors_have_a_variant_for_each_cause() {
    let (place, uri) = prepared();
    Runtime::new().unwrap().block_on(async {
        let elsewhere = place.path("elsewhere");
        assert!(matches!(Database::open(elsewhere.to_str().unwrap()).await, Err(Error::Store(_))));
        assert!(matches!(Database::open(&uri).filters("stronk").await, Err(Error::Filter(_))));
        let spill = Database::open(&uri).memory(1 << 28).spill_folder(elsewhere).await;
        assert!(matches!(spill, Err(Error::SpillFolder { .. })));
        let database = Database::open(&uri).await.unwrap();
        assert!(matches!(database.sql("DROP TABLE segments").await, Err(Error::Query(_))));
        assert!(matches!(database.sql("SELECT nothing FROM atl08").await, Err(Error::Engine(_))));
        let unknown = database.table("atl8").await.err().unwrap().to_string();
        assert!(unknown.starts_with("unknown table atl8; did you mean atl08"), "{unknown}");
        let unknown = isdb::find_variable("h_canopi").unwrap_err().to_string();
        assert!(unknown.contains("did you mean h_canopy"), "{unknown}");
    });
}

#[test]
fn the_tables_can_be_registered_in_another_session() {
    let (_place, uri) = prepared();
    Runtime::new().unwrap().block_on(async {
        let database = Database::open(&uri).filters("night").await.unwrap();
        let rows = count(&database).await;
        let context = SessionContext::new();
        context.register_catalog("isdb", database.catalog());
        context.register_table("mine", database.table("atl08").await.unwrap()).unwrap();
        for table in ["isdb.public.atl08", "mine", "isdb.public.atl08_unique"] {
            let frame = context.sql(&format!("SELECT count(*) FROM {table}")).await.unwrap();
            assert_eq!(number(frame).await, rows, "{table}");
        }
        let schema = database.catalog().schema("public").unwrap();
        let names = ["atl08", "atl08_unique", "granules", "granules_current", "segments"];
        assert!(names.iter().all(|name| schema.table_exist(name)));
        assert!(Arc::ptr_eq(&database.catalog(), &database.catalog()));
    });
}
