//! The datasets of a beam by path. A lookup by name walks its whole group, so a group with many requested datasets is listed
//! once instead.

use std::collections::{BTreeMap, HashMap};

use crate::container::access::optional;

/// From this many requested datasets of one group on, a listing is cheaper than lookups.
const WORTH_LISTING: usize = 8;

/// The datasets below one group, such as `land_segments` of a beam.
pub(crate) struct DatasetListing<'a> {
    group: &'a hdf5::Group,
    /// By path below the group.
    listed: HashMap<String, hdf5::Dataset>,
}

impl<'a> DatasetListing<'a> {
    /// Prepares for looking up datasets at `paths` below `group`.
    pub(crate) fn new<'p>(group: &'a hdf5::Group, paths: impl Iterator<Item = &'p str>) -> Self {
        let mut folders = BTreeMap::new();
        for path in paths {
            *folders.entry(path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_insert(0_usize) += 1;
        }
        let mut listed = HashMap::new();
        for (folder, _) in folders.into_iter().filter(|(_, count)| *count >= WORTH_LISTING) {
            // A group that cannot be listed is looked up dataset by dataset, so that the error names the dataset.
            let Ok(members) = group.group(folder).and_then(|folder| folder.iter_datasets()) else { continue };
            let path = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
            listed.extend(members.map(|(name, dataset)| (path(name), dataset)));
        }
        Self { group, listed }
    }

    /// The dataset at `path`; `None` if it does not exist.
    pub(crate) fn dataset(&self, path: &str) -> Result<Option<hdf5::Dataset>, hdf5::Error> {
        match self.listed.get(path) {
            Some(dataset) => Ok(Some(dataset.clone())),
            None => optional(self.group.dataset(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{R004, all, real};

    #[test]
    fn a_listing_finds_the_same_datasets_as_lookups_by_name() {
        let Some(path) = real(R004) else { return };
        let group = hdf5::File::open(path).unwrap().group("gt1l/land_segments").unwrap();
        let paths: Vec<_> = all().iter().map(|variable| variable.path).collect();
        let listed = DatasetListing::new(&group, paths.iter().copied());
        let by_name = DatasetListing::new(&group, std::iter::empty());
        assert!(listed.listed.len() >= 83 && by_name.listed.is_empty());
        for path in paths {
            let values = |listing: &DatasetListing| listing.dataset(path).unwrap().map(|data| data.read_raw().unwrap());
            assert_eq!(values(&listed), values(&by_name), "{path}");
        }
        assert!(listed.dataset("canopy").is_err() && listed.dataset("terrain/none").unwrap().is_none());
    }
}
