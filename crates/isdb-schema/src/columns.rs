//! The names that SQL may use on a segment beside those of its own array: what is constant in a granule's rows.

use arrow::datatypes::{DataType, Field};

use crate::catalogue::variables;
use crate::ledger::ledger_schema;
use crate::segments::stored_fields;

/// What is known of a granule as a whole and may be named in filters and derived columns, with the types of the ledger.
pub const GRANULE_COLUMNS: [&str; 6] = ["granule", "cycle", "region", "release", "revision", "qa_granule_pass_fail"];

/// The key of a derived column's metadata that holds its SQL.
pub const EXPRESSION: &str = "expression";

/// The fields of [`GRANULE_COLUMNS`], as in the ledger but nullable.
#[must_use]
pub fn granule_fields() -> Vec<Field> {
    let ledger = ledger_schema();
    let field = |name: &&str| ledger.field_with_name(name).ok().map(|field| field.clone().with_nullable(true));
    GRANULE_COLUMNS.iter().filter_map(field).collect()
}

/// Whether `name` is that of a column of the product, of its granule or of the store, or a plain name of one, so that nothing
/// else may have it.
#[must_use]
pub fn is_of_the_product(name: &str) -> bool {
    variables().iter().any(|variable| variable.name == name || variable.plain == Some(name))
        || GRANULE_COLUMNS.contains(&name)
        || stored_fields(&[]).iter().any(|field| field.name() == name)
}

/// The type of a column that TileDB stores, for a column of the SQL type `sql`; `None` for what cannot be stored.
#[must_use]
pub fn storable(sql: &DataType) -> Option<DataType> {
    match sql {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Some(DataType::LargeUtf8),
        DataType::Boolean => Some(DataType::Boolean),
        numeric if numeric.is_integer() => Some(numeric.clone()),
        DataType::Float32 | DataType::Float64 => Some(sql.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_granule_is_one_of_the_ledger() {
        assert_eq!(granule_fields().len(), GRANULE_COLUMNS.len());
    }

    #[test]
    fn names_of_the_product_are_taken() {
        for name in ["h_canopy", "canopy_h", "time", "fragment_id", "granule", "spot"] {
            assert!(is_of_the_product(name), "{name}");
        }
        assert!(!is_of_the_product("above_dem"));
    }
}
