//! Access to groups, small datasets and attributes. Tools that cut granules drop some of them and change the types of others,
//! so absence is a valid result.

use std::collections::HashMap;

use hdf5::{AttrValue, FormatError};

/// Attributes of a group or dataset by name; the HDF5 reader leaves out attributes that it cannot read.
pub(crate) type Attributes = HashMap<String, AttrValue>;

/// `None` for a group or dataset that does not exist, instead of an error.
pub(crate) fn optional<T>(opened: Result<T, hdf5::Error>) -> Result<Option<T>, hdf5::Error> {
    match opened {
        Ok(object) => Ok(Some(object)),
        Err(hdf5::Error::Format(FormatError::PathNotFound(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A text attribute without the blanks and zeros that fixed-length strings are padded with.
pub(crate) fn text(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.get(name).and_then(AttrValue::as_str).map(trimmed).filter(|text| !text.is_empty())
}

/// The first string of the dataset at `path` below `group`.
pub(crate) fn string(group: &hdf5::Group, path: &str) -> Option<String> {
    let dataset = if_small(group.dataset(path).ok()?)?;
    dataset.read_string().ok()?.first().map(|text| trimmed(text)).filter(|text| !text.is_empty())
}

/// The numbers of `dataset` as doubles, from any stored type; `None` if they cannot be read.
pub(crate) fn numbers(dataset: hdf5::Dataset) -> Option<Vec<f64>> {
    if_small(dataset)?.read_f64().ok()
}

/// The dataset if it has at most 1,024 elements. Everything that is read outside the beams is short.
pub(crate) fn if_small(dataset: hdf5::Dataset) -> Option<hdf5::Dataset> {
    let dataset = if_cheap(dataset)?;
    let elements = dataset.shape().ok()?.iter().try_fold(1_u64, |n, &edge| n.checked_mul(edge))?;
    (elements <= 1024).then_some(dataset)
}

/// The dataset if reading a part of it is cheap: elements of at most 1 KiB, in at most one dimension, in HDF5 chunks of at most 1 MiB
/// (the product's have at most 80 kB in one dimension).
pub(crate) fn if_cheap(dataset: hdf5::Dataset) -> Option<hdf5::Dataset> {
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

/// The first 1,024 characters of a padded text; every text that is needed is shorter.
fn trimmed(text: &str) -> String {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).chars().take(1024).collect()
}
