//! The columns of a segment, as the granule reader returns them and, with the two ids of the store, as the database stores
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::catalogue::{Variable, variables};

/// The column with the attempt that ingested a row.
pub const INGEST_ID: &str = "ingest_id";

/// The column with the fragment that stores a row; constant within a fragment.
pub const FRAGMENT_ID: &str = "fragment_id";

/// The ground tracks, the texts of the column `beam` in the order of its keys.
pub const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// The texts of the column `beam_strength` in the order of its keys.
pub const STRENGTHS: [&str; 2] = ["strong", "weak"];

/// What the stored coordinates are, by which a column of a result is recognised whatever its name.
const LATITUDE_MEANING: &str = "latitude of the segment's centre, WGS 84";
const LONGITUDE_MEANING: &str = "longitude of the segment's centre, WGS 84";

/// The key of a dictionary column's metadata for its texts, separated by spaces: the array stores them as TileDB's enumeration.
const ENUMERATION: &str = "enumeration";

/// Variables of the catalogue that are leading columns of every segment (`delta_time` as `time`), so that selecting
/// them adds no column.
pub const LEADING_VARIABLES: [&str; 4] = ["latitude", "longitude", "delta_time", "segment_id_beg"];

/// The columns of a granule's rows, in order: `latitude` and `longitude` (float64 degrees), `time` (UTC, ns), `beam`
/// (a dictionary of [`BEAMS`]), `beam_strength` (one of [`STRENGTHS`], or NULL), `sc_orient` (0 backward, 1 forward, 2 transition or
/// NULL), `spot` (1 to 6 or NULL), `n_geosegments` (number of 20 m geolocation segments in the segment, or NULL),
/// `segment_id_beg` (NULL in extracts without it), then the selected variables in catalogue order, each once.
#[must_use]
pub fn segment_fields(selected: &[&Variable]) -> Vec<Field> {
    let mut fields = leading_fields();
    fields.extend(selected_variables(selected).map(Variable::field));
    fields
}

/// The columns of the stored array `segments`: those of [`segment_fields`] with `ingest_id` and `fragment_id` after `time`.
#[must_use]
pub fn stored_fields(selected: &[&Variable]) -> Vec<Field> {
    let mut fields = segment_fields(selected);
    let after_time = 3;
    let ids = [
        described(Field::new(INGEST_ID, DataType::Int64, false), "1", "attempt at a granule that ingested the row"),
        described(Field::new(FRAGMENT_ID, DataType::Int64, false), "1", "fragment that stores the row"),
    ];
    fields.splice(after_time..after_time, ids);
    fields
}

/// The variables that have a column after the leading columns: `selected` in catalogue order, each once and without
/// [`LEADING_VARIABLES`].
pub fn selected_variables(selected: &[&Variable]) -> impl Iterator<Item = &'static Variable> {
    let names: Vec<&'static str> = selected.iter().map(|variable| variable.name).collect();
    variables().iter().filter(move |v| names.contains(&v.name) && !LEADING_VARIABLES.contains(&v.name))
}

/// Whether the field is the stored latitude, under any name: SQL keeps the metadata of a column that it does not change.
#[must_use]
pub fn is_latitude(field: &Field) -> bool {
    field.metadata().get("long_name").is_some_and(|meaning| meaning == LATITUDE_MEANING)
}

/// Whether the field is the stored longitude, under any name.
#[must_use]
pub fn is_longitude(field: &Field) -> bool {
    field.metadata().get("long_name").is_some_and(|meaning| meaning == LONGITUDE_MEANING)
}

fn leading_fields() -> Vec<Field> {
    let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC")));
    let mut fields = vec![
        described(Field::new("latitude", DataType::Float64, false), "degrees", LATITUDE_MEANING),
        described(Field::new("longitude", DataType::Float64, false), "degrees", LONGITUDE_MEANING),
        described(Field::new("time", utc, false), "", "UTC of the pass over the segment's centre (delta_time)"),
        dictionary("beam", false, &BEAMS, "ground track: gt1l, gt1r, gt2l, gt2r, gt3l or gt3r"),
        dictionary("beam_strength", true, &STRENGTHS, "strong or weak; NULL if the granule has no orientation"),
        described(Field::new("sc_orient", DataType::Int8, true), "1", "spacecraft orientation"),
    ];
    if let Some(sc_orient) = fields.last_mut() {
        sc_orient.metadata_mut().extend([
            ("flag_values".to_owned(), "0 1 2".to_owned()),
            ("flag_meanings".to_owned(), "backward forward transition".to_owned()),
        ]);
    }
    fields.push(described(
        Field::new("spot", DataType::Int8, true),
        "1",
        "laser spot of ATLAS, 1 to 6, odd spots are strong; NULL if the granule has no orientation",
    ));
    fields.push(described(
        Field::new("n_geosegments", DataType::Int8, true),
        "1",
        "number of 20 m geolocation segments in the segment: segment_id_end - segment_id_beg + 1",
    ));
    fields.extend(variables().iter().filter(|v| v.name == "segment_id_beg").map(Variable::field));
    fields
}

/// A dictionary column of these texts.
fn dictionary(name: &str, nullable: bool, texts: &[&str], long_name: &str) -> Field {
    let kind = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
    let mut field = described(Field::new(name, kind, nullable), "", long_name);
    field.metadata_mut().insert(ENUMERATION.to_owned(), texts.join(" "));
    field
}

fn described(field: Field, units: &str, long_name: &str) -> Field {
    let mut metadata = HashMap::from([("long_name".to_owned(), long_name.to_owned())]);
    if !units.is_empty() {
        metadata.insert("units".to_owned(), units.to_owned());
    }
    field.with_metadata(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::variable;

    fn names(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|f| f.name().as_str()).collect()
    }

    #[test]
    fn selected_columns_come_once_and_in_catalogue_order() {
        let selected: Vec<_> = ["h_canopy", "night_flag", "latitude", "delta_time", "segment_id_beg", "h_canopy"]
            .map(|n| variable(n).unwrap())
            .into();
        let leading = ["latitude", "longitude", "time", "beam", "beam_strength", "sc_orient", "spot", "n_geosegments"];
        let leading = [&leading[..], &["segment_id_beg"]].concat();
        let fields = segment_fields(&selected);
        assert_eq!(names(&fields), [&leading[..], &["night_flag", "h_canopy"]].concat());
        assert_eq!(names(&segment_fields(&[])), leading);
    }

    #[test]
    fn only_coordinates_time_and_beam_are_never_null() {
        let fields = segment_fields(&[]);
        let never_null: Vec<_> = fields.iter().filter(|f| !f.is_nullable()).map(|f| f.name().as_str()).collect();
        assert_eq!(never_null, ["latitude", "longitude", "time", "beam"]);
    }

    #[test]
    fn stored_columns_have_the_ids_after_time() {
        let fields = stored_fields(&[]);
        assert_eq!(names(&fields)[2..6], ["time", "ingest_id", "fragment_id", "beam"]);
        assert!(fields[3..5].iter().all(|f| f.data_type() == &DataType::Int64 && !f.is_nullable()));
    }
}
