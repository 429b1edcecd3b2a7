//! The commit log: what a commit records, and the fragments that a sequence of commits makes visible.

pub(crate) mod array_state;
pub(crate) mod commit;
pub(crate) mod commit_log;
pub(crate) mod log_state;
