//! The reader on texts that a caller gives instead of passages of a collection: [`relevances`] for reranking,
//! [`answers_in`] for questions about one text. The same evidence as in a search.

use crate::answer::{Read, answers};
use crate::evidence::Evidence;
use crate::search::evidence_logit;
use crate::{
    Answer, DocumentId, Error, Metadata, Model, Passage, PassageId, QueryError, Span, Verdict,
};

/// How well each of `texts` speaks to `query`, as a logit, in the order given: what reorders the hits of a search.
///
/// # Errors
/// As [`Model::read`].
pub fn relevances(model: &Model, query: &str, texts: &[&str]) -> Result<Vec<f32>, Error> {
    let readings = model.read(query, texts)?;
    let evidence = Evidence::of(model, query, texts, &readings)?;
    let calibration = model.calibration();
    Ok(readings.iter().zip(&evidence).map(|(r, e)| evidence_logit(calibration, r, e)).collect())
}

/// Up to `wanted` answers to `question` in `context`, most probable first, and whether the best is to be believed.
///
/// # Errors
/// As [`Model::read`]; [`QueryError::Empty`] for a blank context.
pub fn answers_in(
    model: &Model,
    question: &str,
    context: &str,
    wanted: usize,
) -> Result<(Vec<Answer>, Verdict), Error> {
    if context.trim().is_empty() {
        return Err(QueryError::Empty.into());
    }
    let passage = Passage {
        id: PassageId { document: DocumentId::new("context")?, ordinal: 0 },
        title: String::new(),
        heading_path: Vec::new(),
        span: Span::new(0, context.len()),
        text: context.to_owned(),
        metadata: Metadata::new(),
    };
    let readings = model.read(question, &[context])?;
    let evidence = Evidence::of(model, question, &[context], &readings)?;
    let read = Read {
        passage: &passage,
        retrieval: 1.0,
        reading: readings.first().expect("one reading for one passage"),
        evidence: evidence.first().expect("one passage has one evidence"),
    };
    Ok(answers(&[read], model.calibration_given(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_answers_is_the_most_relevant_and_its_answer_is_a_slice_of_it() {
        let model = Model::embedded(crate::Device::Cpu).unwrap();
        let texts = [
            "Tea is made from leaves and hot water.",
            "The barometer was invented by Evangelista Torricelli in 1643.",
            "",
        ];
        let scores = relevances(&model, "Who invented the barometer?", &texts).unwrap();
        assert!(scores[1] > scores[0] && scores[1] > scores[2], "{scores:?}");
        let (answers, _) = answers_in(&model, "Who invented the barometer?", texts[1], 3).unwrap();
        assert!(answers[0].text.contains("Torricelli"), "{answers:?}");
        assert_eq!(answers[0].span.slice(texts[1]), Some(answers[0].text.as_str()));
        assert!(answers_in(&model, "Who?", " ", 1).is_err());
    }
}
