//! The array of segments as a check sees it: schemas and metadata in memory, of which some are ignored or replaced, and the fragments in the
//! storage. So it can be opened when some of its files are damaged, and after the repair that the check proposes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use tiledb::{Array, DescribingFiles, FileRange, FragmentCache, Storage};

use super::problem::problem_of;
use crate::array_layout::segments_layout;
use crate::error::Result;
use crate::files::location::{Location, SEGMENTS};
use crate::fragment::FragmentRecord;
use crate::log::segments_schema::SegmentsSchema;
use crate::reader::live_fragment;

/// Schemas and metadata of an array that a view changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// Files that it ignores, as paths in the array.
    pub(super) hidden: BTreeSet<String>,
    /// Files that it has in place of those of the array, by path in the array.
    pub(super) rebuilt: BTreeMap<String, Vec<u8>>,
}

/// A view of an array. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct View {
    location: Location,
    files: Arc<BTreeMap<String, Vec<u8>>>,
    /// Files that cannot be read, with the problems.
    unreadable: Arc<BTreeMap<String, String>>,
}

impl View {
    /// Reads the schemas and metadata of the array at `location`. Blocks.
    pub(super) fn new(location: &Location, parts: &Parts) -> Result<View> {
        let (mut files, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for folder in DescribingFiles::FOLDERS {
            for name in location.names(&format!("{SEGMENTS}/{folder}"))? {
                let path = format!("{folder}/{name}");
                if DescribingFiles::FOLDERS.contains(&path.as_str()) || parts.hidden.contains(&path) {
                    continue;
                }
                match location.read(&format!("{SEGMENTS}/{path}")) {
                    Ok(content) => drop(files.insert(path, content.into())),
                    Err(error) => drop(unreadable.insert(path, problem_of(error)?)),
                }
            }
        }
        for (path, content) in &parts.rebuilt {
            unreadable.remove(path);
            files.insert(path.clone(), content.clone());
        }
        Ok(View { location: location.clone(), files: Arc::new(files), unreadable: Arc::new(unreadable) })
    }

    /// The files that describe the array, by path in the array.
    pub(super) fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The problem of a file that cannot be read.
    pub(super) fn problem(&self, path: &str) -> Option<&String> {
        self.unreadable.get(path)
    }

    /// The names of the files in a folder of the array, whether they can be read or not.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let name = |path: &String| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let names = self.files.keys().chain(self.unreadable.keys()).filter_map(name);
        names.filter(|name| !name.contains('/')).collect()
    }

    /// The files that describe the array.
    pub(super) fn described(&self) -> DescribingFiles {
        DescribingFiles::new(&self.location.segments(), (*self.files).clone())
    }

    /// Opens one fragment of an array with this `schema`. Reads no file.
    pub(super) fn open(&self, schema: &SegmentsSchema, record: &FragmentRecord) -> Result<Array> {
        let (uri, layout, columns) =
            (self.location.segments(), segments_layout(schema.capacity), Arc::clone(&schema.arrow));
        let files = Arc::new(Described { files: Arc::clone(&self.files), others: self.location.array_files() });
        let cache = FragmentCache::default();
        Ok(Array::open_fragments(&uri, &layout, columns, vec![live_fragment(record)], files, &cache)?)
    }
}

/// The files of an array, of which some are in memory.
#[derive(Debug)]
struct Described {
    files: Arc<BTreeMap<String, Vec<u8>>>,
    others: Arc<dyn Storage>,
}

impl Storage for Described {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).map_or_else(|| self.others.read(path), |content| Ok(content.clone()))
    }

    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        self.others.read_ranges(ranges, buffers)
    }
}
