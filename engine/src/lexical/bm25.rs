//! The lexical retriever: a disjunction of the query's terms over four fields, scored by BM25 with
//! k1 = 1.2 and b = 0.75 (tantivy fixes both) and statistics over passages alone.

use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, EnableScoring, Occur, PhraseQuery, Query,
    TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::analysis::{Analysed, Word};
use super::schema::Fields;
use crate::{Error, limits};

/// Weights of the fields, chosen on training questions (2,000 of our own with titles, 2,000 of SQuADShifts): title and
/// exact move nDCG@10 there by less than 0.005 between 0.3 and 0.7. Headings, of which those have none, get less.
const TITLE: f32 = 0.5;
const HEADINGS: f32 = 0.4;
const BODY: f32 = 1.0;
const EXACT: f32 = 0.4;

/// One term in one field, with the weight of its score.
pub(super) struct Clause {
    pub(super) field: &'static str,
    pub(super) text: String,
    weight: f32,
    term: Term,
}

impl Clause {
    fn new((field, handle): (&'static str, Field), text: &str, weight: f32) -> Self {
        let term = Term::from_field_text(handle, text);
        Self { field, text: text.to_owned(), weight, term }
    }

    pub(super) fn query(&self) -> Box<dyn Query> {
        let query = TermQuery::new(self.term.clone(), IndexRecordOption::WithFreqs);
        Box::new(BoostQuery::new(Box::new(query), self.weight))
    }
}

/// Statistics of passages: document records have no text but would count as empty passages.
pub(super) struct PassageStatistics<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) passages: u64,
}

impl Bm25StatisticsProvider for PassageStatistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.searcher.total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.passages)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.searcher.doc_freq(term)
    }
}

impl PassageStatistics<'_> {
    pub(super) fn scoring(&self) -> EnableScoring<'_> {
        EnableScoring::enabled_from_statistics_provider(self, self.searcher)
    }
}

/// The clauses of a query, rarest words kept, and notes for the user.
pub(super) fn clauses(
    searcher: &Searcher,
    fields: &Fields,
    analysed: &Analysed,
) -> Result<(Vec<Clause>, Vec<String>), Error> {
    let doc_freq = |field, text: &str| {
        searcher
            .doc_freq(&Term::from_field_text(field, text))
            .map_err(super::failed("counting terms"))
    };
    let mut known: Vec<(u64, &Word)> = Vec::new();
    for word in &analysed.words {
        let mut found = 0;
        for field in [fields.body, fields.title, fields.headings] {
            found = found.max(doc_freq(field, &word.stem)?);
        }
        if found > 0 {
            known.push((found, word));
        }
    }
    known.sort_by_key(|(found, _)| *found);
    let mut notes = Vec::new();
    if known.len() > limits::QUERY_TERMS {
        let (max, all) = (limits::QUERY_TERMS, known.len());
        notes.push(format!("only the {max} rarest of {all} query terms were searched for"));
        known.truncate(limits::QUERY_TERMS);
    }
    let mut clauses = Vec::new();
    for (_, word) in known {
        let count = word.count() as f32;
        for (field, weight) in [
            (("title", fields.title), TITLE),
            (("headings", fields.headings), HEADINGS),
            (("body", fields.body), BODY),
        ] {
            clauses.push(Clause::new(field, &word.stem, weight * count));
        }
        for (form, &count) in &word.forms {
            clauses.push(Clause::new(("exact", fields.exact), form, EXACT * count as f32));
        }
    }
    Ok((clauses, notes))
}

/// The disjunction of `clauses`.
pub(super) fn disjunction(clauses: &[Clause]) -> BooleanQuery {
    BooleanQuery::new(clauses.iter().map(|clause| (Occur::Should, clause.query())).collect())
}

/// What the text of a passage must and must not contain, if the query says anything about it.
pub(super) fn constraint(fields: &Fields, analysed: &Analysed) -> Option<BooleanQuery> {
    if analysed.phrases.is_empty() && analysed.excluded.is_empty() {
        return None;
    }
    let mut parts: Vec<(Occur, Box<dyn Query>)> =
        vec![(Occur::Must, Box::new(tantivy::query::AllQuery))];
    for phrase in &analysed.phrases {
        parts.push((Occur::Must, sequence(fields, phrase)));
    }
    for excluded in &analysed.excluded {
        parts.push((Occur::MustNot, sequence(fields, excluded)));
    }
    Some(BooleanQuery::new(parts))
}

/// `terms` (at least one) one after the other in the unstemmed text.
fn sequence(fields: &Fields, terms: &[String]) -> Box<dyn Query> {
    let mut terms: Vec<Term> =
        terms.iter().map(|term| Term::from_field_text(fields.exact, term)).collect();
    match terms.len() {
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        _ => Box::new(PhraseQuery::new(terms)),
    }
}
