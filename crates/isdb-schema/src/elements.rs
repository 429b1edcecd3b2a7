//! Names of the elements of profiles: `canopy_h_metrics_p50`, `h_canopy_20m_50m`. Files without lists have such columns, and SQL accepts them.

use arrow::datatypes::{DataType, Field};

use crate::catalogue::variables;

/// Returns the name of an element, from 0, of a profile.
#[must_use]
pub fn element_name(profile: &Field, element: usize) -> String {
    format!("{}_{}", profile.name(), label(profile, element))
}

/// Returns the variable and the label of the element that is called `name`; `None` if there is none.
#[must_use]
pub fn find_element(name: &str) -> Option<(&'static str, String)> {
    variables().iter().filter(|variable| name.starts_with(variable.name)).find_map(|variable| {
        let profile = variable.field();
        let DataType::FixedSizeList(_, length) = profile.data_type() else { return None };
        let elements = 0..usize::try_from(*length).ok()?;
        let element = elements.into_iter().find(|element| element_name(&profile, *element) == name)?;
        Some((variable.name, labels(&profile).nth(element)?.to_owned()))
    })
}

/// The label of an element, from the metadata of the profile: a percentile, a distance in metres, or the number of the element.
fn label(profile: &Field, element: usize) -> String {
    let metadata = |key: &str| profile.metadata().get(key).map(String::as_str).unwrap_or_default();
    let Some(label) = labels(profile).nth(element) else { return (element + 1).to_string() };
    match (metadata("label_name"), metadata("label_units")) {
        ("percentile", _) => format!("p{label}"),
        (_, "meters") => format!("{label}m"),
        _ => label.to_owned(),
    }
}

fn labels(profile: &Field) -> impl Iterator<Item = &str> {
    let labels = profile.metadata().get("labels").map(String::as_str).unwrap_or_default();
    labels.split(' ').filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::variable;

    #[test]
    fn elements_are_named_by_their_labels_and_found_by_these_names() {
        let percentiles = variable("canopy_h_metrics").unwrap().field();
        assert_eq!(
            [0, 17].map(|element| element_name(&percentiles, element)),
            ["canopy_h_metrics_p10", "canopy_h_metrics_p95"]
        );
        assert_eq!(find_element("canopy_h_metrics_p50"), Some(("canopy_h_metrics", "50".to_owned())));
        assert_eq!(find_element("canopy_h_metrics_abs_p95"), Some(("canopy_h_metrics_abs", "95".to_owned())));
        assert_eq!(find_element("h_canopy_20m_50m"), Some(("h_canopy_20m", "50".to_owned())));
        for other in ["canopy_h_metrics_p98", "canopy_h_metrics", "h_canopy_20m_15m", "canopy_h"] {
            assert_eq!(find_element(other), None, "{other}");
        }
        let own = Field::new("own", DataType::Float32, true);
        assert_eq!(element_name(&own, 1), "own_2");
    }
}
