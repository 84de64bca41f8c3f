//! [`View`]: one committed state of the store. Rows are numbers of records in their segment; only live passage
//! records are ever returned by a search.

use std::collections::HashMap;

use tantivy::columnar::{Column, StrColumn};
use tantivy::query::{EnableScoring, Query};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::schema::{Analysers, DOCUMENT, Ends, Fields, PASSAGE, analysers};
use super::stop_words::StopWords;
use super::synonyms::Thesaurus;
use super::{failed, filter, record};
use crate::candidate::PassageKey;
use crate::row_set::RowSet;
use crate::{Document, DocumentId, Error, Filter, Language, Passage, Synonyms};

/// One committed state.
pub(crate) struct View {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    pub(super) analysers: Analysers,
    pub(super) stop_words: StopWords,
    pub(super) synonyms: Thesaurus,
    payload: String,
    pub(super) segments: Vec<SegmentView>,
    /// Passage records, deleted ones included until they are merged away.
    pub(super) passages: u64,
}

/// What is looked up often in one segment.
pub(super) struct SegmentView {
    id: String,
    pub(super) live: RowSet,
    pub(super) ids: Option<StrColumn>,
    pub(super) ordinals: Column<u64>,
    pub(super) hashes: Option<StrColumn>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("payload", &self.payload).finish_non_exhaustive()
    }
}

impl View {
    pub(super) fn new(
        (searcher, fields): (Searcher, Fields),
        language: Language,
        synonyms: &Synonyms,
        payload: String,
    ) -> Result<Self, Error> {
        let failed = failed("reading segments");
        let passages =
            searcher.doc_freq(&Term::from_field_u64(fields.kind, PASSAGE)).map_err(&failed)?;
        let readers = searcher.segment_readers().iter();
        let segments = readers
            .map(|reader| SegmentView::new(reader, &fields))
            .collect::<tantivy::Result<_>>()
            .map_err(&failed)?;
        let analysers = analysers(language, Ends::Asked);
        let (stop_words, synonyms) =
            (StopWords::of(language), Thesaurus::new(synonyms, &analysers));
        Ok(Self { searcher, fields, analysers, stop_words, synonyms, payload, segments, passages })
    }

    /// The payload of the commit.
    pub(crate) fn payload(&self) -> &str {
        &self.payload
    }

    /// Number of segments; they are numbered from 0.
    pub(crate) fn segments(&self) -> u32 {
        self.segments.len() as u32
    }

    /// The name of a segment, for ever.
    pub(crate) fn segment_id(&self, segment: u32) -> &str {
        &self.segments[segment as usize].id
    }

    /// Number of records in a segment, deleted ones included: rows are below it.
    pub(crate) fn rows(&self, segment: u32) -> u32 {
        self.searcher.segment_reader(segment).max_doc()
    }

    /// The live passages of a segment.
    pub(crate) fn live(&self, segment: u32) -> &RowSet {
        &self.segments[segment as usize].live
    }

    /// Live documents.
    pub(crate) fn documents(&self) -> u64 {
        let passages: usize = self.segments.iter().map(|segment| segment.live.len()).sum();
        self.searcher.num_docs().saturating_sub(passages as u64)
    }

    /// The live passages that pass `filter`, by segment.
    ///
    /// # Errors
    /// [`Error::Query`] for a bad filter, [`Error::Store`].
    pub(crate) fn allowed(&self, filter: &Filter) -> Result<Vec<RowSet>, Error> {
        self.matching(filter::compile(self, filter)?.as_ref())
    }

    /// The live passages that match, by segment.
    pub(super) fn matching(&self, query: &dyn Query) -> Result<Vec<RowSet>, Error> {
        let failed = failed("filtering");
        let scoring = EnableScoring::disabled_from_searcher(&self.searcher);
        let weight = query.weight(scoring).map_err(&failed)?;
        let readers = self.searcher.segment_readers().iter().zip(&self.segments);
        readers
            .map(|(reader, segment)| {
                let mut rows = RowSet::empty(reader.max_doc());
                weight
                    .for_each_no_score(reader, &mut |docs| {
                        docs.iter().for_each(|&doc| rows.insert(doc));
                    })
                    .map_err(&failed)?;
                Ok(rows.intersection(&segment.live))
            })
            .collect()
    }

    /// `hits` best first, equal scores by document id and ordinal, the first `k`.
    pub(crate) fn ranked(
        &self,
        mut hits: Vec<(PassageKey, f32)>,
        k: usize,
    ) -> Vec<(PassageKey, f32)> {
        hits.sort_by(|a, b| b.1.total_cmp(&a.1));
        for equal in hits.chunk_by_mut(|a, b| a.1 == b.1) {
            if equal.len() > 1 {
                equal.sort_by_cached_key(|(key, _)| self.name(*key));
            }
        }
        hits.truncate(k);
        hits
    }

    /// Document id and ordinal of a passage.
    pub(super) fn name(&self, key: PassageKey) -> (Option<String>, Option<u64>) {
        let segment = &self.segments[key.segment as usize];
        (text_at(segment.ids.as_ref(), key.row), segment.ordinals.first(key.row))
    }

    /// A number by which rows of one segment sort as their document ids and ordinals do.
    pub(crate) fn tie(&self, segment: u32, row: u32) -> u64 {
        self.segments[segment as usize].tie(row)
    }

    /// The passage behind a key of this view.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn passage(&self, key: PassageKey) -> Result<Passage, Error> {
        record::passage(&self.fields, &self.record(DocAddress::new(key.segment, key.row))?)
    }

    /// The live passages of a document.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn passages_of(&self, id: &DocumentId) -> Result<Vec<PassageKey>, Error> {
        let term = record::id_term(&self.fields, id.as_str());
        let mut keys = Vec::new();
        for (number, reader) in (0..).zip(self.searcher.segment_readers()) {
            let rows = live_postings(reader, &term).map_err(failed("looking for a document"))?;
            let live = rows.into_iter().filter(|&row| self.live(number).contains(row));
            keys.extend(live.map(|row| PassageKey { segment: number, row }));
        }
        Ok(keys)
    }

    pub(super) fn record(&self, address: DocAddress) -> Result<TantivyDocument, Error> {
        self.searcher.doc(address).map_err(failed("reading a record"))
    }

    /// The live document with this id.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn document(&self, id: &DocumentId) -> Result<Option<Document>, Error> {
        let term = record::id_term(&self.fields, id.as_str());
        for (number, reader) in self.searcher.segment_readers().iter().enumerate() {
            let rows = live_postings(reader, &term).map_err(failed("looking for a document"))?;
            let live = &self.segments[number].live;
            if let Some(row) = rows.into_iter().find(|&row| !live.contains(row)) {
                let record = self.record(DocAddress::new(number as u32, row))?;
                return record::document(&self.fields, &record).map(Some);
            }
        }
        Ok(None)
    }

    /// Id and content hash of every live document.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn content_hashes(&self) -> Result<HashMap<DocumentId, String>, Error> {
        let failed = failed("listing documents");
        let term = Term::from_field_u64(self.fields.kind, DOCUMENT);
        let mut hashes = HashMap::new();
        for (reader, segment) in self.searcher.segment_readers().iter().zip(&self.segments) {
            for row in live_postings(reader, &term).map_err(&failed)? {
                let id = text_at(segment.ids.as_ref(), row).unwrap_or_default();
                let hash = text_at(segment.hashes.as_ref(), row).unwrap_or_default();
                hashes.insert(DocumentId::new(id)?, hash);
            }
        }
        Ok(hashes)
    }

    /// Hands every stored vector of a segment with its row to `each`, in order of rows, deleted ones included.
    ///
    /// # Errors
    /// [`Error::Store`], and those of `each`.
    pub(crate) fn vectors(
        &self,
        segment: u32,
        each: &mut dyn FnMut(u32, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let doing = "reading stored vectors";
        let reader = self.searcher.segment_reader(segment);
        let store = reader
            .get_store_reader(1)
            .map_err(|e| Error::Store { doing, reason: e.to_string() })?;
        for (row, record) in store.iter::<TantivyDocument>(None).enumerate() {
            let record = record.map_err(failed(doing))?;
            if let Some(vector) = record::vector(&self.fields, &record) {
                each(row as u32, vector)?;
            }
        }
        Ok(())
    }
}

impl SegmentView {
    fn new(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        let mut live = RowSet::empty(reader.max_doc());
        for row in live_postings(reader, &Term::from_field_u64(fields.kind, PASSAGE))? {
            live.insert(row);
        }
        let columns = reader.fast_fields();
        let ordinals = columns.column_opt::<u64>("ordinal")?;
        Ok(Self {
            id: reader.segment_id().uuid_string(),
            live,
            ids: columns.str("id")?,
            ordinals: ordinals.unwrap_or_else(|| Column::build_empty_column(reader.max_doc())),
            hashes: columns.str("hash")?,
        })
    }

    /// Position of the passage in its document.
    pub(super) fn ordinal(&self, row: u32) -> Option<u64> {
        self.ordinals.first(row)
    }

    pub(super) fn tie(&self, row: u32) -> u64 {
        let id = self.ids.as_ref().and_then(|ids| ids.ords().first(row)).unwrap_or(0);
        id << 32 | self.ordinals.first(row).unwrap_or(0)
    }
}

/// The rows with `term` that are not deleted.
pub(super) fn live_postings(reader: &SegmentReader, term: &Term) -> tantivy::Result<Vec<u32>> {
    let mut rows = Vec::new();
    let index = reader.inverted_index(term.field())?;
    if let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? {
        while postings.doc() != TERMINATED {
            if !reader.is_deleted(postings.doc()) {
                rows.push(postings.doc());
            }
            postings.advance();
        }
    }
    Ok(rows)
}

/// The text of a row in a column of strings.
pub(super) fn text_at(column: Option<&StrColumn>, row: u32) -> Option<String> {
    let column = column?;
    let mut text = String::new();
    let found = column.ord_to_str(column.ords().first(row)?, &mut text).ok()?;
    found.then_some(text)
}
