//! The origin of rows, as metadata of Parquet and Arrow files.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

/// The query that produced the rows of a file, and its database. Empty for rows of other commands.
#[derive(Default)]
pub(crate) struct Origin {
    /// The statement.
    pub(crate) sql: Option<String>,
    /// The filters of the views.
    pub(crate) filters: Option<String>,
    /// The region of the views, as `W,S,E,N` or GeoJSON.
    pub(crate) region: Option<String>,
    /// The period of the views.
    pub(crate) period: Option<String>,
    /// The URI of an array of another program.
    pub(crate) array: Option<String>,
    /// The state of the database, in milliseconds since 1970, as `--at` accepts it.
    pub(crate) snapshot: Option<u64>,
    /// A tag that keeps this state, if one does.
    pub(crate) tag: Option<String>,
    /// The region of the database, as `W,S,E,N` or GeoJSON.
    pub(crate) database_region: Option<String>,
    /// The citation of the database in that state.
    pub(crate) citation: Option<String>,
}

impl Origin {
    /// Returns the keys and values of the metadata: `isdb_version`, `isdb_sql`, `isdb_filters`, `isdb_region`, `isdb_period`,
    /// `isdb_array`, `isdb_snapshot`, `isdb_tag`, `isdb_database_region`, `isdb_citation`.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        let known = [
            ("isdb_version", Some(env!("CARGO_PKG_VERSION").to_owned())),
            ("isdb_sql", self.sql.clone()),
            ("isdb_filters", self.filters.clone()),
            ("isdb_region", self.region.clone()),
            ("isdb_period", self.period.clone()),
            ("isdb_array", self.array.clone()),
            ("isdb_snapshot", self.snapshot.map(|snapshot| snapshot.to_string())),
            ("isdb_tag", self.tag.clone()),
            ("isdb_database_region", self.database_region.clone()),
            ("isdb_citation", self.citation.clone()),
        ];
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// Returns `schema` with the entries in its metadata.
    pub(crate) fn add_to(&self, schema: &Schema) -> SchemaRef {
        let mut metadata = schema.metadata().clone();
        metadata.extend(self.entries());
        Arc::new(Schema::new(schema.fields().clone()).with_metadata(metadata))
    }
}
