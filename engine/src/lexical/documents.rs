//! What [`View`] knows of whole documents: the records of one with their vectors, its content hash, and the ids of
//! those with passages that pass a filter.

use std::collections::BTreeSet;

use tantivy::DocAddress;

use super::view::{View, live_postings, text_at};
use super::{failed, filter, record};
use crate::{Document, DocumentId, Error, Filter, Passage};

/// A document and its passages, each with its stored vector.
type Records = (Document, Vec<(Passage, Vec<u8>)>);

impl View {
    /// The live document with this id, its passages in order with their vectors.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn stored(&self, id: &DocumentId) -> Result<Option<Records>, Error> {
        let doing = "reading a document with its vectors";
        let term = record::id_term(&self.fields, id.as_str());
        let mut document = None;
        let mut passages = Vec::new();
        for (number, reader) in self.searcher.segment_readers().iter().enumerate() {
            let live = &self.segments[number].live;
            for row in live_postings(reader, &term).map_err(failed(doing))? {
                let record = self.record(DocAddress::new(number as u32, row))?;
                if !live.contains(row) {
                    document = Some(record::document(&self.fields, &record)?);
                    continue;
                }
                let vector = record::vector(&self.fields, &record).ok_or_else(|| Error::Store {
                    doing,
                    reason: format!(
                        "a passage of {id} has no vector; the store is damaged, index it again"
                    ),
                })?;
                passages.push((record::passage(&self.fields, &record)?, vector.to_vec()));
            }
        }
        passages.sort_by_key(|(passage, _)| passage.id.ordinal);
        Ok(document.map(|document| (document, passages)))
    }

    /// The content hash of the live document with this id; cheap.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn content_hash(&self, id: &DocumentId) -> Result<Option<String>, Error> {
        let term = record::id_term(&self.fields, id.as_str());
        for (reader, segment) in self.searcher.segment_readers().iter().zip(&self.segments) {
            let rows = live_postings(reader, &term).map_err(failed("looking for a document"))?;
            if let Some(row) = rows.into_iter().find(|&row| !segment.live.contains(row)) {
                return Ok(text_at(segment.hashes.as_ref(), row));
            }
        }
        Ok(None)
    }

    /// The ids of all live documents of which a passage passes `filter`, in order.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub(crate) fn documents_passing(&self, filter: &Filter) -> Result<Vec<DocumentId>, Error> {
        let passing = self.matching(filter::compile(self, filter)?.as_ref())?;
        let mut ids = BTreeSet::new();
        for (number, (rows, segment)) in (0..).zip(passing.iter().zip(&self.segments)) {
            let rows = (0..self.rows(number)).filter(|&row| rows.contains(row));
            ids.extend(rows.filter_map(|row| text_at(segment.ids.as_ref(), row)));
        }
        ids.into_iter().map(|id| Ok(DocumentId::new(id)?)).collect()
    }
}
