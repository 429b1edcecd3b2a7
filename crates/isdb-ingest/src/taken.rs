//! What a database takes of granules at the request of a user, and what becomes of files then.

use isdb_datafusion::Selection;
use isdb_schema::filters::Rule;
use isdb_store::{Database, Id};

use crate::areas::Areas;
use crate::checksum::add_checksums;
use crate::error::Result;
use crate::identify::Candidate;
use crate::ingest::Request;
use crate::region::Settled;
use crate::report::Report;
use crate::select::{Selected, doubtful, select};
use crate::standing::Standing;
use crate::verdict::Rules;
use crate::wanted::{Terms, Wanted};

/// What a database takes of granules, and the areas it knows.
pub(crate) struct Taken {
    pub(crate) selection: Selection,
    pub(crate) wanted: Wanted,
    pub(crate) areas: Areas,
    /// The region that segments are kept in, and that of the database.
    pub(crate) region: Settled,
    /// The filters that the database changes to with the first window that brings something.
    pub(crate) refiltered: Option<Vec<Rule>>,
}

impl Taken {
    /// What `database`, in its newest state with `standing` granules, takes at `request`.
    ///
    /// # Errors
    /// When the database was made otherwise than is asked for.
    pub(crate) async fn of(
        request: &Request,
        bound: &Selection,
        database: &Database,
        standing: &Standing<'_>,
        areas: Areas,
    ) -> Result<Taken> {
        let may_refilter = request.refilter || !standing.has_segments();
        let design = database.design(&database.snapshot().await?).await?;
        let uri = database.location().uri();
        let region = Settled::of(&request.area, design.region.as_ref(), !standing.has_segments(), &uri)?;
        let (selection, refiltered) = request.asked.selection(bound, design, &uri, may_refilter)?;
        Taken { refiltered, ..Taken::new(selection, areas, region) }.within().await
    }

    /// What a database takes that would be made for `bound`, what `request` asks for.
    ///
    /// # Errors
    /// None that `areas` does not bring.
    pub(crate) async fn of_new(request: &Request, bound: Selection) -> Result<Taken> {
        Taken::new(bound, Areas::unkept(), Settled::of_new(&request.area)).within().await
    }

    fn new(selection: Selection, areas: Areas, region: Settled) -> Taken {
        Taken { wanted: Wanted::of(&selection, None), selection, areas, region, refiltered: None }
    }

    /// The same of the area that segments are kept in.
    async fn within(mut self) -> Result<Taken> {
        self.wanted.area = match &self.region.kept {
            Some(region) => Some(self.areas.name(region).await?),
            None => None,
        };
        Ok(self)
    }

    /// In words.
    pub(crate) fn terms(&self) -> Terms {
        Terms::of(&self.selection, self.wanted.area.clone(), self.region.kept.as_ref())
    }

    /// What becomes of `candidates`; those that need no attempt are told in `report`. `since` is the first id of the run's own
    /// attempts.
    pub(crate) async fn round(
        &self,
        mut candidates: Vec<Candidate>,
        standing: &Standing<'_>,
        request: &Request,
        since: Option<Id>,
        report: &mut Report,
    ) -> Selected {
        add_checksums(doubtful(&mut candidates, standing), request.threads).await;
        let covers = |outer: &str, inner: &str| self.areas.covers(outer, inner);
        let rules = Rules { wanted: &self.wanted, covers: &covers, retry: request.retry, since };
        let mut selected = select(candidates, standing, &rules);
        report.leave_out(std::mem::take(&mut selected.skipped), std::mem::take(&mut selected.failed_before));
        selected
    }
}
