//! What to download: URLs, and work lists as `isdb search -o list.ndjson` writes them.

use std::collections::HashSet;
use std::path::Path;

use isdb_cmr::{DownloadRequest, Error, Url, without_secrets};

use crate::failure::Failure;
use crate::worklist;

/// What arguments came to.
#[derive(Default)]
pub(super) struct Listed {
    /// Each name once.
    pub(super) wanted: Vec<DownloadRequest>,
    /// Files of a list that cannot be fetched.
    pub(super) failed: Vec<(String, Error)>,
}

/// Reads every argument: a URL, a work list, or `-` for one on standard input.
pub(super) fn read(arguments: &[String]) -> Result<Listed, Failure> {
    let mut listed = Listed::default();
    let mut names = HashSet::new();
    for argument in arguments {
        if argument.starts_with("https://") || argument.starts_with("http://") {
            let wanted = from_url(argument)
                .ok_or_else(|| Failure::Refused(format!("{}: names no file", without_secrets(argument))))?;
            listed.add(wanted, &mut names);
            continue;
        }
        for granule in worklist::read(Path::new(argument))? {
            match DownloadRequest::for_granule(&granule) {
                Ok(wanted) => listed.add(wanted, &mut names),
                Err(error) => listed.failed.push((granule.file_name(), error)),
            }
        }
    }
    Ok(listed)
}

impl Listed {
    fn add(&mut self, wanted: DownloadRequest, names: &mut HashSet<String>) {
        if names.insert(wanted.name.clone()) {
            self.wanted.push(wanted);
        }
    }
}

fn from_url(text: &str) -> Option<DownloadRequest> {
    let url = Url::parse(text).ok()?;
    let name = url.path_segments()?.next_back().filter(|name| !name.is_empty())?.to_owned();
    Some(DownloadRequest { name, url, size: None, estimate: None, checksum: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_file_and_a_file_is_wanted_once() {
        let urls = ["https://x.example/2020/a.h5?x=1", "https://y.example/a.h5"].map(str::to_owned);
        let listed = read(&urls).unwrap();
        assert_eq!(listed.wanted.iter().map(|wanted| wanted.name.as_str()).collect::<Vec<_>>(), ["a.h5"]);
        assert!(read(&["https://x.example/".to_owned()]).is_err());
    }
}
