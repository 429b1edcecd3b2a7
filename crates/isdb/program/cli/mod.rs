//! The command line arguments, as types. This module makes no decisions.

use clap::{Parser, Subcommand};

mod archive;
mod catalogue;
mod common;
mod database;
mod grid;
mod map;
mod parse;
mod query;

pub(crate) use archive::{Download, Login, Search, SearchArgs};
pub(crate) use catalogue::{ConfigCommand, Filters, InfoArgs, Init, Variables};
pub(crate) use common::{DatabaseArgs, LogArgs, ReadArgs, RegionArgs, Resources, TextFormat};
pub(crate) use database::{
    AddVariable, ArchiveArgs, Check, Consolidate, Copy, Ingest, Remove, Repair, TagArgs, Vacuum,
};
pub(crate) use grid::Grid;
pub(crate) use map::MapArgs;
pub(crate) use parse::{memory as parse_memory, query_memory as parse_query_memory};
pub(crate) use query::{Format, Geometry, Query};

/// ICESat-2 ATL08 granules as a database.
#[derive(Debug, Parser)]
#[command(name = "isdb", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ingest granules; granules already in the database are skipped
    Ingest(Ingest),
    /// Run SQL; without a statement, start a prompt
    Query(Query),
    /// Write statistics of the segments in each cell of a grid as a GeoTIFF or CSV
    Grid(Grid),
    /// Draw the points of a statement as a picture, or print them as a map
    Map(MapArgs),
    /// Search NASA's CMR for granules and list them; nothing is downloaded
    Search(Search),
    /// Download granules from NASA's archive; an interrupted download is resumed
    Download(Download),
    /// Store an Earthdata username and password in your netrc file, or check the stored login
    Login(Login),
    /// Show a summary of the database
    Info(InfoArgs),
    /// Show the product's variables: meaning, units, releases, and which ones the database stores
    Variables(Variables),
    /// Show the quality filters that ingest and query can apply
    Filters(Filters),
    /// Write the default config, with comments, to a file you can edit
    Init(Init),
    /// Check a config, or print the config schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Join overlapping fragments, so that queries read fewer of them
    Consolidate(Consolidate),
    /// Delete files that no retained state of the database needs
    Vacuum(Vacuum),
    /// Keep a state of the database under a name that --at accepts, whatever is vacuumed; without a name, list the tags
    Tag(TagArgs),
    /// Read everything in the database, and report damaged files and the granules in them
    Check(Check),
    /// Restore damaged files, and drop what cannot be read; the next ingest reads the granules in it again
    Repair(Repair),
    /// Copy a database to another folder or bucket; an interrupted copy is continued
    Copy(Copy),
    /// Add variables to an existing database; segments that are already stored have NULL for them until their granules are ingested again
    AddVariable(AddVariable),
    /// Remove granules from the database, for example because NASA withdrew them; a later ingest skips them unless it names the
    /// file itself
    Remove(Remove),
}
