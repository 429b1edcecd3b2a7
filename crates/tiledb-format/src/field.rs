//! Fields of a fragment: their numbers in its metadata, and their files.

use crate::datatype::Datatype;
use crate::pipeline::Pipeline;
use crate::schema::{Attribute, Schema};

/// A field, by its position in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The attribute of that index.
    Attribute(usize),
    /// The dimension of that index.
    Dimension(usize),
    /// The time of each cell's write, in fragments that were consolidated.
    Timestamps,
    /// The time at which each cell was deleted.
    DeleteTimestamps,
    /// The condition that deleted each cell.
    DeleteConditions,
}

impl Field {
    /// The attribute or dimension of that name.
    pub fn find(schema: &Schema, name: &str) -> Option<Self> {
        let attribute = schema.attributes.iter().position(|attribute| attribute.name == name);
        let dimension = || schema.dimensions.iter().position(|dimension| dimension.name == name);
        attribute.map(Self::Attribute).or_else(|| dimension().map(Self::Dimension))
    }

    /// The start of the names of the field's files, which end with [`FilePart::suffix`].
    pub fn stem(self) -> String {
        match self {
            Self::Attribute(index) => format!("a{index}"),
            Self::Dimension(index) => format!("d{index}"),
            Self::Timestamps => "t".to_owned(),
            Self::DeleteTimestamps => "dt".to_owned(),
            Self::DeleteConditions => "dci".to_owned(),
        }
    }

    /// The name of one of the field's files.
    pub fn file(self, part: FilePart) -> String {
        self.stem() + part.suffix()
    }
}

/// One of the up to three files of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilePart {
    /// Values of fixed size, or the offsets of values of variable size.
    Fixed,
    /// Values of variable size.
    Variable,
    /// A byte per cell, 0 for NULL.
    Validity,
}

impl FilePart {
    /// The end of the file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Fixed => ".tdb",
            Self::Variable => "_var.tdb",
            Self::Validity => "_validity.tdb",
        }
    }
}

/// What the metadata of a fragment needs to know of each field's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The type of values.
    pub datatype: Datatype,
    /// Bytes of a cell, `None` if their number varies.
    pub cell_size: Option<u64>,
    /// Whether cells may be NULL.
    pub nullable: bool,
    /// Whether tiles have a least and a greatest value. Those of dimensions are in the R-tree instead.
    pub has_min_max: bool,
    /// Whether tiles have a sum. libtiledb counts on it, even where a sum means nothing, as of times.
    pub has_sum: bool,
}

impl Shape {
    fn of_attribute(attribute: &Attribute) -> Self {
        let (datatype, cell_size) = (attribute.datatype, attribute.fixed_cell_size());
        let (is_single, is_ascii) = (attribute.cell_values == 1, datatype == Datatype::Ascii);
        let is_typed = !matches!(datatype, Datatype::Utf8 | Datatype::Blob);
        Self {
            datatype,
            cell_size,
            nullable: attribute.nullable,
            has_min_max: is_ascii || (is_single && is_typed),
            has_sum: is_single && is_typed && !is_ascii,
        }
    }

    fn of_number(datatype: Datatype, has_min_max: bool) -> Self {
        Self { datatype, cell_size: Some(datatype.size() as u64), nullable: false, has_min_max, has_sum: true }
    }
}

/// The numbers of fields in a fragment's metadata: attributes, an unused one (once all coordinates), dimensions, and
/// those that consolidation adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    attributes: usize,
    dimensions: usize,
    has_timestamps: bool,
    has_deletes: bool,
}

impl Numbering {
    /// The numbering of fragments with that schema.
    pub fn new(schema: &Schema, has_timestamps: bool, has_deletes: bool) -> Self {
        let (attributes, dimensions) = (schema.attributes.len(), schema.dimensions.len());
        Self { attributes, dimensions, has_timestamps, has_deletes }
    }

    /// How many numbers there are, the unused one included.
    pub fn count(&self) -> usize {
        self.attributes + 1 + self.dimensions + usize::from(self.has_timestamps) + 2 * usize::from(self.has_deletes)
    }

    /// The number of a field. `None` if the fragment does not have it.
    pub fn number(&self, field: Field) -> Option<usize> {
        let dimensions = self.attributes + 1;
        let timestamps = dimensions + self.dimensions;
        let deletes = timestamps + usize::from(self.has_timestamps);
        match field {
            Field::Attribute(index) => (index < self.attributes).then_some(index),
            Field::Dimension(index) => (index < self.dimensions).then_some(dimensions + index),
            Field::Timestamps => self.has_timestamps.then_some(timestamps),
            Field::DeleteTimestamps => self.has_deletes.then_some(deletes),
            Field::DeleteConditions => self.has_deletes.then_some(deletes + 1),
        }
    }

    /// The fields, in the order of their numbers.
    pub fn fields(&self) -> Vec<Field> {
        let attributes = (0..self.attributes).map(Field::Attribute);
        let dimensions = (0..self.dimensions).map(Field::Dimension);
        let added = [Field::Timestamps, Field::DeleteTimestamps, Field::DeleteConditions];
        attributes.chain(dimensions).chain(added.into_iter().filter(|field| self.number(*field).is_some())).collect()
    }
}

impl Schema {
    /// What the metadata of fragments depends on: the type, size and nullability of a field's cells. `None` if the schema does not have the field.
    pub fn shape(&self, field: Field) -> Option<Shape> {
        match field {
            Field::Attribute(index) => self.attributes.get(index).map(Shape::of_attribute),
            Field::Dimension(index) => {
                self.dimensions.get(index).map(|dimension| Shape::of_number(dimension.datatype, false))
            }
            Field::Timestamps | Field::DeleteTimestamps | Field::DeleteConditions => {
                Some(Shape::of_number(Datatype::UInt64, true))
            }
        }
    }

    /// The filters of a field's values. Offsets and validity bytes have those of the schema.
    pub fn filters(&self, field: Field) -> Option<&Pipeline> {
        match field {
            Field::Attribute(index) => self.attributes.get(index).map(|attribute| &attribute.filters),
            Field::Dimension(index) => self.dimensions.get(index).map(|dimension| self.dimension_filters(dimension)),
            Field::Timestamps | Field::DeleteTimestamps | Field::DeleteConditions => Some(&self.coords),
        }
    }
}
