//! Where rows come from, as Parquet and Arrow files carry it beside the rows.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

/// What a file says of the query that made it.
pub(crate) struct Origin {
    /// The statement.
    pub(crate) sql: String,
    /// The state it was asked of, in milliseconds since 1970: what `--at` takes.
    pub(crate) snapshot: u64,
}

impl Origin {
    /// Keys and values of the file's metadata: `isdb_version`, `isdb_sql`, `isdb_snapshot`.
    pub(crate) fn entries(&self) -> [(String, String); 3] {
        [
            ("isdb_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("isdb_sql".to_owned(), self.sql.clone()),
            ("isdb_snapshot".to_owned(), self.snapshot.to_string()),
        ]
    }

    /// `schema` with the entries in its metadata.
    pub(crate) fn mark(&self, schema: &Schema) -> SchemaRef {
        let mut metadata = schema.metadata().clone();
        metadata.extend(self.entries());
        Arc::new(Schema::new(schema.fields().clone()).with_metadata(metadata))
    }
}
