//! How a file is ingested: what it replaces, whole or in part, and what it leaves to others.

use std::fmt;

use isdb_pipeline::MinimumRows;
use isdb_store::{Id, LedgerRow};

use crate::family::Member;
use crate::key::Rank;

/// How a file is ingested.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taking {
    /// The attempts whose rows leave in the same commit.
    pub(crate) replaces: Vec<Id>,
    /// The attempts that lose the segments which the file has, too; the others are written again.
    pub(crate) carries: Vec<Carry>,
    /// The attempts whose rows stay and are not stored a second time.
    pub(crate) merges_with: Vec<Id>,
    /// The areas to take, by name; None for the whole granule. Never less than what is replaced had.
    pub(crate) area: Option<Vec<String>>,
    /// Why something is replaced.
    pub(crate) why: Option<Why>,
    /// Whether what is replaced is of another release, so that the window's replacements go together or not at all.
    pub(crate) is_other_release: bool,
    /// What is replaced.
    pub(crate) before: Before,
    /// What of that the file must have at least half of.
    pub(crate) least: MinimumRows,
    /// Segments of attempts that the file outranks, and that stay since it has none of them.
    pub(crate) stay: i64,
}

/// An attempt that is replaced in part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Carry {
    /// What the ledger says of it.
    pub(crate) row: LedgerRow,
    /// Its segments that the file has, too.
    pub(crate) went: i64,
}

/// Segments of what is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// How many were read, each segment counted for one of the attempts.
    pub(crate) read: i64,
    /// How many were kept.
    pub(crate) kept: i64,
}

impl Before {
    /// Of attempts that are replaced as a whole.
    pub(crate) fn of(replaced: &[&LedgerRow]) -> Before {
        let sum = |of: fn(&LedgerRow) -> i64| replaced.iter().map(|row| of(row)).fold(0, i64::saturating_add);
        // What others have is not counted for them, too.
        Before {
            read: sum(|row| row.rows_read.saturating_sub(row.rows_already_stored())),
            kept: sum(|row| row.rows_kept),
        }
    }

    /// Whether anything is replaced.
    pub(crate) fn is_none(self) -> bool {
        self == Before::default()
    }
}

impl Taking {
    /// Replaces the segments of `member` that the file has, too.
    pub(crate) fn carry(&mut self, member: Member<'_>) {
        let went = i64::try_from(member.shared).unwrap_or(i64::MAX);
        if went == 0 {
            self.stay = self.stay.saturating_add(member.row.rows_kept);
            return;
        }
        self.before.read = self.before.read.saturating_add(went);
        self.before.kept = self.before.kept.saturating_add(went);
        self.carries.push(Carry { row: member.row.clone(), went });
    }

    /// Whether rows leave the database with it.
    pub(crate) fn is_replacement(&self) -> bool {
        !self.replaces.is_empty() || !self.carries.is_empty()
    }

    /// Why and what is replaced, as a note of the ledger; None where nothing is.
    pub(crate) fn note(&self) -> Option<String> {
        let mut notes: Vec<String> = self.why.iter().map(ToString::to_string).collect();
        if !self.before.is_none() {
            let Before { read, kept } = self.before;
            notes.push(format!("before: {read} segments read, {kept} kept"));
        }
        let parts = self.carries.iter().map(|carry| {
            let Carry { row, went } = carry;
            let rank = Rank::of_row(row);
            format!("replaces {went} of the {} segments of {} ({rank}); the others stay", row.rows_kept, row.source)
        });
        notes.extend(parts);
        if self.stay > 0 {
            notes.push(format!(
                "{} segments of older or poorer files of the granule, which it does not have, stay",
                self.stay
            ));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// Why rows that are stored are replaced. Displays as a note of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The file is no longer what was ingested.
    Changed,
    /// More is asked for, or something else.
    Asked,
    /// It left out what others had, and they no longer have it.
    Again,
    /// The file outranks this.
    Outranks(Rank),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Changed => f.write_str("the file has changed since it was ingested"),
            Why::Asked => f.write_str("ingested again for what was not asked for before"),
            Why::Again => f.write_str("read again, since segments that another file had were replaced or removed"),
            Why::Outranks(rank) => write!(f, "replaces {rank}"),
        }
    }
}
