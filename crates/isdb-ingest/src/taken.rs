//! What a database takes of granules at the request of a user, and what becomes of files then.

use std::collections::{BTreeSet, HashMap};

use isdb_pipeline::{Selection, StoredSegments, read_stored_segments};
use isdb_schema::filters::Rule;
use isdb_store::{Database, Id, LedgerRow, Snapshot};

use crate::again::{self, owed};
use crate::areas::Areas;
use crate::checksum::add_checksums;
use crate::error::{Error, Result};
use crate::family::{add_holdings, needs_holdings, related};
use crate::identify::Candidate;
use crate::ingest::Request;
use crate::key::Key;
use crate::region::Settled;
use crate::report::Report;
use crate::select::{Selected, doubtful, select};
use crate::standing::Standing;
use crate::verdict::{Rules, is_unchanged};
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
    /// The attempts whose files were looked at again already.
    again: BTreeSet<Id>,
}

/// The state of a database against which files are held.
pub(crate) struct State<'a> {
    pub(crate) ledger: &'a [LedgerRow],
    pub(crate) standing: &'a Standing<'a>,
    /// None for a database that is not there yet.
    pub(crate) snapshot: Option<&'a Snapshot>,
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
        let wanted = Wanted::of(&selection, None);
        Taken { wanted, selection, areas, region, refiltered: None, again: BTreeSet::new() }
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

    /// What becomes of `candidates`, and of files that have to be read again, each once; those that need no attempt are told in
    /// `report`. `since` is the first id of the run's own attempts.
    ///
    /// # Errors
    /// When segments that are stored cannot be read.
    pub(crate) async fn round(
        &mut self,
        mut candidates: Vec<Candidate>,
        state: State<'_>,
        request: &Request,
        since: Option<Id>,
        report: &mut Report,
    ) -> Result<Selected> {
        let State { ledger, standing, snapshot } = state;
        let owed = owed(ledger, standing);
        let new: Vec<Id> = owed.difference(&self.again).copied().collect();
        let rows = standing.rows().filter(|row| new.contains(&row.ingest_id));
        candidates.extend(again::files(rows, &candidates));
        self.again.extend(new);
        add_checksums(doubtful(&mut candidates, standing), request.threads).await;
        self.add_holdings(&mut candidates, standing, &owed, request.threads).await;
        let related = related(&candidates, standing);
        let stored = match snapshot {
            Some(snapshot) => read_stored_segments(snapshot, &related).await.map_err(Error::Pipeline)?,
            None => StoredSegments::default(),
        };
        let covers = |outer: &str, inner: &str| self.areas.covers(outer, inner);
        let (retry, force) = (request.retry, request.force);
        let rules = Rules { wanted: &self.wanted, covers: &covers, retry, force, since, stored: &stored, owed: &owed };
        let mut selected = select(candidates, standing, &rules);
        // That it is gone was told when it was looked for first.
        selected.failed_before.retain(|(candidate, _)| !candidate.is_only_again);
        report.leave_out(std::mem::take(&mut selected.skipped), std::mem::take(&mut selected.failed_before));
        Ok(selected)
    }

    /// Looks into those of `candidates` for which what they hold decides what becomes of them.
    async fn add_holdings(
        &self,
        candidates: &mut [Candidate],
        standing: &Standing<'_>,
        owed: &BTreeSet<Id>,
        threads: usize,
    ) {
        let covers = |outer: &str, inner: &str| self.areas.covers(outer, inner);
        let is_met = |row: &LedgerRow| self.wanted.is_met_by(row, &covers) && !owed.contains(&row.ingest_id);
        let key = |candidate: &Candidate| candidate.identity.as_ref().ok().map(Key::of);
        let is_done = |candidate: &Candidate| {
            let rows = key(candidate).map_or(&[][..], |key| standing.of_key(&key));
            rows.iter().any(|row| is_unchanged(candidate, row) && is_met(row))
        };
        let mut files: HashMap<Key, usize> = HashMap::new();
        let (mut open, mut has_strangers) = (Vec::new(), false);
        for candidate in candidates.iter() {
            open.push(!is_done(candidate));
            if let Some(key) = key(candidate) {
                has_strangers |= key.is_content();
                *files.entry(key).or_default() += 1;
            }
        }
        let is_alone =
            |candidate: &Candidate| !has_strangers && key(candidate).is_none_or(|key| files.get(&key) == Some(&1));
        let wanted = candidates
            .iter_mut()
            .zip(open)
            .filter(|(candidate, is_open)| *is_open && needs_holdings(candidate, standing, is_alone(candidate)));
        let area = self.wanted.area.as_deref().and_then(|name| self.areas.get(name));
        add_holdings(wanted.map(|(candidate, _)| candidate), self.selection.variables(), area, threads).await;
    }
}
