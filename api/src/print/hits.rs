//! Ranked passages for people.

use std::io;

use alder_engine::{Explanation, Hit, Share, Span};
use console::Style;

use super::{Mark, Page, trail};
use crate::excerpt;

/// A passage longer than this is shown from the words of the query on.
const SNIPPET_CHARACTERS: usize = 320;

/// Writes every hit: rank, where it stands, its source, the part that matters, and its numbers if explained.
pub(crate) fn hits(page: &mut Page<'_>, hits: &[Hit], query: &str) -> io::Result<()> {
    for hit in hits {
        let passage = &hit.passage;
        let document = passage.id.document.as_str();
        let head =
            format!("{:>2}  {}", hit.rank, trail(&passage.title, &passage.heading_path, document));
        page.line(0, &Style::new().bold(), &head)?;
        let source = format!("{} · score {:.3}", page.place(passage), hit.score.0);
        page.line(4, &Style::new().dim(), &source)?;
        snippet(page, &passage.text, query)?;
        if let Some(explanation) = &hit.explanation {
            explain(page, explanation)?;
        }
        page.gap()?;
    }
    Ok(())
}

/// The part of `text` that starts with the sentence holding most words of the query.
fn snippet(page: &mut Page<'_>, text: &str, query: &str) -> io::Result<()> {
    let terms = excerpt::query_terms(text, query);
    let start = best_start(text, &terms);
    let mut end = text[start..]
        .char_indices()
        .nth(SNIPPET_CHARACTERS)
        .map_or(text.len(), |(offset, _)| start + offset);
    if end < text.len() {
        end = text[..end].rfind(char::is_whitespace).filter(|at| *at > start).unwrap_or(end);
    }
    let mut shown = String::from(if start > 0 { "… " } else { "" });
    let shift = shown.len();
    shown.push_str(&text[start..end]);
    if end < text.len() {
        shown.push_str(" …");
    }
    let marks: Vec<_> = terms
        .into_iter()
        .filter(|term| term.start >= start && term.end <= end)
        .map(|term| (term.start - start + shift..term.end - start + shift, Mark::Term))
        .collect();
    page.paragraph(4, &shown, &marks)
}

/// Where to start showing `text`: its beginning when it is short, otherwise the sentence from which on
/// most `terms` are seen.
fn best_start(text: &str, terms: &[std::ops::Range<usize>]) -> usize {
    if text.chars().count() <= SNIPPET_CHARACTERS {
        return 0;
    }
    let seen = |from: usize| {
        terms.iter().filter(|t| t.start >= from && t.end < from + SNIPPET_CHARACTERS).count()
    };
    terms
        .iter()
        .map(|term| excerpt::sentence_around(text, Span::new(term.start, term.end)).start)
        .chain([0])
        .max_by_key(|start| (seen(*start), std::cmp::Reverse(*start)))
        .unwrap_or(0)
}

/// The numbers of every stage, one line each.
fn explain(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let dim = Style::new().cyan();
    if let Some((score, rank)) = explanation.lexical {
        let terms: Vec<String> = explanation
            .terms
            .iter()
            .map(|part| format!("{}:{} {:.2}", part.field, part.term, part.score))
            .collect();
        let line = format!("words    rank {rank}, BM25 {:.3} = {}", score.0, terms.join(" + "));
        page.paragraph(4, &line, &[])?;
    }
    if let Some((score, rank)) = explanation.dense {
        page.line(4, &dim, &format!("meaning  rank {rank}, cosine {:.3}", score.0))?;
    }
    let share =
        |s: &Share| format!("{} {:.3} = {:.2} · {:.3}", s.list, s.part, s.weight, s.normalised);
    let parts: Vec<String> = explanation.arithmetic.iter().map(share).collect();
    let line = format!("fused    rank {}, {}", explanation.fused_rank, parts.join(" + "));
    page.line(4, &dim, &line)?;
    if let Some(reading) = &explanation.reading {
        let relevance = reading
            .relevance_logit
            .map_or(String::new(), |logit| format!(", relevance {logit:.2}"));
        let line = format!(
            "read     span {:.2}, no answer {:.2}{relevance}, rerank {:.3} = {:.2} · {:.3} + {:.2} · {:.3}",
            reading.span_logit,
            reading.null_logit,
            reading.rerank_score,
            1.0 - reading.evidence_weight,
            reading.retrieval,
            reading.evidence_weight,
            reading.evidence
        );
        page.line(4, &dim, &line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_passage_is_shown_from_the_sentence_that_matters() {
        let text =
            format!("{}The barometer was invented in 1643.", "Filler words here. ".repeat(40));
        let terms = excerpt::query_terms(&text, "who invented the barometer");
        assert!(text[best_start(&text, &terms)..].starts_with("The barometer"));
        let terms = excerpt::query_terms("The barometer.", "barometer");
        assert_eq!(best_start("The barometer.", &terms), 0);
    }
}
