//! [`Model::read`]: the span reader over question and passage. Long passages are read in overlapping windows;
//! token spans are chosen in each by [`super::spans`] and leave as bytes of the passage.

use rayon::prelude::*;

use super::batch::{Tokens, in_batches};
use super::heads::RowHead;
use super::spans::{TokenSpan, best_spans, merged};
use super::tokenizer::Encoding;
use super::{Model, ReadSpan, Reading};
use crate::{Error, QueryError, Span};

/// Spans kept per window and per passage.
const SPANS: usize = 5;
/// `[CLS] question [SEP] passage [SEP]`.
const SPECIAL_TOKENS: usize = 3;
/// Tokens that two neighbouring windows share, at most: an answer with its surroundings is whole in one of them.
const OVERLAP_MAX: usize = 128;

/// The heads that read, and the trunk they were trained on.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) trunk: super::trunk::Trunk,
    pub(super) span: RowHead,
    pub(super) relevance: Option<RowHead>,
}

/// Tokens of a text without special tokens.
struct Content {
    ids: Vec<u32>,
    spans: Vec<Span>,
}

impl From<Encoding> for Content {
    fn from(encoding: Encoding) -> Self {
        let kept = |i: &usize| encoding.sequence[*i].is_some();
        let kept: Vec<usize> = (0..encoding.ids.len()).filter(kept).collect();
        Self {
            ids: kept.iter().map(|&i| encoding.ids[i]).collect(),
            spans: kept.iter().map(|&i| encoding.spans[i]).collect(),
        }
    }
}

/// A stretch of a passage that is read at once.
struct Window {
    passage: usize,
    /// First token, counted in the passage.
    first: usize,
}

/// What the heads say about one window; spans are counted in its passage tokens.
struct Scores {
    spans: Vec<TokenSpan>,
    null_logit: f32,
    relevance_logit: Option<f32>,
}

impl Model {
    /// Whether the package has a span head.
    pub fn has_reader(&self) -> bool {
        self.reader.is_some()
    }

    /// One [`Reading`] per passage, in the order given: long passages are read in overlapping windows.
    ///
    /// # Errors
    /// [`QueryError::MissingHead`] without a span head, [`QueryError::Empty`] without a question,
    /// [`QueryError::OutOfRange`] if the question leaves less than a quarter of the window to the passage,
    /// [`Error::Model`].
    pub fn read(&self, question: &str, passages: &[&str]) -> Result<Vec<Reading>, Error> {
        let reader = self.reader.as_ref().ok_or_else(|| self.missing_head("span"))?;
        if question.trim().is_empty() {
            return Err(QueryError::Empty.into());
        }
        let question = Content::from(self.tokenizer.encode(question)?).ids;
        let room = self.room_beside(&question)?;
        let contents = passages
            .par_iter()
            .map(|passage| self.tokenizer.encode(passage).map(Content::from))
            .collect::<Result<Vec<_>, Error>>()?;
        let windows: Vec<Window> = contents
            .iter()
            .enumerate()
            .flat_map(|(passage, content)| {
                starts(content.ids.len(), room).map(move |first| Window { passage, first })
            })
            .collect();
        let sequences: Vec<Tokens> = windows
            .iter()
            .map(|window| {
                let ids = &contents[window.passage].ids[window.first..];
                self.pair(&question, &ids[..ids.len().min(room)])
            })
            .collect();
        let scores = in_batches(&reader.trunk, &sequences, |rows| {
            reader.scores(rows, self.identity.dimensions, question.len() + 2)
        })?;
        let mut readings: Vec<Vec<(Window, Scores)>> = passages.iter().map(|_| vec![]).collect();
        for (window, scores) in windows.into_iter().zip(scores) {
            readings[window.passage].push((window, scores));
        }
        passages
            .iter()
            .zip(&contents)
            .zip(readings)
            .map(|((text, content), windows)| reading(text, content, windows))
            .collect()
    }

    /// Passage tokens that fit beside the question.
    fn room_beside(&self, question: &[u32]) -> Result<usize, QueryError> {
        let max = (self.max_length - self.max_length / 4).saturating_sub(SPECIAL_TOKENS);
        match question.len() {
            0 => Err(QueryError::Empty),
            length if length > max => Err(QueryError::OutOfRange {
                field: "the question",
                unit: "tokens",
                found: length as u64,
                min: 1,
                max: max as u64,
            }),
            length => Ok(self.max_length - SPECIAL_TOKENS - length),
        }
    }

    /// `[CLS] question [SEP] passage [SEP]`, the passage and its `[SEP]` of type 1.
    fn pair(&self, question: &[u32], passage: &[u32]) -> Tokens {
        let (cls, sep) = ([self.tokenizer.cls()], [self.tokenizer.sep()]);
        let ids = [&cls[..], question, &sep, passage, &sep].concat();
        let mut types = vec![0; ids.len()];
        types[question.len() + 2..].fill(1);
        Tokens { ids, types }
    }
}

impl Reader {
    /// What the heads say about the hidden states `rows: (T, width)`, whose passage begins at token `first`.
    fn scores(&self, rows: &[f32], width: usize, first: usize) -> candle_core::Result<Scores> {
        let logits = self.span.forward(rows)?;
        let last = logits.len() / 2 - 1; // [SEP]
        let starts: Vec<f32> = (first..last).map(|t| logits[2 * t]).collect();
        let ends: Vec<f32> = (first..last).map(|t| logits[2 * t + 1]).collect();
        let relevance_logit = match &self.relevance {
            Some(head) => Some(head.forward(&rows[..width])?[0]),
            None => None,
        };
        Ok(Scores {
            spans: best_spans(&starts, &ends, SPANS),
            null_logit: logits[0] + logits[1],
            relevance_logit,
        })
    }
}

/// First tokens of the windows of `room` tokens over a passage of `length`; one window even over nothing.
fn starts(length: usize, room: usize) -> impl Iterator<Item = usize> {
    let step = room - (room / 2).min(OVERLAP_MAX);
    let more = length.saturating_sub(room).div_ceil(step);
    (0..=more).map(move |window| window * step)
}

/// The windows of one passage as one reading.
fn reading(
    text: &str,
    content: &Content,
    windows: Vec<(Window, Scores)>,
) -> Result<Reading, Error> {
    let null_logit = windows.iter().map(|(_, s)| s.null_logit).fold(f32::INFINITY, f32::min);
    let relevance_logit = windows.iter().filter_map(|(_, s)| s.relevance_logit).reduce(f32::max);
    let spans: Vec<ReadSpan> = windows
        .iter()
        .flat_map(|(window, scores)| {
            let tokens = &content.spans[window.first..];
            scores.spans.iter().filter_map(|span| span.in_bytes(text, tokens))
        })
        .collect();
    let logits = spans.iter().map(|s| s.logit).chain([null_logit]).chain(relevance_logit);
    if logits.into_iter().any(|logit| !logit.is_finite()) {
        return Err(Error::Model {
            doing: "reading a passage",
            reason: "a logit that is not finite; the weights are damaged".into(),
        });
    }
    Ok(Reading { spans: merged(spans, SPANS), null_logit, relevance_logit })
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn windows_overlap_and_reach_the_end_of_the_passage() {
        assert_eq!(starts(0, 100).collect::<Vec<_>>(), [0]);
        assert_eq!(starts(100, 100).collect::<Vec<_>>(), [0]);
        assert_eq!(starts(101, 100).collect::<Vec<_>>(), [0, 50]);
        assert_eq!(starts(251, 100).collect::<Vec<_>>(), [0, 50, 100, 150, 200]);
        assert_eq!(starts(1000, 400).collect::<Vec<_>>(), [0, 272, 544, 816]);
        for (length, room) in [(7, 1), (9, 2), (1000, 3)] {
            let last = starts(length, room).last().unwrap();
            assert!(last < length && last + room >= length, "{length} {room}");
        }
    }
}
