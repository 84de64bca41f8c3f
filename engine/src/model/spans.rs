//! Answer spans from start and end logits: the best that do not overlap, as tokens, then as bytes of the passage.

use super::ReadSpan;
use crate::Span;

/// Tokens of the longest answer.
const ANSWER_TOKENS: usize = 30;

/// A span in tokens, both ends inside it, and its start plus end logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TokenSpan {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) logit: f32,
}

/// The `count` best spans by `starts[first] + ends[last]` (Devlin et al. 2019, section 4.2), best first, none
/// overlapping a better one, none longer than [`ANSWER_TOKENS`]. Of equals the earlier, then the shorter, is best.
pub(super) fn best_spans(starts: &[f32], ends: &[f32], count: usize) -> Vec<TokenSpan> {
    let mut taken = vec![false; starts.len()];
    let mut spans = Vec::new();
    while spans.len() < count {
        let mut best: Option<TokenSpan> = None;
        for (first, start) in starts.iter().enumerate() {
            let lasts = first..(first + ANSWER_TOKENS).min(ends.len());
            for last in lasts.take_while(|&last| !taken[last]) {
                let logit = start + ends[last];
                if best.is_none_or(|b| logit.total_cmp(&b.logit).is_gt()) {
                    best = Some(TokenSpan { first, last, logit });
                }
            }
        }
        let Some(span) = best else { break };
        taken[span.first..=span.last].fill(true);
        spans.push(span);
    }
    spans
}

impl TokenSpan {
    /// The span in bytes of `text`, whose tokens have the spans `tokens`: whole words, without white space and commas
    /// at its ends; `None` if nothing is left.
    pub(super) fn in_bytes(&self, text: &str, tokens: &[Span]) -> Option<ReadSpan> {
        // Tokens may cut a character that normalisation took apart: the answer has it whole.
        let start = text.floor_char_boundary(tokens[self.first].start);
        let end = text.ceil_char_boundary(tokens[self.last].end);
        let span = trimmed(text, whole_words(text, text.get(start..end).map(|_| start..end)?));
        (span.start < span.end).then_some(ReadSpan { span, logit: self.logit })
    }
}

/// Bytes by which a span may grow to end its words; what is longer is no word.
const WORD_BYTES: usize = 40;

/// The range with the rest of the words it cuts: vocabularies have pieces of words. Scripts without spaces stay cut.
fn whole_words(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let in_word = |c: char| c.is_alphanumeric() && c < '\u{2E80}';
    let inside = &text[range.clone()];
    let rest = |chars: &mut dyn Iterator<Item = char>| -> usize {
        chars.take_while(|c| in_word(*c)).take(WORD_BYTES + 1).map(char::len_utf8).sum()
    };
    let grown = |cut: bool, bytes: usize| if cut && bytes <= WORD_BYTES { bytes } else { 0 };
    let before = rest(&mut text[..range.start].chars().rev());
    let after = rest(&mut text[range.end..].chars());
    range.start - grown(inside.starts_with(in_word), before)
        ..range.end + grown(inside.ends_with(in_word), after)
}

/// The range without white space, commas, colons and semicolons at its ends.
fn trimmed(text: &str, range: std::ops::Range<usize>) -> Span {
    let dropped = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':');
    let covered = &text[range.clone()];
    let start = range.start + (covered.len() - covered.trim_start_matches(dropped).len());
    Span { start, end: start + covered.trim_matches(dropped).len() }
}

/// The `count` best of `spans`, best first, none overlapping a better one.
pub(super) fn merged(mut spans: Vec<ReadSpan>, count: usize) -> Vec<ReadSpan> {
    spans.sort_by(|a, b| b.logit.total_cmp(&a.logit).then(a.span.cmp(&b.span)));
    let mut kept: Vec<ReadSpan> = Vec::new();
    for candidate in spans {
        let apart =
            |k: &ReadSpan| candidate.span.end <= k.span.start || k.span.end <= candidate.span.start;
        if kept.len() < count && kept.iter().all(apart) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_span_wins_and_the_next_does_not_overlap_it() {
        let starts = [0.0, 5.0, 1.0, 0.0, 3.0];
        let ends = [0.0, 1.0, 4.0, 0.0, 2.0];
        let spans = best_spans(&starts, &ends, 5);
        assert_eq!(spans[0], TokenSpan { first: 1, last: 2, logit: 9.0 });
        assert_eq!(spans[1], TokenSpan { first: 4, last: 4, logit: 5.0 });
        assert_eq!(spans.len(), 4, "tokens 0 and 3 are left as spans of one");
    }

    #[test]
    fn an_end_before_its_start_or_too_far_behind_it_is_no_span() {
        let mut starts = vec![0.0; 100];
        let mut ends = vec![0.0; 100];
        (starts[50], ends[10], ends[90]) = (9.0, 9.0, 8.0);
        let best = best_spans(&starts, &ends, 1)[0];
        assert!(best.last - best.first < ANSWER_TOKENS && best.logit == 9.0);
        ends[79] = 1.0;
        assert_eq!(
            best_spans(&starts, &ends, 1)[0],
            TokenSpan { first: 50, last: 79, logit: 10.0 }
        );
    }

    proptest! {
        #[test]
        fn spans_are_what_an_exhaustive_search_finds(
            logits in prop::collection::vec((-9i8..9, -9i8..9), 0..60),
        ) {
            let starts: Vec<f32> = logits.iter().map(|l| l.0.into()).collect();
            let ends: Vec<f32> = logits.iter().map(|l| l.1.into()).collect();
            let spans = best_spans(&starts, &ends, 4);
            let best = (0..starts.len())
                .flat_map(|i| (i..ends.len().min(i + ANSWER_TOKENS)).map(move |j| (i, j)))
                .map(|(i, j)| starts[i] + ends[j])
                .max_by(f32::total_cmp);
            prop_assert_eq!(spans.first().map(|s| s.logit), best);
            for (k, a) in spans.iter().enumerate() {
                for b in &spans[..k] {
                    prop_assert!(a.last < b.first || b.last < a.first);
                    prop_assert!(a.logit <= b.logit);
                }
            }
        }

        #[test]
        fn bytes_of_any_tokens_slice_the_passage(
            text in "\\PC{0,40}", cuts in prop::collection::vec(0usize..160, 2..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.sort_unstable();
            let tokens: Vec<Span> = cuts.windows(2).map(|c| Span::new(c[0], c[1])).collect();
            for first in 0..tokens.len() {
                for last in first..tokens.len() {
                    let span = TokenSpan { first, last, logit: 0.0 }.in_bytes(&text, &tokens);
                    if let Some(read) = span {
                        let slice = read.span.slice(&text).unwrap();
                        prop_assert!(!slice.is_empty() && slice.trim() == slice);
                    }
                }
            }
        }
    }

    #[test]
    fn a_span_has_whole_words_and_no_comma_at_its_end() {
        let text = "ships lay in quarantine, some";
        let tokens = [Span::new(10, 12), Span::new(13, 19), Span::new(19, 23), Span::new(23, 24)];
        let bytes = |first, last| {
            let span = TokenSpan { first, last, logit: 0.0 }.in_bytes(text, &tokens).unwrap().span;
            &text[span.start..span.end]
        };
        assert_eq!(bytes(1, 1), "quarantine");
        assert_eq!(bytes(0, 3), "in quarantine");
        assert_eq!(TokenSpan { first: 3, last: 3, logit: 0.0 }.in_bytes(text, &tokens), None);
        let long = "x".repeat(100);
        let cut = TokenSpan { first: 0, last: 0, logit: 0.0 }.in_bytes(&long, &[Span::new(0, 5)]);
        assert_eq!(cut.unwrap().span, Span::new(0, 5));
    }
}
