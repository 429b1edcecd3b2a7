//! What failed, on standard error: each file with its reason, except where one reason holds for many of them.

use std::collections::BTreeMap;

use isdb_cmr::SharedCause;
use isdb_schema::printable::Printable;

/// Names listed of files that failed for one reason.
const NAMES: usize = 3;

/// A file that failed.
pub(crate) struct Failed {
    /// Its name.
    pub(crate) name: String,
    /// The name and the reason.
    pub(crate) text: String,
    /// Why not it alone failed, where that is so.
    pub(crate) refusal: Option<SharedCause>,
    /// What to do about it.
    pub(crate) hint: Option<&'static str>,
}

/// Prints `failed`; one reason that holds for many is printed once, with its hint.
pub(crate) fn tell_failed(failed: &[Failed]) {
    lines(failed).iter().for_each(|line| eprintln!("{line}"));
}

fn lines(failed: &[Failed]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut shared: BTreeMap<SharedCause, Vec<&Failed>> = BTreeMap::new();
    for file in failed {
        match file.refusal {
            Some(refusal) => shared.entry(refusal).or_default().push(file),
            None => {
                lines.push(format!("failed: {}", Printable(&file.text)));
                lines.extend(file.hint.map(|hint| format!("  hint: {hint}")));
            }
        }
    }
    for files in shared.values() {
        let Some((first, others)) = files.split_first() else { continue };
        lines.push(format!("failed: {}", Printable(&first.text)));
        if !others.is_empty() {
            let names: Vec<_> = others.iter().take(NAMES).map(|file| Printable(&file.name).to_string()).collect();
            let more = others.len() - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("  the same for {} others: {}{more}", others.len(), names.join(", ")));
        }
        lines.extend(first.hint.map(|hint| format!("  hint: {hint}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(name: &str, refusal: Option<SharedCause>) -> Failed {
        let hint = refusal.map(|_| "do something");
        Failed { name: name.to_owned(), text: format!("{name}: no"), refusal, hint }
    }

    #[test]
    fn what_holds_for_many_files_is_told_once_and_what_holds_for_one_each_time() {
        let mut all = vec![failed("x", None), failed("y", None)];
        all.extend((0..300).map(|number| failed(&format!("f{number}"), Some(SharedCause::Licence))));
        all.push(failed("z", Some(SharedCause::DiskFull)));
        let expected = [
            "failed: x: no",
            "failed: y: no",
            "failed: f0: no",
            "  the same for 299 others: f1, f2, f3 and 296 more",
            "  hint: do something",
            "failed: z: no",
            "  hint: do something",
        ];
        assert_eq!(lines(&all), expected);
    }
}
