//! From a stream of wanted files to a stream of verified ones: several at a time, each resumed where it stopped.

mod attempt;
mod fetch;
mod lacking;
mod names;
mod part;
mod record;
mod sidecar;
mod space;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{Stream, StreamExt};
use reqwest::Url;

use crate::earthdata::Earthdata;
use crate::error::{Error, Result};
use crate::hosts::told;
use crate::item::{Checksum, FoundGranule, LARGEST_FILE};
use crate::verify::Algorithm;

pub use record::{remove_fetched, set_aside};
pub use space::{free_bytes, is_unfinished, missing_bytes, room_for};

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, such as `ATL08_20200821122613_08730802_007_01.h5`.
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// Its length in bytes; None when that is not known exactly.
    pub size: Option<u64>,
    /// About how many bytes it has, where `size` is not known.
    pub estimate: Option<u64>,
    /// Its checksum in hexadecimal digits.
    pub checksum: Option<(Algorithm, String)>,
}

impl Wanted {
    /// The file of a granule that CMR knows.
    ///
    /// # Errors
    /// [`Error::NoPlace`] when CMR does not say where it can be fetched, [`Error::Size`] for a size that no granule has.
    pub fn of(granule: &FoundGranule) -> Result<Wanted> {
        let name = granule.file_name();
        let no_place = |problem: &str| Error::NoPlace { name: name.clone(), problem: problem.to_owned() };
        let place = granule.https.as_deref().ok_or_else(|| no_place(granule.problem().unwrap_or_default()))?;
        let url = Url::parse(place).map_err(|_| no_place("CMR names a place of its file that is no URL"))?;
        if let Some(bytes) = granule.bytes.filter(|bytes| *bytes > LARGEST_FILE) {
            return Err(Error::Size { name, bytes });
        }
        // A size in megabytes is rounded: good for sums, but not to verify a file by.
        let (size, estimate) = match granule.has_exact_size {
            true => (granule.bytes, None),
            false => (None, granule.bytes),
        };
        let named = |checksum: &Checksum| Some((Algorithm::named(&checksum.algorithm)?, checksum.value.clone()));
        Ok(Wanted { name, url, size, estimate, checksum: granule.checksum.as_ref().and_then(named) })
    }

    /// How many bytes it has, or about how many; None when neither is known.
    #[must_use]
    pub fn about(&self) -> Option<u64> {
        self.size.or(self.estimate)
    }
}

/// How files are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The folder; each file comes into a folder of its own there, named like the file without its extension.
    pub folder: PathBuf,
    /// How many are fetched at a time, at least one.
    pub connections: usize,
    /// The pause after the first failure; it doubles with each failure that follows without progress, and is jittered.
    pub pause: Duration,
    /// So many failures in a row, without a byte more of the file than ever before, end it.
    pub attempts: u32,
    /// After so long no further attempt at a file is begun.
    pub time: Duration,
}

impl Options {
    /// Four at a time, five failures in a row, and six hours a file, into `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Options {
        Options {
            folder: folder.into(),
            connections: 4,
            pause: Duration::from_secs(1),
            attempts: 5,
            time: Duration::from_secs(6 * 3600),
        }
    }
}

/// What happened to a wanted file.
#[derive(Debug)]
pub struct Outcome {
    /// The file that was wanted.
    pub wanted: Wanted,
    /// Where it is now, or why it is not. After a failure the `.part` beside its place resumes.
    pub result: Result<Fetched>,
}

/// A file that is there, whole and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that came over the network, those that had to come twice counted twice.
    pub fetched: u64,
    /// Bytes that were there already.
    pub reused: u64,
    /// How many requests for it were begun; 0 when it was there already.
    pub attempts: u32,
}

/// What is told while files come in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A file is begun, of which some bytes are there.
    Begun {
        /// The file.
        wanted: &'a Wanted,
        /// Bytes that need not be fetched.
        reused: u64,
    },
    /// So many bytes more have come.
    Received(u64),
    /// So many bytes that had come, or were there, must come again.
    Lost(u64),
    /// An attempt has failed; another follows.
    Again {
        /// The file.
        wanted: &'a Wanted,
        /// Why.
        error: &'a Error,
        /// When.
        pause: Duration,
    },
}

/// Fetches what comes out of `wanted`, in no order. Nothing more is asked for once an error [ends
/// everything](Error::ends_everything): what is not there then ends with the same error. A dropped stream leaves `.part` files behind, which the next one goes on with.
pub fn download(
    earthdata: Arc<Earthdata>,
    wanted: impl Stream<Item = Wanted> + Send,
    options: Options,
    progress: impl Fn(Progress<'_>) + Send + Sync,
) -> impl Stream<Item = Outcome> + Send {
    let connections = options.connections.max(1);
    let shared = Arc::new((options, progress, OnceLock::new()));
    wanted
        .map(move |wanted| {
            let (earthdata, shared) = (Arc::clone(&earthdata), Arc::clone(&shared));
            async move {
                let (options, progress, end) = &*shared;
                let result = fetch::fetch(&earthdata, &wanted, options, progress, end).await;
                if !matches!(&result, Ok(file) if file.attempts == 0) {
                    earthdata.closed.count(&result);
                }
                if let Some(error) = result.as_ref().err().and_then(|error| error.same_for(told(&wanted.url))) {
                    let _ = end.set(error);
                }
                Outcome { wanted, result }
            }
        })
        .buffer_unordered(connections)
}

/// Where a file of this name comes to lie: `<folder>/<name without extension>/<name>`.
///
/// # Errors
/// [`Error::Name`] when it is not the plain name of a file.
pub fn file_of(folder: &Path, name: &str) -> Result<PathBuf> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let stem = Path::new(name).file_stem().filter(|_| plain && !name.ends_with(names::ENDING));
    Ok(folder.join(stem.ok_or_else(|| Error::Name { name: name.to_owned() })?).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_size_is_not_compared_and_a_granule_without_a_place_is_told() {
        let line = |exact, url: &str| {
            let line = format!(
                r#"{{"granule":"ATL08_20200821122613_08730802_007_01.h5","start":"2020-08-21T12:26:13Z","bytes":7,"has_exact_size":{exact},"checksum_algorithm":"MD5","checksum":"ab","https":{url},"concept_id":"G1-X"}}"#
            );
            let granule = crate::worklist::read(line.as_bytes()).next().unwrap().unwrap();
            Wanted::of(&granule)
        };
        let wanted = line(true, r#""https://x.example/y/a.h5""#).unwrap();
        assert_eq!((wanted.name.as_str(), wanted.size), ("ATL08_20200821122613_08730802_007_01.h5", Some(7)));
        assert_eq!(wanted.checksum, Some((Algorithm::Md5, "ab".to_owned())));
        let rounded = line(false, r#""https://x.example/y/a.h5""#).unwrap();
        assert_eq!((rounded.size, rounded.estimate, rounded.about()), (None, Some(7), Some(7)));
        for nowhere in ["null", r#""here""#] {
            assert!(matches!(line(true, nowhere), Err(Error::NoPlace { .. })), "{nowhere}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = Path::new("data");
        assert_eq!(file_of(folder, "ATL08_x.h5").unwrap(), Path::new("data/ATL08_x/ATL08_x.h5"));
        for name in ["", ".", "..", "../x.h5", "/etc/passwd", "a/b.h5", ".h5", "a\\b.h5", "x.h5.part"] {
            assert!(matches!(file_of(folder, name), Err(Error::Name { .. })), "{name}");
        }
    }
}
