//! What a query demands of passages beyond its score: phrases, `+` and `-`, words in one field. Each is compiled to a
//! query over postings and positions; `plan` makes sets of rows of them.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{BooleanQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::analysis::{Constraint, Place};
use super::schema::Fields;
use crate::syntax::{Demand, Form};

/// After every text that begins with the same letters.
pub(super) const LAST: &str = "\u{10ffff}";

/// The passages that `constraint` is about: those that must, or must not, be found.
pub(super) fn compile(fields: &Fields, constraint: &Constraint) -> Box<dyn Query> {
    let Constraint { demand, place, form, terms, stems } = constraint;
    let in_field = |field: Field| {
        // The stemmed body has no positions, so several words are looked for as they stand.
        let field = if field == fields.body && terms.len() > 1 { fields.exact } else { field };
        let terms = if field == fields.exact { terms } else { stems };
        sequence(field, terms, *form)
    };
    match place {
        Place::Title => in_field(fields.title),
        Place::Headings => in_field(fields.headings),
        Place::Body if *form == Form::Prefix => in_field(fields.exact),
        Place::Body => in_field(fields.body),
        Place::Exact => in_field(fields.exact),
        Place::Anywhere => {
            // What must be there may be inflected; what must not, or what is quoted, is meant as it stands.
            let stem = *demand == Demand::Must && *form == Form::Word;
            let body = if stem { fields.body } else { fields.exact };
            let fields = [body, fields.title, fields.headings];
            Box::new(BooleanQuery::union(fields.map(in_field).into()))
        }
    }
}

/// Words of `field` that begin with `start`.
pub(super) fn beginning(field: Field, start: &str) -> Box<dyn Query> {
    let [from, to] =
        [start, &format!("{start}{LAST}")].map(|text| Term::from_field_text(field, text));
    Box::new(InvertedIndexRangeQuery::new(Bound::Included(from), Bound::Excluded(to)))
}

/// `terms` (at least one) one after the other in `field`; the last may be the beginning of a word.
fn sequence(field: Field, terms: &[String], form: Form) -> Box<dyn Query> {
    let text = |term: &String| Term::from_field_text(field, term);
    if let (Form::Prefix, Some((last, whole))) = (form, terms.split_last()) {
        let mut parts: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, beginning(field, last))];
        if !whole.is_empty() {
            parts.push((Occur::Must, sequence(field, whole, Form::Phrase)));
        }
        return Box::new(BooleanQuery::new(parts));
    }
    match terms {
        [one] => Box::new(TermQuery::new(text(one), IndexRecordOption::Basic)),
        several => Box::new(PhraseQuery::new(several.iter().map(text).collect())),
    }
}
