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
    if let Some(list) = element(typed) {
        return Some(list);
    }
    if variable(typed).is_some() && !LEADING_VARIABLES.contains(&typed) {
        return Some(format!(
            "the product has {typed}, but this database does not store it: `isdb add-variable {typed}`"
        ));
    }
    let product_name = variables().iter().find(|variable| variable.plain == Some(typed))?.name;
    Some(format!("{typed} is {product_name}, which this database does not store: `isdb add-variable {product_name}`"))
}

/// A clause on the name that files and other tools give to an element of a list: `canopy_h_metrics_p50`, `h_canopy_20m_50m`.
fn element(typed: &str) -> Option<String> {
    let (list, label) = typed.rsplit_once('_')?;
    let label = label.trim_start_matches('p').trim_end_matches('m');
    let labels = variable(list)?.labels?;
    let is_known = labels.values.split_whitespace().any(|known| known == label);
    is_known.then(|| format!("an element of a list is not a column here: write element({list}, {label})"))
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
    fn the_name_of_an_element_gives_the_function_that_selects_it() {
        assert!(
            missing_column("canopy_h_metrics_p50")
                .is_some_and(|clause| clause.ends_with("element(canopy_h_metrics, 50)"))
        );
        assert!(missing_column("h_canopy_20m_50m").is_some_and(|clause| clause.ends_with("element(h_canopy_20m, 50)")));
        assert_eq!(missing_column("canopy_h_metrics_p98"), None);
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
