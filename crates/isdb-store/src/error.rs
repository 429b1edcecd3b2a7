//! What can go wrong with a database, in the terms a caller can act on.

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the database at a URI.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no database where one was expected.
    #[error("there is no isdb database at {uri}")]
    NotFound {
        /// The database's URI.
        uri: String,
    },
    /// Something else is already where a database was to be created.
    #[error("{uri} exists and is not an isdb database")]
    Occupied {
        /// The database's URI.
        uri: String,
    },
    /// The URI names a place that this version cannot store a database in.
    #[error("a database cannot be at {uri}: {reason}")]
    Unsupported {
        /// The database's URI.
        uri: String,
        /// Why not.
        reason: String,
    },
    /// Another process is writing to the database.
    #[error("another process is writing to {uri}")]
    Locked {
        /// The database's URI.
        uri: String,
    },
    /// Another writer committed first: nothing of this commit is visible.
    #[error("another writer took over {uri}: commit {number} is not ours")]
    Overtaken {
        /// The database's URI.
        uri: String,
        /// The commit that both wanted to create.
        number: u64,
    },
    /// A window of this writer was started and never committed.
    #[error("a window of {uri} was not finished; take the database over again")]
    Unfinished {
        /// The database's URI.
        uri: String,
    },
    /// The state that was opened has been vacuumed away.
    #[error("the snapshot of commit {commit} of {uri} has expired: those before commit {horizon} are gone")]
    Expired {
        /// The database's URI.
        uri: String,
        /// The commit that the snapshot shows.
        commit: u64,
        /// The oldest commit that can still be read.
        horizon: u64,
    },
    /// The state asked for is older than the database.
    #[error("{uri} did not exist yet at {timestamp}")]
    TooEarly {
        /// The database's URI.
        uri: String,
        /// The time asked for, in milliseconds since 1970.
        timestamp: u64,
    },
    /// The database holds other variables than the caller wants to write.
    #[error("{uri} stores other variables: {difference}")]
    OtherVariables {
        /// The database's URI.
        uri: String,
        /// Which variables only one side has.
        difference: String,
    },
    /// The database was made otherwise than the caller wants to write.
    #[error("{uri} has other {what}: {stored}; asked for: {asked}")]
    OtherDesign {
        /// The database's URI.
        uri: String,
        /// What differs.
        what: &'static str,
        /// What the database has.
        stored: String,
        /// What was asked for.
        asked: String,
    },
    /// An object of the database is not what this version understands.
    #[error("{object} is damaged or of another version: {problem}")]
    Damaged {
        /// The object's path in the database.
        object: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The storage below the commit log failed.
    #[error("commit log of {uri}")]
    Log {
        /// The database's URI.
        uri: String,
        /// What the storage said.
        #[source]
        source: object_store::Error,
    },
    /// The file system of the database can create no file under a name that must be free, by which of two writers exactly one
    /// gets a commit.
    #[error("the file system of {path} supports neither hard links nor renames that replace nothing")]
    FileSystem {
        /// The database's folder.
        path: String,
        /// What the operating system said.
        #[source]
        source: object_store::Error,
    },
    /// What was written is not what was to be committed. Nothing was committed.
    #[error("nothing was committed to {uri}: {problem}")]
    Mismatch {
        /// The database's URI.
        uri: String,
        /// What was expected, and what was found.
        problem: String,
    },
    /// The file system failed.
    #[error("{path}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// TileDB failed.
    #[error(transparent)]
    TileDb(#[from] tiledb::Error),
    /// The ledger's columns are not what its schema says.
    #[error("ledger")]
    Ledger(#[from] arrow::error::ArrowError),
}
