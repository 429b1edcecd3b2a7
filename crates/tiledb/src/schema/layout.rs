//! The layout of an array's cells: dimensions, domains, tiles and order.

use crate::schema::physical::PhysicalType;

/// The part of an array's schema that decides where each cell is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayLayout {
    /// The dimensions in their order; each is a column too.
    pub dimensions: Vec<Dimension>,
    /// The order of cells inside a fragment.
    pub cell_order: CellOrder,
    /// Cells per data tile, the unit of compression and of reading.
    pub capacity: u64,
    /// Whether several cells may share their coordinates. Without duplicates the coordinates are the key: the newest
    /// fragment wins, and a key twice in one fragment is an error.
    pub allows_duplicates: bool,
}

/// A named axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// The column's name.
    pub name: String,
    /// Its type and limits.
    pub domain: Domain,
}

/// Type, closed limits and space tile extent of a dimension. An extent matters in [`CellOrder::RowMajor`] only; `None` makes
/// one tile of the whole domain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// A float axis that stores single precision. Its column is `Float64`, to which every coordinate is widened without loss; a
    /// coordinate to write must be a number of single precision.
    Float32 {
        /// The lowest coordinate.
        low: f32,
        /// The highest coordinate.
        high: f32,
        /// Width of a space tile.
        extent: Option<f32>,
    },
    /// A float axis.
    Float64 {
        /// The lowest coordinate.
        low: f64,
        /// The highest coordinate.
        high: f64,
        /// Width of a space tile.
        extent: Option<f64>,
    },
    /// An integer axis.
    Int64 {
        /// The lowest coordinate.
        low: i64,
        /// The highest coordinate.
        high: i64,
        /// Width of a space tile.
        extent: Option<i64>,
    },
    /// A time axis in nanoseconds since 1970-01-01T00:00:00Z.
    TimestampNs {
        /// The earliest coordinate.
        low: i64,
        /// The latest coordinate.
        high: i64,
        /// Width of a space tile in nanoseconds.
        extent: Option<i64>,
    },
}

impl Domain {
    /// The type of this dimension's stored coordinates.
    pub(crate) fn physical_type(self) -> PhysicalType {
        match self {
            Self::Float32 { .. } => PhysicalType::Float32,
            Self::Float64 { .. } => PhysicalType::Float64,
            Self::Int64 { .. } => PhysicalType::Int64,
            Self::TimestampNs { .. } => PhysicalType::TimestampNs,
        }
    }

    /// The type of this dimension's coordinates in Arrow.
    pub(crate) fn value_type(self) -> PhysicalType {
        match self {
            Self::Float32 { .. } => PhysicalType::Float64,
            other => other.physical_type(),
        }
    }
}

/// The order of cells inside a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellOrder {
    /// Along the Hilbert curve through all dimensions.
    Hilbert,
    /// By space tile, and in row-major order inside each.
    RowMajor,
}
