//! What a reader's eye is led to in a passage: the words of the question, and the sentence around an
//! answer. Display only; ranking never sees it.

use std::ops::Range;

use alder_engine::Span;

/// Words that say nothing about where to look.
const PLAIN_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "does",
    "for", "from", "had", "has", "have", "how", "in", "into", "is", "it", "its", "many", "much",
    "not", "of", "on", "or", "that", "the", "their", "there", "they", "this", "to", "was", "were",
    "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would",
];
/// English endings that a search sees through.
const ENDINGS: &[&str] = &["", "s", "es", "ed", "d", "ing", "er", "ers", "ly", "ion", "ions"];
/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "dr", "mr", "mrs", "ms", "st", "prof", "vs", "etc", "e.g", "i.e", "cf", "ca", "no", "fig",
    "vol",
];

/// Byte ranges of the words in `text` that the words of `query` stand for, in order.
pub(crate) fn query_terms(text: &str, query: &str) -> Vec<Range<usize>> {
    let wanted: Vec<String> = words(query)
        .map(|range| query[range].to_lowercase())
        .filter(|word| !PLAIN_WORDS.contains(&word.as_str()))
        .take(alder_engine::limits::QUERY_TERMS)
        .collect();
    words(text)
        .filter(|range| {
            let word = text[range.clone()].to_lowercase();
            wanted.iter().any(|term| same_word(term, &word))
        })
        .collect()
}

/// The sentence or sentences of `text` that hold `span`, without surrounding white space.
pub(crate) fn sentence_around(text: &str, span: Span) -> Range<usize> {
    let mut start = 0;
    let mut end = text.len();
    for boundary in sentence_ends(text) {
        if boundary <= span.start {
            start = boundary;
        } else if boundary >= span.end {
            end = boundary;
            break;
        }
    }
    let sentence = &text[start..end];
    start += sentence.len() - sentence.trim_start().len();
    start..start + sentence.trim().len()
}

/// Maximal runs of letters and digits, with inner apostrophes.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|(_, c)| !c.is_alphanumeric()).is_some() {}
        let (start, first) = rest.next()?;
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = rest.next_if(|(_, c)| c.is_alphanumeric()) {
            end = at + c.len_utf8();
        }
        Some(start..end)
    })
}

/// Equal, or one stem with two endings: "invent", "invented", "inventors" are one word to a reader.
fn same_word(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let shared: usize =
        a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let ends = |word: &str| ENDINGS.contains(&&word[shared..]);
    shared >= 4 && ends(a) && ends(b)
}

/// Byte positions just after each sentence: a mark and white space before what may begin a sentence, or
/// an empty line.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().filter_map(move |(at, c)| {
        let after = at + c.len_utf8();
        let rest = &text[after..];
        let ends = match c {
            '\n' => rest.starts_with('\n'),
            '.' | '!' | '?' | '…' => {
                begins_sentence(rest) && !(c == '.' && is_abbreviation(&text[..at]))
            }
            '。' | '！' | '？' => true,
            _ => false,
        };
        ends.then(|| after + rest.len() - rest.trim_start_matches(['"', '”', '’', ')', ']']).len())
    })
}

fn begins_sentence(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['"', '”', '’', ')', ']']);
    let next = rest.trim_start();
    next.is_empty() || (next.len() < rest.len() && !next.starts_with(char::is_lowercase))
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let lower = word.to_lowercase();
    ABBREVIATIONS.contains(&lower.as_str())
        || (word.chars().count() == 1 && word.chars().all(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence<'a>(text: &'a str, answer: &str) -> &'a str {
        let start = text.find(answer).unwrap();
        &text[sentence_around(text, Span::new(start, start + answer.len()))]
    }

    #[test]
    fn the_sentence_of_an_answer_is_the_whole_sentence_and_no_more() {
        let text = "Gases differ. In 1662 Robert Boyle, with Dr. R. Hooke, found the law. It holds (\"well\").\n\nNext";
        assert_eq!(
            sentence(text, "Robert Boyle"),
            "In 1662 Robert Boyle, with Dr. R. Hooke, found the law."
        );
        assert_eq!(sentence(text, "differ"), "Gases differ.");
        assert_eq!(sentence(text, "well"), "It holds (\"well\").");
        assert_eq!(sentence(text, "Next"), "Next");
        assert_eq!(sentence("pi is 3.14 and e.g. that", "3.14"), "pi is 3.14 and e.g. that");
    }

    #[test]
    fn an_answer_across_two_sentences_keeps_both() {
        assert_eq!(sentence("A cat. A dog. A hen.", "cat. A dog"), "A cat. A dog.");
    }

    #[test]
    fn inflected_words_of_the_question_are_marked_and_plain_words_are_not() {
        let text = "The telephone was invented by Bell; inventors of inventories differ.";
        let marked: Vec<_> = query_terms(text, "Who was the inventor of telephones?")
            .into_iter()
            .map(|range| &text[range])
            .collect();
        assert_eq!(marked, ["telephone", "inventors"]);
        let text = "ΣΊΣΥΦΟΣ naïve café";
        let marked: Vec<_> = query_terms(text, "Café").into_iter().map(|r| &text[r]).collect();
        assert_eq!(marked, ["café"]);
    }
}
