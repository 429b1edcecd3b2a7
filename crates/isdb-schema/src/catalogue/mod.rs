//! The product catalogue: every `land_segments` variable of ATL08 releases 004 to 007, as a compile-time table. It tells
//! the granule reader what to decode and the storage what to create.

mod table;
mod variable;

pub use variable::{Dtype, Fill, Releases, Variable};

/// Every variable of the product, in catalogue order: along-track, then canopy, then terrain.
#[must_use]
pub fn variables() -> &'static [Variable] {
    table::TABLE
}

/// The variable called `name`, which is the last part of its HDF5 path (`h_canopy`); names are unique in the product.
#[must_use]
pub fn variable(name: &str) -> Option<&'static Variable> {
    table::TABLE.iter().find(|variable| variable.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn a_name_finds_one_variable() {
        let names: BTreeSet<_> = variables().iter().map(|v| v.name).collect();
        assert_eq!(names.len(), variables().len());
        for v in variables() {
            assert_eq!(variable(v.name).map(|found| found.path), Some(v.path));
            assert!(v.path.ends_with(v.name));
        }
        assert!(variable("canopy/h_canopy").is_none());
    }

    #[test]
    fn releases_hold_the_documented_number_of_variables() {
        let count = |release| variables().iter().filter(|v| v.releases.contains(release)).count();
        assert_eq!([count(4), count(5), count(6), count(7)], [83, 85, 87, 92]);
        assert_eq!([count(3), count(8)], [0, 92]);
    }

    #[test]
    fn only_position_and_time_are_required() {
        let required: Vec<_> = variables().iter().filter(|v| v.required).map(|v| v.name).collect();
        assert_eq!(required, ["delta_time", "latitude", "longitude"]);
    }

    #[test]
    fn a_fill_fits_the_type_of_its_variable() {
        for v in variables() {
            match (v.dtype, v.fill) {
                (Dtype::Float32 | Dtype::Float64, Some(Fill::Int(_))) => panic!("{} has an integer fill", v.name),
                (Dtype::Int8, Some(Fill::Int(fill))) => assert!(i8::try_from(fill).is_ok(), "{}", v.name),
                (Dtype::Int16, Some(Fill::Int(fill))) => assert!(i16::try_from(fill).is_ok(), "{}", v.name),
                (Dtype::Int32, Some(Fill::Int(fill))) => assert!(i32::try_from(fill).is_ok(), "{}", v.name),
                (Dtype::Int8 | Dtype::Int16 | Dtype::Int32 | Dtype::Int64, Some(Fill::Float(_))) => {
                    panic!("{} has a float fill", v.name)
                }
                _ => {}
            }
        }
    }

    #[test]
    fn flags_have_a_meaning_each() {
        for v in variables() {
            assert_eq!(
                v.flag_values.split_whitespace().count(),
                v.flag_meanings.split_whitespace().count(),
                "{}",
                v.name
            );
        }
    }

    #[test]
    fn a_field_carries_what_a_reader_needs() {
        let field = variable("h_canopy").unwrap().field();
        assert_eq!((field.data_type(), field.is_nullable()), (&DataType::Float32, true));
        assert_eq!(field.metadata()["units"], "meters");
        assert_eq!(field.metadata()["hdf5_path"], "gtx/land_segments/canopy/h_canopy");

        let field = variable("subset_can_flag").unwrap().field();
        let DataType::FixedSizeList(item, 5) = field.data_type() else { panic!("{field}") };
        assert_eq!((item.data_type(), item.is_nullable()), (&DataType::Int8, true));
        assert_eq!(field.metadata()["element_null"], "127");
        assert!(field.metadata()["flag_meanings"].starts_with("no_photon_data"));

        assert!(!variable("latitude").unwrap().field().is_nullable());
        assert!(variable("segment_id_beg").unwrap().field().is_nullable(), "extracts lack it");
    }
}
