//! Everything about one variable, for reading.

use isdb_schema::catalogue::{Fill, Flags, Labels, Variable};

use super::{releases_of, type_of, vertical_of};

/// The lines about `variable`, each fact behind its name; `stored` says whether a database has it.
pub(super) fn of(variable: &Variable, stored: Option<bool>) -> String {
    let mut block = format!("{}: {}\n", variable.name, variable.description);
    let mut tell = |name: &str, fact: &str| {
        for (line, text) in fact.lines().enumerate() {
            let name = if line == 0 { name } else { "" };
            block.push_str(&format!("  {name:<20}{text}\n"));
        }
    };
    tell("plain name in atl08", variable.plain.unwrap_or_default());
    tell("HDF5 path", &format!("gtx/land_segments/{}", variable.path));
    tell("long name", variable.long_name);
    tell("type", &type_of(variable));
    tell("units", &units(variable));
    tell("vertical reference", vertical_of(variable));
    tell("releases", &releases_of(variable));
    tell("stored", stored.map_or("", |stored| if stored { "yes" } else { "no: `isdb add-variable` adds it" }));
    tell("NULL where it is", &variable.fill.map(fill).unwrap_or_default());
    tell("valid", &variable.valid_range.map(valid).unwrap_or_default());
    tell("elements", &variable.labels.map(labels).unwrap_or_default());
    if let Some(flags) = variable.flags_of(variable.releases.last.unwrap_or(u16::MAX)) {
        tell("flags", &meanings(flags));
    }
    if let Some(flags) = variable.earlier_flags {
        tell(&format!("flags of {}", flags.releases.names().collect::<Vec<_>>().join(", ")), &meanings(flags));
    }
    block
}

fn units(variable: &Variable) -> String {
    match variable.product_units {
        same if same == variable.units => same.to_owned(),
        other => format!("{} (the product says {other})", variable.units),
    }
}

fn fill(fill: Fill) -> String {
    match fill {
        Fill::Int(fill) => fill.to_string(),
        Fill::Float(fill) => format!("{fill:e}"),
    }
}

fn valid((low, high): (f64, f64)) -> String {
    if high.is_finite() { format!("{low} to {high}") } else { format!("from {low}") }
}

fn labels(labels: Labels) -> String {
    let units = if labels.units.is_empty() { String::new() } else { format!(" ({})", labels.units) };
    format!("{}{units}: {}", labels.name, labels.values)
}

/// One line per code.
fn meanings(flags: Flags) -> String {
    let pairs = flags.values.split_whitespace().zip(flags.meanings.split_whitespace());
    pairs.map(|(value, meaning)| format!("{value:>3}  {meaning}\n")).collect()
}
