//! [`Span`]: a half-open byte range, the only unit in which the engine says *where*.
//!
//! Tokens, characters and bytes are never mixed: tokens are converted when they leave the tokenizer,
//! characters only when a result is written for the wire.

use serde::{Deserialize, Serialize};

/// Half-open byte range `start..end` in a text. Both ends lie on character boundaries of that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte of the span.
    pub start: usize,
    /// One past the last byte of the span.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    ///
    /// # Panics
    /// If `start > end`.
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end, "span {start}..{end} ends before it starts");
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The text under the span, or `None` where it is outside `text` or cuts a character.
    pub fn slice(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }

    /// The same span seen from a text that starts `offset` bytes earlier.
    #[must_use]
    pub fn shifted(self, offset: usize) -> Self {
        Self { start: self.start + offset, end: self.end + offset }
    }

    /// The span counted in characters (Unicode scalar values) of `text`, for the wire.
    ///
    /// # Panics
    /// If the span is not a slice of `text`.
    pub fn in_characters(self, text: &str) -> Self {
        let start = text[..self.start].chars().count();
        Self { start, end: start + text[self.start..self.end].chars().count() }
    }
}
