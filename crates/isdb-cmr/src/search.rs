//! A search from its first to its last page, and which releases there are.

use std::collections::{BTreeSet, HashSet};

use futures::{Stream, stream};
use isdb_schema::granule_name::PRODUCT;
use serde_json::Value;

use crate::client::{Cmr, Reply};
use crate::error::{Error, Result};
use crate::item::{FoundGranule, Item, Unusable};
use crate::query::{Form, Query};

/// What one answer of CMR brought that no earlier one had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// How many descriptions CMR has for the whole search.
    pub hits: u64,
    /// Granules looked for.
    pub granules: Vec<FoundGranule>,
    /// Descriptions that no granule can be made of.
    pub unusable: Vec<Unusable>,
}

/// After so many pages that came at once, pages that were made smaller are tried at twice their size.
const GROW_AFTER: u32 = 8;

/// Between two pages.
struct Paging<'a> {
    cmr: &'a Cmr,
    query: &'a Query,
    form: Form,
    page_size: usize,
    /// How many pages of this size have come.
    of_this_size: u32,
    search_after: Option<String>,
    /// The smallest count of CMR so far: granules may be added and deleted while we read.
    hits: Option<u64>,
    seen: HashSet<String>,
    /// Descriptions without an id.
    nameless: usize,
    is_over: bool,
}

impl Cmr {
    /// The granules of `query`, page after page, each description once. Only one page is held at a time. The stream ends with
    /// [`Error::CmrIncomplete`] when fewer came than CMR had counted.
    pub fn pages<'a>(&'a self, query: &'a Query) -> impl Stream<Item = Result<Page>> + Send + 'a {
        let paging = Paging {
            cmr: self,
            query,
            form: query.form(),
            page_size: query.page_size,
            of_this_size: 0,
            search_after: None,
            hits: None,
            seen: HashSet::new(),
            nameless: 0,
            is_over: false,
        };
        stream::try_unfold(paging, Paging::next)
    }

    /// The releases of ATL08 that have granules, in ascending order.
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

impl Paging<'_> {
    async fn next(mut self) -> Result<Option<(Page, Self)>> {
        if self.is_over {
            return Ok(None);
        }
        let before = self.page_size;
        let reply = self.cmr.page("granules", &self.form, &mut self.page_size, self.search_after.as_deref()).await?;
        self.of_this_size = if self.page_size == before { self.of_this_size + 1 } else { 1 };
        let hits = self.hits.map_or(reply.hits, |hits| hits.min(reply.hits));
        self.hits = Some(hits);
        let (count, goes_on) =
            (reply.items.len(), reply.search_after.is_some() && reply.search_after != self.search_after);
        let page = self.page(reply.items, hits);
        self.search_after = reply.search_after;
        let sent = u64::try_from(self.seen.len() + self.nameless).unwrap_or(u64::MAX);
        // A page that is not full is the last one, unless something is missing.
        self.is_over = count == 0 || !goes_on || (count < self.page_size && sent >= hits);
        if self.of_this_size >= GROW_AFTER && self.page_size < self.query.page_size {
            (self.page_size, self.of_this_size) = ((self.page_size * 2).min(self.query.page_size), 0);
        }
        match self.is_over && sent < hits {
            true => Err(Error::CmrIncomplete { hits, sent }),
            false => Ok(Some((page, self))),
        }
    }

    /// Granules that arrive or change while we read shift the pages, so that some come twice.
    fn page(&mut self, items: Vec<Item>, hits: u64) -> Page {
        let mut page = Page { hits, ..Page::default() };
        for item in items {
            match item.concept_id() {
                Some(id) if !self.seen.insert(id.to_owned()) => continue,
                Some(_) => {}
                None => self.nameless += 1,
            }
            match item.granule() {
                Ok(granule) if self.query.takes(&granule.name) => page.granules.push(granule),
                Ok(_) => {}
                Err(unusable) => page.unusable.push(unusable),
            }
        }
        page
    }
}
