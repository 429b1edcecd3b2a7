//! The fragments and schemas of a database's array, listed without opening it, on a local disk or in an object store. Paths are those in
//! the file system, or below the location in an object store. Calls block.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::array_files::{
    COMMIT_FILES, COMMIT_SUFFIX, FRAGMENTS, FragmentFiles, SCHEMAS, end_timestamp, list_finished, list_fragments,
    list_schemas,
};
use super::location::{Location, Place, SEGMENTS};
use super::remote::bucket::Bucket;
use crate::error::{Error, Result};

/// Lists every fragment, finished or not, by name.
pub(crate) fn fragments(location: &Location) -> Result<BTreeMap<String, FragmentFiles>> {
    if let Place::Folder(folder) = location.place() {
        return list_fragments(&folder.join(SEGMENTS));
    }
    let mut fragments: BTreeMap<String, FragmentFiles> = BTreeMap::new();
    for name in finished_fragments(location)? {
        let file = PathBuf::from(commit_file(&name));
        fragments.entry(name).or_default().commit_file = Some(file);
    }
    for name in location.names(&format!("{SEGMENTS}/{FRAGMENTS}"))? {
        fragments.entry(name).or_default().has_folder = true;
    }
    Ok(fragments)
}

/// Lists the fragments that have a commit file, in no particular order.
pub(crate) fn finished_fragments(location: &Location) -> Result<Vec<String>> {
    if let Place::Folder(folder) = location.place() {
        return list_finished(&folder.join(SEGMENTS));
    }
    let names = location.names(&format!("{SEGMENTS}/{COMMIT_FILES}"))?.into_iter();
    Ok(names.filter_map(|name| name.strip_suffix(COMMIT_SUFFIX).map(str::to_owned)).collect())
}

/// Lists every schema: its timestamp in milliseconds since 1970, and its file.
pub(crate) fn schemas(location: &Location) -> Result<Vec<(u64, PathBuf)>> {
    if let Place::Folder(folder) = location.place() {
        return list_schemas(&folder.join(SEGMENTS));
    }
    let folder = format!("{SEGMENTS}/{SCHEMAS}");
    let names = location.names(&folder)?.into_iter();
    Ok(names.filter_map(|name| Some((end_timestamp(&name)?, Path::new(&folder).join(name)))).collect())
}

/// The path of the commit file of the fragment `name` below the location.
pub(crate) fn commit_file(name: &str) -> String {
    format!("{SEGMENTS}/{COMMIT_FILES}/{name}{COMMIT_SUFFIX}")
}

/// Removes objects, of which some may be gone already, with few requests. If one fails, each is removed by itself, so that it is known
/// which are left; these are returned with the error.
pub(crate) fn remove_objects(bucket: &Bucket, files: &[PathBuf]) -> Vec<(PathBuf, Error)> {
    let paths: Vec<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let remove = |paths: Vec<String>| {
        let of = bucket.clone();
        bucket.wait(async move { of.remove(paths).await })
    };
    if remove(paths.clone()).is_ok() {
        return Vec::new();
    }
    let failed = |(path, file): (String, &PathBuf)| Some((file.clone(), remove(vec![path]).err()?));
    paths.into_iter().zip(files).filter_map(failed).collect()
}
