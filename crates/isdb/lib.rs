//! ICESat-2 ATL08 granules as a database: HDF5 files become segments in TileDB, and SQL through DataFusion reads them.
//!
//! [`Database::open`] opens a [`Database`]: one committed state, with tables and views for SQL. The state never changes, whatever is
//! ingested meanwhile; opening again shows the newest state.
//!
//! ```no_run
//! # async fn tall() -> isdb::Result<()> {
//! use isdb::Database;
//!
//! let database = Database::open("demo/atl08.isdb").filters("strong,night").memory(512 << 20).await?;
//! let tall = database.sql("SELECT beam, count(*) FROM atl08 WHERE canopy_h > 5 GROUP BY beam").await?;
//! tall.show().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A program with its own DataFusion session registers the catalog there:
//!
//! ```no_run
//! # async fn join() -> isdb::Result<()> {
//! use isdb::Database;
//! use isdb::datafusion::prelude::{ParquetReadOptions, SessionContext};
//!
//! let database = Database::open("demo/atl08.isdb").await?;
//! let context = SessionContext::new();
//! context.register_catalog("isdb", database.catalog());
//! context.register_parquet("plots", "plots.parquet", ParquetReadOptions::default()).await?;
//! let near = "SELECT p.name, avg(a.canopy_h) FROM plots p JOIN isdb.public.atl08 a \
//!     ON a.latitude BETWEEN p.latitude - 0.005 AND p.latitude + 0.005 \
//!     AND a.longitude BETWEEN p.longitude - 0.005 AND p.longitude + 0.005 GROUP BY p.name";
//! context.sql(near).await?.show().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A past state, a region and a period restrict what a database shows. `at` accepts a time, or the name of a [`tag`](fn@tag), whose
//! state no vacuum removes. An error says whether a vacuum has removed a state:
//!
//! ```no_run
//! # async fn past() -> isdb::Result<()> {
//! use isdb::{Database, Error, Period, StoreError, read_region};
//!
//! let builder = Database::open("demo/atl08.isdb").at(1_795_923_676_000);
//! let builder = builder.region(read_region("amazon.geojson")?).period(Period::parse(Some("2020"), None)?);
//! match builder.await {
//!     Ok(database) => database.sql("SELECT count(*) FROM atl08").await?.show().await?,
//!     Err(error) if error.is_expired() => eprintln!("{error}: open a newer state"),
//!     Err(Error::Store(StoreError::NotFound { uri })) => eprintln!("no database at {uri}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`ingest`] adds granules to a database, from files or, after a [`search`], from NASA's archive:
//!
#![cfg_attr(feature = "ingest", doc = "```no_run")]
#![cfg_attr(not(feature = "ingest"), doc = "```ignore")]
//! # async fn fill() -> isdb::Result<()> {
//! use isdb::{Config, IngestReport, Location, Source, ingest, ingest_request};
//!
//! let source = Source::Files(vec!["granules".into()]);
//! let request = ingest_request(Location::parse("atl08.isdb")?, source, &Config::shipped()?);
//! let mut report = IngestReport::default();
//! ingest(&request, &mut report, |progress| eprintln!("{progress:?}")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`ForeignArray`] opens a TileDB array that icesat2db, gedidb or another program has made, on a local disk, in an object store, or one of
//! the public ones ([`PublicArray`]):
//!
//! ```no_run
//! # async fn theirs() -> isdb::Result<()> {
//! use isdb::{ForeignArray, ForeignOptions, Location};
//!
//! let array = ForeignArray::open(&Location::parse("their/array_uri")?, &ForeignOptions::default()).await?;
//! array.sql("SELECT beam, avg(canopy_h) FROM atl08 WHERE canopy_h > 5 GROUP BY beam").await?.show().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! `library/` is the library that programs embed. `program/` is the `isdb` command, which parses arguments, calls the library and
//! prints ([`run_command`]); [`embed`] is what other front ends, such as the Python package, share with it. The crates below do the work: `isdb-query` (SQL session), `isdb-store` (database on disk), `isdb-ingest` (ingest and
//! maintenance) and `isdb-cmr` (NASA's archive). This crate does not depend on any file format.
//!
//! # Features
//!
//! A program that embeds isdb depends on it with `default-features = false`, and with `features = ["ingest"]` if it writes. All
//! functions run on a multi-threaded tokio runtime.
//!
//! - `cli` (default): the `isdb` command. A program that embeds the library turns it off.
//! - `ingest` (enabled by `cli`): functions that write a database, and [`Database::info`] and [`Database::cite`], which summarise its
//!   ledger.
//! - `cmr` (enabled by `ingest`): search and download.
//! - `polars` (off by default): results as a polars data frame.

mod library;
#[cfg(feature = "cli")]
// The help of arguments is plain text: `<database>` is a placeholder.
#[allow(rustdoc::invalid_html_tags)]
mod program;

pub use datafusion;
#[cfg(feature = "cmr")]
pub use isdb_cmr as cmr;
pub use isdb_query::{ArrayTables, Error as QueryError, ViewOptions};
pub use isdb_region::{Region, RegionError};
pub use isdb_schema::catalogue::Variable;
pub use isdb_schema::config::{Config, ConfigError, FromIcesat2db, Policy};
pub use isdb_schema::filters;
pub use isdb_schema::filters::FilterError;
pub use isdb_schema::ledger::GranuleState;
pub use isdb_schema::period::{Period, PeriodError};
pub use isdb_store::{Error as StoreError, Location, StorageCredentials, StorageSettings, Tag, TagCosts};
pub use library::at::At;
pub use library::builder::{DatabaseBuilder, FilterChoice};
pub use library::database::Database;
pub use library::density::ChunkDensity;
pub use library::error::{Error, Result};
pub use library::foreign::{ForeignArray, ForeignOptions, PublicArray};
pub use library::region::read_region;
pub use library::resources;
pub use library::storage::storage_settings;
pub use library::time;
pub use library::variables::{find_variable, search_variables};
#[cfg(feature = "polars")]
pub use polars;
#[cfg(feature = "cli")]
pub use program::{embed, run_command};
pub use tiledb;
pub use tiledb_datafusion::TileDbTable;

#[cfg(feature = "cmr")]
pub use isdb_cmr::{
    Cmr, DownloadOptions, DownloadOutcome, DownloadProgress, DownloadRequest, GranuleDescription, RetryPolicy, download,
};
#[cfg(feature = "cmr")]
pub use library::earthdata;
#[cfg(feature = "cmr")]
pub use library::estimate;
#[cfg(feature = "cmr")]
pub use library::search::{SearchProgress, SearchRequest, SearchResult, search};
#[cfg(feature = "cmr")]
pub use library::worklist::{is_work_list, read_work_list};

#[cfg(feature = "ingest")]
pub use library::citation::{Citation, describe_area, describe_region};
#[cfg(feature = "ingest")]
pub use library::granule::{GranuleSegments, read_granule};
#[cfg(feature = "ingest")]
pub use library::info::{Extent, Info};
#[cfg(feature = "ingest")]
pub use library::ingest::{dry_run, ingest, ingest_request, selection_request};
#[cfg(feature = "ingest")]
pub use library::ingest_types::*;
#[cfg(feature = "ingest")]
pub use library::maintenance::{add_variables, check, consolidate, copy, remove, repair, vacuum};
#[cfg(feature = "ingest")]
pub use library::tags::{delete_tag, tag};
