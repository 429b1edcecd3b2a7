//! How many requests a read makes, and how many rounds: each is a wait of tens of milliseconds for a user.

use std::time::Duration;

use isdb::{Database, Location, StorageSettings};
use isdb_store::AwsSources;
use isdb_testing::s3::{Fault, S3Server, rounds};

use super::{DATABASE, prepared_with};

/// Longer than a busy machine needs between two requests of one round.
const DELAY: Duration = Duration::from_millis(150);
/// How often a measurement is repeated that a busy machine may have spoiled: it can only find more rounds than there are.
const TRIES: usize = 3;

const BOX: &str = "SELECT latitude, longitude, time, h_canopy FROM atl08 WHERE h_canopy > 5 AND latitude BETWEEN -10 AND 60 \
                   AND longitude BETWEEN -170 AND 170";

/// Requests and rounds of the work between two calls.
fn cost(server: &S3Server) -> (usize, usize) {
    let exchanges = server.take_exchanges();
    (exchanges.len(), rounds(&exchanges))
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_takes_three_rounds_and_a_box_two_more() {
    const GRANULES: usize = 12;
    let (server, place) = prepared_with(GRANULES, 40);
    server.list_long_pages();
    let config = "product: ATL08\nvariables: [h_canopy, h_te_best_fit, night_flag]\nwindow: {granules: 1}\n\
                  consolidate: {policy: none}\n";
    std::fs::write(place.path("c.yml"), config).unwrap();
    place.ok(&["--config", "c.yml", "ingest", "granules"]);
    let variables = server.variables().map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let sources = AwsSources { variables, ..AwsSources::default() };
    let settings = StorageSettings::default().with_aws(&sources).unwrap();
    server.set_faults(|_| Fault::Delay(DELAY));

    let mut found = Vec::new();
    for _ in 0..TRIES {
        let _ = server.take_exchanges();
        // A new location has nothing in memory, as a new process.
        let location = Location::with_settings(DATABASE, &settings).unwrap();
        let database = Database::open_location(&location).await.unwrap();
        let opened = cost(&server);
        let counted = database.sql("SELECT count(*) FROM atl08").await.unwrap().collect().await.unwrap();
        assert_eq!(counted.len(), 1);
        assert_eq!(cost(&server), (0, 0), "the records of the fragments have the number of segments");

        let rows = database.sql(BOX).await.unwrap().collect().await.unwrap();
        assert!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>() > 0);
        let boxed = cost(&server);
        database.sql(BOX).await.unwrap().collect().await.unwrap();
        assert_eq!(cost(&server), (0, 0), "metadata and tiles are in memory");
        assert_eq!(database.info().await.unwrap().fragments, GRANULES as u64, "each granule has a fragment");

        assert!(opened.0 <= 70, "{opened:?}");
        assert!(boxed.0 <= GRANULES * 8, "metadata, R-trees and the tiles of six columns, once each: {boxed:?}");
        found.push((opened.1, boxed.1));
        if opened.1 <= 3 && boxed.1 <= 2 {
            return;
        }
    }
    panic!("expected at most 3 rounds to open and 2 for a box, found {found:?}");
}
