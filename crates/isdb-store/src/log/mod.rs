//! The commit log: commits, each a change; their sum, the state; and checkpoints, which save a reader from adding up all commits.

mod arrow_stream;
pub(crate) mod changes;
mod checkpoint;
pub(crate) mod commit;
pub(crate) mod commit_log;
pub(crate) mod envelope;
pub(crate) mod names;
pub(crate) mod segments_schema;
pub(crate) mod state;
pub(crate) mod tag_name;
