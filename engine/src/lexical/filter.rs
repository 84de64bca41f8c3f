//! Compiles a [`Filter`] to one query over postings. Bad filters are refused with the JSON pointer of what is
//! wrong; nothing is skipped.

use std::ops::Bound;

use serde_json::Value;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, InvertedIndexRangeQuery, Occur, Query, TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

use super::facts::{check_key, equal_term, order_bounds, order_term};
use super::record::id_term;
use super::schema::Fields;
use crate::{Condition, Filter, Match, QueryError, Range, limits};

/// The key that means the document id.
const ID: &str = "id";

/// The query whose matches pass `filter`.
///
/// # Errors
/// [`QueryError::Filter`] naming the place.
pub(super) fn compile(fields: &Fields, filter: &Filter) -> Result<Box<dyn Query>, QueryError> {
    Compiler { fields, conditions: 0 }.filter(filter, "", 1)
}

struct Compiler<'a> {
    fields: &'a Fields,
    conditions: usize,
}

impl Compiler<'_> {
    fn filter(
        &mut self,
        filter: &Filter,
        at: &str,
        depth: usize,
    ) -> Result<Box<dyn Query>, QueryError> {
        if depth > limits::FILTER_DEPTH {
            return Err(wrong(at, format!("filters nest at most {} deep", limits::FILTER_DEPTH)));
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(AllQuery))];
        for query in self.list(&filter.must, &format!("{at}/must"), depth)? {
            clauses.push((Occur::Must, query));
        }
        let should = self.list(&filter.should, &format!("{at}/should"), depth)?;
        if !should.is_empty() {
            clauses.push((Occur::Must, Box::new(BooleanQuery::union(should))));
        }
        for query in self.list(&filter.must_not, &format!("{at}/must_not"), depth)? {
            clauses.push((Occur::MustNot, query));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    fn list(
        &mut self,
        conditions: &[Condition],
        at: &str,
        depth: usize,
    ) -> Result<Vec<Box<dyn Query>>, QueryError> {
        let numbered = conditions.iter().enumerate();
        numbered.map(|(i, c)| self.condition(c, &format!("{at}/{i}"), depth)).collect()
    }

    fn condition(
        &mut self,
        condition: &Condition,
        at: &str,
        depth: usize,
    ) -> Result<Box<dyn Query>, QueryError> {
        self.conditions += 1;
        if self.conditions > limits::FILTER_CONDITIONS {
            let max = limits::FILTER_CONDITIONS;
            return Err(wrong(at, format!("a filter has at most {max} conditions")));
        }
        match condition {
            Condition::Nested(filter) => self.filter(filter, at, depth + 1),
            Condition::Match { key, r#match } => self.equal(key, r#match, at),
            Condition::Range { key, range } => self.range(key, range, at),
        }
    }

    fn equal(&self, key: &str, wanted: &Match, at: &str) -> Result<Box<dyn Query>, QueryError> {
        check_key(key).map_err(|reason| wrong(&format!("{at}/key"), reason))?;
        match wanted {
            Match::Value(value) => {
                let term = self.term(key, value, &format!("{at}/match/value"))?;
                Ok(Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
            }
            Match::Any(values) => {
                let at = format!("{at}/match/any");
                if values.is_empty() || values.len() > limits::FILTER_VALUES {
                    let (found, max) = (values.len(), limits::FILTER_VALUES);
                    return Err(wrong(&at, format!("expected 1 to {max} values, found {found}")));
                }
                let numbered = values.iter().enumerate();
                let terms = numbered
                    .map(|(i, value)| self.term(key, value, &format!("{at}/{i}")))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Box::new(TermSetQuery::new(terms)))
            }
        }
    }

    fn term(&self, key: &str, value: &Value, at: &str) -> Result<Term, QueryError> {
        match (key, value) {
            (ID, Value::String(id)) => Ok(id_term(self.fields, id)),
            (ID, other) => Err(wrong(at, format!("a document id is a string, found {other}"))),
            _ => equal_term(key, value)
                .map(|term| Term::from_field_text(self.fields.facts, &term))
                .map_err(|reason| wrong(at, reason)),
        }
    }

    fn range(&self, key: &str, range: &Range, at: &str) -> Result<Box<dyn Query>, QueryError> {
        check_key(key).map_err(|reason| wrong(&format!("{at}/key"), reason))?;
        let at = format!("{at}/range");
        if key == ID {
            return Err(wrong(&at, "document ids have no order; use a match".into()));
        }
        let term = |text: String| Term::from_field_text(self.fields.facts, &text);
        let (first, end) = order_bounds(key);
        let lower = match one_bound(range.gt, range.gte, ("gt", "gte"), &at)? {
            None => Bound::Included(term(first)),
            Some((value, true)) => Bound::Included(term(order_term(key, value))),
            Some((value, false)) => Bound::Excluded(term(order_term(key, value))),
        };
        let upper = match one_bound(range.lt, range.lte, ("lt", "lte"), &at)? {
            None => Bound::Excluded(term(end)),
            Some((value, true)) => Bound::Included(term(order_term(key, value))),
            Some((value, false)) => Bound::Excluded(term(order_term(key, value))),
        };
        if (range.gt, range.gte, range.lt, range.lte) == (None, None, None, None) {
            return Err(wrong(&at, "expected at least one of gt, gte, lt, lte".into()));
        }
        Ok(Box::new(InvertedIndexRangeQuery::new(lower, upper)))
    }
}

/// The bound given, and whether it is inclusive.
fn one_bound(
    exclusive: Option<f64>,
    inclusive: Option<f64>,
    names: (&str, &str),
    at: &str,
) -> Result<Option<(f64, bool)>, QueryError> {
    let bound = match (exclusive, inclusive) {
        (Some(_), Some(_)) => {
            return Err(wrong(at, format!("expected {} or {}, found both", names.0, names.1)));
        }
        (Some(value), None) => Some((value, false)),
        (None, value) => value.map(|value| (value, true)),
    };
    match bound {
        Some((value, _)) if value.is_nan() => Err(wrong(at, "a bound is not a number".into())),
        _ => Ok(bound),
    }
}

fn wrong(at: &str, reason: String) -> QueryError {
    QueryError::Filter { position: at.to_owned(), reason }
}
