//! The answer to a question for people: the words, the sentence that says so, where it stands, how sure.

use std::io;

use alder_engine::{Answer, SearchResult, Span};
use console::Style;

use super::{Mark, Page, hits, trail};
use crate::{confidence, excerpt};

/// Passages shown when the documents do not say.
const CLOSEST: usize = 3;

/// Writes the answer with its evidence and the other answers, or that the documents do not say, with the
/// closest passages.
pub(crate) fn answers(page: &mut Page<'_>, result: &SearchResult, query: &str) -> io::Result<()> {
    let confident = result.verdict.is_some_and(alder_engine::Verdict::is_confident);
    let others = match result.answers.split_first() {
        Some((best, others)) if confident => {
            best_answer(page, best)?;
            others
        }
        _ => {
            page.line(0, &Style::new().bold().yellow(), "The documents do not say.")?;
            &result.answers[..]
        }
    };
    if !others.is_empty() {
        page.gap()?;
        let heading = if confident { "Other answers" } else { "Guesses, none of them sure enough" };
        page.line(0, &Style::new().bold(), heading)?;
        for answer in others {
            other_answer(page, answer)?;
        }
    }
    if !confident && !result.hits.is_empty() {
        page.gap()?;
        page.line(0, &Style::new().bold(), "Closest passages")?;
        hits(page, &result.hits[..result.hits.len().min(CLOSEST)], query)?;
    }
    Ok(())
}

fn best_answer(page: &mut Page<'_>, answer: &Answer) -> io::Result<()> {
    page.line(0, &Style::new().bold().green(), &answer.text)?;
    page.gap()?;
    sentence(page, 2, answer)?;
    page.gap()?;
    let source = source(page, answer);
    page.line(2, &Style::new(), &source)?;
    let mut sure = format!(
        "{} ({})",
        confidence::in_words(answer.probability),
        confidence::in_percent(answer.probability)
    );
    if answer.sources.len() > 1 {
        sure.push_str(&format!(" · said in {} places", answer.sources.len()));
    }
    page.line(2, &Style::new().dim(), &sure)
}

fn other_answer(page: &mut Page<'_>, answer: &Answer) -> io::Result<()> {
    let head = format!("{} ({})", answer.text, confidence::in_percent(answer.probability));
    page.line(2, &Style::new(), &head)?;
    sentence(page, 4, answer)?;
    let source = source(page, answer);
    page.line(4, &Style::new().dim(), &source)
}

/// The sentence with the answer marked in it, unless it is the answer.
fn sentence(page: &mut Page<'_>, indent: usize, answer: &Answer) -> io::Result<()> {
    let passage = &answer.passage;
    let local =
        Span::new(answer.span.start - passage.span.start, answer.span.end - passage.span.start);
    let sentence = excerpt::sentence_around(&passage.text, local);
    if passage.text[sentence.clone()] == answer.text {
        return Ok(());
    }
    let marks = [(local.start - sentence.start..local.end - sentence.start, Mark::Answer)];
    page.paragraph(indent, &passage.text[sentence], &marks)
}

/// `Title › Heading — document, page 3`.
fn source(page: &Page<'_>, answer: &Answer) -> String {
    let document = &page.place(&answer.passage);
    let trail = trail(&answer.passage.title, &answer.passage.heading_path, document);
    if trail == *document { trail } else { format!("{trail} — {document}") }
}
