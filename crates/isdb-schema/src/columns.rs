//! The columns of a granule that SQL may use with each segment, and the names that are reserved for columns of the product.

use arrow::datatypes::{DataType, Field};

use crate::catalogue::variables;
use crate::ledger::ledger_schema;
use crate::segments::stored_fields;

/// The columns of a granule that filters and derived columns may use, with the types of the ledger.
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

/// Whether `name` is reserved, because the product, the granule or the store has a column with this name or plain name.
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    variables().iter().any(|variable| variable.name == name || variable.plain == Some(name))
        || GRANULE_COLUMNS.contains(&name)
        || stored_fields(&[]).iter().any(|field| field.name() == name)
}

/// The Arrow type that stores a column of the SQL type `sql`; `None` if it cannot be stored.
#[must_use]
pub fn stored_type(sql: &DataType) -> Option<DataType> {
    match sql {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Some(DataType::LargeUtf8),
        DataType::Dictionary(_, value) => stored_type(value),
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
    fn every_granule_column_is_a_column_of_the_ledger() {
        assert_eq!(granule_fields().len(), GRANULE_COLUMNS.len());
    }

    #[test]
    fn names_of_the_product_are_reserved() {
        for name in ["h_canopy", "canopy_h", "time", "fragment_id", "granule", "spot"] {
            assert!(is_reserved_name(name), "{name}");
        }
        assert!(!is_reserved_name("above_dem"));
    }
}
