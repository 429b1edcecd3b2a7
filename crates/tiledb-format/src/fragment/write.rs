//! Metadata of a new fragment.

use crate::error::{Error, Result};
use crate::field::{Field, Numbering, Shape};
use crate::fragment::footer::{FieldFooter, Footer};
use crate::fragment::metadata::FragmentMetadata;
use crate::fragment::rtree::RTree;
use crate::fragment::statistics::{self, FieldStatistics, TileValues};
use crate::fragment::vectors;
use crate::generic_tile::{Compression, Writer};
use crate::schema::Schema;

const WHAT: &str = "metadata of a new fragment";

/// The metadata of one field. A vector has a number per tile, or is empty if the field lacks that file or statistic;
/// [`Shape`] says which.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMetadata {
    /// Bytes of the file of values of fixed size, or of offsets.
    pub file_size: u64,
    /// Where its tiles begin.
    pub tile_offsets: Vec<u64>,
    /// Bytes of the file of values of variable size.
    pub var_file_size: u64,
    /// Where its tiles begin.
    pub var_offsets: Vec<u64>,
    /// The decoded size of its tiles.
    pub var_sizes: Vec<u64>,
    /// Bytes of the file of validity bytes.
    pub validity_file_size: u64,
    /// Where its tiles begin.
    pub validity_offsets: Vec<u64>,
    /// The least value of each tile; any value for tiles of only NULLs.
    pub mins: Option<TileValues>,
    /// The greatest value of each tile; any value for tiles of only NULLs.
    pub maxs: Option<TileValues>,
    /// The bits of each tile's sum; see [`Number::sum_bits`](crate::Number::sum_bits).
    pub sums: Vec<u64>,
    /// The number of NULLs of each tile.
    pub null_counts: Vec<u64>,
}

impl FieldMetadata {
    /// Reads the metadata of one of a fragment's fields.
    pub fn read(metadata: &FragmentMetadata, field: Field) -> Result<Self> {
        let (footer, shape) = (metadata.field(field)?, metadata.schema().shape(field));
        let mut read = Self {
            file_size: footer.file_size,
            tile_offsets: metadata.tile_offsets(field)?.offsets().to_vec(),
            var_file_size: footer.var_file_size,
            validity_file_size: footer.validity_file_size,
            mins: metadata.mins(field)?,
            maxs: metadata.maxs(field)?,
            sums: metadata.sums(field)?.unwrap_or_default(),
            null_counts: metadata.null_counts(field)?.unwrap_or_default(),
            ..Self::default()
        };
        if shape.is_some_and(|shape| shape.cell_size.is_none()) {
            read.var_offsets = metadata.var_offsets(field)?.offsets().to_vec();
            read.var_sizes = metadata.var_sizes(field)?;
        }
        if shape.is_some_and(|shape| shape.nullable) {
            read.validity_offsets = metadata.validity_offsets(field)?.offsets().to_vec();
        }
        Ok(read)
    }
}

/// Builds the content of `__fragment_metadata.tdb`.
#[derive(Debug)]
pub struct FragmentMetadataBuilder<'a> {
    schema: &'a Schema,
    schema_name: &'a str,
    cells: u64,
    leaves: Vec<u8>,
    has_timestamps: bool,
    has_deletes: bool,
    fields: Vec<(Field, FieldMetadata)>,
    processed_conditions: Vec<String>,
}

impl<'a> FragmentMetadataBuilder<'a> {
    /// Starts the metadata of a fragment of `cells` cells. `schema_name` is the name of the schema's file; `leaves` are
    /// the rectangles of all tiles, as in [`RTree::build`].
    pub fn new(schema: &'a Schema, schema_name: &'a str, cells: u64, leaves: Vec<u8>) -> Self {
        Self {
            schema,
            schema_name,
            cells,
            leaves,
            has_timestamps: false,
            has_deletes: false,
            fields: Vec::new(),
            processed_conditions: Vec::new(),
        }
    }

    /// Starts with all of a fragment's metadata, to store it in another way.
    pub fn copy_of(metadata: &'a FragmentMetadata) -> Result<Self> {
        let leaves = metadata.rtree()?.leaves().to_vec();
        let (schema, name) = (metadata.schema(), &metadata.footer().schema_name);
        let mut copy = Self::new(schema, name, metadata.cell_count(), leaves);
        for field in metadata.numbering().fields() {
            copy = copy.field(field, FieldMetadata::read(metadata, field)?);
        }
        Ok(copy.processed_conditions(metadata.processed_conditions()?))
    }

    /// Sets what is known of a field. Fields of consolidated fragments are present if they are set.
    #[must_use]
    pub fn field(mut self, field: Field, metadata: FieldMetadata) -> Self {
        self.has_timestamps |= field == Field::Timestamps;
        self.has_deletes |= matches!(field, Field::DeleteTimestamps | Field::DeleteConditions);
        self.fields.push((field, metadata));
        self
    }

    /// Sets the names of conditions of deletion that were applied.
    #[must_use]
    pub fn processed_conditions(mut self, names: Vec<String>) -> Self {
        self.processed_conditions = names;
        self
    }

    /// The content of the file.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a field is missing or set twice, or a vector's length is not the number of tiles; or if zstd
    /// fails.
    pub fn build(self, compression: Compression) -> Result<Vec<u8>> {
        if self.cells == 0 || self.schema.capacity == 0 {
            return Err(invalid("at least one cell", self.cells.to_string()));
        }
        let tile_count = self.cells.div_ceil(self.schema.capacity);
        let last_tile_cells = self.cells - (tile_count - 1) * self.schema.capacity;
        let tree = RTree::build(self.leaves.clone(), self.schema)?;
        check_length("rectangles", tree.tile_count(), tile_count)?;
        let fields = self.numbered(tile_count)?;

        let mut file = File { bytes: Vec::new(), writer: Writer::new(compression) };
        let rtree = file.add(&tree.write())?;
        let empty = FieldMetadata::default();
        let sizes = |field: &Option<(&FieldMetadata, Shape)>| {
            let field = field.map_or(&empty, |(field, _)| field);
            let (file_size, var_file_size) = (field.file_size, field.var_file_size);
            FieldFooter { file_size, var_file_size, validity_file_size: field.validity_file_size, ..Default::default() }
        };
        let mut footers: Vec<_> = fields.iter().map(sizes).collect();
        for (content, offset) in SECTIONS {
            for (footer, field) in footers.iter_mut().zip(&fields) {
                let field = field.map_or(&empty, |(field, _)| field);
                *offset(footer) = file.add(&content(field, tree.tile_count()))?;
            }
        }
        let whole = fields.iter().map(|field| match field {
            Some((field, shape)) => {
                let last = tile_count - 1;
                let cells =
                    (0..tile_count).map(|tile| if tile < last { self.schema.capacity } else { last_tile_cells });
                let (mins, maxs) = (field.mins.as_ref(), field.maxs.as_ref());
                FieldStatistics::of_tiles(*shape, cells, mins, maxs, &field.sums, &field.null_counts)
            }
            None => FieldStatistics::default(),
        });
        let statistics = file.add(&FieldStatistics::write(&whole.collect::<Vec<_>>()))?;
        let processed_conditions = file.add(&statistics::write_conditions(&self.processed_conditions))?;
        let footer = Footer {
            version: crate::FORMAT_VERSION,
            schema_name: self.schema_name.to_owned(),
            domain: tree.domain(),
            tile_count,
            last_tile_cells,
            has_timestamps: self.has_timestamps,
            has_deletes: self.has_deletes,
            fields: footers,
            rtree,
            statistics,
            processed_conditions,
        };
        file.bytes.extend(footer.write());
        Ok(file.bytes)
    }

    /// The fields by their numbers, checked. The unused number has none.
    fn numbered(&self, tiles: u64) -> Result<Vec<Option<(&FieldMetadata, Shape)>>> {
        let numbering = Numbering::new(self.schema, self.has_timestamps, self.has_deletes);
        let mut fields = vec![None; numbering.count()];
        for (field, metadata) in &self.fields {
            let place = numbering.number(*field).and_then(|number| fields.get_mut(number));
            match (place, self.schema.shape(*field)) {
                (Some(place @ None), Some(shape)) => {
                    check(*field, metadata, shape, tiles)?;
                    *place = Some((metadata, shape));
                }
                (Some(_), _) => return Err(invalid("each field once", format!("{} twice", field.stem()))),
                (None, _) => return Err(invalid("fields of the schema", field.stem())),
            }
        }
        let is_set = |field: &Field| self.fields.iter().any(|(set, _)| set == field);
        match numbering.fields().into_iter().find(|field| !is_set(field)) {
            Some(missing) => Err(invalid("every field of the schema", format!("none for {}", missing.stem()))),
            None => Ok(fields),
        }
    }
}

/// The content of one section of a field's metadata, for a number of tiles, and the place of its offset.
type Section = (fn(&FieldMetadata, usize) -> Vec<u8>, fn(&mut FieldFooter) -> &mut u64);

/// The sections, in the order of the file.
const SECTIONS: [Section; 8] = [
    (|field, tiles| padded(&field.tile_offsets, tiles), |footer| &mut footer.tile_offsets),
    (|field, tiles| padded(&field.var_offsets, tiles), |footer| &mut footer.var_offsets),
    (|field, tiles| padded(&field.var_sizes, tiles), |footer| &mut footer.var_sizes),
    (|field, tiles| padded(&field.validity_offsets, tiles), |footer| &mut footer.validity_offsets),
    (|field, _| TileValues::write(field.mins.as_ref()), |footer| &mut footer.mins),
    (|field, _| TileValues::write(field.maxs.as_ref()), |footer| &mut footer.maxs),
    (|field, _| vectors::write(&field.sums), |footer| &mut footer.sums),
    (|field, _| vectors::write(&field.null_counts), |footer| &mut footer.null_counts),
];

/// libtiledb keeps these vectors of every field, the unused number included, as long as there are tiles.
fn padded(numbers: &[u64], tiles: usize) -> Vec<u8> {
    if numbers.is_empty() { vectors::write(&vec![0; tiles]) } else { vectors::write(numbers) }
}

/// The file so far.
struct File {
    bytes: Vec<u8>,
    writer: Writer,
}

impl File {
    /// Appends a generic tile and returns its offset.
    fn add(&mut self, content: &[u8]) -> Result<u64> {
        let offset = self.bytes.len() as u64;
        self.writer.append(content, &mut self.bytes)?;
        Ok(offset)
    }
}

/// Checks what libtiledb would trust: it reads as many numbers as there are tiles, of the type's size.
fn check(field: Field, metadata: &FieldMetadata, shape: Shape, tiles: u64) -> Result<()> {
    let what = |vector: &str| format!("{vector} of {}", field.stem());
    let variable = shape.cell_size.is_none();
    check_length(&what("offsets"), metadata.tile_offsets.len(), tiles)?;
    check_length(&what("offsets of variable size"), metadata.var_offsets.len(), if variable { tiles } else { 0 })?;
    check_length(&what("variable sizes"), metadata.var_sizes.len(), if variable { tiles } else { 0 })?;
    let nullable = if shape.nullable { tiles } else { 0 };
    check_length(&what("offsets of validity"), metadata.validity_offsets.len(), nullable)?;
    check_length(&what("counts of NULLs"), metadata.null_counts.len(), nullable)?;
    check_length(&what("sums"), metadata.sums.len(), if shape.has_sum { tiles } else { 0 })?;
    for values in [&metadata.mins, &metadata.maxs] {
        let found = TileValues::parse(&TileValues::write(values.as_ref()), shape, tiles)?;
        if &found != values || found.is_some() != (shape.has_min_max && tiles > 0) {
            let expected = if shape.has_min_max { "values of the type for each tile" } else { "no values" };
            return Err(invalid(expected, what("others")));
        }
    }
    Ok(())
}

fn check_length(what: &str, found: usize, tiles: u64) -> Result<()> {
    if found as u64 == tiles { Ok(()) } else { Err(invalid(&format!("{tiles} {what}"), found.to_string())) }
}

fn invalid(expected: &str, found: String) -> Error {
    Error::Invalid { what: WHAT, expected: expected.to_owned(), found }
}
