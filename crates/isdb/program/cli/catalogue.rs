//! Arguments of commands that describe a database, the product, filters and configs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::common::{StateArgs, TextFormat};
use super::query::Format;

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Print how to cite the database: releases with their DOIs, granules, filters, versions, and the state
    #[arg(long)]
    pub(crate) cite: bool,
    /// Format of the citation
    #[arg(long, value_enum, default_value = "text", requires = "cite")]
    pub(crate) format: TextFormat,
    #[command(flatten)]
    pub(crate) state: StateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// A name, a part of a name or of its HDF5 path, or a pattern such as 'h_te_*'; a single match is shown in full
    pub(crate) pattern: Option<String>,
    /// Only variables of this release, such as 004
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<u16>,
    /// Output format
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct Filters {
    /// A filter, or a list such as strong,night, whose SQL to show
    pub(crate) name: Option<String>,
    /// Output format
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// File to create; it must not exist yet
    #[arg(default_value = "atl08.yml", value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// Make the config of this data_config.yml of the Python package icesat2db
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a config without ingesting anything: its keys, values, and the SQL of its filters and columns
    Check {
        /// The config file
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
    /// Print the JSON Schema of configs, for editors
    Schema,
}
