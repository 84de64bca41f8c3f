//! Words of the index that a typed word may stand for: those that begin with it, and those a few typing mistakes
//! away. Both walk the sorted term dictionaries and stop after a bounded number of terms.

use std::collections::HashMap;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use super::failed;
use crate::{Error, limits};

/// A word of the index with the number of passages that have it.
pub(super) type Counted = (String, u64);

/// The most frequent terms of `field` that begin with `prefix`, at most [`limits::EXPANSIONS`].
pub(super) fn beginning_with(
    searcher: &Searcher,
    field: Field,
    prefix: &str,
) -> Result<Vec<Counted>, Error> {
    let failed = failed("looking for words");
    let mut found = HashMap::new();
    for reader in searcher.segment_readers() {
        let index = reader.inverted_index(field).map_err(&failed)?;
        let stream = index.terms().range().ge(prefix).into_stream();
        let mut stream = stream.map_err(|e| failed(e.into()))?;
        for _ in 0..limits::EXPANSIONS_SCANNED {
            match stream.next() {
                Some((term, info)) if term.starts_with(prefix.as_bytes()) => {
                    count(&mut found, term, u64::from(info.doc_freq));
                }
                _ => break,
            }
        }
    }
    Ok(most_frequent(found))
}

/// The most frequent terms of `field` that begin with the same letter as `word` and are the fewest mistakes away,
/// at most [`mistakes`]; and how many mistakes those are. A mistake is a letter too many, too few or wrong, or two
/// letters in the wrong order.
pub(super) fn near(
    searcher: &Searcher,
    field: Field,
    word: &str,
) -> Result<Option<(u8, Vec<Counted>)>, Error> {
    let failed = failed("looking for similar words");
    let Some(first) = word.chars().next().map(String::from) else { return Ok(None) };
    for distance in 1..=mistakes(word) {
        let query = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
        let automaton = query.automaton().map_err(&failed)?;
        let mut found = HashMap::new();
        for reader in searcher.segment_readers() {
            let index = reader.inverted_index(field).map_err(&failed)?;
            let stream = index.terms().search(&automaton).ge(&first).into_stream();
            let mut stream = stream.map_err(|e| failed(e.into()))?;
            for _ in 0..limits::EXPANSIONS_SCANNED {
                match stream.next() {
                    Some((term, info)) if term.starts_with(first.as_bytes()) => {
                        count(&mut found, term, u64::from(info.doc_freq));
                    }
                    _ => break,
                }
            }
        }
        if !found.is_empty() {
            return Ok(Some((distance, most_frequent(found))));
        }
    }
    Ok(None)
}

/// Typing mistakes that are seen through: none in words of up to four letters or with digits, one in words of up to
/// seven, two in longer ones.
pub(super) fn mistakes(word: &str) -> u8 {
    if !word.chars().all(char::is_alphabetic) || word.chars().any(super::words::is_unspaced) {
        return 0;
    }
    match word.chars().count() {
        0..=4 => 0,
        5..=7 => 1,
        _ => 2,
    }
}

fn count(found: &mut HashMap<String, u64>, term: &[u8], passages: u64) {
    if let Ok(term) = std::str::from_utf8(term) {
        *found.entry(term.to_owned()).or_default() += passages;
    }
}

fn most_frequent(found: HashMap<String, u64>) -> Vec<Counted> {
    let mut found: Vec<Counted> = found.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(limits::EXPANSIONS);
    found
}
