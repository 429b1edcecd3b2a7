//! `copy.json`: the object that marks a place as an unfinished copy.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::location::Location;
use crate::files::objects::{Objects, is_not_found};

/// The path of the marker.
pub(crate) const MARKER: &str = "copy.json";

/// What an unfinished copy is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// The URI of the original, when the copy was begun.
    pub(crate) original: String,
    /// The uuid of the original's first commit, which its copies have as well; None if that commit is lost.
    pub(crate) first_commit: Option<String>,
    /// The number of the original's first commit, which is copied last.
    pub(crate) first_number: u64,
    /// The newest commit of the original that is copied.
    pub(crate) commit: u64,
}

impl Marker {
    /// Reads the marker at `location`; None without one.
    ///
    /// # Errors
    /// [`Error::Damaged`] for another content.
    pub(crate) async fn read(location: &Location) -> Result<Option<Marker>> {
        let content = match Objects::open(location)?.get(&MARKER.into()).await {
            Err(error) if is_not_found(&error) => return Ok(None),
            content => content?,
        };
        let parsed = serde_json::from_slice(&content);
        let damaged = |error: serde_json::Error| Error::Damaged {
            object: location.child(MARKER),
            problem: format!("expected what is being copied: {error}"),
        };
        parsed.map(Some).map_err(damaged)
    }

    /// The content of the marker.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether both are of the same database.
    pub(crate) fn is_of_same(&self, other: &Marker) -> bool {
        match (&self.first_commit, &other.first_commit) {
            (Some(one), Some(another)) => one == another,
            _ => self.original == other.original,
        }
    }

    /// The error of a place with this marker.
    pub(crate) fn unfinished(self, location: &Location) -> Error {
        Error::UnfinishedCopy { uri: location.uri(), original: self.original }
    }
}

/// The error of a database that cannot be read: that it is an unfinished copy, if it is one.
pub(crate) async fn explain(location: &Location, error: Error) -> Error {
    match Marker::read(location).await {
        Ok(Some(marker)) => marker.unfinished(location),
        // The first error says more than that the marker cannot be read.
        Ok(None) | Err(_) => error,
    }
}
