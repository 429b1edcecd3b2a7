//! One variable of the product in full.

use crate::Variable;
use isdb_schema::catalogue::{Fill, Flags, Labels};

use super::columns::{releases, type_name, vertical_reference};
use crate::program::aligned::named_values;

/// Describes `variable`, one property per line. `is_stored` is whether the database stores it, None without a database.
pub(super) fn describe(variable: &Variable, is_stored: Option<bool>) -> String {
    let stored = is_stored.map_or("", |stored| if stored { "yes" } else { "no: `isdb add-variable` adds it" });
    let mut facts = vec![
        ("plain name in atl08".to_owned(), variable.plain.unwrap_or_default().to_owned()),
        ("HDF5 path".to_owned(), format!("gtx/land_segments/{}", variable.path)),
        ("long name".to_owned(), variable.long_name.to_owned()),
        ("type".to_owned(), type_name(variable)),
        ("units".to_owned(), units(variable)),
        ("vertical reference".to_owned(), vertical_reference(variable).to_owned()),
        ("releases".to_owned(), releases(variable)),
        ("stored".to_owned(), stored.to_owned()),
        ("fill value (NULL)".to_owned(), variable.fill.map(fill).unwrap_or_default()),
        ("valid".to_owned(), variable.valid_range.map(valid_range).unwrap_or_default()),
        ("elements".to_owned(), variable.labels.map(labels).unwrap_or_default()),
    ];
    if let Some(flags) = variable.flags_of(variable.releases.last.unwrap_or(u16::MAX)) {
        facts.push(("flags".to_owned(), meanings(flags)));
    }
    if let Some(flags) = variable.earlier_flags {
        let releases = flags.releases.names().collect::<Vec<_>>().join(", ");
        facts.push((format!("flags of {releases}"), meanings(flags)));
    }
    format!("{}: {}\n{}\n", variable.name, variable.description, named_values(facts).join("\n"))
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

fn valid_range((low, high): (f64, f64)) -> String {
    if high.is_finite() { format!("{low} to {high}") } else { format!("from {low}") }
}

fn labels(labels: Labels) -> String {
    let units = if labels.units.is_empty() { String::new() } else { format!(" ({})", labels.units) };
    format!("{}{units}: {}", labels.name, labels.values)
}

/// Returns a line per code.
fn meanings(flags: Flags) -> String {
    let pairs = flags.values.split_whitespace().zip(flags.meanings.split_whitespace());
    pairs.map(|(value, meaning)| format!("{value:>3}  {meaning}")).collect::<Vec<_>>().join("\n")
}
