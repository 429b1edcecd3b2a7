//! `isdb repair`: restores damaged files, and drops what cannot be read.

use std::io::{BufRead, IsTerminal, Write};

use crate::{CheckReport, IngestError, Remedy, Repaired, StoreError, check, repair};

use super::check::{progress, text};
use crate::program::cli::Repair;
use crate::program::error::CliError;
use crate::program::exit_code::{FAILED, SUCCESS};
use crate::program::output;
use crate::program::settings::Settings;

pub(crate) async fn run(arguments: Repair, settings: Settings) -> Result<u8, CliError> {
    let location = &settings.location;
    if arguments.dry_run {
        output::print(&text(&check(location, progress()).await?))?;
        return Ok(SUCCESS);
    }
    let mut printed = Ok(());
    let mut is_left = false;
    let confirm = async |report: &CheckReport| {
        printed = output::print(&text(report));
        is_left = report.damages.iter().any(|damage| matches!(damage.remedy, Remedy::DeleteTag | Remedy::Rebuild));
        printed.is_ok() && (arguments.yes || is_confirmed().await)
    };
    let repaired = match repair(location, progress(), confirm).await {
        // Without the newest state nothing can be repaired, but what is damaged can be shown.
        Err(crate::Error::Ingest(IngestError::Store(
            error @ (StoreError::Damaged { .. } | StoreError::LostArray { .. }),
        ))) => {
            output::print(&text(&check(location, progress()).await?))?;
            return Err(crate::Error::Store(error).into());
        }
        repaired => repaired?,
    };
    printed?;
    let Some(Repaired { fragments, rows, incomplete, without_row, .. }) = repaired else {
        return Err(CliError::NotConfirmed);
    };
    eprintln!("dropped: {fragments} fragments, {rows} segments");
    if incomplete > 0 {
        eprintln!(
            "{incomplete} granules are incomplete; `isdb ingest` reads their files again, wherever they still exist"
        );
    }
    if without_row > 0 {
        eprintln!("{without_row} granules are no longer in the ledger; run `isdb ingest` over the same source again");
    }
    if is_left {
        eprintln!("some damage remains; `isdb check` lists it");
    }
    Ok(if is_left { FAILED } else { SUCCESS })
}

/// Whether the user confirms the repair on the terminal.
async fn is_confirmed() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let read = || {
        eprint!("repair? [y/N] ");
        let mut line = String::new();
        let read = std::io::stderr().flush().and_then(|()| std::io::stdin().lock().read_line(&mut line));
        read.is_ok() && ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
    };
    tokio::task::spawn_blocking(read).await.unwrap_or(false)
}
