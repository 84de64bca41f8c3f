//! [`Writer`]: the one writer of a collection. Commits, then publishes, then maintains what is derived.

use std::sync::Arc;

use super::lock::Lock;
use super::manifest::Manifest;
use super::snapshot::check_dimensions;
use super::{EncodedDocument, Generation, Shared, Snapshot, StoredDocument};
use crate::lexical::StoreWriter;
use crate::vector::{StoredVector, VectorFormat};
use crate::{DocumentId, Error, OpenError, QueryError, limits};

/// The one writer of a collection; holds its lock until it is dropped.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    store: StoreWriter,
    /// The newest commit.
    generation: Generation,
    /// Whether anything happened since then.
    pending: bool,
    _lock: Lock,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, OpenError> {
        let lock = Lock::take(&shared.folder)?;
        let opening = |e: Error| match e {
            Error::Open(e) => e,
            other => OpenError::io(&shared.folder, std::io::Error::other(other)),
        };
        // Another process may have written before the lock was free.
        shared.publish().map_err(opening)?;
        let generation = shared.published.load().generation;
        let store = shared.store.writer().map_err(opening)?;
        Ok(Self { store, generation, pending: false, _lock: lock, shared: Arc::clone(&shared) })
    }

    /// The newest published state of the collection it writes to.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published.load_full()
    }

    /// How the collection stores vectors.
    pub fn vector_format(&self) -> VectorFormat {
        self.shared.manifest.settings.vector_format
    }

    /// Adds the document, replacing one with the same id, with the next commit.
    ///
    /// # Errors
    /// [`Error::Store`] for passages or embeddings that are not of this document and this collection, and
    /// [`Error::Query`] beyond a limit or for metadata that cannot be filtered: nothing is added then. Other
    /// [`Error::Store`]: nothing since the last commit is kept.
    pub fn upsert(&mut self, document: EncodedDocument) -> Result<(), Error> {
        let dimensions = self.shared.manifest.model.dimensions;
        let format = self.vector_format();
        let EncodedDocument { document, passages } = document;
        for (_, embedding) in &passages {
            check_dimensions(embedding, dimensions)?;
        }
        let store = |(passage, embedding)| (passage, format.store(&embedding));
        let passages = passages.into_iter().map(store).collect();
        self.upsert_stored(StoredDocument { document, passages })
    }

    /// The same for vectors that are stored already, here or in another collection of the same model and format.
    ///
    /// # Errors
    /// As [`Writer::upsert`].
    pub fn upsert_stored(&mut self, document: StoredDocument) -> Result<(), Error> {
        let Manifest { model, settings, .. } = &self.shared.manifest;
        for (_, vector) in &document.passages {
            settings
                .vector_format
                .check(vector, model.dimensions)
                .map_err(|reason| Error::Store { doing: "adding a document", reason })?;
        }
        check(&document)?;
        let StoredDocument { document, passages } = document;
        let bytes = |(passage, vector): (_, StoredVector)| (passage, vector.into_bytes());
        let passages: Vec<_> = passages.into_iter().map(bytes).collect();
        self.store.upsert(&document, &passages)?;
        self.pending = true;
        Ok(())
    }

    /// Removes the document with the next commit; unknown ids are ignored.
    ///
    /// # Errors
    /// [`Error::Store`]; nothing since the last commit is kept then.
    pub fn delete(&mut self, id: &DocumentId) -> Result<(), Error> {
        self.store.delete(id)?;
        self.pending = true;
        Ok(())
    }

    /// Makes everything since the last commit durable and visible, at once, and builds what is derived.
    /// Returns the newest generation, which is the old one when nothing happened.
    ///
    /// # Errors
    /// [`Error::Store`]; nothing since the last commit is kept then, unless the message says that it was
    /// published late.
    pub fn commit(&mut self) -> Result<Generation, Error> {
        if !self.pending {
            return Ok(self.generation);
        }
        let next = Generation(self.generation.0 + 1);
        self.pending = false;
        self.store.commit(&self.shared.manifest.payload(next))?;
        self.generation = next;
        self.shared.publish().map_err(|e| Error::Store {
            doing: "publishing a commit that is durable and will be seen at the next reload",
            reason: e.to_string(),
        })?;
        // The commit stands whatever happens now, and the next one tries again.
        if let Err(error) = self.maintain() {
            tracing::warn!(%error, "maintenance after a commit failed");
        }
        Ok(next)
    }

    /// Rewrites the collection as one segment without what was deleted or replaced. Until then, or until enough
    /// is deleted, the words of such passages count in the statistics of BM25, as they do in Lucene. Takes as long
    /// as writing the whole collection.
    ///
    /// # Errors
    /// [`Error::Store`], also when something is not committed yet.
    pub fn compact(&mut self) -> Result<(), Error> {
        if self.pending {
            let reason = "something is not committed yet; commit first".into();
            return Err(Error::Store { doing: "compacting", reason });
        }
        if self.store.compact()? {
            self.shared.publish()?;
            self.maintain()?;
        }
        Ok(())
    }

    /// Merges small segments, builds graphs, removes what is no longer used.
    fn maintain(&mut self) -> Result<(), Error> {
        if self.store.merge()? {
            self.shared.publish()?;
        }
        let snapshot = self.shared.published.load_full();
        if self.shared.vectors.add_graphs(&snapshot.view, &snapshot.vectors)? {
            self.shared.publish()?;
        }
        self.shared.vectors.remove_orphans(&self.shared.published.load().view);
        Ok(())
    }
}

/// Refuses what must not get into the store.
fn check(document: &StoredDocument) -> Result<(), Error> {
    let StoredDocument { document, passages } = document;
    let bounds = [
        ("text", "bytes", document.text.len(), limits::DOCUMENT_TEXT_BYTES),
        ("passages", "passages", passages.len(), limits::DOCUMENT_PASSAGES),
    ];
    for (field, unit, found, max) in bounds {
        if found > max {
            let (found, max) = (found as u64, max as u64);
            return Err(QueryError::OutOfRange { field, unit, found, min: 0, max }.into());
        }
    }
    for (ordinal, (passage, _)) in passages.iter().enumerate() {
        let ours = passage.id.document == document.id && passage.id.ordinal as usize == ordinal;
        if !ours || passage.span.slice(&document.text) != Some(&passage.text) {
            let (id, found) = (&document.id, &passage.id);
            return Err(Error::Store {
                doing: "adding a document",
                reason: format!(
                    "passage {} of {} is not passage {ordinal} of {id} with its text",
                    found.ordinal, found.document
                ),
            });
        }
    }
    Ok(())
}
