//! Tests of the chunker, with words as tokens.

use alder_engine::Error;
use proptest::prelude::*;

use super::*;
use crate::extract::{BlockKind, plain, whole};
use crate::{Format, Settings};

/// Every run of characters between white space is a token.
fn words(text: &str) -> Result<Vec<Span>, Error> {
    let mut spans = Vec::new();
    for word in text.split_whitespace() {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        spans.push(Span::new(start, start + word.len()));
    }
    Ok(spans)
}

/// Every three characters are a token, as in a text without spaces.
fn triples(text: &str) -> Result<Vec<Span>, Error> {
    let at: Vec<usize> = text.char_indices().map(|(i, _)| i).step_by(3).chain([text.len()]).collect();
    Ok(at.windows(2).map(|w| Span::new(w[0], w[1])).collect())
}

fn settings(passage_tokens: usize, overlap_tokens: usize) -> Settings {
    Settings { passage_tokens, overlap_tokens, ..Settings::default() }
}

fn markdown(source: &str) -> Extracted {
    whole(Format::Markdown, "note.md", source.to_owned()).unwrap()
}

/// Heading path and text of each passage.
fn passages(extracted: &Extracted, settings: &Settings) -> Vec<(String, String)> {
    let chunks = chunk(extracted, settings, &words).unwrap();
    let text = |chunk: &Chunk| chunk.span.slice(&extracted.text).unwrap().to_owned();
    chunks.iter().map(|chunk| (chunk.heading_path.join(" > "), text(chunk))).collect()
}

fn pair(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

#[test]
fn passages_follow_headings_and_hold_several_paragraphs() {
    let extracted = markdown("# T\n\nOne two.\n\nThree.\n\n## A\n\nFour.\n\n## B\n\n### C\n\nFive.\n");
    let expected = [pair("", "One two.\n\nThree."), pair("A", "Four."), pair("B > C", "Five.")];
    assert_eq!(passages(&extracted, &settings(40, 0)), expected);
}

#[test]
fn a_heading_without_text_goes_with_its_neighbour() {
    let extracted = markdown("# T\n\nOne.\n\n## Empty\n\n## B\n\nTwo.\n");
    assert_eq!(passages(&extracted, &settings(40, 0)), [pair("", "One.\n\nEmpty"), pair("B", "Two.")]);
    let only = markdown("# T\n\n## A\n\n## B\n");
    assert_eq!(passages(&only, &settings(40, 0)), [pair("", "A\n\nB")]);
    let title = markdown("# Just a title\n");
    assert_eq!(passages(&title, &settings(40, 0)), [pair("", "Just a title")]);
}

#[test]
fn a_long_paragraph_is_cut_between_sentences_and_repeats_one() {
    let sentences: Vec<String> = (0..6).map(|i| format!("Sentence {i} has six\nwords.")).collect();
    let extracted = plain("T".into(), sentences.join(" "), BlockKind::Paragraph);
    let without = passages(&extracted, &settings(16, 0));
    let bodies: Vec<&str> = without.iter().map(|p| p.1.as_str()).collect();
    assert_eq!(bodies[0], "Sentence 0 has six\nwords. Sentence 1 has six\nwords. Sentence 2 has six\nwords.");
    assert_eq!(bodies.len(), 2);
    let with = passages(&extracted, &settings(16, 5));
    assert!(with[1].1.starts_with("Sentence 2 has"), "{with:?}");
}

#[test]
fn a_sentence_beyond_the_budget_is_cut_between_words_and_lines_are_never_cut() {
    let extracted = plain(String::new(), "word ".repeat(50), BlockKind::Paragraph);
    let cut = passages(&extracted, &settings(16, 4));
    assert_eq!(cut.len(), 4);
    assert!(cut.iter().all(|(_, text)| text.split(' ').all(|word| word == "word")));
    let lines = plain(String::new(), "12:00 a b c\n".repeat(9), BlockKind::Lines);
    let cut = passages(&lines, &settings(16, 0));
    assert!(cut.iter().all(|(_, text)| text.lines().all(|line| line == "12:00 a b c")), "{cut:?}");
}

#[test]
fn headings_that_would_take_half_the_budget_are_dropped() {
    let heading = "long ".repeat(12);
    let extracted = markdown(&format!("# T\n\n## Outer\n\n### {heading}\n\n{}", "word ".repeat(20)));
    let all = passages(&extracted, &settings(20, 0));
    let words: Vec<usize> = all.iter().map(|p| p.1.split(' ').count()).collect();
    assert_eq!(words, [19, 1], "the title takes one token");
    assert!(all.iter().all(|(path, _)| path.is_empty()), "{all:?}");
    let title = plain("long ".repeat(30), "word ".repeat(20), BlockKind::Paragraph);
    let words: Vec<usize> = passages(&title, &settings(20, 0)).iter().map(|p| p.1.split(' ').count()).collect();
    assert_eq!(words, [10, 10], "a title never takes more than half");
}

#[test]
fn a_line_of_a_megabyte_without_spaces_is_cut_between_characters() {
    let extracted = plain("T".into(), "漢字".repeat(170_000), BlockKind::Paragraph);
    let chunks = chunk(&extracted, &settings(160, 0), &triples).unwrap();
    assert!(chunks.len() > 500);
    assert!(chunks.iter().all(|c| c.tokens <= 160 && c.span.slice(&extracted.text).is_some()));
}

/// What holds for any document.
fn check(extracted: &Extracted, settings: &Settings, tokens: &TokenSpans<'_>) -> Result<(), TestCaseError> {
    let chunks = chunk(extracted, settings, tokens).unwrap();
    prop_assert_eq!(&chunks, &chunk(extracted, settings, tokens).unwrap());
    let (mut start, mut covered) = (0, 0);
    for chunk in &chunks {
        let text = chunk.span.slice(&extracted.text);
        prop_assert!(text.is_some_and(|text| !text.trim().is_empty()));
        prop_assert!(chunk.span.start >= start && chunk.span.end > covered, "not in order: {:?}", chunks);
        let between = Span::new(covered.min(chunk.span.start), chunk.span.start);
        prop_assert!(in_headings(extracted, between), "not covered: {:?}", between.slice(&extracted.text));
        (start, covered) = (chunk.span.start, chunk.span.end);
        let body = tokens(text.unwrap_or_default()).unwrap().len();
        prop_assert!(chunk.tokens <= settings.passage_tokens);
        prop_assert!(body <= settings.passage_tokens, "{} tokens in {:?}", body, text);
    }
    prop_assert!(in_headings(extracted, Span::new(covered, extracted.text.len())), "the end is not covered");
    Ok(())
}

/// Whether there is nothing in `span` but white space, headings and the title.
fn in_headings(extracted: &Extracted, span: Span) -> bool {
    let bodies = extracted.blocks.iter().filter(|b| !matches!(b.kind, BlockKind::Heading | BlockKind::Title));
    bodies.into_iter().all(|block| {
        let (start, end) = (block.span.start.max(span.start), block.span.end.min(span.end));
        start >= end || extracted.text[start..end].trim().is_empty()
    })
}

proptest! {
    #[test]
    fn every_word_is_covered_in_order_within_the_budget(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("\n\n# ".to_owned()), Just("\n\n### ".to_owned()), Just("\n\n".to_owned()), Just(". ".to_owned()),
                Just("\n\n```\n".to_owned()), Just("\n- ".to_owned()), "[A-Za-zé漢 ]{1,60}", "[a-z]{1,3}\n"
            ],
            0..60
        ),
        budget in 16_usize..60,
        overlap in 0_usize..8,
    ) {
        let extracted = markdown(&parts.concat());
        check(&extracted, &settings(budget, overlap), &words)?;
        let text = plain("A title".into(), parts.concat(), BlockKind::Paragraph);
        check(&text, &settings(budget, overlap), &words)?;
    }

    #[test]
    fn text_without_spaces_is_covered_within_the_budget(text in "[漢字。a ]{0,400}", budget in 16_usize..40) {
        let extracted = plain(String::new(), text, BlockKind::Paragraph);
        let chunks = chunk(&extracted, &settings(budget, 0), &triples).unwrap();
        let kept: String = chunks.iter().filter_map(|c| c.span.slice(&extracted.text)).collect();
        let bare = |text: &str| text.replace(char::is_whitespace, "");
        prop_assert_eq!(bare(&kept), bare(&extracted.text));
        prop_assert!(chunks.iter().all(|c| c.tokens <= budget));
    }
}
