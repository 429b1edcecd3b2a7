//! Files of features as tables: a row for each feature, with its properties and its geometry. `geojson`, `flatgeobuf` and `geopackage` read
//! the formats; `columns` has what they have in common.

mod columns;
mod flatgeobuf;
mod geojson;
mod geopackage;

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;

use crate::error::{Error, Result};
use crate::session::files::{UserFiles, read_file};

/// The endings of the files.
pub(super) const ENDINGS: [&str; 3] = ["geojson", "fgb", "gpkg"];

/// Creates the table of the file `name`, which has one of [`ENDINGS`].
///
/// # Errors
/// [`Error::UserFile`], also for coordinates that are not degrees on WGS 84.
pub(super) fn table(name: &str, files: UserFiles) -> Result<Arc<dyn TableProvider>> {
    let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let batch = match ending.as_deref() {
        Some("fgb") => {
            flatgeobuf::batch(&read_file(name, files)?).map_err(|problem| Error::malformed(name, &problem))?
        }
        Some("gpkg") => geopackage::batch(Path::new(name)).map_err(|problem| Error::malformed(name, &problem))?,
        _ => geojson::batch(name, &read_file(name, files)?)?,
    };
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}
