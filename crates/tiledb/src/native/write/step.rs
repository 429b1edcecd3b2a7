//! The steps of a write, for a caller that follows them.

/// A step of writing a fragment. All earlier files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// The files of the next column. The folder exists.
    Column,
    /// The file of the metadata. All others are on disk.
    Metadata,
    /// The commit file, which makes the fragment visible. All others are on disk.
    Commit,
}

/// What is called before each step, by any of the threads that write columns.
pub type BeforeStep<'b> = dyn Fn(WriteStep) + Sync + 'b;
