//! Failed files on standard error: each with its reason, but a reason that many files share only once.

use std::collections::BTreeMap;

use isdb_cmr::SharedCause;
use isdb_schema::printable::Printable;

/// The number of files that are listed by name when they failed for the same reason.
const NAMES: usize = 3;

/// A file that failed.
pub(crate) struct FailedFile {
    /// Its name.
    pub(crate) name: String,
    /// The name and the reason.
    pub(crate) text: String,
    /// The cause, if it concerns other files as well.
    pub(crate) shared_cause: Option<SharedCause>,
    /// Advice.
    pub(crate) hint: Option<&'static str>,
}

/// Prints `failed`; a shared cause is printed once, with its hint.
pub(crate) fn print_failures(failed: &[FailedFile]) {
    lines(failed).iter().for_each(|line| eprintln!("{line}"));
}

fn lines(failed: &[FailedFile]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut shared: BTreeMap<SharedCause, Vec<&FailedFile>> = BTreeMap::new();
    for file in failed {
        match file.shared_cause {
            Some(cause) => shared.entry(cause).or_default().push(file),
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

    fn failed(name: &str, shared_cause: Option<SharedCause>) -> FailedFile {
        let hint = shared_cause.map(|_| "do something");
        FailedFile { name: name.to_owned(), text: format!("{name}: no"), shared_cause, hint }
    }

    #[test]
    fn a_cause_that_many_files_share_is_printed_once() {
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
