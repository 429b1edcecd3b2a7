//! The positions of rows: which columns of a result have them, and their points.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use arrow::error::ArrowError;
use isdb_schema::segments::{is_latitude, is_longitude};

use crate::program::error::CliError;

/// The columns of a result with the positions of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PointColumns {
    longitude: usize,
    latitude: usize,
}

/// The positions of the rows of a batch, in degrees. A row without a position has NULL in one of them.
pub(crate) struct Points {
    longitude: Float64Array,
    latitude: Float64Array,
}

impl PointColumns {
    /// Finds the stored coordinates among the columns of a result; `None` if it does not have both exactly once. `is_stored` says which
    /// columns a statement returns as they are stored: a column that was computed of one may have its metadata as well.
    pub(crate) fn stored(schema: &Schema, is_stored: &[bool]) -> Option<PointColumns> {
        let one = |is_coordinate: fn(&Field) -> bool| {
            let fields = schema.fields().iter().zip(is_stored).enumerate();
            let mut places = fields.filter(|(_, (field, is_stored))| **is_stored && is_coordinate(field));
            let place = places.next().map(|(place, _)| place);
            place.filter(|_| places.next().is_none())
        };
        Some(PointColumns { longitude: one(is_longitude)?, latitude: one(is_latitude)? })
    }

    /// Finds the columns of these names.
    ///
    /// # Errors
    /// When the result does not have one, or it is not a number.
    pub(crate) fn named(schema: &Schema, longitude: &str, latitude: &str) -> Result<PointColumns, CliError> {
        let [longitude, latitude] = [longitude, latitude].map(|name| named(schema, name));
        Ok(PointColumns { longitude: longitude?, latitude: latitude? })
    }

    /// Whether a column is one of the coordinates.
    pub(crate) fn contains(self, column: usize) -> bool {
        column == self.longitude || column == self.latitude
    }

    /// The places of the longitude and of the latitude.
    pub(crate) fn places(self) -> (usize, usize) {
        (self.longitude, self.latitude)
    }

    /// The positions of the rows of `batch`.
    pub(crate) fn points(self, batch: &RecordBatch) -> Result<Points, CliError> {
        let degrees = |column: usize| -> Result<Float64Array, ArrowError> {
            let column: ArrayRef = cast(batch.column(column), &DataType::Float64)?;
            Ok(column.as_primitive::<Float64Type>().clone())
        };
        let points = Points { longitude: degrees(self.longitude)?, latitude: degrees(self.latitude)? };
        let is_latitude = |degrees: &f64| degrees.is_nan() || degrees.abs() <= 90.0;
        match points.latitude.iter().flatten().find(|degrees| !is_latitude(degrees)) {
            None => Ok(points),
            Some(degrees) => {
                let column = batch.schema().field(self.latitude).name().clone();
                Err(CliError::NotALatitude { column, degrees })
            }
        }
    }
}

fn named(schema: &Schema, name: &str) -> Result<usize, CliError> {
    let found = schema.fields().iter().position(|field| field.name() == name);
    match found.filter(|index| schema.field(*index).data_type().is_numeric()) {
        Some(index) => Ok(index),
        None => Err(CliError::GeometryColumn { column: name.to_owned(), is_found: found.is_some() }),
    }
}

impl Points {
    /// Longitude and latitude of a row; `None` without a position. NaN and infinity are not positions.
    pub(crate) fn get(&self, row: usize) -> Option<(f64, f64)> {
        if self.longitude.is_null(row) || self.latitude.is_null(row) {
            return None;
        }
        let (longitude, latitude) = (self.longitude.value(row), self.latitude.value(row));
        (longitude.is_finite() && latitude.is_finite()).then_some((longitude, latitude))
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.longitude.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use isdb_schema::segments::stored_fields;

    use super::*;

    fn stored(name: &str) -> Field {
        stored_fields(&[]).into_iter().find(|field| field.name() == name).unwrap()
    }

    fn named(fields: Vec<Field>) -> Result<PointColumns, CliError> {
        PointColumns::named(&Schema::new(fields), "longitude", "latitude")
    }

    #[test]
    fn stored_coordinates_are_found_under_any_name_and_others_by_their_names_alone() {
        let plain = |name: &str| Field::new(name, DataType::Float64, true);
        let renamed = vec![plain("x"), stored("latitude").with_name("y"), stored("longitude").with_name("where")];
        let stored_at =
            |fields: &[Field], is_stored: &[bool]| PointColumns::stored(&Schema::new(fields.to_vec()), is_stored);
        let both = PointColumns { longitude: 2, latitude: 1 };
        assert_eq!(stored_at(&renamed, &[true; 3]), Some(both));
        assert_eq!(stored_at(&renamed, &[true, true, false]), None, "a negated longitude has its metadata");
        let twice = [renamed, vec![stored("latitude")]].concat();
        assert_eq!(stored_at(&twice, &[true; 4]), None, "which latitude belongs to the longitude is unknown");
        let computed = vec![plain("longitude"), plain("latitude")];
        assert_eq!(stored_at(&computed, &[true; 2]), None);
        assert_eq!(stored_at(&[stored("latitude")], &[true]), None);
        assert_eq!(named(computed).unwrap(), PointColumns { longitude: 0, latitude: 1 });
        let text = vec![plain("longitude"), Field::new("latitude", DataType::Utf8, true)];
        for fields in [text, vec![plain("longitude")]] {
            assert!(matches!(named(fields), Err(CliError::GeometryColumn { .. })));
        }
    }

    #[test]
    fn a_row_without_a_position_has_no_point_and_a_longitude_is_no_latitude() {
        let batch = |latitude: f64| {
            let columns: [(&str, ArrayRef); 2] = [
                ("x", Arc::new(Float64Array::from(vec![Some(170.0), None, Some(f64::NAN)]))),
                ("y", Arc::new(Float64Array::from(vec![latitude, 1.0, 2.0]))),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let columns = PointColumns { longitude: 0, latitude: 1 };
        let points = columns.points(&batch(-90.0)).unwrap();
        assert_eq!([0, 1, 2].map(|row| points.get(row)), [Some((170.0, -90.0)), None, None]);
        assert!(matches!(columns.points(&batch(90.5)), Err(CliError::NotALatitude { degrees: 90.5, .. })));
    }
}
