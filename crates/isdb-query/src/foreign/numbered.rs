//! Attributes that are the elements of a list: `rh_1`, `rh_2`, … `rh_101`.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};
use tiledb::MetadataValue;

/// A list whose elements are attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NumberedList {
    /// The name without number.
    pub(super) name: String,
    /// The attributes in the order of their numbers.
    pub(super) elements: Vec<String>,
    /// The metadata of the list.
    pub(super) metadata: BTreeMap<String, String>,
}

/// Finds the lists of an array: attributes of one type with the numbers from 1 on, and metadata of the array that say how many there are
/// (`rh.profile_length`, `h_canopy_20m.subsegment_length`). Without these, three or more attributes are a list.
pub(super) fn numbered_lists(schema: &Schema, metadata: &BTreeMap<String, MetadataValue>) -> Vec<NumberedList> {
    let mut lists: Vec<NumberedList> = Vec::new();
    for field in schema.fields() {
        let Some(name) = field.name().strip_suffix("_1") else { continue };
        let element = |number: usize| format!("{name}_{number}");
        let is_element = |name: &String| {
            schema.field_with_name(name).is_ok_and(|other| is_like(other.data_type(), field.data_type()))
        };
        let elements: Vec<String> = (1..).map(element).take_while(is_element).collect();
        let lengths = ["profile_length", "subsegment_length"].map(|key| metadata.get(&format!("{name}.{key}")));
        let length = lengths.into_iter().flatten().find_map(|length| match length {
            MetadataValue::Int(length) => usize::try_from(*length).ok(),
            _ => None,
        });
        if length.map_or(elements.len() > 2, |length| length == elements.len()) && schema.field_with_name(name).is_err()
        {
            lists.push(NumberedList { name: name.to_owned(), elements, metadata: of_list(name, metadata) });
        }
    }
    lists
}

fn is_like(a: &DataType, b: &DataType) -> bool {
    a == b && a.is_numeric()
}

/// The name of the list that an attribute may be an element of.
pub(super) fn base_name(attribute: &str) -> Option<&str> {
    let (name, number) = attribute.rsplit_once('_')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

/// The metadata of a list, under the keys that the lists of isdb have.
fn of_list(name: &str, metadata: &BTreeMap<String, MetadataValue>) -> BTreeMap<String, String> {
    let known = [
        ("units", "units"),
        ("description", "description"),
        ("profile_labels", "labels"),
        ("subsegment_labels", "labels"),
        ("profile_label_name", "label_name"),
        ("subsegment_label_name", "label_name"),
    ];
    let text = |key: &str| match metadata.get(&format!("{name}.{key}")) {
        Some(MetadataValue::Text(text)) => {
            Some(if key.ends_with("labels") { text.replace(',', " ") } else { text.clone() })
        }
        _ => None,
    };
    known.into_iter().filter_map(|(theirs, ours)| Some((ours.to_owned(), text(theirs)?))).collect()
}
