//! The lexical retriever's scores: a disjunction of clauses over four fields, scored by BM25 with k1 = 1.2 and
//! b = 0.75 (tantivy fixes both) and statistics over passages alone.

use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, DisjunctionMaxQuery, EnableScoring, Occur,
    PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::expand::Counted;
use super::schema::Fields;

/// Weights of the fields, chosen on training questions (2,000 of our own with titles, 2,000 of SQuADShifts): title and
/// exact move nDCG@10 there by less than 0.005 between 0.3 and 0.7. Headings, of which those have none, get less.
const TITLE: f32 = 0.5;
const HEADINGS: f32 = 0.4;
const BODY: f32 = 1.0;
const EXACT: f32 = 0.4;

/// A part of the query that adds to the score of the passages it matches.
pub(super) struct Clause {
    pub(super) field: &'static str,
    pub(super) text: String,
    weight: f32,
    matcher: Matcher,
}

enum Matcher {
    Term(Term),
    /// The best of several words that one word stands for, each with its weight.
    Best(Vec<(Term, f32)>),
    /// Terms one after the other.
    Phrase(Vec<Term>),
}

/// A named field.
type Named = (&'static str, Field);

fn stemmed(fields: &Fields) -> [(Named, f32); 3] {
    [
        (("title", fields.title), TITLE),
        (("headings", fields.headings), HEADINGS),
        (("body", fields.body), BODY),
    ]
}

impl Clause {
    /// A word in every field: its stem where text is stemmed, each form with its count where it is not.
    pub(super) fn word<'a>(
        fields: &Fields,
        stem: &str,
        forms: impl IntoIterator<Item = (&'a str, usize)>,
        weight: f32,
    ) -> Vec<Self> {
        let clause = |(field, handle): Named, text: &str, weight| {
            let matcher = Matcher::Term(Term::from_field_text(handle, text));
            Self { field, text: text.to_owned(), weight, matcher }
        };
        let forms: Vec<(&str, usize)> = forms.into_iter().collect();
        let count = forms.iter().map(|(_, count)| count).sum::<usize>() as f32;
        let mut clauses: Vec<Self> = stemmed(fields)
            .into_iter()
            .map(|(field, own)| clause(field, stem, own * count * weight))
            .collect();
        for (form, count) in forms {
            clauses.push(clause(("exact", fields.exact), form, EXACT * count as f32 * weight));
        }
        clauses
    }

    /// The words of one `field` that `text` stands for, each as telling as all of them together: a rare one among
    /// them must not outweigh what was more likely meant. `None` if there are none.
    pub(super) fn best(
        fields: &Fields,
        field: Field,
        text: String,
        words: &[Counted],
        passages: u64,
    ) -> Option<Self> {
        let (name, weight) = match field {
            f if f == fields.title => ("title", TITLE),
            f if f == fields.headings => ("headings", HEADINGS),
            // There is no stem to add the rest.
            _ => ("exact", BODY + EXACT),
        };
        let together = words.iter().map(|(_, n)| n).sum::<u64>().min(passages);
        let share = |n: u64| idf(together, passages) / idf(n.min(passages), passages);
        let terms: Vec<_> =
            words.iter().map(|(w, n)| (Term::from_field_text(field, w), share(*n))).collect();
        let matcher = if terms.is_empty() { None } else { Some(Matcher::Best(terms)) };
        matcher.map(|matcher| Self { field: name, text, weight, matcher })
    }

    /// `terms` (two at least) one after the other, in the unstemmed text.
    pub(super) fn phrase(fields: &Fields, terms: &[String], weight: f32) -> Self {
        let text = terms.join(" ");
        let terms = terms.iter().map(|term| Term::from_field_text(fields.exact, term)).collect();
        let matcher = Matcher::Phrase(terms);
        Self { field: "exact", text, weight: (BODY + EXACT) * weight, matcher }
    }

    /// As the store searches for it.
    pub(super) fn query(&self) -> Box<dyn Query> {
        let term = |term: &Term| TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
        let query: Box<dyn Query> = match &self.matcher {
            Matcher::Term(one) => Box::new(term(one)),
            Matcher::Best(terms) => {
                let boosted = |(one, share): &(Term, f32)| -> Box<dyn Query> {
                    Box::new(BoostQuery::new(Box::new(term(one)), *share))
                };
                Box::new(DisjunctionMaxQuery::new(terms.iter().map(boosted).collect()))
            }
            Matcher::Phrase(terms) => Box::new(PhraseQuery::new(terms.clone())),
        };
        Box::new(BoostQuery::new(query, self.weight))
    }
}

/// How telling a term is that `n` of `all` passages have (Robertson and Zaragoza 2009, eq. 3.12 plus 1, as Lucene).
fn idf(n: u64, all: u64) -> f32 {
    let (n, all) = (n as f32, all as f32);
    (1.0 + (all - n + 0.5) / (n + 0.5)).ln()
}

/// The disjunction of `clauses`.
pub(super) fn disjunction(clauses: &[Clause]) -> BooleanQuery {
    BooleanQuery::new(clauses.iter().map(|clause| (Occur::Should, clause.query())).collect())
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
