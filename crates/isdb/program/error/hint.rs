//! Advice on errors.

use isdb_ingest::Error as IngestError;
use isdb_query::{Error as QueryError, FileProblem};
use isdb_store::Error as StoreError;

use super::archive_hint::archive_hint;
use super::cli_error::{CliError, is_out_of_memory};

impl CliError {
    /// Returns advice on the error, where some exists.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            expired if expired.is_expired() => Some(
                "run the query again (at the prompt: \\r, then again); `vacuum --older-than` sets how long earlier states can be read, and `isdb tag` keeps a state",
            ),
            CliError::Library(error) => library_hint(error),
            CliError::NoDatabase => Some("specify it with --db PATH, with ISDB_DB, or as `database:` in a config file"),
            CliError::UnknownEnding { .. } => {
                Some("specify the format with --format; `isdb query --help` lists the formats")
            }
            CliError::BinaryToTerminal => {
                Some("specify a file with --output, or redirect standard output to a file or a program")
            }
            CliError::NoGeometry { .. } => {
                Some("select latitude and longitude, or name columns with positions: --geometry-columns LON,LAT")
            }
            CliError::SegmentColumns { .. } => {
                Some("select latitude, longitude, segment_id_beg and n_geosegments, as they are stored")
            }
            CliError::NoPosition { .. } => Some("leave such rows out: WHERE latitude IS NOT NULL"),
            CliError::GeometryColumn { .. } | CliError::NotALatitude { .. } => {
                Some("--geometry-columns LON,LAT names the column of the longitude first")
            }
            CliError::EmptyGrid => Some(
                "`isdb info` shows where and when the database has segments; --min-passes 1 keeps cells of a single pass",
            ),
            CliError::EmptyMap => Some("`isdb info` shows where and when the database has segments"),
            CliError::ValueColumn { .. } => {
                Some("--value names a column of the statement: SELECT longitude, latitude, h AS canopy")
            }
            CliError::SecondGeometry => {
                Some("give the column another name (AS), or omit --geometry and --geometry-columns")
            }
            CliError::GeoPackageToStream => Some("specify a file: --output FILE.gpkg"),
            CliError::Empty { hint, .. } => Some(hint),
            CliError::NoStatement { .. } => {
                Some("`isdb query \"SELECT ...\"` runs a statement; on a terminal `isdb query` starts a prompt")
            }
            CliError::OneStatementOnly { .. } => Some("run one `isdb query` for each statement"),
            CliError::OutputOfPrompt => Some("specify the statement: `isdb query --output FILE \"SELECT ...\"`"),
            CliError::UnknownColumn { hint, .. }
            | CliError::UnknownTable { hint, .. }
            | CliError::Statement { hint, .. } => Some(hint),
            CliError::NoFile { hint, .. } => *hint,
            CliError::Planner(_) => Some(
                "this is a fault of the engine, not of the statement; try it in steps: SELECT … FROM (SELECT *, EXPRESSION AS x FROM atl08) ORDER BY x",
            ),
            CliError::Memory(_) => Some(
                "raise the limit with --memory, select fewer columns or a smaller region, or read the first rows with LIMIT",
            ),
            CliError::NotConfirmed => Some("`isdb repair --yes` repairs without a question"),
            CliError::NoHome => Some("specify the file with NETRC"),
            _ => None,
        }
    }
}

fn library_hint(error: &crate::Error) -> Option<&str> {
    match error {
        crate::Error::UnknownVariable { .. } => Some("`isdb variables` lists all variables"),
        crate::Error::TagName { .. } => {
            Some("a name begins with a letter, or has one that a time does not have: paper-2026, v1.0")
        }
        crate::Error::Config(_) => {
            Some("`isdb init` writes a config with comments; `isdb config schema` prints a schema for editors")
        }
        crate::Error::Filter(_) => Some("`isdb filters` lists the filters"),
        crate::Error::Region { source, .. } if source.hint().is_some() => source.hint(),
        crate::Error::Region { .. } | crate::Error::RegionFile { .. } => {
            Some("a region is a GeoJSON file with polygons, or west,south,east,north in degrees: -62.5,-8,-60,-6")
        }
        crate::Error::Period(_) => Some("--start 2020-06-01 --end 2020-06-30 includes both days"),
        crate::Error::Query(QueryError::Statement { hint, .. }) => Some(hint),
        crate::Error::Query(error) => query_hint(error),
        crate::Error::Store(error) => store_hint(error),
        crate::Error::Ingest(error) => ingest_hint(error),
        crate::Error::Archive(error) => archive_hint(error),
        crate::Error::WorkList { .. } => Some("`isdb search -o list.ndjson` writes a work list"),
        crate::Error::SpillFolder { .. } => Some("specify an existing folder with --temp or TMPDIR"),
        _ => None,
    }
}

fn ingest_hint(error: &IngestError) -> Option<&str> {
    match error {
        IngestError::Selection(error) => query_hint(error),
        IngestError::OtherRelease { .. } => Some(
            "keep each release in a database of its own (--db), or replace one release by the other with --replace-release",
        ),
        IngestError::OtherRegion { .. } => Some(
            "omit --region to ingest for the region of the database, extend it with --add-region, or choose another --db",
        ),
        IngestError::WholeGranules { .. } => Some(
            "--whole-granules keeps all segments of the granules in a region; --db can name another database for the region alone",
        ),
        IngestError::NoSuchGranule { .. } => Some(
            "`isdb query \"SELECT granule FROM granules_current\"` lists the granules of the database; nothing was removed",
        ),
        IngestError::Window { source, .. } if is_out_of_memory(source) => Some(
            "no row of that window is visible; raise the limit with --memory, or reduce window.granules in the config",
        ),
        IngestError::Spill { .. } => {
            Some("specify an existing folder in which files can be created with --spill, or omit it")
        }
        IngestError::Window { .. } => Some("no row of that window is visible; run the same command again to continue"),
        IngestError::Store(error) => store_hint(error),
        IngestError::Archive(error) => archive_hint(error),
        _ => None,
    }
}

fn query_hint(error: &QueryError) -> Option<&str> {
    match error {
        QueryError::Expression { .. } => {
            Some("`isdb variables` lists the columns that it can use, `isdb filters NAME` shows examples")
        }
        QueryError::MissingVariable { .. } => Some("choose other filters; granules ingested from now on may have it"),
        QueryError::Release { .. } => {
            Some("choose other filters, or keep granules of other releases in a database of their own")
        }
        QueryError::ReadOnly { statement } => Some(read_only_hint(statement)),
        QueryError::UserFile { problem, .. } => file_hint(problem),
        QueryError::Reserved { .. } => {
            Some("choose another name; `CREATE VIEW name AS SELECT …` lasts for the session")
        }
        QueryError::NoView { .. } => {
            Some("omit them, and write the conditions in the statement: it has the table cells")
        }
        QueryError::Store(error @ StoreError::NotFound { .. }) => store_hint(error),
        _ => None,
    }
}

fn file_hint(problem: &FileProblem) -> Option<&'static str> {
    match problem {
        FileProblem::Folder => Some("a name in quotes is one file; UNION ALL combines several"),
        FileProblem::Utf16 => Some("`iconv -f UTF-16 -t UTF-8 FILE > NEW` converts it, or save it as CSV UTF-8"),
        FileProblem::NotUtf8 { .. } => {
            Some("if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` converts it, or save it as CSV UTF-8")
        }
        FileProblem::Ragged { .. } => Some("put a field that contains the separator in double quotes"),
        _ => None,
    }
}

/// Returns the command that does what a refused statement was meant to do.
fn read_only_hint(statement: &str) -> &'static str {
    let begins = |word: &str| statement.to_uppercase().starts_with(word);
    if begins("COPY") {
        "`isdb query -o rows.parquet \"SELECT …\"` writes the rows of a query to a file"
    } else if begins("CREATE") {
        "`CREATE VIEW name AS SELECT …` lasts for the session; a file of yours is a table by its name: FROM 'plots.csv'"
    } else if begins("SET") || begins("RESET") {
        "the options of `isdb query` are flags: `isdb query --help`; times are in UTC"
    } else if ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "DROP", "ALTER"].into_iter().any(begins) {
        "`isdb ingest` adds granules and `isdb remove` removes them; derived columns are part of the config"
    } else {
        "SELECT, EXPLAIN, SHOW, DESCRIBE, CREATE VIEW and DROP VIEW are allowed"
    }
}

fn store_hint(error: &StoreError) -> Option<&str> {
    match error {
        StoreError::NotFound { .. } => Some("`isdb ingest` creates a database; --db or ISDB_DB names an existing one"),
        StoreError::Occupied { .. } | StoreError::NotEmpty { .. } => {
            Some("choose an empty or new folder, or another prefix")
        }
        StoreError::NotAnArray { found: "an isdb database", .. } => Some("--db opens a database"),
        StoreError::NotAnArray { .. } => Some(
            "an array has a folder __schema; --array also takes the folder in which icesat2db or gedidb made its array",
        ),
        StoreError::Locked { .. } => Some("wait for the other command that writes to end, then run this one again"),
        StoreError::UnknownTag { .. } => {
            Some("`isdb tag` lists the tags; a time is 2026-11-29, 2026-11-29T12:00:00Z, or milliseconds since 1970")
        }
        StoreError::TagExists { .. } => Some("choose another name, or delete the tag first: `isdb tag --delete NAME`"),
        StoreError::Overtaken { .. } => {
            Some("run the same command again: granules that the other writer has ingested are skipped")
        }
        StoreError::OtherVariables { .. } => {
            Some("`isdb add-variable NAME` adds a variable; omit `variables` from the config to keep the database's")
        }
        StoreError::OtherDesign { what: "filters", .. } => {
            Some("omit them to continue as before, or ingest these granules again with the new ones by --refilter")
        }
        StoreError::OtherDesign { .. } => {
            Some("omit it to keep the database as it was created, or choose another --db")
        }
        StoreError::Unsupported { .. } => Some("choose a folder on a local disk, or s3://bucket/prefix"),
        StoreError::Store { hint, .. } => hint.as_deref(),
        StoreError::NoConditionalWrites { .. } => {
            Some("--single-writer writes without such requests, if no other process writes to the database meanwhile")
        }
        StoreError::LostLock { .. } => {
            Some("run the same command again: granules that were committed by then are skipped")
        }
        StoreError::UnfinishedCopy { .. } => {
            Some("`isdb copy FROM TO` with the same places continues it; only what is missing is copied")
        }
        StoreError::CopyWithin { .. } => Some("choose a folder or a prefix beside the database"),
        StoreError::FileSystem { .. } => {
            Some("choose a folder on a local disk (ext4, XFS, Btrfs, APFS), on NFS or on Lustre, with --db or ISDB_DB")
        }
        StoreError::Damaged { .. } => Some(
            "`isdb check` lists everything that is damaged; `isdb repair` restores what it can and drops only what cannot be read",
        ),
        StoreError::OtherFormat { .. } => Some(
            "use the version of isdb that made the database, or ingest the granules into a new database with this one",
        ),
        StoreError::LostLog { .. } | StoreError::LostArray { .. } => {
            Some("put it back from a backup, or ingest the granules into a new database")
        }
        StoreError::TagName { .. } => Some("`isdb tag` lists the tags; omit --at for the newest state"),
        StoreError::Mismatch { .. } => Some(
            "this is a fault of isdb: please report it with the output of `--log debug`; the visible state is unchanged",
        ),
        _ => None,
    }
}
