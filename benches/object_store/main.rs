//! Seconds, requests, sequential rounds and bytes of a database in an object store that answers each request late.
//!
//! ```text
//! cargo run --release --example object_store_speed -- GRANULES [DELAY_MS]
//! ```
//!
//! The store is a server in this process, which keeps the objects in memory. The program `isdb` beside this one ingests the granules of the
//! folder and consolidates. Each read is that of a new process: it opens the database, and runs one statement. Rounds are requests that
//! came one after another, each after the answer to the one before.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use isdb::datafusion::arrow::array::AsArray;
use isdb::datafusion::arrow::datatypes::Float64Type;
use isdb::{Database, Location, StorageSettings};
use isdb_store::AwsSources;
use isdb_testing::s3::{BUCKET, Fault, S3Server, rounds};
use tokio::runtime::Runtime;

const USAGE: &str = "usage: object_store_speed GRANULES [DELAY_MS]";
/// How late an answer is: a request from another network to S3.
const DELAY_MS: u64 = 40;

/// The statements that are measured.
const STATEMENTS: [(&str, &str); 3] = [
    ("count(*)", "SELECT count(*) FROM atl08"),
    ("average of a column", "SELECT avg(h_canopy) FROM atl08"),
    ("SELECT * LIMIT 10", "SELECT * FROM atl08 LIMIT 10"),
];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let granules = arguments.next().ok_or(USAGE)?;
    let delay = arguments.next().map_or(Ok(DELAY_MS), |delay| delay.parse())?;
    let bench = Bench::start(Duration::from_millis(delay))?;
    println!("{} granules, {delay} ms for each request", std::fs::read_dir(&granules)?.count());
    println!("{:44} {:>8} {:>9} {:>7} {:>9} {:>10}", "", "seconds", "requests", "rounds", "MB read", "MB written");
    bench.measure("ingest", || bench.isdb(&["ingest", &granules]))?;
    bench.reads("as ingested")?;
    bench.measure("consolidate", || bench.isdb(&["consolidate"]))?;
    bench.reads("consolidated")
}

/// A server and the settings of its database.
struct Bench {
    server: S3Server,
    delay: Duration,
    settings: StorageSettings,
    runtime: Runtime,
}

impl Bench {
    fn start(delay: Duration) -> Outcome<Bench> {
        let server = S3Server::start();
        server.list_long_pages();
        let variables = server.variables().map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let settings = StorageSettings::default().with_aws(&AwsSources { variables, ..AwsSources::default() })?;
        Ok(Bench { server, delay, settings, runtime: Runtime::new()? })
    }

    fn location(&self) -> Outcome<Location> {
        Ok(Location::with_settings(&format!("s3://{BUCKET}/speed"), &self.settings)?)
    }

    /// Runs `work` with the delay, and prints what it cost.
    fn measure<T>(&self, what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let delay = self.delay;
        self.server.set_faults(move |_| Fault::Delay(delay));
        let _ = (self.server.take_exchanges(), self.server.take_requests());
        let start = Instant::now();
        let result = work()?;
        let seconds = start.elapsed().as_secs_f64();
        self.server.clear_faults();
        let exchanges = self.server.take_exchanges();
        let read: usize = exchanges.iter().map(|exchange| exchange.answered).sum();
        let written: usize = exchanges.iter().map(|exchange| exchange.request.bytes).sum();
        println!(
            "{what:44} {seconds:8.2} {:9} {:7} {:9.2} {:10.2}",
            exchanges.len(),
            rounds(&exchanges),
            read as f64 / 1e6,
            written as f64 / 1e6
        );
        Ok(result)
    }

    /// Runs the program `isdb` on the database.
    fn isdb(&self, arguments: &[&str]) -> Outcome<()> {
        let own = std::env::current_exe()?;
        let folder = own.parent().and_then(Path::parent).ok_or("expected this program in the folder `examples`")?;
        let mut command = Command::new(folder.join("isdb"));
        command.args(["--db", &format!("s3://{BUCKET}/speed"), "--log", "error"]).args(arguments);
        let ended = command.envs(self.server.variables()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
        if ended.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ended.stderr).into()) }
    }

    /// Measures the reads of a database in the state `state`.
    fn reads(&self, state: &str) -> Outcome<()> {
        let (info, row) = self.runtime.block_on(async {
            let database = Database::open_location(&self.location()?).await?;
            let info = database.info().await?;
            // A row in the middle of the table, around which the box is.
            let sql = format!("SELECT latitude, longitude FROM segments LIMIT 1 OFFSET {}", info.segments / 2);
            Ok::<_, Box<dyn Error>>((info, database.sql(&sql).await?.collect().await?))
        })?;
        println!("\n{state}: {} segments in {} fragments", info.segments, info.fragments);
        let number = |column: usize| row[0].column(column).as_primitive::<Float64Type>().value(0);
        let (latitude, longitude) = (number(0), number(1));
        let boxed = format!(
            "SELECT latitude, longitude, time, h_canopy FROM atl08 WHERE h_canopy > 5 AND latitude BETWEEN {} AND {} \
             AND longitude BETWEEN {} AND {}",
            latitude - 0.5,
            latitude + 0.5,
            longitude - 0.5,
            longitude + 0.5
        );
        let statements = [("box of 1°, four columns", boxed.as_str())].into_iter().chain(STATEMENTS);
        for (what, sql) in statements {
            let database = self.measure(&format!("open, then {what}"), || self.open())?;
            self.measure("", || self.run(&database, sql))?;
            self.measure("    again", || self.run(&database, sql))?;
        }
        Ok(())
    }

    fn open(&self) -> Outcome<Database> {
        let location = self.location()?;
        Ok(self.runtime.block_on(async { Database::open_location(&location).await })?)
    }

    fn run(&self, database: &Database, sql: &str) -> Outcome<()> {
        self.runtime.block_on(async { Ok(database.sql(sql).await?.collect().await.map(drop)?) })
    }
}
