//! Where rows come from, as Parquet and Arrow files carry it beside the rows.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

/// What a file says of the query that made it; nothing for what is no query.
#[derive(Default)]
pub(crate) struct Origin {
    /// The statement.
    pub(crate) sql: Option<String>,
    /// The filters that `atl08` was seen through.
    pub(crate) filters: Option<String>,
    /// The region and the period that `atl08` was seen through.
    pub(crate) region: Option<String>,
    pub(crate) period: Option<String>,
    /// The state it was asked of, in milliseconds since 1970: what `--at` takes.
    pub(crate) snapshot: Option<u64>,
    /// The region that the database was filled for, as `W,S,E,N` or GeoJSON.
    pub(crate) database_region: Option<String>,
    /// How the database is cited in that state.
    pub(crate) citation: Option<String>,
}

impl Origin {
    /// Keys and values of the file's metadata: `isdb_version`, `isdb_sql`, `isdb_filters`, `isdb_region`,
    /// `isdb_period`, `isdb_snapshot`, `isdb_database_region`, `isdb_citation`.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        let known = [
            ("isdb_version", Some(env!("CARGO_PKG_VERSION").to_owned())),
            ("isdb_sql", self.sql.clone()),
            ("isdb_filters", self.filters.clone()),
            ("isdb_region", self.region.clone()),
            ("isdb_period", self.period.clone()),
            ("isdb_snapshot", self.snapshot.map(|snapshot| snapshot.to_string())),
            ("isdb_database_region", self.database_region.clone()),
            ("isdb_citation", self.citation.clone()),
        ];
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// `schema` with the entries in its metadata.
    pub(crate) fn mark(&self, schema: &Schema) -> SchemaRef {
        let mut metadata = schema.metadata().clone();
        metadata.extend(self.entries());
        Arc::new(Schema::new(schema.fields().clone()).with_metadata(metadata))
    }
}
