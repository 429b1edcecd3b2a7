//! The commit log: the content of a commit, and the fragments that a sequence of commits makes visible.

pub(crate) mod array_state;
pub(crate) mod commit;
pub(crate) mod commit_log;
pub(crate) mod log_state;
