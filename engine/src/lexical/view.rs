//! [`View`]: one committed state of the store. Rows are numbers of records in their segment; only live passage
//! records are ever returned by a search.

use std::collections::HashMap;

use tantivy::columnar::{Column, StrColumn};
use tantivy::query::{EnableScoring, Query};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::analysis::analyse;
use super::bm25::{PassageStatistics, clauses, constraint, disjunction};
use super::schema::{Analysers, DOCUMENT, Fields, PASSAGE, analysers};
use super::{failed, filter, record};
use crate::candidate::PassageKey;
use crate::row_set::RowSet;
use crate::top_k::TopK;
use crate::{Document, DocumentId, Error, Filter, Passage, TermScore};

/// One committed state.
pub(crate) struct View {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    analysers: Analysers,
    payload: String,
    pub(super) segments: Vec<SegmentView>,
    /// Passage records, deleted ones included until they are merged away.
    passages: u64,
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
    pub(super) fn new(searcher: Searcher, fields: Fields, payload: String) -> Result<Self, Error> {
        let failed = failed("reading segments");
        let passages =
            searcher.doc_freq(&Term::from_field_u64(fields.kind, PASSAGE)).map_err(&failed)?;
        let readers = searcher.segment_readers().iter();
        let segments = readers
            .map(|reader| SegmentView::new(reader, &fields))
            .collect::<tantivy::Result<_>>()
            .map_err(&failed)?;
        Ok(Self { searcher, fields, analysers: analysers(), payload, segments, passages })
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
        self.matching(filter::compile(&self.fields, filter)?.as_ref())
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

    /// The best `k` live passages by BM25, those of `allowed` if given, best first, and notes for the user.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn search(
        &self,
        text: &str,
        allowed: Option<&[RowSet]>,
        k: usize,
    ) -> Result<(Vec<(PassageKey, f32)>, Vec<String>), Error> {
        let failed = failed("searching");
        let analysed = analyse(&self.analysers, text);
        let (clauses, notes) = clauses(&self.searcher, &self.fields, &analysed)?;
        if clauses.is_empty() || k == 0 {
            return Ok((Vec::new(), notes));
        }
        let constrained = match constraint(&self.fields, &analysed) {
            Some(query) => Some(self.matching(&query)?),
            None => None,
        };
        let statistics = self.statistics();
        let weight = disjunction(&clauses).weight(statistics.scoring()).map_err(&failed)?;
        let mut hits = Vec::new();
        for (number, (reader, segment)) in
            self.searcher.segment_readers().iter().zip(&self.segments).enumerate()
        {
            let sets = [allowed, constrained.as_deref()].map(|sets| sets.map(|s| &s[number]));
            let mut top = TopK::new(k);
            let mut offer = |row, score: f32| {
                if segment.live.contains(row) && sets.iter().flatten().all(|s| s.contains(row)) {
                    top.push(score, row, |row| segment.tie(row));
                }
                // Scores equal to the k-th still compete by document id.
                top.floor().map_or(f32::MIN, f32::next_down)
            };
            weight.for_each_pruning(f32::MIN, reader, &mut offer).map_err(&failed)?;
            let key = |row| PassageKey { segment: number as u32, row };
            hits.extend(top.into_sorted().into_iter().map(|(row, score)| (key(row), score)));
        }
        Ok((self.ranked(hits, k), notes))
    }

    /// The parts of a passage's score, each from the scorer that made it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn explain(&self, text: &str, key: PassageKey) -> Result<Vec<TermScore>, Error> {
        let failed = failed("explaining a score");
        let analysed = analyse(&self.analysers, text);
        let (clauses, _) = clauses(&self.searcher, &self.fields, &analysed)?;
        let reader = self.searcher.segment_reader(key.segment);
        let statistics = self.statistics();
        let mut parts = Vec::new();
        for clause in clauses {
            let weight = clause.query().weight(statistics.scoring()).map_err(&failed)?;
            let mut scorer = weight.scorer(reader, 1.0).map_err(&failed)?;
            if scorer.doc() < key.row {
                scorer.seek(key.row);
            }
            if scorer.doc() == key.row {
                let (field, term) = (clause.field, clause.text);
                parts.push(TermScore { field, term, score: scorer.score() });
            }
        }
        Ok(parts)
    }

    fn statistics(&self) -> PassageStatistics<'_> {
        PassageStatistics { searcher: &self.searcher, passages: self.passages }
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
    fn name(&self, key: PassageKey) -> (Option<String>, Option<u64>) {
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

    fn tie(&self, row: u32) -> u64 {
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
