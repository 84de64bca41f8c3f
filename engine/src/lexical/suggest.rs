//! Suggestions from the index: completed words counted where the words before them stand, and titles.

use std::collections::HashSet;

use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, TERMINATED, Term};

use super::analysis::terms;
use super::expand::{self, Counted};
use super::words::is_unspaced;
use super::{View, constraint, failed};
use crate::candidate::PassageKey;
use crate::row_set::RowSet;
use crate::{Completion, Error, LastWord, Suggestions, TitleMatch, limits};

/// A begun query: the words before the last one, and where the last one begins in the text.
struct Begun {
    stems: Vec<String>,
    last: String,
    start: usize,
}

impl View {
    /// What `text` may become, at most `limit` of each kind.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn suggest(&self, text: &str, limit: usize) -> Result<Suggestions, Error> {
        // A space after a word says that it is whole: all that is left is to look for titles.
        let whole = text.ends_with(char::is_whitespace);
        let Some(begun) = self.begun_text(text) else { return Ok(Suggestions::default()) };
        let mut completions = Vec::new();
        if !whole && !begun.last.chars().any(is_unspaced) {
            completions = self.completions(&begun)?;
            completions.truncate(limit);
        }
        let completions: Vec<Completion> = completions
            .into_iter()
            .map(|(word, passages)| Completion {
                text: format!("{}{word}", &text[..begun.start]),
                passages,
            })
            .collect();
        let last = if whole { LastWord::Whole } else { LastWord::Begun };
        let meant = self.plan(text, None, last)?.meant;
        Ok(Suggestions { completions, titles: self.titles(&begun, limit)?, meant })
    }

    fn begun_text(&self, text: &str) -> Option<Begun> {
        let (mut exact, mut stemmed) =
            (self.analysers.exact.clone(), self.analysers.stemmed.clone());
        let mut forms = Vec::new();
        exact.token_stream(text).process(&mut |token| {
            forms.push((token.text.clone(), token.offset_from));
        });
        let mut stems = terms(&mut stemmed, text);
        let (last, start) = forms.pop()?;
        stems.pop();
        Some(Begun { stems, last, start })
    }

    /// Words that begin as the last one, with the passages that have them and all words before; if no passage has
    /// those, with all passages that have them.
    fn completions(&self, begun: &Begun) -> Result<Vec<Counted>, Error> {
        let exact = self.fields.exact;
        let mut words = expand::beginning_with(&self.searcher, exact, &begun.last)?;
        words.retain(|(word, _)| !self.stop_words.contains(word));
        let said: Vec<&String> =
            begun.stems.iter().filter(|stem| !self.stop_words.contains(stem)).collect();
        if said.is_empty() {
            return Ok(words);
        }
        let all = said.into_iter().map(|stem| (Occur::Must, has(self.fields.body, stem)));
        let rows = self.matching(&BooleanQuery::new(all.collect()))?;
        let mut together = Vec::new();
        for (word, _) in &words {
            together.push((word.clone(), self.count_within(exact, word, &rows)?));
        }
        together.retain(|(_, passages)| *passages > 0);
        if together.is_empty() {
            return Ok(words);
        }
        together.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(together)
    }

    /// How many of `rows` have `word`, looking at a bounded number of them.
    fn count_within(&self, field: Field, word: &str, rows: &[RowSet]) -> Result<u64, Error> {
        let failed = failed("counting words");
        let term = Term::from_field_text(field, word);
        let mut count = 0;
        for (reader, rows) in self.searcher.segment_readers().iter().zip(rows) {
            let index = reader.inverted_index(field).map_err(&failed)?;
            let postings = index.read_postings(&term, IndexRecordOption::Basic);
            let Some(mut postings) = postings.map_err(|e| failed(e.into()))? else { continue };
            for _ in 0..limits::EXPANSIONS_SCANNED {
                if postings.doc() == TERMINATED {
                    break;
                }
                count += u64::from(rows.contains(postings.doc()));
                postings.advance();
            }
        }
        Ok(count)
    }

    /// Documents whose title has the words before the last and one that begins as the last; titles that begin as
    /// the text first, then short ones.
    fn titles(&self, begun: &Begun, limit: usize) -> Result<Vec<TitleMatch>, Error> {
        let title = self.fields.title;
        let mut parts: Vec<(Occur, Box<dyn Query>)> =
            begun.stems.iter().map(|stem| (Occur::Must, has(title, stem))).collect();
        // The index has stems; a longer beginning than the stem is the whole word.
        let mut stemmer = self.analysers.stemmed.clone();
        let stem = terms(&mut stemmer, &begun.last).pop().unwrap_or_default();
        let last = vec![constraint::beginning(title, &begun.last), has(title, &stem)];
        parts.push((Occur::Must, Box::new(BooleanQuery::union(last))));
        let rows = self.matching(&BooleanQuery::new(parts))?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for (number, rows) in (0..).zip(&rows) {
            let first = |row: &u32| self.segments[number as usize].ordinal(*row) == Some(0);
            for row in rows.iter().filter(first).take(limits::SUGGEST_TITLES_READ) {
                let passage = self.passage(PassageKey { segment: number, row })?;
                if seen.insert(passage.title.clone()) {
                    found.push(TitleMatch { title: passage.title, document: passage.id.document });
                }
            }
        }
        let mut exact = self.analysers.exact.clone();
        found.sort_by_cached_key(|found| {
            let words = terms(&mut exact, &found.title);
            let first = words.first().is_some_and(|word| word.starts_with(&begun.last));
            (!first, found.title.chars().count(), found.title.clone())
        });
        found.truncate(limit);
        Ok(found)
    }
}

fn has(field: Field, term: &str) -> Box<dyn Query> {
    let term = Term::from_field_text(field, term);
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}
