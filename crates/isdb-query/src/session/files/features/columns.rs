//! The columns of features: properties of one type each, and after them longitude and latitude of points, and the geometry.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use geo::Geometry;

use crate::geometry::{GeometryBuilder, geometry_field};

/// The names of the columns after the properties. A property of the same name is what the user wrote, and stays.
const LONGITUDE: &str = "longitude";
const LATITUDE: &str = "latitude";
const GEOMETRY: &str = "geometry";

/// The value of a property.
pub(super) enum Property<'a> {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(&'a str),
}

/// Collects the values of one property.
pub(super) enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    /// Dates and times as text, ISO 8601, in UTC.
    Time(StringBuilder),
}

impl Values {
    /// Adds a value; one of another type than the column's is NULL.
    pub(super) fn append(&mut self, value: Option<Property<'_>>) {
        match (self, value) {
            (Values::Boolean(column), Some(Property::Boolean(value))) => column.append_value(value),
            (Values::Boolean(column), Some(Property::Integer(value))) => column.append_value(value != 0),
            (Values::Boolean(column), _) => column.append_null(),
            (Values::Integer(column), Some(Property::Integer(value))) => column.append_value(value),
            (Values::Integer(column), _) => column.append_null(),
            (Values::Double(column), Some(Property::Double(value))) => column.append_value(value),
            // Beyond 2^53 the nearest double; only files without types mix the two.
            #[allow(clippy::cast_precision_loss)]
            (Values::Double(column), Some(Property::Integer(value))) => column.append_value(value as f64),
            (Values::Double(column), _) => column.append_null(),
            (Values::Text(column) | Values::Time(column), Some(Property::Text(value))) => column.append_value(value),
            (Values::Text(column), Some(Property::Integer(value))) => column.append_value(value.to_string()),
            (Values::Text(column), Some(Property::Double(value))) => column.append_value(value.to_string()),
            (Values::Text(column), Some(Property::Boolean(value))) => column.append_value(value.to_string()),
            (Values::Text(column) | Values::Time(column), _) => column.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Values::Boolean(mut column) => Arc::new(column.finish()),
            Values::Integer(mut column) => Arc::new(column.finish()),
            Values::Double(mut column) => Arc::new(column.finish()),
            Values::Text(mut column) => Arc::new(column.finish()),
            Values::Time(mut column) => {
                let texts: ArrayRef = Arc::new(column.finish());
                let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                // Any other text is NULL.
                let none = || Arc::new(TimestampMicrosecondArray::new_null(texts.len()).with_timezone("UTC"));
                cast(&texts, &utc).unwrap_or_else(|_| none())
            }
        }
    }
}

/// The columns of the features of a file.
#[derive(Default)]
pub(super) struct FeatureColumns {
    properties: Vec<(String, Values)>,
    geometries: GeometryBuilder,
    longitudes: Float64Builder,
    latitudes: Float64Builder,
    has_points: bool,
}

impl FeatureColumns {
    /// Begins with these properties.
    pub(super) fn new(properties: Vec<(String, Values)>) -> FeatureColumns {
        FeatureColumns { properties, ..FeatureColumns::default() }
    }

    /// Returns the column of the property at `index`.
    pub(super) fn property(&mut self, index: usize) -> Option<&mut Values> {
        self.properties.get_mut(index).map(|(_, values)| values)
    }

    /// Adds the geometry of a feature, after its properties.
    pub(super) fn append_geometry(&mut self, geometry: Option<&Geometry<f64>>) {
        self.geometries.append(geometry);
        let point = match geometry {
            Some(Geometry::Point(point)) => Some(point),
            _ => None,
        };
        self.has_points |= point.is_some();
        self.longitudes.append_option(point.map(|point| point.x()));
        self.latitudes.append_option(point.map(|point| point.y()));
    }

    /// Returns the table.
    ///
    /// # Errors
    /// When properties have different numbers of values.
    pub(super) fn finish(mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut columns: Vec<(FieldRef, ArrayRef)> = Vec::new();
        for (name, values) in self.properties {
            let column = values.finish();
            columns.push((Arc::new(Field::new(name, column.data_type().clone(), true)), column));
        }
        let mut add = |field: Field, column: ArrayRef| {
            if !columns.iter().any(|(known, _)| known.name() == field.name()) {
                columns.push((Arc::new(field), column));
            }
        };
        if self.has_points {
            add(Field::new(LONGITUDE, DataType::Float64, true), Arc::new(self.longitudes.finish()));
            add(Field::new(LATITUDE, DataType::Float64, true), Arc::new(self.latitudes.finish()));
        }
        add(geometry_field(GEOMETRY), Arc::new(self.geometries.finish()));
        let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}
