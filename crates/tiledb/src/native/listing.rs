//! An array as of a timestamp: its schema and its fragments, from the names and the metadata of its files.
//!
//! What only libtiledb reads is an error before anything is read of it, so that a caller can let libtiledb read the array.

use std::collections::BTreeMap;
use std::sync::Arc;

use tiledb_format::fragment::Footer;
use tiledb_format::{CommitKind, Commits, Datatype, Field, Number, Schema};

use super::array::{NativeArray, check_duplicates};
use super::array_files::{ListedFiles, METADATA, SCHEMAS, metadata};
use super::cache::FragmentCache;
use super::fragment::{FRAGMENTS, check_deletes, coordinate, is_of_type, metadata_path};
use super::live::LiveFragment;
use super::storage::{FileEnd, ListedStorage};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::schema::layout::ArrayLayout;
use crate::schema::{field_metadata, stored};

/// The folder of an array's commits.
const COMMITS: &str = "__commits";
/// What the folder of an array has since format version 12. Fragments and schemas of older versions are beside these.
const FOLDERS: [&str; 6] = [SCHEMAS, METADATA, COMMITS, FRAGMENTS, "__fragment_meta", "__labels"];
/// Bytes that are read of the end of a fragment's metadata: more than a footer with 500 fields.
const FOOTER_BYTES: u64 = 64 << 10;
/// Fragments whose footers are in memory together.
const FOOTERS: usize = 256;

/// Schemas by the names of their files.
pub(super) type Schemas = BTreeMap<String, Arc<Schema>>;

impl NativeArray {
    /// As [`Array::open_listed`](crate::Array::open_listed). `now_ms` is the local clock.
    pub(crate) fn open_listed(
        uri: &str,
        storage: Arc<dyn ListedStorage>,
        timestamp: Option<u64>,
        now_ms: u64,
    ) -> Result<Self> {
        let at = timestamp.unwrap_or(now_ms);
        let files = ListedFiles::new(storage, uri);
        if let Some(other) = files.names("")?.iter().find(|name| is_older(name)) {
            return Err(unsupported("the folders of an array", other));
        }
        let Described { schemas, current, description } = describe(&files, uri, timestamp, at)?;
        check_duplicates(&description.layout)?;
        let names = commits(&files)?.fragments_at(at).map_err(in_file(files.path(COMMITS)))?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut fragments = Vec::with_capacity(names.len());
        for names in names.chunks(FOOTERS) {
            for (name, end) in names.iter().zip(footers(&files, names)?) {
                fragments.push(live_fragment(&files, &description, &schemas, &current, name.clone(), &end)?);
            }
        }
        let storage = Arc::clone(files.storage());
        Self::new(description, fragments, storage, &FragmentCache::default())
    }
}

/// What the files of an array say of it.
pub(super) struct Described {
    pub(super) schemas: Schemas,
    /// The schema that is valid at the timestamp.
    pub(super) current: Arc<Schema>,
    pub(super) description: Description,
}

/// Reads the schemas and metadata of the array at `uri` as of `at`; `timestamp` is what its description has as the timestamp.
pub(super) fn describe(files: &ListedFiles, uri: &str, timestamp: Option<u64>, at: u64) -> Result<Described> {
    let (schemas, current) = schemas(files, at)?;
    let Some((layout, mut columns)) = stored::layout_and_columns(&current)? else {
        return Err(unsupported("an array of types and an order that this crate reads", uri));
    };
    for column in &mut columns {
        let has_column = |schema: &&Arc<Schema>| Field::find(schema, &column.name).is_some();
        column.schemas_without = schemas.len() - schemas.values().filter(has_column).count();
    }
    let metadata = Arc::new(metadata(files, at)?);
    let schema = field_metadata::restore(&mut columns, &metadata)?;
    let description = Description { uri: uri.to_owned(), timestamp, schema, columns, layout, metadata };
    Ok(Described { schemas, current, description })
}

pub(super) fn unsupported(expected: &str, found: &str) -> Error {
    Error::Unsupported { column: "*".to_owned(), reason: format!("expected {expected}, found {found}") }
}

pub(super) fn in_file(path: String) -> impl FnOnce(tiledb_format::Error) -> Error {
    move |source| Error::Format { path, column: None, source: Box::new(source) }
}

/// Whether a file in the array's folder may belong to a fragment or a schema of an older version. Others have no meaning for TileDB.
fn is_older(name: &str) -> bool {
    name.starts_with("__") && !FOLDERS.contains(&name)
}

/// Reads all schemas, and returns them by name, and the one that is valid at `timestamp`: as in libtiledb, the last one by the text of its
/// name, and the first one for the time before it.
fn schemas(array: &ListedFiles, timestamp: u64) -> Result<(Schemas, Arc<Schema>)> {
    let (mut schemas, mut current) = (BTreeMap::new(), None);
    let mut names: Vec<_> =
        array.timestamped_names(SCHEMAS)?.into_iter().map(|name| (name.to_string(), name.last)).collect();
    names.sort_unstable();
    let path = |name: &str| format!("{SCHEMAS}/{name}");
    array.prepare(&names.iter().map(|(name, _)| path(name)).collect::<Vec<_>>());
    for (name, last) in names {
        let schema = Arc::new(array.decoded(&path(&name), Schema::parse)?);
        if current.is_none() || last <= timestamp {
            current = Some(Arc::clone(&schema));
        }
        schemas.insert(name, schema);
    }
    let found = array.path(SCHEMAS);
    current.map(|current| (schemas, current)).ok_or_else(|| unsupported("a schema", &format!("none in {found}")))
}

/// Reads the commits.
fn commits(array: &ListedFiles) -> Result<Commits> {
    let mut commits = Commits::default();
    for file in array.names(COMMITS)? {
        let path = format!("{COMMITS}/{file}");
        let (name, kind) = CommitKind::parse(&file).map_err(in_file(array.path(&path)))?;
        let content = if kind.is_list() { array.read(&path)? } else { Vec::new() };
        commits.add(name, kind, &content).map_err(in_file(array.path(&path)))?;
    }
    Ok(commits)
}

/// Describes a fragment, whose metadata ends with `end`, if this crate reads all columns of it. `current` is the schema of the array.
fn live_fragment(
    files: &ListedFiles,
    array: &Description,
    schemas: &Schemas,
    current: &Schema,
    name: String,
    end: &FileEnd,
) -> Result<LiveFragment> {
    let in_metadata = || in_file(files.path(&metadata_path(&name)));
    let schema_name = Footer::schema_name(&end.bytes).map_err(in_metadata())?;
    let schema = schemas.get(schema_name).ok_or_else(|| unsupported("a schema of the array", schema_name))?;
    let footer = Footer::parse(&end.bytes, end.size, schema).map_err(in_metadata())?;
    check_deletes(&footer, &name)?;
    check_columns(array, schema, current)?;
    let domain = domain(&footer.domain, schema, &array.layout);
    let domain = domain.ok_or_else(|| unsupported("coordinates of the array's types", &name))?;
    let cells = footer.cell_count(schema.capacity).unwrap_or(u64::MAX);
    Ok(LiveFragment { name, cells, domain, metadata: None })
}

/// Reads the footers at the ends of the fragments' metadata, and perhaps what is before them.
fn footers(files: &ListedFiles, names: &[String]) -> Result<Vec<FileEnd>> {
    let paths: Vec<String> = names.iter().map(|name| metadata_path(name)).collect();
    let read = |paths: &[String], bytes| {
        files.storage().read_ends(paths, bytes).map_err(|(path, source)| files.file_error(&path, source))
    };
    let mut ends = read(&paths, FOOTER_BYTES)?;
    for (path, end) in paths.iter().zip(&mut ends) {
        let length = end.bytes.last_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length).saturating_add(8));
        if length > FOOTER_BYTES {
            *end = read(std::slice::from_ref(path), length)?.pop().unwrap_or_else(|| end.clone());
        }
    }
    Ok(ends)
}

/// Checks that the fragments of `schema` have tiles like the array's, with columns of the same types and filters that this crate applies,
/// and that columns they lack are NULL in them.
fn check_columns(array: &Description, schema: &Schema, current: &Schema) -> Result<()> {
    if schema.capacity != array.layout.capacity {
        return Err(unsupported(&format!("{} cells in a tile", array.layout.capacity), &schema.capacity.to_string()));
    }
    for column in &array.columns {
        let refused = |reason: String| Error::Unsupported { column: column.name.clone(), reason };
        let Some(field) = Field::find(schema, &column.name) else {
            let is_null = |attribute: &tiledb_format::Attribute| attribute.nullable && attribute.fill_validity == 0;
            if current.attributes.iter().any(|attribute| attribute.name == column.name && is_null(attribute)) {
                continue;
            }
            return Err(refused("cells of earlier fragments have the attribute's fill value".to_owned()));
        };
        let Some(shape) = schema.shape(field).filter(|shape| is_of_type(column, *shape)) else {
            return Err(refused(format!("expected {} in all fragments", column.data_type())));
        };
        let pipelines = [
            (schema.filters(field), shape.datatype, column.is_text()),
            (Some(&schema.offsets), Datatype::UInt64, false),
            (Some(&schema.validity), Datatype::UInt8, false),
        ];
        for (pipeline, datatype, variable) in pipelines {
            pipeline
                .map_or(Ok(()), |pipeline| pipeline.check(datatype, variable))
                .map_err(|error| refused(error.to_string()))?;
        }
    }
    Ok(())
}

/// The lowest and the highest coordinate of each dimension; `None` if they are not of the dimension's type.
fn domain(mut bytes: &[u8], schema: &Schema, layout: &ArrayLayout) -> Option<Vec<(Literal, Literal)>> {
    let mut domain = Vec::with_capacity(layout.dimensions.len());
    for (stored, dimension) in schema.dimensions.iter().zip(&layout.dimensions) {
        let mut next = || {
            let (value, rest) = bytes.split_at_checked(stored.datatype.size())?;
            bytes = rest;
            coordinate(dimension.domain, Number::read(stored.datatype, value)?)
        };
        domain.push((next()?, next()?));
    }
    Some(domain)
}
