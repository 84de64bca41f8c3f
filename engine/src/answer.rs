//! From readings to answers: one probability scale over all passages, equal answers merged, spans verbatim.
//!
//! The margin of a span is its logit minus the null logit of its passage, so margins of different passages
//! are comparable (shared normalisation, Clark and Gardner 2018, section 2.2; over passages as in Wang et
//! al. 2019, "Multi-passage BERT", eq. 1). With temperature T, retrieval score r in 0..=1 and relevance logit v of its
//! passage, similarity c of its sentence to the question, and their weights λ, ρ and σ:
//!
//! `p(span) = exp(z) / (1 + Σ exp(z'))`, `z = (margin - null_bias) / T - λ (1 - r) + σ c + ρ v`,
//!
//! where the sum runs over all spans of all passages and the 1 stands for "no answer".

use std::collections::HashMap;

use crate::evidence::Evidence;
use crate::{Answer, Calibration, Passage, Probability, Reading, Source, Span, Verdict};

/// One passage that was read: the passage, its retrieval score in 0..=1, what the reader found, and how near
/// its sentences are to the question.
pub(crate) struct Read<'a> {
    pub passage: &'a Passage,
    pub retrieval: f32,
    pub reading: &'a Reading,
    pub evidence: &'a Evidence,
}

/// The `wanted` most probable answers and whether the best is one to believe.
///
/// Spans with the same normalised text are one answer: their probabilities add up and each is a source.
pub(crate) fn answers(
    reads: &[Read<'_>],
    calibration: Calibration,
    wanted: usize,
) -> (Vec<Answer>, Verdict) {
    let mut found: Vec<Found<'_>> =
        reads.iter().flat_map(|read| candidates(read, calibration)).collect();
    found.sort_by(|a, b| b.z.total_cmp(&a.z));
    let highest = found.first().map_or(0.0, |f| f.z.max(0.0));
    let total = (-highest).exp() + found.iter().map(|f| (f.z - highest).exp()).sum::<f32>();

    let mut answers: Vec<Answer> = Vec::new();
    let mut by_text: HashMap<String, usize> = HashMap::new();
    for f in &found {
        let Some(text) = f.span.slice(&f.read.passage.text) else { continue };
        let key = normalised(text);
        if key.is_empty() {
            continue;
        }
        let probability = (f.z - highest).exp() / total;
        let index = *by_text.entry(key).or_insert_with(|| {
            answers.push(f.answer(text));
            answers.len() - 1
        });
        answers[index].probability.0 += probability;
        let source = f.source();
        if !answers[index].sources.contains(&source) {
            answers[index].sources.push(source);
        }
    }
    answers.sort_by(|a, b| b.probability.0.total_cmp(&a.probability.0));
    let answerable = answers.first().map_or(Probability(0.0), |a| a.probability);
    answers.truncate(wanted);
    (answers, Verdict { answerable, shown_from: Probability(calibration.shown_from) })
}

/// The spans of one passage on the calibrated scale.
fn candidates<'a>(read: &'a Read<'a>, calibration: Calibration) -> impl Iterator<Item = Found<'a>> {
    let relevance = read.reading.relevance_logit.unwrap_or(0.0);
    read.reading.spans.iter().map(move |s| {
        let margin = s.logit - read.reading.null_logit;
        let z = calibration.z(margin, read.retrieval, read.evidence.at(s.span), relevance);
        Found { read, span: s.span, margin, z }
    })
}

struct Found<'a> {
    read: &'a Read<'a>,
    span: Span,
    margin: f32,
    z: f32,
}

impl Found<'_> {
    /// The answer without probability and sources. `characters` is filled in by the caller that has the
    /// whole document; here it counts within the passage.
    fn answer(&self, text: &str) -> Answer {
        let passage = self.read.passage;
        Answer {
            text: text.to_owned(),
            span: self.span.shifted(passage.span.start),
            characters: self.span.in_characters(&passage.text),
            passage: passage.clone(),
            probability: Probability(0.0),
            margin: self.margin,
            sources: Vec::new(),
        }
    }

    fn source(&self) -> Source {
        let passage = self.read.passage;
        Source {
            passage: passage.id.clone(),
            title: passage.title.clone(),
            span: self.span.shifted(passage.span.start),
        }
    }
}

/// The text in which two answers are compared: lower case, without punctuation and English articles, single
/// spaces (the normalisation of Rajpurkar et al. 2016, section 6.1).
fn normalised(text: &str) -> String {
    let kept: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() || c == '%' { c } else { ' ' })
        .collect();
    let words = kept.split_whitespace().filter(|w| !matches!(*w, "a" | "an" | "the"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DocumentId, PassageId, ReadSpan};

    const CALIBRATION: Calibration = Calibration {
        null_bias: 0.0,
        temperature: 1.0,
        retrieval_weight: 0.0,
        sentence_weight: 0.0,
        relevance_weight: 0.0,
        rerank_weight: 0.0,
        shown_from: Verdict::SHOWN_FROM,
    };

    fn none() -> Evidence {
        Evidence::default()
    }

    fn passage(document: &str, start: usize, text: &str) -> Passage {
        Passage {
            id: PassageId { document: DocumentId::new(document).unwrap(), ordinal: 0 },
            title: String::new(),
            heading_path: vec![],
            span: Span::new(start, start + text.len()),
            text: text.into(),
            metadata: Default::default(),
        }
    }

    fn reading(spans: &[(usize, usize, f32)], null_logit: f32) -> Reading {
        let span = |&(a, b, logit): &(usize, usize, f32)| ReadSpan { span: Span::new(a, b), logit };
        Reading { spans: spans.iter().map(span).collect(), null_logit, relevance_logit: None }
    }

    #[test]
    fn equal_answers_of_two_documents_merge_and_name_both_sources() {
        let a = passage("a", 100, "It opened in 1894.");
        let b = passage("b", 0, "In 1894, Tower Bridge opened; in 1900 it closed.");
        let (ra, rb) =
            (reading(&[(13, 17, 3.0)], 0.0), reading(&[(3, 7, 2.0), (33, 37, 2.5)], 0.0));
        let reads = [
            Read { passage: &a, retrieval: 1.0, reading: &ra, evidence: &none() },
            Read { passage: &b, retrieval: 0.5, reading: &rb, evidence: &none() },
        ];
        let (answers, verdict) = answers(&reads, CALIBRATION, 3);
        assert_eq!(answers[0].text, "1894");
        assert_eq!(answers[0].span, Span::new(113, 117));
        assert_eq!(answers[0].sources.len(), 2);
        assert_eq!(answers[1].text, "1900");
        let (e3, e2, e25) = (3f32.exp(), 2f32.exp(), 2.5f32.exp());
        assert!((answers[0].probability.0 - (e3 + e2) / (1.0 + e3 + e2 + e25)).abs() < 1e-5);
        assert_eq!(verdict.answerable, answers[0].probability);
        assert!(verdict.is_confident());
    }

    #[test]
    fn a_high_null_logit_means_no_confident_answer() {
        let a = passage("a", 0, "Nothing of the kind.");
        let r = reading(&[(0, 7, 1.0)], 6.0);
        let (_, verdict) = answers(
            &[Read { passage: &a, retrieval: 1.0, reading: &r, evidence: &none() }],
            CALIBRATION,
            3,
        );
        assert!(!verdict.is_confident());
    }

    #[test]
    fn a_better_retrieved_passage_wins_between_equal_margins() {
        let (a, b) = (passage("a", 0, "one"), passage("b", 0, "two"));
        let r = reading(&[(0, 3, 1.0)], 0.0);
        let reads = [
            Read { passage: &a, retrieval: 0.1, reading: &r, evidence: &none() },
            Read { passage: &b, retrieval: 0.9, reading: &r, evidence: &none() },
        ];
        let calibration = Calibration { retrieval_weight: 2.0, ..CALIBRATION };
        assert_eq!(answers(&reads, calibration, 1).0[0].text, "two");
    }

    proptest! {
        #[test]
        fn answers_are_verbatim_and_probabilities_sum_to_at_most_one(
            text in "\\PC{1,60}",
            offset in 0usize..1000,
            cuts in proptest::collection::vec((0usize..60, 1usize..20, -20f32..20.0), 0..12),
            null in -20f32..20.0,
        ) {
            let bounds: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let spans: Vec<_> = cuts.iter().map(|&(start, length, logit)| {
                let start = start.min(bounds.len() - 1);
                (bounds[start], bounds[(start + length).min(bounds.len() - 1)], logit)
            }).collect();
            let document = format!("{}{text}", " ".repeat(offset));
            let (p, r) = (passage("a", offset, &text), reading(&spans, null));
            let (answers, verdict) =
                answers(&[Read { passage: &p, retrieval: 0.5, reading: &r, evidence: &none() }], CALIBRATION, 12);
            for answer in &answers {
                prop_assert_eq!(answer.span.slice(&document), Some(answer.text.as_str()));
                prop_assert_eq!(answer.sources.iter().filter(|s| s.span == answer.span).count() > 0, true);
            }
            let sum: f32 = answers.iter().map(|a| a.probability.0).sum();
            prop_assert!(sum <= 1.0 + 1e-4);
            prop_assert!((0.0..=1.0001).contains(&verdict.answerable.0));
        }
    }
}
