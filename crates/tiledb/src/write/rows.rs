//! Rows that become a fragment, which are read column by column: they need not be in memory together.

use std::error::Error as StdError;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::schema::column::Column;

/// Rows in batches, of which one column after the other is read.
pub trait Rows: Sync {
    /// The columns and the number of rows of each batch.
    fn batches(&self) -> Vec<(SchemaRef, usize)>;

    /// Returns the column `name`, an array for each batch. Several threads read different columns at the same time.
    ///
    /// # Errors
    /// Any error of the caller's rows, which becomes [`Error::Rows`].
    fn column(&self, name: &str) -> Result<Vec<ArrayRef>, Box<dyn StdError + Send + Sync>>;
}

impl Rows for RecordBatch {
    fn batches(&self) -> Vec<(SchemaRef, usize)> {
        vec![(self.schema(), self.num_rows())]
    }

    fn column(&self, name: &str) -> Result<Vec<ArrayRef>, Box<dyn StdError + Send + Sync>> {
        Ok(vec![Arc::clone(RecordBatch::column(self, self.schema_ref().index_of(name)?))])
    }
}

impl Rows for Vec<RecordBatch> {
    fn batches(&self) -> Vec<(SchemaRef, usize)> {
        self.iter().flat_map(Rows::batches).collect()
    }

    fn column(&self, name: &str) -> Result<Vec<ArrayRef>, Box<dyn StdError + Send + Sync>> {
        self.iter().map(|batch| Ok(Arc::clone(batch.column(batch.schema_ref().index_of(name)?)))).collect()
    }
}

/// Returns the number of rows of each batch. All must have `columns`, in any order, and no others.
///
/// # Errors
/// [`Error::Batch`] without rows, and for a batch that lacks one of the columns or has others.
pub(crate) fn batch_rows(uri: &str, columns: &[Column], rows: &dyn Rows) -> Result<Vec<usize>> {
    let misfit = |reason: String| Error::Batch { uri: uri.to_owned(), reason };
    // Usually all batches have one schema.
    let mut checked: Option<SchemaRef> = None;
    let mut counts = Vec::new();
    for (schema, rows) in rows.batches() {
        counts.push(rows);
        if checked.as_ref().is_some_and(|checked| Arc::ptr_eq(checked, &schema)) {
            continue;
        }
        let (expected, found) = (columns.len(), schema.fields().len());
        if expected != found {
            return Err(misfit(format!("expected batches of {expected} columns, found {found}")));
        }
        if let Some(column) = columns.iter().find(|column| schema.index_of(&column.name).is_err()) {
            return Err(misfit(format!("a batch has no column {}", column.name)));
        }
        checked = Some(schema);
    }
    match counts.iter().any(|rows| *rows > 0) {
        true => Ok(counts),
        false => Err(misfit("the batches have no rows".to_owned())),
    }
}

/// Reads the parts of `column`, one for each batch of `counts` rows.
pub(crate) fn read_column(uri: &str, column: &Column, rows: &dyn Rows, counts: &[usize]) -> Result<Vec<ArrayRef>> {
    let name = &column.name;
    let parts = rows.column(name).map_err(|source| Error::Rows { column: name.clone(), source })?;
    match parts.iter().map(|part| part.len()).eq(counts.iter().copied()) {
        true => Ok(parts),
        false => {
            let reason = format!("expected as many rows of column {name} as its batches have, found others");
            Err(Error::Batch { uri: uri.to_owned(), reason })
        }
    }
}
