//! Errors of a database, with the URI, object or path that they concern.

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the database at a URI.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No database exists at the location.
    #[error("no isdb database at {uri}")]
    NotFound {
        /// The database's URI.
        uri: String,
    },
    /// No TileDB array exists at the location.
    #[error("expected a TileDB array at {uri}, found {found}")]
    NotAnArray {
        /// The location.
        uri: String,
        /// What is there instead.
        found: &'static str,
    },
    /// The location of a new database is in use.
    #[error("{uri} exists and is not an isdb database")]
    Occupied {
        /// The database's URI.
        uri: String,
    },
    /// This version cannot store a database at the location.
    #[error("cannot store a database at {uri}: {reason}")]
    Unsupported {
        /// The database's URI.
        uri: String,
        /// The reason.
        reason: String,
    },
    /// Another process is writing to the database.
    #[error("another process is writing to {uri}")]
    Locked {
        /// The database's URI.
        uri: String,
    },
    /// Another writer committed first: nothing of this commit is visible.
    #[error("another writer took over {uri} and made commit {number}")]
    Overtaken {
        /// The database's URI.
        uri: String,
        /// The commit that both writers tried to create.
        number: u64,
    },
    /// A window of this writer was begun and never committed.
    #[error("a window of {uri} was not committed; a new writer must take over")]
    Unfinished {
        /// The database's URI.
        uri: String,
    },
    /// The opened state has been vacuumed.
    #[error("the snapshot of {uri} at commit {commit} has expired: commits before {horizon} were vacuumed")]
    Expired {
        /// The database's URI.
        uri: String,
        /// The commit that the snapshot shows.
        commit: u64,
        /// The oldest commit that can still be read.
        horizon: u64,
    },
    /// The requested state is older than the database.
    #[error("{uri} did not exist yet at {timestamp}")]
    TooEarly {
        /// The database's URI.
        uri: String,
        /// The requested time, in milliseconds since 1970.
        timestamp: u64,
    },
    /// The database has no tag of this name.
    #[error("{uri} has no tag {name}{suggestion}")]
    UnknownTag {
        /// The database's URI.
        uri: String,
        /// The requested name.
        name: String,
        /// A similar name, as the end of a sentence; empty without one.
        suggestion: String,
    },
    /// A tag of this name exists, and keeps another state.
    #[error("{uri} has a tag {name}, which keeps the state of commit {commit}")]
    TagExists {
        /// The database's URI.
        uri: String,
        /// The name.
        name: String,
        /// The commit whose state the tag keeps.
        commit: u64,
    },
    /// The database stores variables other than the requested ones.
    #[error("{uri} stores other variables: {difference}")]
    OtherVariables {
        /// The database's URI.
        uri: String,
        /// The variables that only one side has.
        difference: String,
    },
    /// The database's design differs from the requested one.
    #[error("{uri} has other {what}: {stored}; requested: {requested}")]
    OtherDesign {
        /// The database's URI.
        uri: String,
        /// The part that differs.
        what: &'static str,
        /// The database's value.
        stored: String,
        /// The requested value.
        requested: String,
    },
    /// This version cannot understand an object of the database.
    #[error("{object} is damaged or from another version: {problem}")]
    Damaged {
        /// The object's path or URI.
        object: String,
        /// The problem.
        problem: String,
    },
    /// Another version wrote the object, in a format that this version does not read.
    #[error("expected format {expected} of {object}, found {found}")]
    OtherFormat {
        /// The object's path.
        object: String,
        /// The format that this version reads and writes.
        expected: u32,
        /// The format of the object.
        found: u32,
    },
    /// The database has files and no commit log, which alone says what of them is visible.
    #[error("{uri} has lost its commit log: expected commits or checkpoints beside its {found}, found none")]
    LostLog {
        /// The database's URI.
        uri: String,
        /// What is left of the database.
        found: String,
    },
    /// The database has a commit log and no array.
    #[error("{uri} does not exist: expected the array of segments that the commit log describes")]
    LostArray {
        /// The array's URI.
        uri: String,
    },
    /// A name cannot be the name of a tag.
    #[error("expected the name of a tag, found {found}: {problem}")]
    TagName {
        /// The name in backticks, or `nothing`.
        found: String,
        /// The reason.
        problem: &'static str,
    },
    /// The storage of the commit log failed.
    #[error("cannot access the commit log of {uri}")]
    Log {
        /// The database's URI.
        uri: String,
        /// The storage's error.
        #[source]
        source: object_store::Error,
    },
    /// The file system of the database cannot create a file under a name that must be free. Without that, two writers could both get
    /// the same commit.
    #[error("the file system of {path} supports neither hard links nor renames that replace nothing")]
    FileSystem {
        /// The database's folder.
        path: String,
        /// The operating system's error.
        #[source]
        source: object_store::Error,
    },
    /// An object store refused a request, or could not be reached.
    #[error("cannot access {object}: {problem}")]
    Store {
        /// The object, as `s3://bucket/key`.
        object: String,
        /// The store's code and message, or what failed on the way.
        problem: String,
        /// What probably helps.
        hint: Option<String>,
        /// The error of the client, with the details.
        cause: Box<object_store::Error>,
    },
    /// A setting of an object store cannot be used.
    #[error("{setting}: {problem}")]
    StorageSetting {
        /// The variable or the profile.
        setting: String,
        /// The reason.
        problem: String,
    },
    /// An object store has no conditional writes. Without those, two writers could both get the same commit.
    #[error("the store of {uri} does not check {condition} of a write")]
    NoConditionalWrites {
        /// The database's URI.
        uri: String,
        /// The header that it ignores.
        condition: &'static str,
    },
    /// The lock of this writer could not be renewed, or another writer has it now. Nothing was committed.
    #[error("this writer no longer has the lock of {uri}")]
    LostLock {
        /// The database's URI.
        uri: String,
    },
    /// The location has a copy of a database that was begun and not finished.
    #[error("{uri} is an unfinished copy of {original}")]
    UnfinishedCopy {
        /// The URI of the copy.
        uri: String,
        /// The URI of the database that is being copied.
        original: String,
    },
    /// A place has files that do not belong to an unfinished copy of the database that is to be copied there.
    #[error("cannot copy a database to {uri}: expected an empty place, found files")]
    NotEmpty {
        /// The URI of the place.
        uri: String,
    },
    /// A database cannot be copied to the place where it is, or to a place within it.
    #[error("cannot copy {uri} to {copy}: expected a place outside of the database")]
    CopyWithin {
        /// The database's URI.
        uri: String,
        /// The URI of the copy.
        copy: String,
    },
    /// The written fragments do not match the ledger rows. Nothing was committed.
    #[error("nothing was committed to {uri}: {problem}")]
    Mismatch {
        /// The database's URI.
        uri: String,
        /// The expected and the actual value.
        problem: String,
    },
    /// The file system failed.
    #[error("cannot access {path}")]
    Io {
        /// The file or folder.
        path: String,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// TileDB failed.
    #[error(transparent)]
    TileDb(#[from] tiledb::Error),
    /// A record batch does not have the expected columns.
    #[error("cannot convert a record batch")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The async runtime shut down before the work was done.
    #[error("the runtime shut down")]
    Shutdown,
}
