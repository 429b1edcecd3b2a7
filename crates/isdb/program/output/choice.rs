//! Which geometry the rows of a file get.

use arrow::datatypes::Schema;
use isdb_query::is_geometry;

use crate::program::error::CliError;
use crate::program::output::geometries::{GeometrySource, SegmentColumns, SegmentShape};
use crate::program::output::points::PointColumns;

/// The geometry that the user chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum GeometryChoice {
    /// A column of geometries, else the stored coordinates of a segment if a result has them unchanged, under any name.
    #[default]
    Stored,
    /// The shapes of segments.
    Segments(SegmentShape),
    /// The points in the columns of these names.
    Named { longitude: String, latitude: String },
    /// None: Parquet and Arrow get no geometry.
    None,
    /// What one of the above is for the columns of a statement.
    Resolved(Resolved),
}

/// The geometry of the rows of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) source: Option<GeometrySource>,
    /// Whether the user chose it.
    pub(crate) is_explicit: bool,
}

impl GeometryChoice {
    /// Resolves the choice for the rows of a statement. `is_stored` says which of its columns it returns as they are stored.
    ///
    /// # Errors
    /// [`CliError::SegmentColumns`].
    pub(crate) fn resolve(&self, schema: &Schema, is_stored: &[bool]) -> Result<GeometryChoice, CliError> {
        let points = || PointColumns::stored(schema, is_stored);
        let (source, is_explicit) = match self {
            GeometryChoice::Stored => {
                let column = schema.fields().iter().position(|field| is_geometry(field)).map(GeometrySource::Column);
                (column.or_else(|| points().map(GeometrySource::Points)), false)
            }
            GeometryChoice::Segments(shape) => {
                (Some(GeometrySource::Segments(SegmentColumns::find(schema, points(), *shape)?)), true)
            }
            other => return Ok(other.clone()),
        };
        Ok(GeometryChoice::Resolved(Resolved { source, is_explicit }))
    }

    /// Returns where the geometries of a result come from; `None` if it has none.
    ///
    /// # Errors
    /// For a column that the user named and the result does not have, or that is not a number.
    pub(crate) fn find(&self, schema: &Schema) -> Result<Option<GeometrySource>, CliError> {
        match self {
            // Only a statement says which columns are stored.
            GeometryChoice::None | GeometryChoice::Stored | GeometryChoice::Segments(_) => Ok(None),
            GeometryChoice::Resolved(resolved) => Ok(resolved.source),
            GeometryChoice::Named { longitude, latitude } => {
                Ok(Some(GeometrySource::Points(PointColumns::named(schema, longitude, latitude)?)))
            }
        }
    }

    /// Whether the user chose a geometry.
    pub(crate) fn is_explicit(&self) -> bool {
        match self {
            GeometryChoice::Named { .. } | GeometryChoice::Segments(_) => true,
            GeometryChoice::Resolved(resolved) => resolved.is_explicit,
            GeometryChoice::Stored | GeometryChoice::None => false,
        }
    }
}
