//! What the arrays of the packages have in common: how to recognise them, their fill values, and how they store time.

use isdb_schema::catalogue::{Fill, variable};
use tiledb::{Array, Domain, Meaning, Ranges, ReadRequest};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};

use super::numbered::base_name;
use crate::error::{Error, Result};

/// Floats from this one on are not measurements: the fill of ATL08 is the largest single. NaN is none either.
const NO_MEASUREMENT: f64 = 3.4e38_f32 as f64;
/// Nanoseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000_000;
/// The dimension of days since 1970.
pub(super) const DAYS: &str = "time";
/// The attribute of nanoseconds since 1970.
pub(super) const TIMESTAMP: &str = "timestamp_ns";

/// The package that made an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Package {
    /// icesat2db: segments of ATL08.
    Icesat2db,
    /// gedidb: footprints of GEDI.
    Gedidb,
}

impl Package {
    /// Recognises the package by the dimensions and attributes of its arrays; `None` for other arrays.
    pub(super) fn from_array(array: &Array) -> Option<Package> {
        let dimensions = &array.layout().dimensions;
        let is_day = dimensions.get(2).is_some_and(|third| matches!(third.domain, Domain::Int64 { .. }));
        let names = dimensions.iter().map(|dimension| dimension.name.as_str());
        if !is_day || !names.eq(["latitude", "longitude", DAYS]) {
            return None;
        }
        let schema = array.schema();
        let has = |name: &str| schema.field_with_name(name).is_ok();
        match () {
            () if has("segment_id") => Some(Package::Icesat2db),
            () if has("shot_number") => Some(Package::Gedidb),
            () => None,
        }
    }

    /// The name of the view.
    pub(super) fn view(self) -> &'static str {
        match self {
            Package::Icesat2db => "atl08",
            Package::Gedidb => "gedi",
        }
    }

    /// What the values of the attributes mean. `has_nanoseconds` says whether [`TIMESTAMP`] is in nanoseconds.
    pub(super) fn meanings(self, array: &Array, has_nanoseconds: bool) -> Vec<(String, Meaning)> {
        let schema = array.schema();
        let attributes = schema.fields().iter().skip(array.layout().dimensions.len());
        let meaning = |name: &str, kind: &DataType| match kind {
            _ if name == TIMESTAMP => has_nanoseconds.then_some(Meaning::Nanoseconds),
            DataType::Float32 | DataType::Float64 => Some(Meaning::NullFrom(NO_MEASUREMENT)),
            _ if self == Package::Icesat2db => integer_fill(name).map(Meaning::NullAt),
            _ => None,
        };
        attributes.filter_map(|field| Some((field.name().clone(), meaning(field.name(), field.data_type())?))).collect()
    }
}

/// The fill of an integer variable of ATL08, or of an element of a list.
fn integer_fill(attribute: &str) -> Option<i64> {
    let element_of = || variable(base_name(attribute)?).filter(|variable| variable.width > 1);
    let variable = variable(attribute).or_else(element_of)?;
    match variable.fill {
        Some(Fill::Int(fill)) => Some(fill),
        _ => None,
    }
}

/// Whether [`TIMESTAMP`] is in nanoseconds: earlier versions of the packages have written microseconds there. Compares a tile of it with
/// the days; an array without cells has no times to be wrong. Blocks.
///
/// # Errors
/// [`Error::Array`] when the tile cannot be read.
pub(super) fn has_nanoseconds(array: &Array) -> Result<bool> {
    if array.schema().field_with_name(TIMESTAMP).is_err() {
        return Ok(false);
    }
    let failed = |source| Error::Array { uri: array.uri().to_owned(), source };
    let capacity = array.layout().capacity;
    let runs = array.tiles(&Ranges::new()).map_err(failed)?.unwrap_or_default();
    let Some(tile) = runs.first().map(|run| if run.count > 1 { run.split_at(1, capacity).0 } else { *run }) else {
        return Ok(true);
    };
    let columns = vec![DAYS.to_owned(), TIMESTAMP.to_owned()];
    let request = ReadRequest {
        columns,
        ranges: vec![],
        condition: None,
        tiles: Some(vec![tile]),
        order: None,
        batch_rows: 8_192,
    };
    let batch = array.read(&request).map_err(failed)?.next().transpose().map_err(failed)?;
    let Some(batch) = batch else { return Ok(true) };
    let [days, times] = [0, 1].map(|at| batch.column(at).as_primitive_opt::<Int64Type>());
    let (Some(days), Some(times)) = (days, times) else { return Ok(false) };
    Ok(days.values().iter().zip(times.values()).all(|(day, time)| time.div_euclid(DAY) == *day))
}
