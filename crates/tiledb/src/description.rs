//! What is known of an array once it is open, whichever engine reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::metadata::MetadataValue;
use crate::schema::column::Column;
use crate::schema::layout::ArrayLayout;

/// Name, timestamp, columns and layout of an open array.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) uri: String,
    /// The timestamp that the array was opened at, in milliseconds since 1970; `None` for now, and for a list of fragments.
    pub(crate) timestamp: Option<u64>,
    pub(crate) schema: SchemaRef,
    /// Dimensions, then attributes, as in `schema`.
    pub(crate) columns: Vec<Column>,
    pub(crate) layout: ArrayLayout,
    /// The metadata of the array; none for a list of fragments.
    pub(crate) metadata: Arc<BTreeMap<String, MetadataValue>>,
}

impl Description {
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    pub(crate) fn layout(&self) -> &ArrayLayout {
        &self.layout
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column `name`.
    pub(crate) fn column(&self, name: &str) -> Result<&Column> {
        let column = self.columns.iter().find(|column| column.name == name);
        column.ok_or_else(|| Error::UnknownColumn { uri: self.uri.clone(), column: name.to_owned() })
    }
}
