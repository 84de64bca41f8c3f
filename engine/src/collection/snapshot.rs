//! [`Snapshot`]: the immutable view a request pins. Both retrievers, filters and records of one commit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::manifest::{VECTORS, store_path};
use super::vectors::{VectorFiles, bytes_in};
use super::{Generation, Ranking, StoredDocument};
use crate::candidate::{Candidate, PassageKey};
use crate::lexical::{Plan, View};
use crate::row_set::RowSet;
use crate::vector::{StoredVector, VectorFile};
use crate::{
    Bm25, Cosine, Document, DocumentId, Embedding, Error, Facet, FieldStats, Filter, LastWord,
    Passage, QueryError, Sort, TermScore,
};

/// The state of one commit: everything a query needs, unchanged for as long as it is held.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) generation: Generation,
    pub(crate) view: View,
    pub(super) vectors: VectorFiles,
    pub(super) dimensions: usize,
    pub(super) ranking: Ranking,
    pub(super) folder: PathBuf,
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
    /// Bytes on disk, of the store and of the derived vectors.
    pub bytes: u64,
}

impl Snapshot {
    /// Its number.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// How queries that leave it open are ranked.
    pub fn ranking(&self) -> Ranking {
        self.ranking
    }

    /// Figures for people.
    pub fn stats(&self) -> SnapshotStats {
        let segments = 0..self.view.segments();
        SnapshotStats {
            documents: self.view.documents(),
            passages: segments.map(|segment| self.view.live(segment).len() as u64).sum(),
            segments: u64::from(self.view.segments()),
            graphs: self.vectors.iter().filter(|file| file.has_graph()).count() as u64,
            bytes: bytes_in(&store_path(&self.folder)) + bytes_in(&self.folder.join(VECTORS)),
        }
    }

    /// At most `count` live passages, evenly spread over the collection in the order of its files.
    pub fn spread(&self, count: usize) -> Vec<PassageKey> {
        let segments =
            || (0..self.view.segments()).map(|segment| (segment, self.view.live(segment)));
        let total: usize = segments().map(|(_, live)| live.len()).sum();
        let step = total.div_ceil(count.max(1)).max(1);
        segments()
            .flat_map(|(segment, live)| live.iter().map(move |row| PassageKey { segment, row }))
            .step_by(step)
            .collect()
    }

    /// The best `k` live passages by BM25 over title, headings, body and unstemmed body that pass `filter`,
    /// best first, and notes for the user (terms left out). Equal scores are in order of document id.
    /// `text` is read as people type it: `"quoted words"` must follow each other, `-word` must not be in the text,
    /// `danu*` begins a word, `title:danube` is in the title, `lang:en` is a field of the metadata.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub fn lexical(
        &self,
        text: &str,
        filter: Option<&Filter>,
        k: usize,
    ) -> Result<(Vec<Candidate<Bm25>>, Vec<String>), Error> {
        let plan = self.plan(text, filter, LastWord::Whole)?;
        Ok((self.best_lexical(&plan, k)?, plan.notes))
    }

    /// What `text` means in this snapshot.
    pub(crate) fn plan(
        &self,
        text: &str,
        filter: Option<&Filter>,
        last: LastWord,
    ) -> Result<Plan, Error> {
        self.view.plan(text, filter, last)
    }

    /// The best `k` passages of `plan` by BM25.
    pub(crate) fn best_lexical(
        &self,
        plan: &Plan,
        k: usize,
    ) -> Result<Vec<Candidate<Bm25>>, Error> {
        let candidate = |(key, score)| Candidate { key, score: Bm25(score) };
        Ok(self.view.search(plan, k)?.into_iter().map(candidate).collect())
    }

    /// The best `k` live passages by cosine that pass `filter`, best first; exact in segments without a graph
    /// and when the filter leaves few rows. Equal scores are in order of document id.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`] for an embedding of another length.
    pub fn dense(
        &self,
        embedding: &Embedding,
        filter: Option<&Filter>,
        k: usize,
    ) -> Result<Vec<Candidate<Cosine>>, Error> {
        let allowed = filter.map(|filter| self.view.allowed(filter)).transpose()?;
        self.best_dense(embedding, allowed.as_deref(), k)
    }

    /// The best `k` passages of `allowed` by cosine.
    pub(crate) fn best_dense(
        &self,
        embedding: &Embedding,
        allowed: Option<&[RowSet]>,
        k: usize,
    ) -> Result<Vec<Candidate<Cosine>>, Error> {
        check_dimensions(embedding, self.dimensions)?;
        let mut hits = Vec::new();
        for (segment, file) in (0..).zip(&self.vectors) {
            let allowed = match allowed {
                Some(sets) => &sets[segment as usize],
                None => self.view.live(segment),
            };
            let tie = |row| self.view.tie(segment, row);
            let found = file.search(embedding.as_slice(), allowed, k, &tie);
            hits.extend(found.into_iter().map(|(row, score)| (PassageKey { segment, row }, score)));
        }
        let ranked = self.view.ranked(hits, k);
        let candidate = |(key, score)| Candidate { key, score: Cosine(score) };
        Ok(ranked.into_iter().map(candidate).collect())
    }

    /// How the BM25 score of one passage comes about; the parts sum to the score.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn explain_lexical(&self, text: &str, key: PassageKey) -> Result<Vec<TermScore>, Error> {
        self.explain_plan(&self.plan(text, None, LastWord::Whole)?, key)
    }

    /// The same for a plan.
    pub(crate) fn explain_plan(
        &self,
        plan: &Plan,
        key: PassageKey,
    ) -> Result<Vec<TermScore>, Error> {
        self.view.explain(plan, key)
    }

    /// The metadata fields that documents have, in order of name, with the number of their values.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn fields(&self) -> Result<Vec<FieldStats>, Error> {
        self.view.field_stats()
    }

    /// The values of `field` among the passages of `keys`.
    pub(crate) fn facet(
        &self,
        field: &str,
        keys: impl Iterator<Item = PassageKey>,
    ) -> Result<Facet, Error> {
        self.known_field("facets", field)?;
        self.view.facet(field, keys)
    }

    /// Texts that sort as the values of a field do; see [`View::sort_keys`].
    pub(crate) fn sort_keys(
        &self,
        keys: impl Iterator<Item = PassageKey>,
        by: &Sort,
    ) -> Result<Vec<Option<String>>, Error> {
        self.known_field("sort", &by.field)?;
        self.view.sort_keys(&by.field, by.descending, keys)
    }

    fn known_field(&self, parameter: &'static str, field: &str) -> Result<(), Error> {
        match field == "id" && parameter == "sort" {
            true => Ok(()),
            false => match self.view.unknown_field(field)? {
                Some(reason) => Err(QueryError::Field { parameter, reason }.into()),
                None => Ok(()),
            },
        }
    }

    /// The id of the document that a passage is part of.
    pub(crate) fn document_of(&self, key: PassageKey) -> Result<String, Error> {
        self.view.document_of(key).ok_or_else(|| no_record(key))
    }

    /// The vector of a passage, as stored.
    pub(crate) fn vector(&self, key: PassageKey) -> Result<Vec<f32>, Error> {
        self.vectors[key.segment as usize].vector(key.row).ok_or_else(|| no_record(key))
    }

    /// The passage behind a key of this snapshot.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn passage(&self, key: PassageKey) -> Result<Passage, Error> {
        self.view.passage(key)
    }

    /// The document with this id, with its whole text.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn document(&self, id: &DocumentId) -> Result<Option<Document>, Error> {
        self.view.document(id)
    }

    /// The document with this id, its passages in order, each with its vector as it is stored.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn stored(&self, id: &DocumentId) -> Result<Option<StoredDocument>, Error> {
        let Some((document, passages)) = self.view.stored(id)? else { return Ok(None) };
        let vector = |(passage, bytes)| (passage, StoredVector::from_bytes(bytes));
        let passages = passages.into_iter().map(vector).collect();
        Ok(Some(StoredDocument { document, passages }))
    }

    /// The content hash of the document with this id; its text is not read for it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn content_hash(&self, id: &DocumentId) -> Result<Option<String>, Error> {
        self.view.content_hash(id)
    }

    /// The ids of all documents of which a passage passes `filter`, in order.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub fn documents_passing(&self, filter: &Filter) -> Result<Vec<DocumentId>, Error> {
        self.view.documents_passing(filter)
    }

    /// Id and content hash of every live document, in no order: what a sync compares against.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn content_hashes(&self) -> Result<HashMap<DocumentId, String>, Error> {
        self.view.content_hashes()
    }

    /// The vector files by segment id.
    pub(super) fn files(&self) -> HashMap<&str, &Arc<VectorFile>> {
        let ids = (0..self.view.segments()).map(|segment| self.view.segment_id(segment));
        ids.zip(&self.vectors).collect()
    }
}

fn no_record(key: PassageKey) -> Error {
    let PassageKey { segment, row } = key;
    Error::Store {
        doing: "reading a passage",
        reason: format!("segment {segment} has no row {row}"),
    }
}

/// Refuses an embedding that is not of the collection's model.
pub(super) fn check_dimensions(embedding: &Embedding, dimensions: usize) -> Result<(), Error> {
    let found = embedding.as_slice().len();
    if found == dimensions {
        return Ok(());
    }
    Err(Error::Store {
        doing: "comparing embeddings",
        reason: format!("an embedding has {found} values, the collection's have {dimensions}"),
    })
}
