//! [`Evidence`]: how near each sentence of a passage is to the question, by the encoder.
//!
//! The reader points at words; the encoder judges whole sentences. Both together decide which sentence answers.

use crate::{Cosine, Error, Model, Reading, Span, sentences};

/// The sentences of one passage that the reader pointed into, with their similarity to the question.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evidence {
    sentences: Vec<(Span, Cosine)>,
}

impl Evidence {
    /// One entry per passage and its reading, in the order given; all sentences are encoded in one call.
    pub(crate) fn of(
        model: &Model,
        question: &str,
        passages: &[&str],
        readings: &[Reading],
    ) -> Result<Vec<Self>, Error> {
        let pointed_at = |(passage, reading): (&&str, &Reading)| -> Vec<Span> {
            let touched = |s: &Span| reading.spans.iter().any(|found| touch(*s, found.span));
            sentences(passage).into_iter().filter(touched).collect()
        };
        let spans: Vec<Vec<Span>> = passages.iter().zip(readings).map(pointed_at).collect();
        let mut texts = vec![question];
        for (passage, spans) in passages.iter().zip(&spans) {
            texts.extend(spans.iter().filter_map(|span| span.slice(passage)));
        }
        let embeddings = model.encode(&texts)?;
        let (question, mut rest) = embeddings.split_first().expect("the question is encoded first");
        let mut out = Vec::with_capacity(passages.len());
        for spans in spans {
            let (own, others) = rest.split_at(spans.len());
            let scored = spans.into_iter().zip(own).map(|(s, e)| (s, Cosine(question.cosine(e))));
            out.push(Self { sentences: scored.collect() });
            rest = others;
        }
        Ok(out)
    }

    /// Similarity of the most similar sentence that `span` of the reading touches; 0 where it touches none.
    pub(crate) fn at(&self, span: Span) -> Cosine {
        let touched = self.sentences.iter().filter(|(s, _)| touch(*s, span));
        touched.map(|(_, score)| *score).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or(Cosine(0.0))
    }
}

fn touch(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadSpan;

    #[test]
    fn a_span_has_the_similarity_of_its_best_sentence() {
        let sentences = vec![(Span::new(0, 10), Cosine(0.2)), (Span::new(11, 20), Cosine(0.7))];
        let evidence = Evidence { sentences };
        assert_eq!(evidence.at(Span::new(2, 4)), Cosine(0.2));
        assert_eq!(evidence.at(Span::new(8, 12)), Cosine(0.7));
        assert_eq!(evidence.at(Span::new(30, 31)), Cosine(0.0));
    }

    #[test]
    fn the_sentence_that_speaks_of_the_question_is_nearest_to_it() {
        let model = Model::embedded(crate::Device::Cpu).unwrap();
        let passage =
            "The bridge is painted red. Joseph Strauss was its chief engineer. Tolls are paid.";
        let span = |word: &str| {
            let start = passage.find(word).unwrap();
            Span::new(start, start + word.len())
        };
        let reading = |words: &[&str]| Reading {
            spans: words.iter().map(|w| ReadSpan { span: span(w), logit: 0.0 }).collect(),
            null_logit: 0.0,
            relevance_logit: None,
        };
        let readings = [reading(&["Strauss", "Tolls"]), reading(&[])];
        let question = "Who engineered the bridge?";
        let evidence = Evidence::of(&model, question, &[passage, ""], &readings).unwrap();
        assert!(evidence[0].at(span("Strauss")).0 > evidence[0].at(span("Tolls")).0);
        assert_eq!(evidence[0].sentences.len(), 2, "the first sentence is not encoded");
        assert_eq!(evidence[1], Evidence::default());
    }
}
