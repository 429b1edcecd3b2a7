//! `isdb check`: reads everything in the database, and reports what is damaged.

use std::time::{Duration, Instant};

use crate::{CheckProgress, CheckReport, Damage, Remedy, check};
use serde_json::{Value, json};

use crate::program::cli::{Check, TextFormat};
use crate::program::error::CliError;
use crate::program::exit_code::{FAILED, SUCCESS};
use crate::program::messages::print_some;
use crate::program::output;
use crate::program::settings::Settings;

/// At most this many granules of a damage are listed in text.
const LISTED: usize = 20;

/// The time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

pub(crate) async fn run(arguments: Check, settings: Settings) -> Result<u8, CliError> {
    let report = check(&settings.location, progress()).await?;
    match arguments.format {
        TextFormat::Text => output::print(&text(&report))?,
        TextFormat::Json => output::print(&format!("{:#}\n", to_json(&report)))?,
    }
    Ok(if report.is_sound() { SUCCESS } else { FAILED })
}

/// Returns a function that prints progress on standard error from time to time.
pub(super) fn progress() -> impl FnMut(CheckProgress) {
    let mut printed = Instant::now();
    move |at| {
        if printed.elapsed() >= INTERVAL {
            printed = Instant::now();
            eprintln!("fragments: {} of {}, segments: {} of {}", at.fragments, at.of_fragments, at.rows, at.of_rows);
        }
    }
}

/// Describes what was read, and each damage with its remedy and granules.
pub(super) fn text(report: &CheckReport) -> String {
    let mut text = String::new();
    let mut line = |line: String| text.extend([line.as_str(), "\n"]);
    for damage in &report.damages {
        line(format!("{}: {}", damage.path, damage.problem));
        line(format!("  repair: {}", remedy(damage)));
        print_some(damage.granules.iter(), LISTED, |granule| line(format!("  granule: {granule}")), |_| ());
        if damage.granules.len() > LISTED {
            line(format!("  and {} more granules", damage.granules.len() - LISTED));
        }
    }
    let CheckReport { commits, checkpoints, ledger_files, fragments, rows, .. } = report;
    line(format!(
        "read: {commits} commits, {checkpoints} checkpoints, {ledger_files} files of the ledger, {fragments} fragments, {rows} segments"
    ));
    if report.lost_commits > 0 {
        line(format!("lost earlier: {} commits, whose states cannot be opened", report.lost_commits));
    }
    if !report.incomplete.is_empty() {
        let count = report.incomplete.len();
        line(format!("incomplete: {count} granules, whose files the next `isdb ingest` reads again"));
    }
    line(format!(
        "damaged: {}",
        if report.is_sound() { "nothing".to_owned() } else { report.damages.len().to_string() }
    ));
    text
}

fn remedy(damage: &Damage) -> &'static str {
    match damage.remedy {
        Remedy::Restore => "restores it; nothing is lost",
        Remedy::Remove => "removes it; nothing needs it",
        Remedy::Drop => "drops its segments; the next `isdb ingest` reads its granules again",
        Remedy::DropRows => {
            "drops its ledger rows and hides their segments; run `isdb ingest` over the same source again: granules without a row are ingested"
        }
        Remedy::GiveUpStates => "records that the states which need it cannot be opened; the newest state is whole",
        Remedy::Reread => "marks its granules, whose files the next `isdb ingest` reads again",
        Remedy::DeleteTag => "none; put it back from a backup, or delete the tags",
        _ => "none; put it back from a backup, or ingest the granules into a new database",
    }
}

fn to_json(report: &CheckReport) -> Value {
    let damage = |damage: &Damage| {
        json!({
            "path": damage.path,
            "problem": damage.problem,
            "repair": remedy(damage),
            "granules": damage.granules,
        })
    };
    json!({
        "commit": report.commit,
        "read": {
            "commits": report.commits,
            "checkpoints": report.checkpoints,
            "ledger_files": report.ledger_files,
            "fragments": report.fragments,
            "segments": report.rows,
        },
        "damages": report.damages.iter().map(damage).collect::<Vec<_>>(),
        "lost_commits": report.lost_commits,
        "incomplete": report.incomplete,
    })
}
