//! A FlatGeobuf file as a table.

use std::io::Cursor;

use ::flatgeobuf::{ColumnType, FallibleStreamingIterator, FgbReader};
use arrow::array::{BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use geozero::{ColumnValue, FeatureProperties, PropertyProcessor, ToGeo};

use super::columns::{FeatureColumns, Property, Values};

/// Returns the features of a file with this content.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn batch(bytes: &[u8]) -> Result<RecordBatch, String> {
    let reader = FgbReader::open(Cursor::new(bytes)).map_err(|error| format!("expected FlatGeobuf: {error}"))?;
    let header = reader.header();
    if let Some(code) = header.crs().map(|crs| crs.code()).filter(|code| ![0, 4326].contains(code)) {
        return Err(format!(
            "expected degrees on WGS 84 (EPSG:4326), found EPSG:{code}: `ogr2ogr -t_srs EPSG:4326 degrees.fgb FILE` converts it"
        ));
    }
    let properties = header.columns().into_iter().flatten();
    let properties: Vec<_> = properties.map(|column| (column.name().to_owned(), values(column.type_()))).collect();
    let mut row = Row { values: vec![None; properties.len()] };
    let mut columns = FeatureColumns::new(properties);
    let mut features = reader.select_all().map_err(|error| error.to_string())?;
    while let Some(feature) = features.next().map_err(|error| error.to_string())? {
        row.values.iter_mut().for_each(|value| *value = None);
        feature.process_properties(&mut row).map_err(|error| error.to_string())?;
        for (index, value) in row.values.iter().enumerate() {
            if let Some(column) = columns.property(index) {
                column.append(value.as_ref().map(Owned::property));
            }
        }
        // A feature without a geometry is an error of the reader.
        columns.append_geometry(feature.to_geo().ok().as_ref());
    }
    columns.finish().map_err(|error| error.to_string())
}

fn values(kind: ColumnType) -> Values {
    match kind {
        ColumnType::Bool => Values::Boolean(BooleanBuilder::new()),
        ColumnType::Float | ColumnType::Double => Values::Double(Float64Builder::new()),
        ColumnType::DateTime => Values::Time(StringBuilder::new()),
        ColumnType::String | ColumnType::Json | ColumnType::Binary => Values::Text(StringBuilder::new()),
        _ => Values::Integer(Int64Builder::new()),
    }
}

/// The properties of one feature; one that it lacks is NULL.
struct Row {
    values: Vec<Option<Owned>>,
}

#[derive(Clone)]
enum Owned {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(String),
}

impl Owned {
    fn property(&self) -> Property<'_> {
        match self {
            Owned::Boolean(value) => Property::Boolean(*value),
            Owned::Integer(value) => Property::Integer(*value),
            Owned::Double(value) => Property::Double(*value),
            Owned::Text(value) => Property::Text(value),
        }
    }
}

impl PropertyProcessor for Row {
    fn property(&mut self, index: usize, _: &str, value: &ColumnValue<'_>) -> geozero::error::Result<bool> {
        let value = match value {
            ColumnValue::Bool(value) => Some(Owned::Boolean(*value)),
            ColumnValue::Byte(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::UByte(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::Short(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::UShort(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::Int(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::UInt(value) => Some(Owned::Integer(i64::from(*value))),
            ColumnValue::Long(value) => Some(Owned::Integer(*value)),
            ColumnValue::ULong(value) => i64::try_from(*value).ok().map(Owned::Integer),
            ColumnValue::Float(value) => Some(Owned::Double(f64::from(*value))),
            ColumnValue::Double(value) => Some(Owned::Double(*value)),
            ColumnValue::String(value) | ColumnValue::Json(value) | ColumnValue::DateTime(value) => {
                Some(Owned::Text((*value).to_owned()))
            }
            ColumnValue::Binary(_) => None,
        };
        if let Some(place) = self.values.get_mut(index) {
            *place = value;
        }
        Ok(false)
    }
}
