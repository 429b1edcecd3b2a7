//! Options as dictionaries, whose keys are those of `isdb._options`.

use std::path::PathBuf;

use isdb::embed::{ArchiveSearch, DatabaseOptions, IngestOptions, Restrictions};
use pyo3::prelude::*;

/// What is opened.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct OpenOptions {
    uri: Option<String>,
    config: Option<PathBuf>,
    single_writer: bool,
    array: bool,
    memory: Option<String>,
    temp: Option<PathBuf>,
}

impl From<OpenOptions> for DatabaseOptions {
    fn from(options: OpenOptions) -> DatabaseOptions {
        let OpenOptions { uri, config, single_writer, array, memory, temp } = options;
        DatabaseOptions { uri, config, single_writer, is_array: array, memory, temp }
    }
}

/// Restrictions of the views.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ViewRestrictions {
    filters: Option<String>,
    region: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

impl From<ViewRestrictions> for Restrictions {
    fn from(options: ViewRestrictions) -> Restrictions {
        let ViewRestrictions { filters, region, start, end } = options;
        Restrictions { filters, region, start, end }
    }
}

/// Restrictions of a search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct TrackOptions {
    release: Option<u16>,
    rgt: Option<u16>,
    cycle: Option<u8>,
    orbit_region: Option<u8>,
}

impl From<TrackOptions> for ArchiveSearch {
    fn from(options: TrackOptions) -> ArchiveSearch {
        let TrackOptions { release, rgt, cycle, orbit_region } = options;
        ArchiveSearch { release, rgt, cycle, orbit_region }
    }
}

/// How an ingest runs.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct RunOptions {
    paths: Vec<PathBuf>,
    add_region: Option<String>,
    whole_granules: bool,
    data: Option<PathBuf>,
    keep: bool,
    direct: bool,
    threads: Option<usize>,
    memory: Option<String>,
    spill: Option<PathBuf>,
    retry: bool,
    force: bool,
    replace_release: bool,
    refilter: bool,
}

impl RunOptions {
    /// The options of the ingest of these granules, or of what a search finds.
    pub(crate) fn with(
        self,
        granules: Option<isdb::SearchResult>,
        restrictions: ViewRestrictions,
        search: TrackOptions,
    ) -> IngestOptions {
        IngestOptions {
            paths: self.paths,
            granules,
            restrictions: restrictions.into(),
            add_region: self.add_region,
            whole_granules: self.whole_granules,
            search: search.into(),
            data: self.data,
            keep: self.keep,
            direct: self.direct,
            threads: self.threads,
            memory: self.memory,
            spill: self.spill,
            retry: self.retry,
            force: self.force,
            replace_release: self.replace_release,
            refilter: self.refilter,
        }
    }
}
