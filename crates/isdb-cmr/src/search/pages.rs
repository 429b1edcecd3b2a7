//! The pages of a search, from first to last, and the releases that CMR has.

use std::collections::{BTreeSet, HashSet};

use futures::{Stream, stream};
use isdb_schema::granule_name::PRODUCT;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::search::client::{Cmr, Reply};
use crate::search::granule::{GranuleDescription, UnusableDescription};
use crate::search::query::{Form, Query};
use crate::search::umm::Item;

/// The new descriptions of one response: those that no earlier page contained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The number of descriptions that CMR counts for the whole search.
    pub hits: u64,
    /// Granules that match the query.
    pub granules: Vec<GranuleDescription>,
    /// Descriptions that cannot be used.
    pub unusable: Vec<UnusableDescription>,
}

/// After this many successful pages, a decreased page size is doubled again.
const GROW_AFTER: u32 = 8;

/// The state between two pages.
struct Pagination<'a> {
    cmr: &'a Cmr,
    query: &'a Query,
    form: Form,
    page_size: usize,
    /// The number of pages of this size so far.
    pages_of_size: u32,
    search_after: Option<String>,
    /// The smallest count of CMR so far: granules may be added and deleted during the search.
    hits: Option<u64>,
    seen_ids: HashSet<String>,
    /// The number of descriptions without an id.
    without_id: usize,
    is_finished: bool,
}

impl Cmr {
    /// Searches for the granules of `query`, page by page, with each description once. Only one page is in memory at a time. The
    /// stream ends with [`Error::CmrIncomplete`] if CMR sent fewer descriptions than it counts.
    pub fn pages<'a>(&'a self, query: &'a Query) -> impl Stream<Item = Result<Page>> + Send + 'a {
        let pagination = Pagination {
            cmr: self,
            query,
            form: query.form(),
            page_size: query.page_size,
            pages_of_size: 0,
            search_after: None,
            hits: None,
            seen_ids: HashSet::new(),
            without_id: 0,
            is_finished: false,
        };
        stream::try_unfold(pagination, Pagination::next)
    }

    /// Returns the releases of ATL08 that have granules, in ascending order.
    ///
    /// # Errors
    /// [`Error::CmrRefused`], [`Error::CmrUnreachable`] and [`Error::CmrReply`].
    pub async fn releases(&self) -> Result<Vec<u16>> {
        let form = vec![("short_name", PRODUCT.to_owned()), ("has_granules", "true".to_owned())];
        let reply: Reply<Value> = self.page("collections", &form, &mut 100, None).await?;
        let version = |collection: &Value| collection.pointer("/umm/Version")?.as_str()?.parse().ok();
        let releases = reply.items.iter().filter_map(version);
        Ok(releases.collect::<BTreeSet<u16>>().into_iter().collect())
    }
}

impl Pagination<'_> {
    async fn next(mut self) -> Result<Option<(Page, Self)>> {
        if self.is_finished {
            return Ok(None);
        }
        let size_before = self.page_size;
        let reply = self.cmr.page("granules", &self.form, &mut self.page_size, self.search_after.as_deref()).await?;
        self.pages_of_size = if self.page_size == size_before { self.pages_of_size + 1 } else { 1 };
        let hits = self.hits.map_or(reply.hits, |hits| hits.min(reply.hits));
        self.hits = Some(hits);
        let (count, has_next) =
            (reply.items.len(), reply.search_after.is_some() && reply.search_after != self.search_after);
        let page = self.new_descriptions(reply.items, hits);
        self.search_after = reply.search_after;
        let received = u64::try_from(self.seen_ids.len() + self.without_id).unwrap_or(u64::MAX);
        // A page that is not full is the last one, unless something is missing.
        self.is_finished = count == 0 || !has_next || (count < self.page_size && received >= hits);
        if self.pages_of_size >= GROW_AFTER && self.page_size < self.query.page_size {
            (self.page_size, self.pages_of_size) = ((self.page_size * 2).min(self.query.page_size), 0);
        }
        match self.is_finished && received < hits {
            true => Err(Error::CmrIncomplete { hits, received }),
            false => Ok(Some((page, self))),
        }
    }

    /// Returns the descriptions that no earlier page contained. Granules that are added or changed during the search shift the
    /// pages, so that some come twice.
    fn new_descriptions(&mut self, items: Vec<Item>, hits: u64) -> Page {
        let mut page = Page { hits, ..Page::default() };
        for item in items {
            match item.concept_id() {
                Some(id) if !self.seen_ids.insert(id.to_owned()) => continue,
                Some(_) => {}
                None => self.without_id += 1,
            }
            match item.granule() {
                Ok(granule) if self.query.matches_name(&granule.name) => page.granules.push(granule),
                Ok(_) => {}
                Err(unusable) => page.unusable.push(unusable),
            }
        }
        page
    }
}
