//! Granules in buckets, which are read in place: objects, prefixes and patterns of keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use isdb_pipeline::identify_at;
use isdb_store::{Location, StorageSettings, StoredObject};
use object_store::ObjectStore;

use crate::error::{Error, Result};
use crate::find::candidate::Candidate;

/// Nanoseconds in a millisecond.
const MILLISECOND_NS: i64 = 1_000_000;
/// What begins a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// An object, a prefix, or a pattern of keys: `s3://bucket/key.h5`, `s3://bucket/prefix`, `s3://bucket/prefix/*_004_*.h5`.
#[derive(Clone, Debug)]
pub struct ObjectPattern {
    text: String,
    /// The part without wildcards.
    location: Location,
    /// The whole key with wildcards.
    pattern: Option<glob::Pattern>,
}

impl ObjectPattern {
    /// Parses `s3://bucket/…`, in a store of these settings. Sends no request.
    ///
    /// # Errors
    /// [`Error::Pattern`] and [`Error::Store`].
    pub fn parse(text: &str, settings: &StorageSettings) -> Result<ObjectPattern> {
        let fixed = text.find(WILDCARDS).map(|at| text.get(..at).unwrap_or_default());
        let fixed = fixed.map(|fixed| fixed.rsplit_once('/').map_or(fixed, |(folder, _)| folder));
        let location = Location::with_settings(fixed.unwrap_or(text), settings)?;
        let key = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).map_or("", |(_, key)| key);
        let parse = |_| glob::Pattern::new(key).map_err(|source| Error::Pattern { pattern: text.to_owned(), source });
        Ok(ObjectPattern { text: text.to_owned(), location, pattern: fixed.map(parse).transpose()? })
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lists the objects: those that match, else the object of this key, else those with the ending `.h5` below the prefix.
    async fn objects(&self) -> Result<Vec<StoredObject>> {
        let mut objects = self.location.objects().await?;
        let is_named = objects.len() == 1 && objects.first().is_some_and(|object| object.url == self.text);
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        objects.retain(|object| match &self.pattern {
            _ if is_named => true,
            Some(pattern) => {
                let key = object.url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
                key.is_some_and(|(_, key)| pattern.matches_with(key, options))
            }
            None => object.url.to_ascii_lowercase().ends_with(".h5"),
        });
        match objects.is_empty() {
            true => Err(Error::NoGranules { what: self.text.clone() }),
            false => Ok(objects),
        }
    }
}

/// The buckets of `patterns`, by URL (`s3://bucket/`).
pub(crate) fn buckets_of(patterns: &[ObjectPattern]) -> BTreeMap<String, Arc<dyn ObjectStore>> {
    patterns.iter().filter_map(|pattern| pattern.location.object_store()).collect()
}

/// Returns the granules that match `patterns`, each once, with their identities, which are read `threads` at a time.
///
/// # Errors
/// When a bucket cannot be listed, or a pattern matches nothing.
pub(crate) async fn find_objects(patterns: &[ObjectPattern], threads: usize) -> Result<Vec<Candidate>> {
    let mut found = BTreeMap::new();
    for pattern in patterns {
        let Some((_, store)) = pattern.location.object_store() else { continue };
        for object in pattern.objects().await? {
            let is_named = object.url == pattern.text;
            let entry = found.entry(object.url.clone()).or_insert((object, Arc::clone(&store), false));
            entry.2 |= is_named;
        }
    }
    let identify = |(object, store, is_named): (StoredObject, Arc<dyn ObjectStore>, bool)| async move {
        let identity = identify_at(&object.url, store).await.map(|(identity, _)| identity);
        Candidate {
            size_bytes: object.bytes,
            modified_at: i64::try_from(object.modified_ms).ok().map(|time| time.saturating_mul(MILLISECOND_NS)),
            origin: Some(object.url.clone()),
            is_named,
            ..Candidate::new(PathBuf::from(object.url), identity)
        }
    };
    Ok(futures::stream::iter(found.into_values().map(identify)).buffered(threads.max(1)).collect().await)
}
