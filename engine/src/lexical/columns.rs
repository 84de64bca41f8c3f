//! Metadata by row: what facets count and what lists are sorted by. Facts are terms of a column beside the postings,
//! in one order of numbers for each segment, where those of one field lie together.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Range};

use serde_json::Value;
use tantivy::columnar::StrColumn;

use super::facts::bounds;
use super::{View, failed};
use crate::candidate::PassageKey;
use crate::{Error, Facet, FacetValue, limits};

/// The key that means the document id.
const ID: &str = "id";

impl View {
    /// The values of `field` among the passages of `keys`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn facet(
        &self,
        field: &str,
        keys: impl Iterator<Item = PassageKey>,
    ) -> Result<Facet, Error> {
        let columns = self.columns(field)?;
        let mut counts: HashMap<(u32, u64), usize> = HashMap::new();
        let mut missing = 0;
        for key in keys {
            let mut any = false;
            if let Some((column, range)) = &columns[key.segment as usize] {
                let mut ords: Vec<u64> =
                    column.ords().values_for_doc(key.row).filter(|o| range.contains(o)).collect();
                ords.sort_unstable();
                ords.dedup();
                any = !ords.is_empty();
                ords.into_iter()
                    .for_each(|ord| *counts.entry((key.segment, ord)).or_default() += 1);
            }
            missing += usize::from(!any);
        }
        let mut by_term: BTreeMap<String, usize> = BTreeMap::new();
        for ((segment, ord), count) in counts {
            if let Some((column, _)) = &columns[segment as usize] {
                *by_term.entry(term(column, ord)?).or_default() += count;
            }
        }
        Ok(facet(field, by_term, missing))
    }

    /// For each passage of `keys` a text that sorts as its values of `field` do: its smallest, or with `largest` its
    /// largest; `None` without the field. Dates and numbers sort as such, before texts.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn sort_keys(
        &self,
        field: &str,
        largest: bool,
        keys: impl Iterator<Item = PassageKey>,
    ) -> Result<Vec<Option<String>>, Error> {
        if field == ID {
            return Ok(keys.map(|key| self.document_of(key)).collect());
        }
        let columns = self.columns(field)?;
        let start = field.len() + 1;
        let key_of = |key: PassageKey| {
            let Some((column, range)) = &columns[key.segment as usize] else { return Ok(None) };
            let ords = column.ords().values_for_doc(key.row).filter(|ord| range.contains(ord));
            let mut best: Option<(u8, String)> = None;
            for ord in ords {
                let text = term(column, ord)?;
                let Some(kind) = sort_kind(text.as_bytes()[start]) else { continue };
                let found = (kind, text[start + 1..].to_owned());
                let better = best.as_ref().is_none_or(|(kind, value)| {
                    let same = *kind == found.0;
                    found.0 < *kind || same && ((found.1 > *value) == largest) && found.1 != *value
                });
                if better {
                    best = Some(found);
                }
            }
            Ok(best.map(|(kind, value)| format!("{kind}{value}")))
        };
        keys.map(key_of).collect()
    }

    /// The id of the document a passage is part of.
    pub(crate) fn document_of(&self, key: PassageKey) -> Option<String> {
        self.name(key).0
    }

    /// The column of facts of each segment, and the terms in it that are facts of `field`.
    fn columns(&self, field: &str) -> Result<Vec<Option<(StrColumn, Range<u64>)>>, Error> {
        let failed = failed("reading metadata");
        let (first, end) = bounds(field);
        let mut columns = Vec::new();
        for reader in self.searcher.segment_readers() {
            let Some(column) = reader.fast_fields().str("facts").map_err(&failed)? else {
                columns.push(None);
                continue;
            };
            let dictionary = column.dictionary();
            let (from, to) = dictionary
                .term_bounds_to_ord(Bound::Included(&first), Bound::Excluded(&end))
                .map_err(|e| failed(e.into()))?;
            let from = match from {
                Bound::Included(ord) => ord,
                Bound::Excluded(ord) => ord + 1,
                Bound::Unbounded => 0,
            };
            let to = match to {
                Bound::Included(ord) => ord + 1,
                Bound::Excluded(ord) => ord,
                Bound::Unbounded => u64::MAX,
            };
            columns.push(Some((column, from..to)));
        }
        Ok(columns)
    }
}

/// The rank of a kind of fact when values are compared; texts that are dates and numbers are known as such.
fn sort_kind(tag: u8) -> Option<u8> {
    match tag {
        b'o' => Some(0),
        b'd' => Some(1),
        b's' => Some(2),
        b'b' => Some(3),
        _ => None,
    }
}

fn term(column: &StrColumn, ord: u64) -> Result<String, Error> {
    let mut term = String::new();
    column.ord_to_str(ord, &mut term).map_err(|e| failed("reading metadata")(e.into()))?;
    Ok(term)
}

fn facet(field: &str, by_term: BTreeMap<String, usize>, missing: usize) -> Facet {
    let mut other = 0;
    let mut values = Vec::new();
    for (term, count) in by_term {
        match value(&term[field.len() + 1..]) {
            Some(Ok(value)) => values.push(FacetValue { value, count }),
            Some(Err(())) => other += count,
            None => {}
        }
    }
    // The sort is stable: equal counts stay in order of the value.
    values.sort_by_key(|value| std::cmp::Reverse(value.count));
    let listed = values.len().min(limits::FACET_VALUES);
    other += values.drain(listed..).map(|value| value.count).sum::<usize>();
    Facet { field: field.to_owned(), values, other, missing }
}

/// The value of a fact: `None` for terms that only order, `Err` for long texts, of which there is but a hash.
fn value(fact: &str) -> Option<Result<Value, ()>> {
    let (tag, text) = fact.split_at_checked(1)?;
    match tag {
        "s" => Some(Ok(Value::from(text))),
        "b" | "n" => Some(serde_json::from_str(text).map_err(|_| ())),
        "h" => Some(Err(())),
        _ => None,
    }
}
