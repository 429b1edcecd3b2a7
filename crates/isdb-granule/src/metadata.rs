//! Small lookups in a granule's groups and attributes. Clip tools drop and retype them, so that absence is an answer.

use std::collections::HashMap;

use hdf5::{AttrValue, FormatError};

/// Attributes of a group or dataset by name; none if they cannot be read.
pub(crate) type Attributes = HashMap<String, AttrValue>;

/// `None` for what does not exist, instead of an error.
pub(crate) fn present<T>(found: Result<T, hdf5::Error>) -> Result<Option<T>, hdf5::Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(hdf5::Error::Format(FormatError::PathNotFound(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The attributes of the group at `path`, empty if there is none.
pub(crate) fn attributes(file: &hdf5::File, path: &str) -> Attributes {
    file.group(path).and_then(|group| group.attrs()).unwrap_or_default()
}

/// A text attribute without the blanks and zeros that fixed-length strings are padded with.
pub(crate) fn text(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.get(name).and_then(AttrValue::as_str).map(trimmed).filter(|text| !text.is_empty())
}

/// The first string of the dataset at `path` below `group`.
pub(crate) fn string(group: &hdf5::Group, path: &str) -> Option<String> {
    let dataset = small(group, path)?;
    dataset.read_string().ok()?.first().map(|text| trimmed(text)).filter(|text| !text.is_empty())
}

/// The numbers of the dataset at `path` below `group` as doubles, whatever type they are stored in.
pub(crate) fn numbers(group: &hdf5::Group, path: &str) -> Option<Vec<f64>> {
    small(group, path)?.read_f64().ok()
}

/// The dataset at `path` below `group`. Nothing looked up here is long; a file that says otherwise is not followed.
pub(crate) fn small(group: &hdf5::Group, path: &str) -> Option<hdf5::Dataset> {
    let dataset = sound(group.dataset(path).ok()?)?;
    let elements = dataset.shape().ok()?.iter().try_fold(1_u64, |n, &edge| n.checked_mul(edge))?;
    (elements <= 1024).then_some(dataset)
}

/// The dataset if reading a part of it is cheap: elements of at most 1 KiB, in at most one dimension, in chunks of at most 1 MiB (the
/// product's have at most 80 kB in one dimension).
pub(crate) fn sound(dataset: hdf5::Dataset) -> Option<hdf5::Dataset> {
    const MOST: u64 = 1 << 20;
    let element = dataset.element_size().ok().filter(|size| *size <= 1024)?;
    let chunk = match dataset.layout().ok()? {
        hdf5::Layout::Chunked { chunk_shape, .. } => {
            chunk_shape.iter().try_fold(element, |n, &edge| n.checked_mul(edge))?
        }
        _ => element,
    };
    (chunk <= MOST && dataset.shape().ok()?.len() <= 1).then_some(dataset)
}

/// The beginning is enough: nothing looked up here is long.
fn trimmed(text: &str) -> String {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).chars().take(1024).collect()
}
