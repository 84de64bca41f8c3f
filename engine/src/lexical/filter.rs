//! Compiles a [`Filter`] to one query over postings. Bad filters are refused with the JSON pointer of what is
//! wrong; nothing is skipped.

use std::ops::Bound;

use serde_json::Value;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, InvertedIndexRangeQuery, Occur, Query, TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

use super::View;
use super::constraint::LAST;
use super::facts::{Order, bounds, check_key, equal_term, order_bounds, order_term, prefix_term};
use super::record::id_term;
use super::schema::Fields;
use crate::{Bound as Limit, Condition, Error, Filter, Match, QueryError, Range, date, limits};

/// The key that means the document id.
const ID: &str = "id";

/// The query whose matches pass `filter`.
///
/// # Errors
/// [`QueryError::Filter`] naming the place, also of a field that no document has.
pub(super) fn compile(view: &View, filter: &Filter) -> Result<Box<dyn Query>, Error> {
    let mut compiler = Compiler { fields: &view.fields, conditions: 0, named: Vec::new() };
    let query = compiler.filter(filter, "", 1)?;
    for (key, at) in compiler.named {
        if let Some(reason) = view.unknown_field(&key)? {
            return Err(wrong(&at, reason).into());
        }
    }
    Ok(query)
}

struct Compiler<'a> {
    fields: &'a Fields,
    conditions: usize,
    /// Every metadata field, and where it is named.
    named: Vec<(String, String)>,
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
            Condition::Match { key, r#match } => {
                self.name(key, &format!("{at}/key"))?;
                self.equal(key, r#match, at)
            }
            Condition::Range { key, range } => {
                self.name(key, &format!("{at}/key"))?;
                self.range(key, range, at)
            }
            Condition::Exists { exists } => {
                self.name(exists, &format!("{at}/exists"))?;
                if exists == ID {
                    return Ok(Box::new(AllQuery));
                }
                let (first, end) = bounds(exists);
                Ok(self.between(Bound::Included(first), Bound::Excluded(end)))
            }
        }
    }

    fn name(&mut self, key: &str, at: &str) -> Result<(), QueryError> {
        check_key(key).map_err(|reason| wrong(at, reason))?;
        if key != ID {
            self.named.push((key.to_owned(), at.to_owned()));
        }
        Ok(())
    }

    /// The passages with a fact between the bounds.
    fn between(&self, lower: Bound<String>, upper: Bound<String>) -> Box<dyn Query> {
        let term = |text: String| Term::from_field_text(self.fields.facts, &text);
        Box::new(InvertedIndexRangeQuery::new(lower.map(term), upper.map(term)))
    }

    fn equal(&self, key: &str, wanted: &Match, at: &str) -> Result<Box<dyn Query>, QueryError> {
        match wanted {
            Match::Prefix(start) if key == ID => {
                let [from, to] = [start.clone(), format!("{start}{LAST}")]
                    .map(|text| id_term(self.fields, &text));
                let (from, to) = (Bound::Included(from), Bound::Excluded(to));
                Ok(Box::new(InvertedIndexRangeQuery::new(from, to)))
            }
            Match::Prefix(start) => {
                let from = prefix_term(key, start);
                let to = format!("{from}{LAST}");
                Ok(self.between(Bound::Included(from), Bound::Excluded(to)))
            }
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
        let at = format!("{at}/range");
        if key == ID {
            return Err(wrong(&at, "document ids have no order; use a match".into()));
        }
        let lower = one_bound(&range.gt, &range.gte, ("gt", "gte"), &at)?;
        let upper = one_bound(&range.lt, &range.lte, ("lt", "lte"), &at)?;
        let order = match (&lower, &upper) {
            (None, None) => {
                return Err(wrong(&at, "expected at least one of gt, gte, lt, lte".into()));
            }
            (Some(a), Some(b)) if a.order != b.order => {
                return Err(wrong(
                    &at,
                    "expected two numbers or two dates, found one of each".into(),
                ));
            }
            (Some(one), _) | (None, Some(one)) => one.order,
        };
        let (first, end) = order_bounds(key, order);
        // A bound that excludes is after the named period below, and before it above.
        let lower = match lower {
            None => Bound::Included(first),
            Some(Edge { start, end, order, exclusive }) => match (exclusive, start == end) {
                (true, true) => Bound::Excluded(order_term(key, order, end)),
                (true, false) => Bound::Included(order_term(key, order, end)),
                (false, _) => Bound::Included(order_term(key, order, start)),
            },
        };
        let upper = match upper {
            None => Bound::Excluded(end),
            Some(Edge { start, end, order, exclusive }) => match (exclusive, start == end) {
                (true, _) => Bound::Excluded(order_term(key, order, start)),
                (false, true) => Bound::Included(order_term(key, order, end)),
                (false, false) => Bound::Excluded(order_term(key, order, end)),
            },
        };
        Ok(self.between(lower, upper))
    }
}

/// One end of a range: a number is a period without length.
struct Edge {
    order: Order,
    start: f64,
    end: f64,
    exclusive: bool,
}

/// The bound given, if any.
fn one_bound(
    exclusive: &Option<Limit>,
    inclusive: &Option<Limit>,
    names: (&str, &str),
    at: &str,
) -> Result<Option<Edge>, QueryError> {
    let (limit, is_exclusive) = match (exclusive, inclusive) {
        (Some(_), Some(_)) => {
            return Err(wrong(at, format!("expected {} or {}, found both", names.0, names.1)));
        }
        (Some(limit), None) => (limit, true),
        (None, Some(limit)) => (limit, false),
        (None, None) => return Ok(None),
    };
    let edge = |order, start, end| Some(Edge { order, start, end, exclusive: is_exclusive });
    match limit {
        Limit::Number(number) if number.is_nan() => {
            Err(wrong(at, "a bound is not a number".into()))
        }
        Limit::Number(number) => Ok(edge(Order::Number, *number, *number)),
        Limit::Date(text) => match date::period(text) {
            Some(period) => Ok(edge(Order::Date, period.start, period.end)),
            None => Err(wrong(
                at,
                format!("expected a number or a date such as 2020-01-31, found {text:?}"),
            )),
        },
    }
}

fn wrong(at: &str, reason: String) -> QueryError {
    QueryError::Filter { position: at.to_owned(), reason }
}
