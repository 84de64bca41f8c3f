//! Whether the documents of a result still are what their files say: looked up when the result is returned.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alder_engine::{Collection, DocumentId, Error, SearchResult, Snapshot};
use alder_indexer::{Freshness, Sources};

/// The freshness of documents that came from files.
pub(crate) type FreshnessOf = HashMap<DocumentId, Freshness>;

/// What a server knows of the files of its collection, read again when an indexer noted something new.
#[derive(Debug, Default)]
pub(crate) struct KnownSources(Mutex<Arc<Sources>>);

impl KnownSources {
    /// As [`look`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn look(
        &self,
        collection: &Collection,
        snapshot: &Snapshot,
        result: &SearchResult,
    ) -> Result<FreshnessOf, Error> {
        let sources = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !known.is_current(collection.folder()) {
                *known = Arc::new(Sources::open(collection.folder()));
            }
            known.clone()
        };
        look(&sources, snapshot, result)
    }
}

/// Looks at the file of each document in `result`, which was found in `snapshot`.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn look(
    sources: &Sources,
    snapshot: &Snapshot,
    result: &SearchResult,
) -> Result<FreshnessOf, Error> {
    let hits = result.hits.iter().map(|hit| &hit.passage.id.document);
    let answers = result.answers.iter().flat_map(|answer| &answer.sources);
    let mut found = FreshnessOf::new();
    for id in hits.chain(answers.map(|source| &source.passage.document)) {
        if found.contains_key(id) {
            continue;
        }
        let hash = snapshot.content_hash(id)?;
        if let Some(freshness) = hash.and_then(|hash| sources.freshness(&hash)) {
            found.insert(id.clone(), freshness);
        }
    }
    Ok(found)
}

/// What people are told of a document that is not fresh.
pub(crate) fn in_words(freshness: Freshness) -> Option<&'static str> {
    match freshness {
        Freshness::Fresh => None,
        Freshness::Stale => Some("its file was changed since it was indexed"),
        Freshness::Gone => Some("its file is gone"),
    }
}
