//! [`Suggestions`]: what someone who types may mean, from the words and titles of the collection itself.

use serde::Serialize;

use crate::{DocumentId, Error, QueryError, Snapshot, limits};

/// What a begun query may become.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Suggestions {
    /// The text with its last word completed, likeliest first.
    pub completions: Vec<Completion>,
    /// Documents whose title has the words, the last one begun.
    pub titles: Vec<TitleMatch>,
    /// The text with probable typing mistakes mended, if there are any.
    pub meant: Option<String>,
}

/// The text with its last word completed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Completion {
    /// The whole text.
    pub text: String,
    /// Passages that have the completed word, and the words before it where some passage has them all.
    pub passages: u64,
}

/// A document with a fitting title.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TitleMatch {
    /// The title.
    pub title: String,
    /// Its document.
    pub document: DocumentId,
}

impl Snapshot {
    /// What `text` may become, at most `limit` of each kind. Text without a word gives nothing.
    ///
    /// # Errors
    /// [`Error::Query`] out of bounds, [`Error::Store`].
    pub fn suggest(&self, text: &str, limit: usize) -> Result<Suggestions, Error> {
        let bounds = [
            ("query", "bytes", text.len(), 0, limits::SUGGEST_BYTES),
            ("limit", "suggestions", limit, 1, limits::SUGGESTIONS_MAX),
        ];
        for (field, unit, found, min, max) in bounds {
            if found < min || found > max {
                let (found, min, max) = (found as u64, min as u64, max as u64);
                return Err(QueryError::OutOfRange { field, unit, found, min, max }.into());
            }
        }
        self.view.suggest(text, limit)
    }
}
