//! `isdb info`: the content of the database, where other TileDB programs find the same state, and its citation.

use crate::filters::describe;
use crate::time::{format_milliseconds, format_nanoseconds};
use crate::{Database, Info, describe_area, describe_region};
use comfy_table::CellAlignment::Left;

use crate::program::aligned::aligned;
use crate::program::cli::{InfoArgs, TextFormat};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::map::screen;
use crate::program::output;
use crate::program::settings::Settings;
use crate::program::units::format_bytes;

mod distribution;

pub(crate) async fn run(arguments: InfoArgs, settings: Settings) -> Result<u8, CliError> {
    let mut builder = Database::open_location(&settings.location);
    if let Some(at) = arguments.state.at {
        builder = builder.at(at);
    }
    let database = builder.await?;
    if arguments.cite {
        let citation = database.cite().await?;
        match arguments.format {
            TextFormat::Text => output::print(&format!("{citation}\n"))?,
            TextFormat::Json => output::print(&format!("{:#}\n", citation.to_json()))?,
        }
        return Ok(SUCCESS);
    }
    let info = database.info().await?;
    let lines = aligned(facts(&info).into_iter().map(|(name, value)| [name.to_owned(), value]), [Left, Left]);
    let mut text = lines.join("\n") + "\n";
    let map = distribution::map(&info.density, screen().0);
    if !map.is_empty() {
        text += &format!("\n{map}");
    }
    if !info.months.is_empty() {
        text += &format!("\nsegments by month\n{}", distribution::histogram(&info.months));
    }
    output::print(&text)?;
    Ok(SUCCESS)
}

/// Returns names and values; a value without a name continues the previous one.
fn facts(info: &Info) -> Vec<(&'static str, String)> {
    let state = describe_state(info.commit, info.timestamp);
    let mut facts = vec![("database", info.uri.clone()), ("state", state), ("granules", granules(info))];
    if !info.mixed_releases.is_empty() {
        let releases = info.mixed_releases.iter().map(|(release, count)| format!("{release} ({count} granules)"));
        facts.push(("", format!("more than one release: {}", releases.collect::<Vec<_>>().join(", "))));
    }
    if info.incomplete > 0 {
        let note = "granules are incomplete since a repair; the next `isdb ingest` reads their files again";
        facts.push(("", format!("{} {note}", info.incomplete)));
    }
    let fragments = if info.fragments == 1 { "fragment" } else { "fragments" };
    facts.push(("segments", format!("{} in {} {fragments}", info.segments, info.fragments)));
    let degrees = |(low, high): (f64, f64)| format!("{} to {}", format_degrees(low), format_degrees(high));
    let times = |(first, last): (i64, i64)| format!("{} to {}", format_nanoseconds(first), format_nanoseconds(last));
    let nothing = || "- to -".to_owned();
    facts.push(("latitude", info.extent.map_or_else(nothing, |extent| degrees(extent.latitude))));
    facts.push(("longitude", info.extent.map_or_else(nothing, |extent| degrees(extent.longitude))));
    facts.push(("time", info.extent.map_or_else(nothing, |extent| times(extent.time))));
    facts.push(("variables", info.variables.len().to_string()));
    if !info.derived.is_empty() {
        let names: Vec<&str> = info.derived.iter().map(|field| field.name().as_str()).collect();
        facts.push(("derived", names.join(", ")));
    }
    facts.push(("filters", describe(&info.filters)));
    for (filters, granules) in &info.other_filters {
        facts.push(("", format!("{granules} granules were ingested with: {filters}")));
    }
    facts.push(("region", describe_region(info.region.as_ref())));
    for (area, granules) in &info.other_areas {
        facts.push(("", format!("{granules} granules were ingested for: {}", describe_area(area.as_deref()))));
    }
    for (name, tag) in &info.tags {
        let label = if Some(name) == info.tags.keys().next() { "tags" } else { "" };
        let bytes = info.tag_costs.by_tag.get(name).copied().unwrap_or(0);
        let state = describe_state(tag.commit, tag.timestamp);
        facts.push((label, format!("{name}: {state}; keeps {}", format_bytes(bytes))));
    }
    if info.tags.len() > 1 {
        facts.push((
            "",
            format!("all tags keep {} that the newest state does not show", format_bytes(info.tag_costs.total)),
        ));
    }
    facts.push(("TileDB", format!("{} at timestamp {}", info.segments_uri, info.timestamp)));
    let recipe = "docs/reference/other-programs.md has a recipe for other programs";
    facts.push((
        "",
        match info.has_hidden_rows {
            true => format!(
                "with rows that were replaced or removed, or that no commit records; {recipe}, which leaves them out"
            ),
            false => recipe.to_owned(),
        },
    ));
    facts
}

/// Describes a state by its commit and time.
fn describe_state(commit: u64, timestamp: u64) -> String {
    format!("commit {commit} at {timestamp} ({})", format_milliseconds(timestamp))
}

/// Returns the number of granules by state, and the releases of the current ones.
fn granules(info: &Info) -> String {
    let counts = info.granules.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    let releases: Vec<&str> = info.releases.iter().map(String::as_str).collect();
    match (counts.is_empty(), releases.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => counts.join(", "),
        (false, false) => format!("{}; release {}", counts.join(", "), releases.join(", ")),
    }
}

/// Formats degrees with at least one decimal and at most four, about 10 m.
fn format_degrees(degrees: f64) -> String {
    let text = ((degrees * 1e4).round() / 1e4).to_string();
    if text.contains('.') { text } else { text + ".0" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_have_one_to_four_decimals() {
        assert_eq!(["48.2", "-0.0001", "12.0"], [48.200_01, -0.000_1, 12.0].map(format_degrees));
    }
}
