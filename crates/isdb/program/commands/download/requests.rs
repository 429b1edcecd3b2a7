//! The files to download: URLs, and granules of work lists as `isdb search -o list.ndjson` writes them.

use std::collections::HashSet;
use std::path::Path;

use crate::read_work_list;
use isdb_cmr::{DownloadRequest, Error, Url, without_secrets};

use crate::program::error::CliError;

/// The requests of all arguments.
#[derive(Default)]
pub(super) struct Requests {
    /// Each file name once.
    pub(super) requests: Vec<DownloadRequest>,
    /// Granules of a list that cannot be downloaded.
    pub(super) failed: Vec<(String, Error)>,
}

/// Reads every argument: a URL, a work list, or `-` for a work list on standard input.
pub(super) fn read(arguments: &[String]) -> Result<Requests, CliError> {
    let mut all = Requests::default();
    let mut names = HashSet::new();
    for argument in arguments {
        if argument.starts_with("https://") || argument.starts_with("http://") {
            let request = from_url(argument)
                .ok_or_else(|| CliError::Message(format!("{}: no file name in the URL", without_secrets(argument))))?;
            all.add(request, &mut names);
            continue;
        }
        for granule in read_work_list(Path::new(argument))? {
            match DownloadRequest::for_granule(&granule) {
                Ok(request) => all.add(request, &mut names),
                Err(error) => all.failed.push((granule.file_name(), error)),
            }
        }
    }
    Ok(all)
}

impl Requests {
    fn add(&mut self, request: DownloadRequest, names: &mut HashSet<String>) {
        if names.insert(request.name.clone()) {
            self.requests.push(request);
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
    fn a_file_of_two_urls_is_requested_once() {
        let urls = ["https://x.example/2020/a.h5?x=1", "https://y.example/a.h5"].map(str::to_owned);
        let all = read(&urls).unwrap();
        assert_eq!(all.requests.iter().map(|request| request.name.as_str()).collect::<Vec<_>>(), ["a.h5"]);
        assert!(read(&["https://x.example/".to_owned()]).is_err());
    }
}
