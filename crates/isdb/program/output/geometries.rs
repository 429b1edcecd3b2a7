//! The geometries of rows: points of their positions, the lines or rectangles of segments, or a column of geometries.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use geo::{BoundingRect, Geometry, LineString, Point, Polygon};
use isdb_query::{GeometryBuilder, geometry_at};
use isdb_region::{Position, TrackSegment};

use crate::program::error::CliError;
use crate::program::output::points::{PointColumns, Points};

/// Bytes of a point as well-known binary: the byte order, the type, and two coordinates.
const POINT_BYTES: usize = 21;
/// Metres of the footprint of a pulse on the ground (Magruder et al. 2021, <https://doi.org/10.1029/2020EA001414>).
const FOOTPRINT: f64 = 11.0;

/// The shape of a segment in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentShape {
    Line,
    Footprint,
}

/// Where the geometries of the rows of a result come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeometrySource {
    /// The positions in these columns.
    Points(PointColumns),
    /// The segments at the positions in these columns.
    Segments(SegmentColumns),
    /// The column of geometries at this place.
    Column(usize),
}

/// The columns with the position, the first geosegment and the number of geosegments of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentColumns {
    points: PointColumns,
    first: usize,
    count: usize,
    shape: SegmentShape,
}

impl SegmentColumns {
    /// Finds the columns besides `points`.
    ///
    /// # Errors
    /// [`CliError::SegmentColumns`] when one is missing.
    pub(crate) fn find(
        schema: &Schema,
        points: Option<PointColumns>,
        shape: SegmentShape,
    ) -> Result<SegmentColumns, CliError> {
        let number = |name: &str| {
            let found = schema.column_with_name(name).filter(|(_, field)| field.data_type().is_numeric());
            found.map(|(index, _)| index).ok_or_else(|| CliError::SegmentColumns { missing: name.to_owned() })
        };
        let missing = || CliError::SegmentColumns { missing: "latitude and longitude".to_owned() };
        let (first, count) = (number("segment_id_beg")?, number("n_geosegments")?);
        Ok(SegmentColumns { points: points.ok_or_else(missing)?, first, count, shape })
    }
}

impl GeometrySource {
    /// The name of the type of all geometries, if it is known before they are.
    pub(crate) fn type_name(self) -> Option<&'static str> {
        match self {
            GeometrySource::Points(_) => Some("Point"),
            GeometrySource::Segments(SegmentColumns { shape: SegmentShape::Line, .. }) => Some("LineString"),
            GeometrySource::Segments(SegmentColumns { shape: SegmentShape::Footprint, .. }) => Some("Polygon"),
            GeometrySource::Column(_) => None,
        }
    }

    /// The column that the geometries are, if they are one.
    pub(crate) fn column(self) -> Option<usize> {
        match self {
            GeometrySource::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The geometries of the rows of `batch`.
    pub(crate) fn geometries(self, batch: &RecordBatch) -> Result<Geometries, CliError> {
        Ok(match self {
            GeometrySource::Points(columns) => Geometries::Points(columns.points(batch)?),
            GeometrySource::Segments(columns) => Geometries::Shapes(columns.shapes(batch)?),
            GeometrySource::Column(column) => {
                Geometries::Shapes((0..batch.num_rows()).map(|row| geometry_at(batch.column(column), row)).collect())
            }
        })
    }
}

impl SegmentColumns {
    fn shapes(&self, batch: &RecordBatch) -> Result<Vec<Option<Geometry<f64>>>, CliError> {
        let points = self.points.points(batch)?;
        let numbers = |column: usize| cast(batch.column(column), &DataType::Float64);
        let (first, count) = (numbers(self.first)?, numbers(self.count)?);
        let number = |column: &ArrayRef, row: usize| {
            column.is_valid(row).then(|| column.as_primitive::<Float64Type>().value(row))
        };
        let shape = |row: usize| {
            let (longitude, latitude) = points.get(row)?;
            let segment =
                TrackSegment::new(Position::new(latitude, longitude)?, number(&first, row)?, number(&count, row)?)?;
            Some(match self.shape {
                SegmentShape::Line => LineString::from(segment.line().to_vec()).into(),
                SegmentShape::Footprint => {
                    Polygon::new(LineString::from(segment.rectangle(FOOTPRINT).to_vec()), Vec::new()).into()
                }
            })
        };
        Ok((0..points.len()).map(shape).collect())
    }
}

/// The geometries of the rows of a batch; a row may have none.
pub(crate) enum Geometries {
    Points(Points),
    Shapes(Vec<Option<Geometry<f64>>>),
}

impl Geometries {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Geometries::Points(points) => points.len(),
            Geometries::Shapes(shapes) => shapes.len(),
        }
    }

    /// The geometry of a row.
    pub(crate) fn get(&self, row: usize) -> Option<Geometry<f64>> {
        match self {
            Geometries::Points(points) => points.get(row).map(|(x, y)| Point::new(x, y).into()),
            Geometries::Shapes(shapes) => shapes.get(row)?.clone(),
        }
    }

    /// The geometries as well-known binary, little endian.
    pub(crate) fn to_wkb(&self) -> BinaryArray {
        match self {
            Geometries::Points(points) => points_to_wkb(points),
            Geometries::Shapes(shapes) => {
                let mut column = GeometryBuilder::default();
                shapes.iter().for_each(|shape| column.append(shape.as_ref()));
                column.finish()
            }
        }
    }

    /// Extends `bounds` (west, south, east, north) by these geometries.
    pub(crate) fn extend(&self, bounds: &mut Option<[f64; 4]>) {
        let mut add = |low: (f64, f64), high: (f64, f64)| {
            let [west, south, east, north] = bounds.get_or_insert([low.0, low.1, high.0, high.1]);
            (*west, *east) = (west.min(low.0), east.max(high.0));
            (*south, *north) = (south.min(low.1), north.max(high.1));
        };
        match self {
            Geometries::Points(points) => {
                (0..points.len()).filter_map(|row| points.get(row)).for_each(|point| add(point, point));
            }
            Geometries::Shapes(shapes) => {
                for bounds in shapes.iter().flatten().filter_map(BoundingRect::bounding_rect) {
                    add(bounds.min().x_y(), bounds.max().x_y());
                }
            }
        }
    }
}

fn points_to_wkb(points: &Points) -> BinaryArray {
    let mut bytes = Vec::with_capacity(points.len() * POINT_BYTES);
    let mut offsets = Vec::with_capacity(points.len() + 1);
    let mut valid = Vec::with_capacity(points.len());
    offsets.push(0);
    for row in 0..points.len() {
        let point = points.get(row);
        if let Some((longitude, latitude)) = point {
            bytes.push(1);
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            bytes.extend_from_slice(&longitude.to_le_bytes());
            bytes.extend_from_slice(&latitude.to_le_bytes());
        }
        valid.push(point.is_some());
        offsets.push(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    }
    let nulls = NullBuffer::from(valid);
    let nulls = (nulls.null_count() > 0).then_some(nulls);
    BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes.into(), nulls)
}
