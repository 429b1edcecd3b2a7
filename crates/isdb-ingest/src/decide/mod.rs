//! Decisions: which candidates are ingested, and what they replace, from the ledger and the files alone.
//!
//! `database_state` reads the `ledger`, which a run extends by its own rows; `stored_attempt` is one attempt in it. `plan` resolves the request and prepares
//! the candidates: `reread` adds files that have to be read again, `related` reads the segments that a decision depends
//! on. `round` then decides on all of them at once, file by file in `decision`, which compares releases and revisions by `rank`; `attempt_plan` is the result for a file
//! to ingest. `fingerprint` and `areas` compare what is requested with what is stored.

pub(crate) mod areas;
pub(crate) mod attempt_plan;
pub(crate) mod database_state;
pub(crate) mod decision;
pub(crate) mod fingerprint;
pub(crate) mod ledger;
pub(crate) mod plan;
pub(crate) mod rank;
pub(crate) mod related;
pub(crate) mod reread;
pub(crate) mod round;
pub(crate) mod skip_reason;
pub(crate) mod stored_attempt;
