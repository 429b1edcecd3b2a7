//! The check of the consolidated footers, which other programs read in place of those of the fragments.

use std::collections::BTreeSet;

use super::fragments::FragmentCheck;
use super::problem::problem_of;
use super::report::{CheckReport, Damage, Remedy};
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{CONSOLIDATED, FOOTER, FRAGMENTS};
use crate::files::location::{Location, SEGMENTS};

/// Checks that the array can be opened with its consolidated footers, without the fragments that a repair drops.
pub(super) async fn check_consolidated(
    fragments: &FragmentCheck<'_>,
    database: &Database,
    report: &mut CheckReport,
) -> Result<()> {
    let location = database.location().clone();
    let folder = format!("{SEGMENTS}/{CONSOLIDATED}");
    let listed = (location.clone(), folder.clone());
    let names = blocking(move || listed.0.names(&listed.1)).await?;
    let broken: BTreeSet<&String> = report.repairs.dropped.values().chain(&report.repairs.unlisted).collect();
    let whole: BTreeSet<String> = fragments.listed().filter(|name| !broken.contains(name)).cloned().collect();
    let (of, files) = (location.clone(), names.clone());
    let check = move || files.iter().try_for_each(|name| check_file(&of, name, &whole));
    if let Err(error) = blocking(check).await {
        report.damages.push(Damage::new(location.child(&folder), problem_of(error)?, Remedy::Remove));
        report.repairs.removed.extend(names.iter().map(|name| format!("{CONSOLIDATED}/{name}")));
    }
    Ok(())
}

/// Compares the footers in a file with those of the fragments `whole`.
fn check_file(location: &Location, name: &str, whole: &BTreeSet<String>) -> Result<()> {
    let path = format!("{SEGMENTS}/{CONSOLIDATED}/{name}");
    let content = location.read(&path)?;
    tiledb::check_consolidated_footers(&location.child(&path), &content, |fragment| {
        if !whole.contains(fragment) {
            return Ok::<_, Error>(None);
        }
        Ok(Some(location.read(&format!("{SEGMENTS}/{FRAGMENTS}/{fragment}/{FOOTER}"))?.into()))
    })
}
