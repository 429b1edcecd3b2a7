//! The user's files as tables, named in quotes: `FROM 'plots.csv'`. A server can disable this. A name refers to one file: patterns,
//! folders and URLs are not followed. The session's default schema opens a name with `open_file`.

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use crate::error::{Error, FileProblem};
use delimited::DelimitedFormat;

mod delimited;
mod features;

/// Whether the statements of a session may read files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserFiles {
    /// A table name with an extension or a folder names a file on this machine.
    #[default]
    Open,
    /// Such a table name is an error.
    Closed,
}

/// Whether a table of this name is a file: the name has an extension or a folder.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    Path::new(name).extension().is_some() || name.contains('/')
}

/// Opens the file `name` as a table of the session with `state`; None if `name` is not the name of a file, or no such file exists.
pub(super) async fn open_file(
    name: &str,
    files: UserFiles,
    state: &SessionState,
) -> Result<Option<Arc<dyn TableProvider>>> {
    if !is_file_name(name) {
        return Ok(None);
    }
    check_open(name, files)?;
    let path = Path::new(name);
    if !path.exists() {
        return Ok(None);
    }
    let invalid = |problem| Error::UserFile { path: path.to_owned(), problem };
    if path.is_dir() {
        return Err(invalid(FileProblem::Folder).into());
    }
    let canonical = path.canonicalize().map_err(|source| invalid(FileProblem::Unreadable { source }))?;
    let url = url::Url::from_file_path(&canonical);
    let url = ListingTableUrl::try_new(url.map_err(|()| invalid(FileProblem::Folder))?, None)?;
    let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format: Arc<dyn FileFormat> = match extension.as_str() {
        "csv" | "tsv" | "tab" | "txt" => {
            let file = canonical.clone();
            let inspected = tokio::task::spawn_blocking(move || delimited::inspect(&file)).await;
            let inspected = inspected.map_err(|stopped| Error::Stopped { source: stopped })?;
            return Ok(Some(text_table(url, &inspected.map_err(invalid)?)?));
        }
        "json" | "ndjson" | "jsonl" => {
            let starts_array = delimited::first_byte(&canonical).map_err(invalid)? == Some(b'[');
            Arc::new(JsonFormat::default().with_newline_delimited(!starts_array))
        }
        ending if features::ENDINGS.contains(&ending) => {
            let name = name.to_owned();
            let table = tokio::task::spawn_blocking(move || features::table(&name, files)).await;
            return Ok(Some(table.map_err(|stopped| Error::Stopped { source: stopped })??));
        }
        "parquet" | "pq" | "geoparquet" => engine_format(state, "parquet", &PARQUET_OPTIONS, &invalid)?,
        "arrow" | "ipc" | "feather" => engine_format(state, "arrow", &[], &invalid)?,
        _ => return Err(invalid(FileProblem::UnknownExtension).into()),
    };
    let options = ListingOptions::new(format).with_file_extension("");
    let config = ListingTableConfig::new(url).with_listing_options(options).infer_schema(state).await?;
    Ok(Some(Arc::new(ListingTable::try_new(config)?)))
}

/// Checks that a session may read the file `name`.
///
/// # Errors
/// [`Error::FilesClosed`].
pub(crate) fn check_open(name: &str, files: UserFiles) -> Result<(), Error> {
    match files {
        UserFiles::Open => Ok(()),
        UserFiles::Closed => Err(Error::FilesClosed { name: name.to_owned() }),
    }
}

/// Reads the file `name`, which an argument of a function names.
///
/// # Errors
/// [`Error::FilesClosed`], and [`Error::UserFile`] when it cannot be read.
pub(crate) fn read_file(name: &str, files: UserFiles) -> Result<Vec<u8>, Error> {
    check_open(name, files)?;
    let invalid = |problem| Error::UserFile { path: Path::new(name).to_owned(), problem };
    if Path::new(name).is_dir() {
        return Err(invalid(FileProblem::Folder));
    }
    std::fs::read(name).map_err(|source| invalid(FileProblem::Unreadable { source }))
}

/// Options of Parquet: units, labels of profiles and geometries are in the metadata of its fields. A table is one file, so that those of
/// several cannot differ.
const PARQUET_OPTIONS: [(&str, &str); 1] = [("format.skip_metadata", "false")];

/// Creates DataFusion's format `name` with the options of the session, and these.
fn engine_format(
    state: &SessionState,
    name: &str,
    options: &[(&str, &str)],
    invalid: &impl Fn(FileProblem) -> Error,
) -> Result<Arc<dyn FileFormat>> {
    let factory = state.get_file_format_factory(name).ok_or_else(|| invalid(FileProblem::UnknownExtension))?;
    factory.create(state, &options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

/// Creates the table of a CSV file: DataFusion reads it as `file` describes, then text that holds numbers is converted column by
/// column.
fn text_table(url: ListingTableUrl, file: &DelimitedFormat) -> Result<Arc<dyn TableProvider>> {
    let format = CsvFormat::default()
        .with_has_header(true)
        .with_delimiter(file.delimiter)
        .with_newlines_in_values(file.newlines_in_values);
    let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
    let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(Arc::clone(&file.schema));
    let table = Arc::new(ListingTable::try_new(config)?);
    if file.number_columns.iter().all(Option::is_none) {
        return Ok(table);
    }
    let columns = file.schema.fields().iter().zip(&file.number_columns).map(|(field, number)| {
        let column = Expr::Column(Column::from_name(field.name()));
        number.as_ref().map_or_else(|| column.clone(), |number| number.parse(column.clone()).alias(field.name()))
    });
    let columns: Vec<Expr> = columns.collect();
    let plan = LogicalPlanBuilder::scan("file", provider_as_source(table), None)?.project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}
