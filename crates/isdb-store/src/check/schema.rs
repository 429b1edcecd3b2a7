//! Lost schemas and metadata of the array, made again from the log, which records every schema.
//!
//! A schema must get its old name, because the footers of fragments name the schema that they were written with. The name is that of the
//! damaged file or, if that is lost, the one in a footer. Metadata have no such names: one file at a time before every snapshot has
//! all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use arrow::datatypes::{DataType, Field, SchemaRef};
use bytes::Bytes;
use tempfile::TempDir;
use tiledb::{Array, Context, DescribingFiles};
use tiledb_format::fragment::Footer;
use uuid::Uuid;

use super::problem::{MISSING, problem_at, problem_of};
use super::view::{Parts, View};
use crate::array_layout::segments_layout;
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{ENUMERATIONS, FOOTER, FRAGMENTS, METADATA, SCHEMAS, end_timestamp, list_names};
use crate::files::durable::io_error;
use crate::files::location::{Location, SEGMENTS};
use crate::log::segments_schema::SegmentsSchema;
use crate::log::state::LogState;

/// A time after every schema.
const NEVER: u64 = i64::MAX.cast_unsigned();

/// Files that replace what the array has lost. All paths are within the array.
pub(super) struct Rebuilt {
    /// The files and their contents.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Damaged files that these replace under another name.
    pub(super) removed: BTreeSet<String>,
    /// What is lost, with the problems.
    pub(super) lost: Vec<(String, String)>,
}

/// Schemas as the log records them, with their timestamps; None where the commit is lost.
type Recorded = Vec<(u64, Option<SegmentsSchema>)>;

/// Makes lost schemas and metadata again; None if the log has lost one of them. `view` has the array with these `parts`.
pub(super) async fn rebuild(
    database: &Database,
    state: &LogState,
    view: View,
    mut parts: Parts,
) -> Result<Option<Rebuilt>> {
    let Some(newest) = state.schema.clone() else { return Ok(None) };
    let mut recorded = Recorded::new();
    for timestamp in &state.schema_timestamps {
        recorded.push((*timestamp, schema_of(database, *timestamp).await?));
    }
    if let Some((_, schema)) = recorded.last_mut() {
        *schema = Some(newest.clone());
    }
    let (database, fragments) = (database.clone(), fragment_names(state));
    let timestamp = state.timestamp;
    let rebuild = move || {
        let mut rebuilt = Rebuilt { files: BTreeMap::new(), removed: BTreeSet::new(), lost: Vec::new() };
        if !rebuild_schemas(&database, &view, &recorded, &fragments, &mut rebuilt)? {
            return Ok(None);
        }
        parts.rebuilt.clone_from(&rebuilt.files);
        let view = View::new(database.location(), &parts)?;
        let problem = match view.described().schema_at(timestamp).map_err(Error::from) {
            Ok((found, _)) if found == newest.arrow => return Ok(Some(rebuilt)),
            Ok(_) => "expected the metadata of the columns that the log records, found others".to_owned(),
            Err(error) => problem_of(error)?,
        };
        let made = Made::new(database.context()?, &newest)?;
        rebuilt.removed.extend(view.names(METADATA).iter().map(|name| format!("{METADATA}/{name}")));
        rebuilt.files.extend(made.files_in(METADATA)?);
        rebuilt.lost.push((METADATA.to_owned(), problem));
        Ok(Some(rebuilt))
    };
    blocking(rebuild).await
}

/// The schema that the commit with this timestamp recorded.
async fn schema_of(database: &Database, timestamp: u64) -> Result<Option<SegmentsSchema>> {
    let read = async {
        match database.log().number_at(timestamp).await? {
            Some(number) => Ok(database.log().state_at(number).await?.schema),
            None => Ok(None),
        }
    };
    match read.await {
        Ok(schema) => Ok(schema),
        Err(error) => problem_of(error).map(|_| None),
    }
}

fn fragment_names(state: &LogState) -> Vec<String> {
    state.segments.live.into_iter().map(|(_, fragment)| fragment.record.name.clone()).collect()
}

/// Makes each recorded schema whose file is missing or damaged; returns false if one cannot be made.
fn rebuild_schemas(
    database: &Database,
    view: &View,
    recorded: &Recorded,
    fragments: &[String],
    rebuilt: &mut Rebuilt,
) -> Result<bool> {
    let listed = view.names(SCHEMAS);
    let named = names_in_footers(database.location(), fragments);
    let later: BTreeSet<u64> = recorded.iter().skip(1).map(|(timestamp, _)| *timestamp).collect();
    for (index, (timestamp, schema)) in recorded.iter().enumerate() {
        // The first schema is as old as an array can be, not as its commit.
        let is_it = |name: &&String| match end_timestamp(name) {
            Some(written) if index == 0 => !later.contains(&written),
            written => written == Some(*timestamp),
        };
        let file = listed.iter().find(is_it);
        let problem = match file {
            None => MISSING.to_owned(),
            Some(name) => match problem_with(view, &format!("{SCHEMAS}/{name}"), schema.as_ref())? {
                None => continue,
                Some(problem) => problem,
            },
        };
        let Some(schema) = schema else { return Ok(false) };
        let made = Made::new(database.context()?, schema)?;
        let Some((new, content)) = made.files_in(SCHEMAS)?.into_iter().next() else { return Ok(false) };
        let name = file.or_else(|| named.iter().find(is_it)).map(|name| format!("{SCHEMAS}/{name}"));
        let path = match name {
            Some(path) => path,
            None if index == 0 => new,
            None => format!("{SCHEMAS}/__{timestamp}_{timestamp}_{}", Uuid::new_v4().simple()),
        };
        rebuilt.lost.push((path.clone(), problem));
        rebuilt.files.insert(path, content);
        rebuilt.files.extend(made.files_in(ENUMERATIONS)?);
    }
    Ok(true)
}

/// The names of schemas in the metadata of fragments. What cannot be read is left out.
fn names_in_footers(location: &Location, fragments: &[String]) -> BTreeSet<String> {
    let metadata = |name: &String| location.read(&format!("{SEGMENTS}/{FRAGMENTS}/{name}/{FOOTER}")).ok();
    let schema = |metadata: Bytes| Footer::schema_name(&metadata).ok().map(str::to_owned);
    fragments.iter().filter_map(metadata).filter_map(schema).filter(|name| end_timestamp(name).is_some()).collect()
}

/// Opens the schema at `path` alone, with the texts of its dictionary columns, and compares it with the recorded one.
fn problem_with(view: &View, path: &str, recorded: Option<&SegmentsSchema>) -> Result<Option<String>> {
    if let Some(problem) = view.problem(path) {
        return Ok(Some(problem.clone()));
    }
    let is_needed = |(name, _): &(&String, &Vec<u8>)| *name == path || Path::new(name).starts_with(ENUMERATIONS);
    let files = view.files().iter().filter(is_needed).map(|(name, content)| (name.clone(), content.clone()));
    let alone = DescribingFiles::new("", files.collect());
    let opened = alone.schema_at(NEVER).and_then(|opened| alone.check_enumerations().map(|()| opened));
    match opened {
        Ok((columns, layout)) => {
            // The rest of the layout is the same in every database.
            let is_recorded = |recorded: &SegmentsSchema| {
                same_columns(&columns, &recorded.arrow) && layout.capacity == recorded.capacity
            };
            let differs = recorded.is_some_and(|recorded| !is_recorded(recorded));
            Ok(differs.then(|| "expected the columns that the log records, found others".to_owned()))
        }
        Err(error) => problem_at(error.into(), path).map(|(_, problem)| Some(problem)),
    }
}

/// Whether two schemas have the same columns, apart from what metadata say about them.
fn same_columns(one: &SchemaRef, other: &SchemaRef) -> bool {
    let stored = |field: &Field| match field.data_type() {
        DataType::FixedSizeList(item, length) => (item.data_type().clone(), *length),
        // Metadata say that the keys are keys.
        DataType::Dictionary(key, _) => (key.as_ref().clone(), 1),
        scalar => (scalar.clone(), 1),
    };
    let same = |(one, other): (&Field, &Field)| {
        one.name() == other.name() && one.is_nullable() == other.is_nullable() && stored(one) == stored(other)
    };
    let pairs = one.fields().iter().map(AsRef::as_ref).zip(other.fields().iter().map(AsRef::as_ref));
    one.fields().len() == other.fields().len() && pairs.into_iter().all(same)
}

/// A new array, from which files are copied.
struct Made(TempDir);

impl Made {
    fn new(context: &Context, schema: &SegmentsSchema) -> Result<Made> {
        let folder = temporary()?;
        let uri = folder.path().join("array");
        Array::create(context, &uri.to_string_lossy(), &segments_layout(schema.capacity), &schema.arrow)?;
        Ok(Made(folder))
    }

    /// The files in a folder of the array, by path in the array.
    fn files_in(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let path = self.0.path().join("array").join(folder);
        let names = list_names(&path)?.into_iter().filter(|name| path.join(name).is_file());
        let read = |name: String| {
            let file = path.join(&name);
            Ok((format!("{folder}/{name}"), fs::read(&file).map_err(|source| io_error(&file, source))?))
        };
        names.map(read).collect()
    }
}

fn temporary() -> Result<TempDir> {
    tempfile::Builder::new().prefix("isdb-schema-").tempdir().map_err(|source| io_error(&std::env::temp_dir(), source))
}
