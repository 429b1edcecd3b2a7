//! The options of an ingest, as text, and its report.

use std::path::PathBuf;
use std::time::SystemTime;

use isdb_query::Warning;
use isdb_schema::period::Period;
use serde_json::Value;

use crate::program::archive::{STALL_TIMEOUT, archive_source};
use crate::program::cli::ArchiveArgs;
use crate::program::embed::archive::{ArchiveSearch, find};
use crate::program::embed::failure::Failure;
use crate::program::embed::options::{DatabaseOptions, Restrictions};
use crate::program::report;
use crate::program::settings::{Settings, filters, granule_storage};
use crate::{
    GranuleDescription, IngestReport, IngestRequest, ObjectPattern, Region, RegionRequest, SearchProgress,
    SearchRequest, SearchResult, Source, earthdata, ingest_request, is_work_list, read_region, read_work_list,
    region_to_search,
};

/// What is ingested, and how. The fields are the flags of `isdb ingest`.
#[derive(Clone, Debug, Default)]
pub struct IngestOptions {
    /// Files, folders, patterns, work lists or objects. Without them and without `granules`, CMR is searched.
    pub paths: Vec<PathBuf>,
    /// Granules of NASA's archive.
    pub granules: Option<SearchResult>,
    /// Filters, and the region and the period of segments.
    pub restrictions: Restrictions,
    /// A region to add to that of the database.
    pub add_region: Option<String>,
    /// Whether all segments of the granules in a region are kept.
    pub whole_granules: bool,
    /// Restrictions of a search.
    pub search: ArchiveSearch,
    /// The folder for downloads.
    pub data: Option<PathBuf>,
    /// Whether downloads are kept.
    pub keep: bool,
    /// Whether granules are read directly from S3.
    pub direct: bool,
    /// The number of processors.
    pub threads: Option<usize>,
    /// Memory for rows, such as `2GB`.
    pub memory: Option<String>,
    /// The folder for rows that do not fit.
    pub spill: Option<PathBuf>,
    /// Whether files are tried again that failed before.
    pub retry: bool,
    /// Whether a file may replace stored segments if it has fewer than half as many.
    pub force: bool,
    /// Whether granules of another release replace those of the same pass.
    pub replace_release: bool,
    /// Whether the filters of the database change.
    pub refilter: bool,
}

impl IngestOptions {
    /// Creates the request of an ingest into the database of `database`, after a search if no granules are named. `progress` is called while
    /// CMR is searched, and `notice` with the warnings of the archive, now and during the ingest.
    ///
    /// # Errors
    /// For invalid options, and when the search fails.
    pub async fn request(
        self,
        database: &DatabaseOptions,
        progress: impl FnMut(SearchProgress),
        notice: impl Fn(&str) + Clone + Send + Sync + 'static,
    ) -> Result<(IngestRequest, Vec<Warning>), Failure> {
        let settings = database.settings()?;
        let (region, period) = self.restrictions.region_and_period()?;
        let area = self.area(region.clone())?;
        let source = self.source(database, &settings, &area, region, period, progress, notice).await?;
        let is_search = matches!(source, Source::Archive(_)) && self.paths.is_empty() && self.granules.is_none();
        let mut request = ingest_request(settings.location, source, &settings.config);
        if let Some(list) = self.restrictions.filters.as_deref() {
            request.selection.filters = Some(filters(list)?);
        }
        if self.refilter && request.selection.filters.is_none() {
            return Err(Failure::invalid("expected the new filters, found nothing in filters and the config"));
        }
        request.region = area;
        // A search has already selected granules by period, from the times in CMR.
        request.period = if is_search { Period::default() } else { period };
        if let Some(threads) = self.threads {
            request.threads = threads.max(1);
        }
        if let Some(memory) = &self.memory {
            request.memory = DatabaseOptions::ingest_memory(memory)?;
        }
        request.spill = self.spill.or(request.spill);
        (request.retry, request.force) = (self.retry, self.force);
        (request.replace_release, request.refilter) = (self.replace_release, self.refilter);
        let mut warnings: Vec<Warning> = self.restrictions.warning().into_iter().collect();
        warnings.extend(request.selection.bind()?.warnings().iter().cloned());
        Ok((request, warnings))
    }

    fn area(&self, region: Option<Region>) -> Result<RegionRequest, Failure> {
        if self.add_region.is_some() && (region.is_some() || self.whole_granules) {
            return Err(Failure::invalid("add_region excludes region and whole_granules"));
        }
        Ok(match (&self.add_region, region) {
            (Some(added), _) => RegionRequest::Added(read_region(added)?),
            _ if self.whole_granules => RegionRequest::Whole,
            (None, Some(region)) => RegionRequest::Only(region),
            (None, None) => RegionRequest::OfDatabase,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the request that another step has made")]
    async fn source(
        &self,
        database: &DatabaseOptions,
        settings: &Settings,
        area: &RegionRequest,
        region: Option<Region>,
        period: Period,
        progress: impl FnMut(SearchProgress),
        notice: impl Fn(&str) + Clone + Send + Sync + 'static,
    ) -> Result<Source, Failure> {
        let (found, is_named) = if let Some(found) = &self.granules {
            (found.clone(), true)
        } else if self.paths.is_empty() {
            let searched = region_to_search(&settings.location, area).await?;
            let region = region.filter(|_| self.whole_granules).or(searched);
            if region.is_none() && period.is_everything() && !self.search.is_given() {
                return Err(Failure::invalid(
                    "expected granules, or a region, a period or a track to search for, found neither",
                ));
            }
            let location = Some(settings.location.clone());
            let request = SearchRequest { region, period, database: location, ..SearchRequest::default() };
            (find(&self.search, request, progress, notice.clone()).await?, false)
        } else if self.search.is_given() {
            return Err(Failure::invalid("release, rgt, cycle and orbit_region restrict a search, without granules"));
        } else if let Some(list) = granule_list(&self.paths)? {
            (SearchResult::from_granules(list), true)
        } else {
            return self.files(database);
        };
        let session = earthdata::session(STALL_TIMEOUT, notice)?;
        let flags = ArchiveArgs { data: self.data.clone(), keep: self.keep, direct: self.direct };
        Ok(Source::Archive(archive_source(found, is_named, &flags, settings, session)))
    }

    /// Files, or objects of a bucket.
    fn files(&self, database: &DatabaseOptions) -> Result<Source, Failure> {
        let texts = self.paths.iter().filter_map(|path| path.to_str());
        let objects: Vec<&str> = texts.filter(|path| path.starts_with("s3://")).collect();
        match objects.len() {
            0 if self.direct => Err(Failure::invalid("direct is for granules of NASA's archive, not for files")),
            0 => Ok(Source::Files(self.paths.clone())),
            count if count < self.paths.len() => {
                Err(Failure::invalid("objects (s3://…) and files need an ingest each"))
            }
            _ => {
                let storage = granule_storage(&database.arguments())?;
                let patterns = objects.iter().map(|object| ObjectPattern::parse(object, &storage));
                Ok(Source::Objects(patterns.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// The granules of work lists; None if no path is one.
fn granule_list(paths: &[PathBuf]) -> Result<Option<Vec<GranuleDescription>>, Failure> {
    match paths.iter().filter(|path| is_work_list(path)).count() {
        0 => Ok(None),
        lists if lists < paths.len() => Err(Failure::invalid("work lists and files need an ingest each")),
        _ => {
            let mut granules = Vec::new();
            for path in paths {
                granules.extend(read_work_list(path)?);
            }
            Ok(Some(granules))
        }
    }
}

/// Returns the report of an ingest as JSON, with the keys of `isdb ingest --report`.
#[must_use]
pub fn report_json(
    report: &IngestReport,
    request: &IngestRequest,
    began: SystemTime,
    error: Option<&Failure>,
) -> Value {
    report::report_json(report, &report::request_json(request), began, error.map(Failure::message))
}
