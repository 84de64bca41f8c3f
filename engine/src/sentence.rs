//! [`sentences`]: the one place that knows where a sentence ends.

use std::sync::LazyLock;

use icu_segmenter::options::SentenceBreakInvariantOptions;
use icu_segmenter::{SentenceSegmenter, SentenceSegmenterBorrowed};

use crate::Span;

static SEGMENTER: LazyLock<SentenceSegmenterBorrowed<'static>> =
    LazyLock::new(|| SentenceSegmenter::new(SentenceBreakInvariantOptions::default()));

/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: [&str; 17] = [
    "dr", "mr", "mrs", "ms", "st", "prof", "vs", "e.g", "i.e", "cf", "ca", "no", "fig", "vol",
    "gen", "lt", "col",
];

/// The sentences of `text` in order, without the white space around them; every other character is in one.
///
/// Boundaries are those of Unicode Standard Annex 29, except that an abbreviation or an initial ends no
/// sentence, a single line end is a space (only wrapping put it there) and an empty line ends a sentence.
///
/// ```
/// let text = "In 1662 Robert Boyle, with Dr. R. Hooke, found the law. It holds.";
/// let sentences: Vec<_> = alder_engine::sentences(text).iter().filter_map(|s| s.slice(text)).collect();
/// assert_eq!(sentences, ["In 1662 Robert Boyle, with Dr. R. Hooke, found the law.", "It holds."]);
/// ```
pub fn sentences(text: &str) -> Vec<Span> {
    let mut out = Vec::new();
    let mut start = 0;
    for paragraph in text.split_inclusive("\n\n") {
        let flat = paragraph.replace('\n', " ");
        let mut begin = 0;
        for end in SEGMENTER.segment_str(&flat).skip(1) {
            if end < flat.len() && !ends_sentence(&flat[begin..end]) {
                continue;
            }
            let sentence = &flat[begin..end];
            let first = start + begin + (sentence.len() - sentence.trim_start().len());
            let span = Span::new(first, first + sentence.trim().len());
            if !span.is_empty() {
                out.push(span);
            }
            begin = end;
        }
        start += paragraph.len();
    }
    out
}

/// Whether what Unicode calls a sentence ends like one: not in an abbreviation or an initial.
fn ends_sentence(candidate: &str) -> bool {
    let Some(before) = candidate.trim_end().strip_suffix('.') else { return true };
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().filter_map(|s| s.slice(text)).collect()
    }

    #[test]
    fn line_ends_wrap_and_empty_lines_end_sentences() {
        assert_eq!(
            split("A line\nwrapped. Next\n\nNew (\"quoted.\") End"),
            ["A line\nwrapped.", "Next", "New (\"quoted.\")", "End"]
        );
        assert_eq!(split("pi is 3.14, e.g. here"), ["pi is 3.14, e.g. here"]);
        assert_eq!(split("これは文です。次の文。"), ["これは文です。", "次の文。"]);
        assert!(split(" \n ").is_empty());
    }

    proptest! {
        #[test]
        fn sentences_are_in_order_and_leave_out_only_white_space(text in "(?s).{0,80}") {
            let mut end = 0;
            for span in sentences(&text) {
                prop_assert!(span.start >= end && !span.is_empty());
                prop_assert!(text[end..span.start].trim().is_empty());
                end = span.end;
            }
            prop_assert!(text[end..].trim().is_empty());
        }
    }
}
