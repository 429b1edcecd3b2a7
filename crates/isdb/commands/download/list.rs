//! What to download: URLs, and work lists as `isdb search -o list.ndjson` writes them.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use isdb_cmr::{Algorithm, Error, Url, Wanted};
use serde_json::Value;

use crate::failure::Failure;

/// What arguments came to.
#[derive(Default)]
pub(super) struct Listed {
    /// Each name once.
    pub(super) wanted: Vec<Wanted>,
    /// Files of a list that cannot be fetched.
    pub(super) failed: Vec<(String, Error)>,
}

/// Reads every argument: a URL, a work list, or `-` for one on standard input.
pub(super) fn read(arguments: &[String]) -> Result<Listed, Failure> {
    let mut listed = Listed::default();
    let mut names = HashSet::new();
    for argument in arguments {
        if argument.starts_with("https://") || argument.starts_with("http://") {
            let wanted = from_url(argument).ok_or_else(|| Failure::Refused(format!("{argument}: names no file")))?;
            listed.add(wanted, &mut names);
            continue;
        }
        let path = Path::new(argument);
        let failed = |source| Failure::Read { path: path.to_path_buf(), source };
        let source: Box<dyn BufRead> = match argument.as_str() {
            "-" => Box::new(std::io::stdin().lock()),
            _ => Box::new(BufReader::new(std::fs::File::open(path).map_err(failed)?)),
        };
        for (index, line) in source.lines().enumerate() {
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |problem: &str| Failure::Refused(format!("{argument}, line {}: {problem}", index + 1));
            match from_line(&line).map_err(wrong)? {
                Ok(wanted) => listed.add(wanted, &mut names),
                Err(failure) => listed.failed.push(failure),
            }
        }
    }
    Ok(listed)
}

impl Listed {
    fn add(&mut self, wanted: Wanted, names: &mut HashSet<String>) {
        if names.insert(wanted.name.clone()) {
            self.wanted.push(wanted);
        }
    }
}

fn from_url(text: &str) -> Option<Wanted> {
    let url = Url::parse(text).ok()?;
    let name = url.path_segments()?.next_back().filter(|name| !name.is_empty())?.to_owned();
    Some(Wanted { name, url, size: None, checksum: None })
}

/// A line of a work list; the inner error is a granule that CMR names no place of.
fn from_line(line: &str) -> Result<Result<Wanted, (String, Error)>, &'static str> {
    let line: Value = serde_json::from_str(line).map_err(|_| "is no JSON, which a line of a work list is")?;
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    let name = text("granule").ok_or("has no text `granule`, the name of the file")?.to_owned();
    let Some(url) = text("https") else {
        let error = Error::Answer { url: name.clone(), problem: "CMR names no https address of it".to_owned() };
        return Ok(Err((name, error)));
    };
    let url = Url::parse(url).map_err(|_| "has no URL in `https`")?;
    // A size in rounded megabytes is none to compare with.
    let is_exact = line.get("has_exact_size").and_then(Value::as_bool).unwrap_or_default();
    let size = line.get("bytes").and_then(Value::as_u64).filter(|_| is_exact);
    let checksum = text("checksum_algorithm").and_then(Algorithm::named).zip(text("checksum").map(str::to_owned));
    Ok(Ok(Wanted { name, url, size, checksum }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_search_says_what_is_fetched_and_rounded_sizes_are_not_compared() {
        let line = |exact| {
            format!(
                r#"{{"granule":"a.h5","bytes":7,"has_exact_size":{exact},"checksum_algorithm":"MD5","checksum":"ab","https":"https://x.example/y/a.h5"}}"#
            )
        };
        let wanted = from_line(&line(true)).unwrap().unwrap();
        assert_eq!((wanted.name.as_str(), wanted.size), ("a.h5", Some(7)));
        assert_eq!(wanted.checksum, Some((Algorithm::Md5, "ab".to_owned())));
        assert_eq!(from_line(&line(false)).unwrap().unwrap().size, None);
        assert_eq!(from_line(r#"{"granule":"a.h5","https":null}"#).unwrap().unwrap_err().0, "a.h5");
        for wrong in ["a.h5", "{}", r#"{"granule":"a.h5","https":"here"}"#] {
            assert!(from_line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_names_its_file_and_a_file_is_wanted_once() {
        let urls = ["https://x.example/2020/a.h5?x=1", "https://y.example/a.h5"].map(str::to_owned);
        let listed = read(&urls).unwrap();
        assert_eq!(listed.wanted.iter().map(|wanted| wanted.name.as_str()).collect::<Vec<_>>(), ["a.h5"]);
        assert!(read(&["https://x.example/".to_owned()]).is_err());
    }
}
