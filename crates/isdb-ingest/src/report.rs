//! What an ingest tells at its end: what became of every file, what each filter removed, and the windows that were committed.
//! Its names are those of `isdb ingest --report`.

use std::collections::BTreeMap;

use isdb_cmr::{SharedCause, UnusableDescription};
use isdb_schema::ledger::{GranuleState, Removed};
use isdb_store::{Commit, Id, LedgerRow};
use serde::Serialize;

use crate::identify::Candidate;
use crate::select::{Attempt, size};
use crate::taking::{Before, Taking, Why};
use crate::wanted::Terms;

/// Why a file is left out, which is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The database has it, with all that is asked for.
    Stored,
    /// Another file of the same release and revision of the granule was ingested by the same run.
    Copy,
    /// A newer revision or release of the granule is stored.
    Older,
    /// It is a subset of a granule that is stored whole.
    Subset,
    /// The granule was removed on purpose; only a file that is named itself brings it back.
    Removed,
    /// It was measured before or after what is asked for.
    OtherTime,
}

impl Skip {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Skip::Stored => "in the database already",
            Skip::Copy => "a copy of another file",
            Skip::Older => "older than what is stored",
            Skip::Subset => "a subset of what is stored",
            Skip::Removed => "removed on purpose",
            Skip::OtherTime => "of another time",
        }
    }
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The granule's id, or the file's own name where the file cannot be read.
    pub granule: String,
    /// The file.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How it ended.
    pub state: Ended,
    /// Why it was left out, if it was.
    pub skipped: Option<Skip>,
    /// Where it failed, in a word of the ledger's `stage`; None where that is not known.
    pub stage: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why not it alone could not be fetched, where that is so.
    pub refusal: Option<SharedCause>,
    /// The commit that made its attempt visible.
    pub commit: Option<u64>,
    /// The id of its attempt in the ledger.
    pub ingest_id: Option<Id>,
    /// Segments in the file.
    pub rows_read: u64,
    /// Segments stored.
    pub rows_kept: u64,
    /// Segments without position or time, which cannot be stored.
    pub rows_rejected: u64,
    /// Segments that a filter removed.
    pub rows_removed: u64,
    /// The earlier attempts whose segments left the database with this one.
    pub replaces: Vec<Id>,
    /// The earlier attempts of whose segments some left, since this one has them, too.
    pub replaces_in_part: Vec<Id>,
    /// What was replaced: segments that were read before region and filters, each counted once.
    pub rows_read_before: u64,
    /// What was replaced: segments that were stored.
    pub rows_kept_before: u64,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its rows are new in the database.
    Ingested,
    /// Its rows took the place of earlier ones.
    Replaced,
    /// It was read and holds no row to store.
    Empty,
    /// It was left out, which is no failure.
    Skipped,
    /// It could not be ingested.
    Failed,
    /// An earlier ingest failed on it, it is as it was, and it was not tried again.
    FailedBefore,
}

/// A window that was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Committed {
    /// The number of its commit.
    pub commit: u64,
    /// The commit's timestamp, in milliseconds since 1970: what `--at` takes.
    pub timestamp: u64,
    /// Granules in it, failed ones included.
    pub granules: usize,
    /// Size of their files.
    pub bytes: u64,
    /// Rows stored.
    pub rows: u64,
    /// Fragments of segments written.
    pub fragments: usize,
}

/// Something odd about a granule that was ingested all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The file.
    pub path: String,
    /// What is odd.
    pub text: String,
}

/// What became of every file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is taken of granules; None when the run ended before that was known.
    pub terms: Option<Terms>,
    /// Every file, in the order in which its end was known.
    pub granules: Vec<Told>,
    /// The windows, in their order.
    pub windows: Vec<Committed>,
    /// Beams with rows, without rows, and not in their files.
    pub beams: [u64; 3],
    /// What was odd, granule by granule.
    pub warnings: Vec<Warning>,
    /// What each filter removed of all granules, in their order.
    pub removed: Vec<Removed>,
    /// Why fragments could not be consolidated or vacuumed at the end; the granules are in the database all the same.
    pub untidy: Option<String>,
}

impl Report {
    /// Files that ended so.
    pub fn count(&self, ended: Ended) -> usize {
        self.granules.iter().filter(|told| told.state == ended).count()
    }

    /// Files looked at and not left out.
    pub fn done(&self) -> usize {
        self.granules.iter().filter(|told| told.commit.is_some()).count()
    }

    /// Whether a file failed, now or before.
    pub fn has_failures(&self) -> bool {
        self.granules.iter().any(|told| matches!(told.state, Ended::Failed | Ended::FailedBefore))
    }

    /// How many files were left out, and why.
    pub fn skipped(&self) -> BTreeMap<Skip, usize> {
        let mut skipped = BTreeMap::new();
        for why in self.granules.iter().filter_map(|told| told.skipped) {
            *skipped.entry(why).or_default() += 1;
        }
        skipped
    }

    /// The sum of `of` over all files.
    pub fn sum(&self, of: fn(&Told) -> u64) -> u64 {
        self.granules.iter().map(of).sum()
    }

    /// Adds what needed no attempt.
    pub(crate) fn leave_out(&mut self, skipped: Vec<(Candidate, Skip)>, failed_before: Vec<(Candidate, String)>) {
        let skipped =
            skipped.into_iter().map(|(file, why)| Told { skipped: Some(why), ..untried(&file, Ended::Skipped) });
        let failed = failed_before
            .into_iter()
            .map(|(file, error)| Told { error: Some(error), ..untried(&file, Ended::FailedBefore) });
        self.granules.extend(skipped.chain(failed));
    }

    /// Adds descriptions of the archive that no granule can be made of: each is a granule that is missing.
    pub(crate) fn miss(&mut self, unusable: &[UnusableDescription]) {
        for description in unusable {
            let name = description.name();
            let failed = Candidate { stage: "search", ..Candidate::new(name.clone().into(), Err(String::new())) };
            self.granules.push(Told {
                granule: name,
                stage: Some(failed.stage.to_owned()),
                error: Some(description.reason.clone()),
                ..untried(&failed, Ended::Failed)
            });
        }
    }

    /// Adds a window, as `commit` and its `rows` of the ledger tell.
    pub(crate) fn tell(&mut self, commit: &Commit, rows: &[LedgerRow], attempts: &[Attempt]) {
        self.windows.push(Committed {
            commit: commit.number,
            timestamp: commit.timestamp,
            granules: attempts.len(),
            bytes: size(attempts),
            rows: rows.iter().filter(|row| !row.is_carried()).map(|row| number(row.rows_kept)).sum(),
            fragments: commit.segments.added.len(),
        });
        for (row, attempt) in rows.iter().zip(attempts) {
            self.granules.push(tried(row, attempt, commit.number));
            self.count_beams(row);
            self.count_removed(row);
            self.warn(row, attempt);
        }
    }

    fn count_beams(&mut self, row: &LedgerRow) {
        for (sum, beams) in self.beams.iter_mut().zip([row.beams_read, row.beams_empty, row.beams_missing]) {
            *sum += number(beams);
        }
    }

    fn count_removed(&mut self, row: &LedgerRow) {
        for one in &row.removed_by {
            match self.removed.iter_mut().find(|sum| sum.filter == one.filter) {
                None => self.removed.push(Removed { stored_by: Vec::new(), ..one.clone() }),
                Some(sum) => {
                    sum.removed += one.removed;
                    sum.null += one.null;
                    sum.alone += one.alone;
                }
            }
        }
    }

    /// Adds what is odd about the file of an attempt; what it replaces is told elsewhere.
    fn warn(&mut self, row: &LedgerRow, attempt: &Attempt) {
        let usual = attempt.taking.note().unwrap_or_default();
        let notes = row.notes.as_deref().map(|notes| notes.strip_prefix(&usual).unwrap_or(notes));
        let notes = notes.map(|notes| notes.trim_start_matches("; ").to_owned()).filter(|notes| !notes.is_empty());
        let missing = row.missing_variables.as_ref().map(|names| format!("NULL for want of {names}"));
        let changed = attempt.taking.why.filter(|why| *why == Why::Changed).map(|why| why.to_string());
        let texts: Vec<String> = changed.into_iter().chain(notes).chain(missing).collect();
        if !texts.is_empty() {
            self.warnings.push(Warning { path: attempt.candidate.path.display().to_string(), text: texts.join("; ") });
        }
    }
}

/// A file without an attempt.
fn untried(file: &Candidate, state: Ended) -> Told {
    Told {
        granule: file.granule(),
        path: file.path.display().to_string(),
        bytes: file.size_bytes,
        state,
        skipped: None,
        stage: None,
        error: None,
        refusal: file.refusal,
        commit: None,
        ingest_id: None,
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        rows_removed: 0,
        replaces: Vec::new(),
        replaces_in_part: Vec::new(),
        rows_read_before: 0,
        rows_kept_before: 0,
    }
}

/// A file whose attempt is in the ledger as `row`.
fn tried(row: &LedgerRow, attempt: &Attempt, commit: u64) -> Told {
    let Taking { carries, before, .. } = &attempt.taking;
    let has_replaced = row.state.is_done() && attempt.taking.is_replacement();
    let before = if has_replaced { *before } else { Before::default() };
    let state = match row.state {
        GranuleState::Ingested if !has_replaced => Ended::Ingested,
        GranuleState::Ingested => Ended::Replaced,
        GranuleState::Empty => Ended::Empty,
        GranuleState::Failed | GranuleState::Removed => Ended::Failed,
    };
    Told {
        stage: row.stage.clone(),
        error: row.error.clone(),
        commit: Some(commit),
        ingest_id: Some(row.ingest_id),
        rows_read: number(row.rows_read),
        rows_kept: number(row.rows_kept),
        rows_rejected: number(row.rows_rejected),
        rows_removed: number(row.rows_removed),
        replaces: row.replaces.clone(),
        replaces_in_part: carries.iter().filter(|_| has_replaced).map(|carry| carry.row.ingest_id).collect(),
        rows_read_before: number(before.read),
        rows_kept_before: number(before.kept),
        ..untried(&attempt.candidate, state)
    }
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
