//! [`TokenTable`]: where the tokens of a text begin, asked of the tokenizer once.

use alder_engine::{Error, Span};

use super::TokenSpans;
use crate::extract::Block;
use crate::limits;

/// Byte at which each token of the text begins, ascending.
#[derive(Debug)]
pub(super) struct TokenTable {
    starts: Vec<u32>,
}

impl TokenTable {
    /// Tokenizes every block. Text is limited to [`alder_engine::limits::DOCUMENT_TEXT_BYTES`], so offsets fit 32 bits.
    pub(super) fn new(
        text: &str,
        blocks: &[Block],
        token_spans: &TokenSpans<'_>,
    ) -> Result<Self, Error> {
        let mut starts = Vec::with_capacity(text.len() / 4);
        for block in blocks {
            for piece in bounded(text, block.span) {
                let spans = token_spans(&text[piece.start..piece.end])?;
                starts.extend(spans.iter().map(|span| (piece.start + span.start) as u32));
            }
        }
        if !starts.is_sorted() {
            starts.sort_unstable();
        }
        Ok(Self { starts })
    }

    /// Tokens that begin within `span`.
    pub(super) fn count(&self, span: Span) -> usize {
        self.before(span.end) - self.before(span.start)
    }

    /// Starts of the tokens that begin within `span`.
    pub(super) fn starts(&self, span: Span) -> impl Iterator<Item = usize> + '_ {
        self.starts[self.before(span.start)..self.before(span.end)].iter().map(|s| *s as usize)
    }

    fn before(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| (*start as usize) < byte)
    }
}

/// `span` in pieces that a tokenizer can take: cut before white space where there is some, anywhere between
/// two characters where there is none for long.
fn bounded(text: &str, span: Span) -> Vec<Span> {
    let mut out = Vec::new();
    let (mut start, mut word) = (span.start, span.start);
    for (i, c) in text[span.start..span.end].char_indices() {
        let at = span.start + i;
        if c.is_whitespace() {
            word = at;
        }
        let cut = at - word >= limits::UNBROKEN_BYTES || (c.is_whitespace() && at - start >= limits::PIECE_BYTES);
        if cut && at > start {
            // What stands before a long unbroken word is a piece of its own.
            if word > start && word < at {
                out.push(Span::new(start, word));
                start = word;
            }
            out.push(Span::new(start, at));
            (start, word) = (at, at);
        }
    }
    out.push(Span::new(start, span.end));
    out.retain(|piece| !piece.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_join_to_the_whole_and_are_bounded(words in proptest::collection::vec(0_usize..20_000, 0..20)) {
            let text: String = words.iter().map(|n| "é".repeat(*n) + " ").collect();
            let pieces = bounded(&text, Span::new(0, text.len()));
            let joined: String = pieces.iter().map(|p| p.slice(&text).unwrap()).collect();
            prop_assert_eq!(&joined, &text);
            for piece in pieces {
                prop_assert!(piece.len() <= limits::PIECE_BYTES + limits::UNBROKEN_BYTES + 4);
                let longest = piece.slice(&text).unwrap().split(' ').map(str::len).max().unwrap_or(0);
                prop_assert!(longest <= limits::UNBROKEN_BYTES + 2);
            }
        }
    }
}
