//! [`Collection`]: a folder on disk with one commit point. [`Snapshot`] is the immutable view a request
//! pins; [`Writer`] holds the lock and commits.

use std::path::Path;
use std::sync::Arc;

use crate::model::ModelIdentity;
use crate::{
    Bm25, Cosine, Document, DocumentId, Embedding, Error, Filter, OpenError, Passage, TermScore,
};

/// Number of a committed state; grows by one with every commit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// A named set of documents on disk.
#[derive(Debug)]
pub struct Collection {}

/// The state of one commit: everything a query needs, unchanged for as long as it is held.
#[derive(Debug)]
pub struct Snapshot {}

/// The one writer of a collection; holds its lock.
#[derive(Debug)]
pub struct Writer {}

/// A document with its passages and their vectors, ready to be stored.
#[derive(Debug, Clone)]
pub struct EncodedDocument {
    /// The document.
    pub document: Document,
    /// Its passages in order, each with its embedding.
    pub passages: Vec<(Passage, Embedding)>,
}

/// Names a passage inside one snapshot only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassageKey {
    pub(crate) segment: u32,
    pub(crate) row: u32,
}

/// A passage found by one retriever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<S> {
    /// Which passage.
    pub key: PassageKey,
    /// The retriever's score.
    pub score: S,
}

/// Figures of a snapshot for people.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SnapshotStats {
    /// Live documents.
    pub documents: u64,
    /// Live passages.
    pub passages: u64,
    /// Segments.
    pub segments: u64,
    /// Segments whose vectors have a graph.
    pub graphs: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

impl Collection {
    /// Opens the collection in `directory`, creating an empty one for `model` when there is none.
    ///
    /// # Errors
    /// [`OpenError::Mismatch`] if it was built with another model or analyser, [`OpenError::Unexpected`]
    /// if the folder holds something else or is damaged.
    pub fn open_or_create(_directory: &Path, _model: &ModelIdentity) -> Result<Self, OpenError> {
        todo!()
    }

    /// Opens the collection in `directory` for searching.
    ///
    /// # Errors
    /// As [`Collection::open_or_create`], and [`OpenError::Missing`] when there is none.
    pub fn open(_directory: &Path, _model: &ModelIdentity) -> Result<Self, OpenError> {
        todo!()
    }

    /// The newest published state. Cheap; hold the result for a whole request.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        todo!()
    }

    /// Publishes commits made by another process, if any.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn reload(&self) -> Result<(), Error> {
        todo!()
    }

    /// Takes the lock and returns the writer.
    ///
    /// # Errors
    /// [`OpenError::Locked`] naming the process that holds it.
    pub fn writer(&self) -> Result<Writer, OpenError> {
        todo!()
    }
}

impl Writer {
    /// Adds the document, replacing one with the same id, with the next commit.
    ///
    /// # Errors
    /// [`Error::Store`]; [`crate::QueryError::OutOfRange`] beyond a limit.
    pub fn upsert(&mut self, _document: EncodedDocument) -> Result<(), Error> {
        todo!()
    }

    /// Removes the document with the next commit; unknown ids are ignored.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn delete(&mut self, _id: &DocumentId) -> Result<(), Error> {
        todo!()
    }

    /// Makes everything since the last commit durable and visible, at once, and builds what is derived.
    ///
    /// # Errors
    /// [`Error::Store`]; nothing since the last commit is kept then.
    pub fn commit(&mut self) -> Result<Generation, Error> {
        todo!()
    }
}

impl Snapshot {
    /// Its number.
    pub fn generation(&self) -> Generation {
        todo!()
    }

    /// Figures for people.
    pub fn stats(&self) -> SnapshotStats {
        todo!()
    }

    /// The best `k` live passages by BM25 over title, headings, body and unstemmed body that pass `filter`,
    /// best first, and notes for the user (terms left out).
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub fn lexical(
        &self,
        _text: &str,
        _filter: Option<&Filter>,
        _k: usize,
    ) -> Result<(Vec<Candidate<Bm25>>, Vec<String>), Error> {
        todo!()
    }

    /// The best `k` live passages by cosine that pass `filter`, best first.
    ///
    /// # Errors
    /// As [`Snapshot::lexical`].
    pub fn dense(
        &self,
        _embedding: &Embedding,
        _filter: Option<&Filter>,
        _k: usize,
    ) -> Result<Vec<Candidate<Cosine>>, Error> {
        todo!()
    }

    /// How the BM25 score of one passage comes about; the parts sum to the score.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn explain_lexical(&self, _text: &str, _key: PassageKey) -> Result<Vec<TermScore>, Error> {
        todo!()
    }

    /// The passage behind a key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn passage(&self, _key: PassageKey) -> Result<Passage, Error> {
        todo!()
    }

    /// The document with this id, with its whole text.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn document(&self, _id: &DocumentId) -> Result<Option<Document>, Error> {
        todo!()
    }

    /// Id and content hash of every live document, in no order: what a sync compares against.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn content_hashes(&self) -> Result<std::collections::HashMap<DocumentId, String>, Error> {
        todo!()
    }
}
