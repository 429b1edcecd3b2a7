//! The metadata of one fragment in memory: its footer, and of each column what was read so far.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::buffer::Buffer;
use tiledb_format::fragment::{Footer, FragmentMetadata, TileOffsets, TileValues};
use tiledb_format::{Field, FilePart, Number, Pipeline, Schema, Shape};

use super::array_files::SCHEMAS;
use super::fills::{self, UNKNOWN};
use super::live::LiveFragment;
use super::requests::FileTiles;
use super::storage::{Storage, file_error};
use super::test::Test;
use super::verdict::TileStatistics;
use crate::description::Description;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::{Axis, Intervals};
use crate::schema::column::Column;
use crate::schema::layout::Domain;
use crate::schema::physical::PhysicalType;

/// The folder of an array's fragments.
pub(crate) const FRAGMENTS: &str = "__fragments";
/// The file with a fragment's metadata.
pub(super) const METADATA: &str = "__fragment_metadata.tdb";

/// The path of the metadata of the fragment `name`, below the array's folder.
pub(super) fn metadata_path(name: &str) -> String {
    format!("{FRAGMENTS}/{name}/{METADATA}")
}

/// A fragment whose footer has been read.
#[derive(Debug)]
pub(crate) struct OpenFragment {
    /// The folder below the array's.
    folder: String,
    /// The folder with the array's URI, for errors.
    uri: String,
    metadata: FragmentMetadata,
    domains: Vec<Domain>,
    capacity: usize,
    tiles: usize,
    /// `None` for a column that the fragment lacks.
    columns: Mutex<HashMap<String, Option<Arc<ColumnTiles>>>>,
    rectangles: OnceLock<Vec<Vec<(i64, i64)>>>,
    /// Bytes of all files.
    file_bytes: u64,
    /// Bytes of what was read.
    bytes: AtomicUsize,
}

/// Where the tiles of a column are, and what is known of them.
#[derive(Debug)]
pub(super) struct ColumnTiles {
    /// The tiles of values, or of the offsets of text.
    pub(super) values: FileTiles,
    pub(super) text: Option<TextTiles>,
    /// `None` if no cell can be NULL.
    pub(super) validity: Option<FileTiles>,
    /// NULLs of each tile, if they were counted; [`UNKNOWN`] for a tile of which they were not.
    nulls: Option<Vec<u64>>,
    /// The smallest and the largest value of each tile, for types with an order that conditions use.
    ranges: Option<(Buffer, Buffer)>,
}

/// A column's name, and its tiles if the fragment has it.
pub(super) type NamedTiles<'t> = (&'t str, Option<Arc<ColumnTiles>>);

/// The tiles of text.
#[derive(Debug)]
pub(super) struct TextTiles {
    pub(super) values: FileTiles,
    /// Decoded bytes of each tile.
    sizes: Vec<u64>,
}

impl OpenFragment {
    /// Reads the metadata of a fragment. `schema` returns the schema of a name: the one that the fragment was written with.
    pub(super) fn open(
        array: &Description,
        storage: &dyn Storage,
        live: &LiveFragment,
        schema: impl FnOnce(&str) -> Result<Arc<Schema>>,
    ) -> Result<Self> {
        let folder = format!("{FRAGMENTS}/{}", live.name);
        let uri = format!("{}/{folder}", array.uri.trim_end_matches('/'));
        let path = metadata_path(&live.name);
        let bytes = storage.read(&path).map_err(|source| file_error(&array.uri, &path, source))?;
        let in_metadata =
            |source| Error::Format { path: format!("{uri}/{METADATA}"), column: None, source: Box::new(source) };
        if let Some(recorded) = live.metadata {
            recorded.check(&bytes).map_err(in_metadata)?;
        }
        let schema = schema(Footer::schema_name(&bytes).map_err(in_metadata)?)?;
        let size = bytes.len();
        let metadata = FragmentMetadata::parse(bytes, schema).map_err(in_metadata)?;
        check_deletes(metadata.footer(), &live.name)?;
        if metadata.cell_count() != live.cells {
            let (expected, found) = (format!("{} cells", live.cells), metadata.cell_count().to_string());
            return Err(in_metadata(tiledb_format::Error::Invalid { what: "fragment", expected, found }));
        }
        // Runs of tiles are counted with the array's capacity, before the fragment is opened.
        let (expected, found) = (array.layout.capacity, metadata.schema().capacity);
        if found != expected {
            let (expected, found) = (format!("{expected} cells in a tile"), found.to_string());
            return Err(in_metadata(tiledb_format::Error::Invalid { what: "schema of the fragment", expected, found }));
        }
        let count = |number: u64| {
            usize::try_from(number).map_err(|_| {
                let expected = "a number of tiles and cells that fits into memory".to_owned();
                in_metadata(tiledb_format::Error::Invalid { what: "fragment", expected, found: number.to_string() })
            })
        };
        count(metadata.cell_count())?;
        Ok(Self {
            capacity: count(metadata.schema().capacity)?,
            tiles: count(metadata.tile_count())?,
            domains: array.layout.dimensions.iter().map(|dimension| dimension.domain).collect(),
            folder,
            uri,
            file_bytes: metadata.footer().data_bytes().saturating_add(size as u64),
            metadata,
            columns: Mutex::default(),
            rectangles: OnceLock::new(),
            bytes: AtomicUsize::new(size),
        })
    }

    /// Cells of a tile, except the last one.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn tiles(&self) -> usize {
        self.tiles
    }

    pub(super) fn cells_of(&self, tile: usize) -> usize {
        usize::try_from(self.metadata.tile_cells(tile as u64)).unwrap_or(usize::MAX)
    }

    /// Bytes of all files of the fragment.
    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The lowest and highest key of each tile per dimension.
    pub(super) fn rectangles(&self) -> Result<&Vec<Vec<(i64, i64)>>> {
        if let Some(rectangles) = self.rectangles.get() {
            return Ok(rectangles);
        }
        let tree = self.metadata.rtree().map_err(|source| self.metadata_error(source))?;
        let rectangle = |tile: usize| {
            let sides = self.domains.iter().enumerate().map(|(dimension, domain)| {
                let side = tree.range(tile, dimension).and_then(|range| rectangle_side(*domain, range));
                // Of another type than the dimension, so that it may be anywhere.
                side.unwrap_or_else(|| domain.keys())
            });
            sides.collect()
        };
        let rectangles: Vec<Vec<(i64, i64)>> = (0..self.tiles).map(rectangle).collect();
        let bytes = self.tiles * (self.domains.len() * size_of::<(i64, i64)>() + size_of::<Vec<(i64, i64)>>());
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(self.rectangles.get_or_init(|| rectangles))
    }

    /// Returns where the tiles of a column are; `None` if the fragment was written before the attribute was added.
    pub(super) fn column(&self, column: &Column) -> Result<Option<Arc<ColumnTiles>>> {
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = columns.get(&column.name) {
            return Ok(found.clone());
        }
        let read = self.read_column(column)?.map(Arc::new);
        self.bytes.fetch_add(read.as_ref().map_or(0, |read| read.memory()), Ordering::Relaxed);
        columns.insert(column.name.clone(), read.clone());
        Ok(read)
    }

    /// As [`column`](Self::column), for a column that was read; else `None`.
    pub(super) fn known_column(&self, name: &str) -> Option<Option<Arc<ColumnTiles>>> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Returns the tiles of the columns that a condition compares, by name.
    pub(super) fn columns_of<'t>(&self, test: &'t Test) -> Result<Vec<NamedTiles<'t>>> {
        let mut compared = Vec::new();
        test.columns(&mut |column| compared.push(column));
        compared.into_iter().map(|column| Ok((column.name.as_str(), self.column(column)?))).collect()
    }

    fn read_column(&self, column: &Column) -> Result<Option<ColumnTiles>> {
        let schema = self.metadata.schema();
        let Some(field) = Field::find(schema, &column.name) else { return Ok(None) };
        self.check_type(column, field)?;
        let in_metadata = |source| self.metadata_error(source);
        let (filters, is_text) = match field {
            Field::Attribute(index) => {
                (schema.attributes.get(index).map(|attribute| &attribute.filters), column.is_text())
            }
            Field::Dimension(index) => {
                (schema.dimensions.get(index).map(|dimension| schema.dimension_filters(dimension)), false)
            }
            _ => (None, false),
        };
        let filters = filters.cloned().unwrap_or_default();
        let file = |part: FilePart, offsets: TileOffsets, pipeline: &Pipeline| FileTiles {
            path: format!("{}/{}", self.folder, field.file(part)).into(),
            bounds: offsets.offsets().iter().copied().chain([offsets.file_size()]).collect(),
            pipeline: Arc::new(pipeline.clone()),
        };
        let offsets = self.metadata.tile_offsets(field).map_err(in_metadata)?;
        let (values, text) = if is_text {
            let var = self.metadata.var_offsets(field).map_err(in_metadata)?;
            let sizes = self.metadata.var_sizes(field).map_err(in_metadata)?;
            let text = TextTiles { values: file(FilePart::Variable, var, &filters), sizes };
            (file(FilePart::Fixed, offsets, &schema.offsets), Some(text))
        } else {
            (file(FilePart::Fixed, offsets, &filters), None)
        };
        let is_nullable =
            matches!(field, Field::Attribute(index) if schema.attributes.get(index).is_some_and(|a| a.nullable));
        let (validity, nulls) = if is_nullable {
            let validity = self.metadata.validity_offsets(field).map_err(in_metadata)?;
            // libtiledb writes zero for other types.
            let is_counted = has_statistics(column);
            let nulls = if is_counted { self.metadata.null_counts(field).map_err(in_metadata)? } else { None };
            (Some(file(FilePart::Validity, validity, &schema.validity)), nulls)
        } else {
            (None, None)
        };
        let ranges = if has_statistics(column) && !matches!(field, Field::Dimension(_)) && is_ordered(column) {
            let low = self.metadata.mins(field).map_err(in_metadata)?;
            let high = self.metadata.maxs(field).map_err(in_metadata)?;
            low.zip(high).map(|(low, high)| (self.values(&low), self.values(&high)))
        } else {
            None
        };
        let (ranges, nulls) = match &column.fill {
            Some(fill) => {
                let sums = self.metadata.sums(field).map_err(in_metadata)?;
                let cells: Vec<u64> = (0..self.tiles).map(|tile| self.cells_of(tile) as u64).collect();
                let (ranges, nulls) = fills::statistics(column, fill, ranges, sums, &cells);
                (ranges, Some(nulls))
            }
            None => (ranges, nulls),
        };
        Ok(Some(ColumnTiles { values, text, validity, nulls, ranges }))
    }

    /// Checks that cells have the type of the column.
    fn check_type(&self, column: &Column, field: Field) -> Result<()> {
        let shape = self.metadata.schema().shape(field);
        if shape.is_some_and(|shape| is_of_type(column, shape)) {
            return Ok(());
        }
        let (what, expected, found) = ("fragment", column.data_type().to_string(), format!("{shape:?}"));
        let files = format!("{}*.tdb", field.stem());
        Err(self.format_error(&column.name, &files, tiledb_format::Error::Invalid { what, expected, found }))
    }

    /// One value per tile, aligned for its type.
    fn values(&self, values: &TileValues) -> Buffer {
        let all: Vec<u8> = (0..self.tiles).filter_map(|tile| values.tile(tile)).flatten().copied().collect();
        Buffer::from(all.as_slice())
    }

    fn metadata_error(&self, source: tiledb_format::Error) -> Error {
        Error::Format { path: format!("{}/{METADATA}", self.uri), column: None, source: Box::new(source) }
    }

    /// An error in the file of a column at `path`, below the array's folder.
    pub(super) fn format_error(&self, column: &str, path: &str, source: tiledb_format::Error) -> Error {
        let name = path.rsplit('/').next().unwrap_or(path);
        Error::Format {
            path: format!("{}/{name}", self.uri),
            column: Some(column.to_owned()),
            source: Box::new(source),
        }
    }
}

impl ColumnTiles {
    /// NULLs of a tile; `None` if they were not counted.
    pub(super) fn nulls(&self, tile: usize) -> Option<u64> {
        match &self.nulls {
            Some(nulls) => nulls.get(tile).copied().filter(|nulls| *nulls != UNKNOWN),
            None => self.validity.is_none().then_some(0),
        }
    }

    /// Statistics of a tile with this number of cells.
    pub(super) fn statistics(&self, tile: usize, cells: u64) -> TileStatistics<'_> {
        TileStatistics {
            range: self.ranges.as_ref().map(|(low, high)| (low, high)),
            tile,
            nulls: self.nulls(tile),
            cells,
        }
    }

    fn memory(&self) -> usize {
        let bounds =
            |file: &FileTiles| (file.bounds.len() * size_of::<u64>()) + file.path.len() + size_of::<FileTiles>();
        let text = self.text.as_ref().map_or(0, |text| bounds(&text.values) + text.sizes.len() * size_of::<u64>());
        let ranges = self.ranges.as_ref().map_or(0, |(low, high)| low.len() + high.len());
        let validity = self.validity.as_ref().map_or(0, bounds);
        bounds(&self.values)
            + text
            + validity
            + ranges
            + self.nulls.as_ref().map_or(0, |nulls| nulls.len() * size_of::<u64>())
    }
}

impl TextTiles {
    /// Decoded bytes of a tile.
    pub(super) fn size(&self, tile: usize) -> usize {
        self.sizes.get(tile).map_or(0, |size| usize::try_from(*size).unwrap_or(usize::MAX))
    }
}

/// Reads the schema `name` of an array.
pub(super) fn read_schema(array: &Description, storage: &dyn Storage, name: &str) -> Result<Schema> {
    let path = format!("{SCHEMAS}/{name}");
    let bytes = storage.read(&path).map_err(|source| file_error(&array.uri, &path, source))?;
    let parsed = tiledb_format::generic_tile::read(&bytes, 0).and_then(|bytes| Schema::parse(&bytes));
    let uri = array.uri.trim_end_matches('/');
    parsed.map_err(|source| Error::Format { path: format!("{uri}/{path}"), column: None, source: Box::new(source) })
}

/// Whether the statistics of the column's tiles can be trusted: those of libtiledb depend on the order of the cells if some are NaN.
fn is_ordered(column: &Column) -> bool {
    // Of a column with a fill, `fills` looks at each tile.
    !column.physical.is_float() || column.null_is_nan || column.fill.is_some()
}

/// Returns the keys of the side of a rectangle; `None` if its numbers are not of the dimension's type.
fn rectangle_side(domain: Domain, [low, high]: [Number; 2]) -> Option<(i64, i64)> {
    side(domain.axis(), &coordinate(domain, low)?, &coordinate(domain, high)?)
}

/// A coordinate as a literal; `None` if the number is not of the dimension's type.
pub(super) fn coordinate(domain: Domain, number: Number) -> Option<Literal> {
    match (domain, number) {
        (Domain::Float32 { .. } | Domain::Float64 { .. }, Number::Float(value)) => Some(Literal::Float(value)),
        (Domain::Int64 { .. }, Number::Int(value)) => Some(Literal::Int(value)),
        (Domain::TimestampNs { .. }, Number::Int(value)) => Some(Literal::TimestampNs(value)),
        _ => None,
    }
}

/// Whether cells of this shape have the type of the column.
pub(super) fn is_of_type(column: &Column, shape: Shape) -> bool {
    let cell = (!column.is_text()).then(|| column.cell_bytes() as u64);
    shape.cell_size == cell && column.is_stored_as(shape.datatype) && (column.nullable || !shape.nullable)
}

/// Fails if the fragment `name` has deleted cells.
pub(super) fn check_deletes(footer: &Footer, name: &str) -> Result<()> {
    if footer.has_deletes {
        let reason = format!("expected {name} to have no deleted cells, found some, which only libtiledb leaves out");
        return Err(Error::Unsupported { column: "*".to_owned(), reason });
    }
    Ok(())
}

/// Whether a column of this type can have tile statistics that conditions use.
fn has_statistics(column: &Column) -> bool {
    column.width == 1 && !matches!(column.physical, PhysicalType::Bool | PhysicalType::Text)
}

/// Returns the keys of a side, with both zeros: the rectangles of TileDB do not distinguish them.
pub(super) fn side(axis: Axis, low: &Literal, high: &Literal) -> Option<(i64, i64)> {
    Intervals::with_both_zeros(axis, vec![(axis.key(low)?, axis.key(high)?)]).iter().next()
}
