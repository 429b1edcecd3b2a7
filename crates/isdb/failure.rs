//! How a command fails: one line, its causes, a hint, and an exit code that means something.

use std::error::Error;
use std::path::PathBuf;

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;
use isdb_query::{FileProblem, Warning, error_hint, error_message, is_expired};
use isdb_region::RegionError;
use isdb_schema::catalogue;
use isdb_schema::config::ConfigError;
use isdb_schema::filters::FilterError;
use isdb_schema::period::PeriodError;
use isdb_schema::suggest::did_you_mean;
use rustyline::error::ReadlineError;

/// Everything went well.
pub(crate) const SUCCESS: u8 = 0;
/// The command could not do its work.
pub(crate) const FAILED: u8 = 1;
/// Done, but for some granules or files, which are named. Of `ingest`, `remove`, `search` and `download`.
pub(crate) const SOME_FAILED: u8 = 3;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// What ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no database is named")]
    NoDatabase,
    #[error("ATL08 has no variable {name:?}{near}")]
    NoSuchVariable { name: String, near: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("{given} is no region")]
    Region { given: String, source: RegionError },
    #[error("cannot read the region {}", path.display())]
    RegionFile { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Period(#[from] PeriodError),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is no work list", path.display())]
    WorkList { path: PathBuf, source: isdb_cmr::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot write to standard output")]
    Stdout(#[source] std::io::Error),
    #[error("cannot read standard input")]
    Stdin(#[source] std::io::Error),
    #[error("{}: the ending does not tell the format", path.display())]
    UnknownEnding { path: PathBuf },
    #[error("parquet and arrow are not for reading on a terminal")]
    BinaryToTerminal,
    #[error("there is no statement in {whence}")]
    NoStatement { whence: String },
    #[error("{count} statements, but {place} holds the result of one")]
    OneStatementOnly { count: usize, place: String },
    #[error("a prompt writes text to standard output only")]
    OutputOfPrompt,
    #[error("the prompt failed")]
    Prompt(#[from] ReadlineError),
    #[error("{0}")]
    Syntax(ParserError),
    #[error("there is no column {name}")]
    UnknownColumn { name: String, hint: String },
    #[error("there is no table {name}")]
    UnknownTable { name: String, hint: String },
    #[error("there is no file {name}")]
    NoFile { name: String, hint: Option<&'static str> },
    #[error(transparent)]
    Ingest(#[from] isdb_ingest::Error),
    #[error(transparent)]
    Store(#[from] isdb_store::Error),
    #[error(transparent)]
    Open(#[from] isdb_query::Error),
    #[error(transparent)]
    Nasa(#[from] isdb_cmr::Error),
    #[error("there is no place for a netrc")]
    NoHome,
    #[error("{0}")]
    Refused(String),
    #[error("cannot spill to {}", path.display())]
    Temp { path: PathBuf, source: std::io::Error },
    #[error("the query needs more memory than it may use")]
    Memory(#[source] DataFusionError),
    #[error("{problem}")]
    Statement { problem: String, hint: String },
    #[error("the query engine found no valid plan for this statement")]
    Planner(#[source] DataFusionError),
    #[error("the query failed")]
    Query(#[source] DataFusionError),
    #[error("a row could not be written")]
    Format(#[from] arrow::error::ArrowError),
    #[error("a row could not be written")]
    Parquet(#[from] ParquetError),
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
}

impl From<DataFusionError> for Failure {
    /// What DataFusion itself refused or could not compute is told in one line; what stands behind any other error is told
    /// cause by cause.
    fn from(error: DataFusionError) -> Failure {
        if is_out_of_memory(&error) {
            return Failure::Memory(error);
        }
        let error = match of_file(error) {
            Ok(own) => return Failure::Open(own),
            Err(error) => error,
        };
        if let Some(hint) = error_hint(&error) {
            return Failure::Statement { problem: error_message(&error), hint };
        }
        match error.find_root() {
            DataFusionError::Plan(_)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::Execution(_) => Failure::Refused(error_message(&error)),
            DataFusionError::ArrowError(arrow, _) if arrow.source().is_none() => {
                Failure::Refused(error_message(&error))
            }
            _ => Failure::Query(error),
        }
    }
}

impl Failure {
    /// The failure of a statement that was understood and could not be planned.
    pub(crate) fn of_planning(error: DataFusionError) -> Failure {
        let is_of_engine = match error.find_root() {
            DataFusionError::Internal(_) => true,
            // What the engine says of its own plan.
            DataFusionError::Plan(text) => text.contains("does not satisfy"),
            _ => false,
        };
        if is_of_engine { Failure::Planner(error) } else { Failure::from(error) }
    }

    /// A name that is not in the catalogue, with those that may have been meant.
    pub(crate) fn no_such_variable(name: &str) -> Failure {
        let near = did_you_mean(name, catalogue::variables().iter().map(|variable| variable.name));
        Failure::NoSuchVariable { name: name.to_owned(), near }
    }

    /// What to do about it, where something can be done.
    pub(crate) fn hint(&self) -> Option<&str> {
        use isdb_store::Error as Store;
        match self {
            expired if expired.is_expired() => Some(
                "run it again (at the prompt: \\r, then again); `vacuum --older-than` says how long what is dead is kept",
            ),
            Failure::NoDatabase => Some("name it with --db PATH, with ISDB_DB, or as `database:` in a config file"),
            Failure::NoSuchVariable { .. } => Some("`isdb variables` lists them all"),
            Failure::UnknownEnding { .. } => Some("name the format with --format; `isdb query --help` lists them"),
            Failure::BinaryToTerminal => {
                Some("name a file with --output, or send standard output to a file or a program")
            }
            Failure::NoStatement { .. } => {
                Some("`isdb query \"SELECT ...\"` runs one; on a terminal `isdb query` asks for them")
            }
            Failure::OneStatementOnly { .. } => Some("run one `isdb query` for each statement"),
            Failure::OutputOfPrompt => Some("name the statement: `isdb query --output FILE \"SELECT ...\"`"),
            Failure::UnknownColumn { hint, .. }
            | Failure::UnknownTable { hint, .. }
            | Failure::Statement { hint, .. }
            | Failure::Open(isdb_query::Error::Statement { hint, .. }) => Some(hint),
            Failure::NoFile { hint, .. } => *hint,
            Failure::Planner(_) => Some(
                "this is a fault of the engine, not of the statement; it may plan in steps: SELECT … FROM (SELECT *, EXPRESSION AS x FROM atl08) ORDER BY x",
            ),
            Failure::Config(_) => {
                Some("`isdb init` writes a config with comments; `isdb config schema` is for editors")
            }
            Failure::Filter(_) => Some("`isdb filters` lists them"),
            Failure::Region { source, .. } if source.hint().is_some() => source.hint(),
            Failure::Region { .. } | Failure::RegionFile { .. } => {
                Some("a region is a GeoJSON file with polygons, or west,south,east,north in degrees: -62.5,-8,-60,-6")
            }
            Failure::Period(_) => Some("--start 2020-06-01 --end 2020-06-30 takes all of both days"),
            Failure::Ingest(isdb_ingest::Error::Selection(error)) | Failure::Open(error)
                if selection_hint(error).is_some() =>
            {
                selection_hint(error)
            }
            Failure::Ingest(isdb_ingest::Error::OtherRelease { .. }) => Some(
                "keep each release in a database of its own (--db), or replace one by the other with --replace-release",
            ),
            Failure::Ingest(isdb_ingest::Error::OtherRegion { .. }) => Some(
                "leave --region out to ingest for the region of the database, widen it with --add-region, or name another --db",
            ),
            Failure::Ingest(isdb_ingest::Error::WholeGranules { .. }) => Some(
                "--whole-granules keeps all segments of the granules in a region; --db names another database for the region alone",
            ),
            Failure::Ingest(isdb_ingest::Error::NoSuchGranule { .. }) => {
                Some("`isdb query \"SELECT granule FROM granules_current\"` lists what is there; nothing was removed")
            }
            Failure::Ingest(isdb_ingest::Error::Window { source, .. }) if is_out_of_memory(source) => Some(
                "nothing of that window is visible; give it more with --memory, or fewer with window.granules in the config",
            ),
            Failure::Ingest(isdb_ingest::Error::Window { .. }) => {
                Some("nothing of that window is visible; run the same command again to go on")
            }
            Failure::Ingest(isdb_ingest::Error::Store(store)) | Failure::Store(store) => store_hint(store),
            Failure::Open(isdb_query::Error::Store(store @ Store::NotFound { .. })) => store_hint(store),
            Failure::Nasa(error) | Failure::Ingest(isdb_ingest::Error::Archive(error)) => nasa_hint(error),
            Failure::WorkList { .. } => Some("`isdb search -o list.ndjson` writes one"),
            Failure::Temp { .. } => Some("name an existing folder with --temp or TMPDIR"),
            Failure::Memory(_) => Some(
                "give it more with --memory, select fewer columns or a smaller region, or take the first rows with LIMIT",
            ),
            Failure::NoHome => Some("name the file with NETRC"),
            _ => None,
        }
    }

    /// Whether a vacuum has removed what was to be read; what is opened anew can be read.
    pub(crate) fn is_expired(&self) -> bool {
        match self {
            Failure::Open(error) => is_expired(error),
            Failure::Store(error) => is_expired(error),
            Failure::Query(error) => is_expired(error),
            _ => false,
        }
    }

    /// True when the reader of our output has gone away, which is no failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// The error on a file of a person's own that is all there is to `error`.
fn of_file(error: DataFusionError) -> Result<isdb_query::Error, DataFusionError> {
    use isdb_query::Error as Open;
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Open>() {
            Ok(own) if matches!(*own, Open::UserFile { .. } | Open::FilesClosed { .. }) => Ok(*own),
            Ok(own) => Err(DataFusionError::External(own)),
            Err(inner) => Err(DataFusionError::External(inner)),
        },
        other => Err(other),
    }
}

/// Whether an operator or a read of libtiledb had no room for its work. libtiledb has no code for that, only its message.
fn is_out_of_memory(error: &DataFusionError) -> bool {
    if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
        return true;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(tiledb::Error::Library { message, .. }) = error.downcast_ref() {
            return message.to_lowercase().contains("memory budget");
        }
        cause = error.source();
    }
    false
}

fn selection_hint(error: &isdb_query::Error) -> Option<&'static str> {
    match error {
        isdb_query::Error::Expression { .. } => {
            Some("`isdb variables` tells what can be looked at, `isdb filters NAME` shows examples")
        }
        isdb_query::Error::MissingVariable { .. } => {
            Some("choose other filters; granules ingested from now on may have it")
        }
        isdb_query::Error::Release { .. } => {
            Some("choose other filters, or keep granules of other releases in a database of their own")
        }
        isdb_query::Error::ReadOnly { statement } => Some(read_only_hint(statement)),
        isdb_query::Error::UserFile { problem, .. } => file_hint(problem),
        isdb_query::Error::Reserved { .. } => {
            Some("choose another name; `CREATE VIEW name AS SELECT …` lives for the session")
        }
        _ => None,
    }
}

fn file_hint(problem: &FileProblem) -> Option<&'static str> {
    match problem {
        FileProblem::Folder => Some("a name in quotes is one file; UNION ALL puts several together"),
        FileProblem::Utf16 => Some("`iconv -f UTF-16 -t UTF-8 FILE > NEW` converts it, or save it as CSV UTF-8"),
        FileProblem::NotUtf8 { .. } => {
            Some("if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` converts it, or save it as CSV UTF-8")
        }
        FileProblem::Ragged { .. } => Some("a field that holds the separator itself belongs in double quotes"),
        _ => None,
    }
}

/// What does the work of a statement of this kind, which SQL must not do.
fn read_only_hint(statement: &str) -> &'static str {
    let word = |text: &str| statement.to_uppercase().starts_with(text);
    if word("COPY") {
        "`isdb query -o rows.parquet \"SELECT …\"` writes the rows of a query to a file"
    } else if word("CREATE") {
        "`CREATE VIEW name AS SELECT …` lives for the session; a file of your own is a table by its name: FROM 'plots.csv'"
    } else if word("SET") || word("RESET") {
        "the options of `isdb query` are flags: `isdb query --help`; times are in UTC"
    } else if ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "DROP", "ALTER"].into_iter().any(word) {
        "`isdb ingest` adds granules and `isdb remove` takes them out; derived columns are part of the config"
    } else {
        "SELECT, EXPLAIN, SHOW, DESCRIBE, CREATE VIEW and DROP VIEW are"
    }
}

/// What to do about an error of NASA's services or of the way there.
pub(crate) fn nasa_hint(error: &isdb_cmr::Error) -> Option<&'static str> {
    use isdb_cmr::Error as Nasa;
    match error {
        Nasa::CmrUnreachable { reason, .. } | Nasa::Connection { reason, .. } => Some(way_hint(reason)),
        Nasa::CmrIncomplete { .. } => Some("granules may have changed meanwhile; run the same command again"),
        Nasa::NoLogin { .. } => Some(
            "`isdb login` keeps an Earthdata login; EARTHDATA_TOKEN names a token. A login is free: urs.earthdata.nasa.gov",
        ),
        Nasa::LoginRefused { kind: isdb_cmr::CredentialKind::Token, .. } | Nasa::InvalidToken { .. } => Some(
            "make a new token at urs.earthdata.nasa.gov/profile, or unset EARTHDATA_TOKEN to use user and password",
        ),
        Nasa::LoginRefused { .. } => Some(
            "it was tried once; `isdb login` keeps another one. After several refusals NASA locks an account for a while",
        ),
        Nasa::UnexpectedLoginResponse { .. } => Some(
            "it was tried once. Open the address of a file in a browser: NASA may want an application approved; else `isdb login` keeps another login",
        ),
        Nasa::Occupied { .. } => Some("it stays as it is; move it away, or name another folder"),
        Nasa::GivenUp { source, .. } if nasa_hint(source).is_some() => nasa_hint(source),
        _ => error.shared_cause().map(refusal_hint),
    }
}

/// What to do about what concerns more than one file.
pub(crate) fn refusal_hint(refusal: isdb_cmr::SharedCause) -> &'static str {
    use isdb_cmr::SharedCause;
    match refusal {
        SharedCause::Licence | SharedCause::Page => {
            "open the address in a browser once: NASA may want the archive's application or a licence (EULA) approved"
        }
        SharedCause::Foreign => "ISDB_EARTHDATA_HOSTS names other hosts of an archive that you trust with your login",
        SharedCause::InUse => "wait for the other download, then run the same command again",
        SharedCause::DiskFull => "free some space, or name another folder; run the same command again to go on",
        SharedCause::Overloaded => "run the same command again later to go on",
        SharedCause::Unreachable => way_hint(""),
        _ => "run the same command again to go on",
    }
}

/// What to do about a connection that failed for `reason`.
fn way_hint(reason: &str) -> &'static str {
    let says = |word: &str| reason.to_ascii_lowercase().contains(word);
    match () {
        () if says("certificate") => {
            "the certificate of the host, or of a proxy before it, is not trusted here; SSL_CERT_FILE names a file of trusted ones"
        }
        () if says("proxy") || says("tunnel") => {
            "HTTPS_PROXY and NO_PROXY name the proxy, and what is reached without one"
        }
        () => "https://status.earthdata.nasa.gov tells of outages; try again later",
    }
}

fn store_hint(error: &isdb_store::Error) -> Option<&'static str> {
    use isdb_store::Error as Store;
    match error {
        Store::NotFound { .. } => Some("`isdb ingest` creates a database; --db or ISDB_DB names an existing one"),
        Store::Occupied { .. } => Some("name an empty or new folder"),
        Store::Locked { .. } => Some("wait for the other ingest to end, then run the same command again"),
        Store::Overtaken { .. } => Some("run the same command again: what the other writer has brought in is left out"),
        Store::OtherVariables { .. } => {
            Some("`isdb add-variable NAME` adds one; leave `variables` out of the config to take the database's")
        }
        Store::OtherDesign { what: "filters", .. } => {
            Some("leave them out to go on as before, or ingest these granules again with the new ones by --refilter")
        }
        Store::OtherDesign { .. } => Some("leave it out to go on as the database was made, or name another --db"),
        Store::Unsupported { .. } => Some("name a folder on a local disk"),
        Store::FileSystem { .. } => {
            Some("name a folder on a local disk (ext4, XFS, Btrfs, APFS), on NFS or on Lustre, with --db or ISDB_DB")
        }
        Store::Mismatch { .. } => Some(
            "this is a fault of isdb: please report it with what `--log debug` prints; what is visible is as before",
        ),
        _ => None,
    }
}

/// Prints a warning of the library on standard error.
pub(crate) fn warn(warning: &Warning) {
    eprintln!("warning: {}", warning.text);
    eprintln!("hint: {}", warning.hint);
}

/// Tells `failure` on standard error: its line, each cause, and the hint.
pub(crate) fn tell(failure: &Failure) {
    eprintln!("error: {failure}");
    let mut told = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let text = error.to_string();
        let is_wrapper = matches!(error.downcast_ref(), Some(DataFusionError::External(_)));
        // Wrappers often repeat what they wrap.
        if !is_wrapper && !told.contains(&text) {
            eprintln!("  cause: {text}");
            told = text;
        }
        cause = error.source();
    }
    if let Some(hint) = failure.hint() {
        eprintln!("hint: {hint}");
    }
}
