//! Advice on a column that the product or another product has but a database does not.

use super::counterpart::counterpart;
use crate::catalogue::{variable, variables};
use crate::segments::LEADING_VARIABLES;

/// A clause on the column `typed`, which a database does not have: ATL08's counterpart of another product's name, or
/// the command that adds the variable with this name or plain name. `None` for every other name.
#[must_use]
pub fn missing_column(typed: &str) -> Option<String> {
    if let Some(instead) = counterpart(typed) {
        return Some(instead.to_owned());
    }
    if variable(typed).is_some() && !LEADING_VARIABLES.contains(&typed) {
        return Some(format!(
            "the product has {typed}, but this database does not store it: `isdb add-variable {typed}`"
        ));
    }
    let product_name = variables().iter().find(|variable| variable.plain == Some(typed))?.name;
    Some(format!("{typed} is {product_name}, which this database does not store: `isdb add-variable {product_name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_product_gives_its_counterpart() {
        assert!(missing_column("rh98").is_some_and(|clause| clause.contains("canopy_h")));
        assert!(
            missing_column("delta_time").is_some_and(|clause| clause.starts_with("it is time")),
            "a leading column cannot be added"
        );
    }

    #[test]
    fn a_variable_that_is_not_stored_gives_the_command_that_adds_it() {
        assert!(missing_column("snr").is_some_and(|clause| clause.ends_with("`isdb add-variable snr`")));
        let plain = missing_column("canopy_h_mean").unwrap();
        assert!(
            plain.starts_with("canopy_h_mean is h_mean_canopy, ")
                && plain.ends_with("`isdb add-variable h_mean_canopy`")
        );
        assert_eq!(missing_column("h_canopi"), None);
    }
}
