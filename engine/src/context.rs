//! [`answer_in`]: answers from one given text, without a collection: the reading half of [`crate::search`].

use crate::answer::{Read, answers};
use crate::evidence::Evidence;
use crate::{Answer, DocumentId, Error, Metadata, Model, Passage, PassageId, Span, Verdict};

/// The `wanted` most probable answers to `question` in `context`, judged as [`crate::search`] judges those of the passage
/// that retrieval put first. Spans are byte ranges of `context`; it is read in windows if it is long.
///
/// # Errors
/// [`Error`] if the model has no reader or cannot compute.
pub fn answer_in(
    model: &Model,
    question: &str,
    context: &str,
    wanted: usize,
) -> Result<(Vec<Answer>, Verdict), Error> {
    let readings = model.read(question, &[context])?;
    let evidence = Evidence::of(model, question, &[context], &readings)?;
    let id = DocumentId::new("context").expect("the name is short");
    let passage = Passage {
        id: PassageId { document: id, ordinal: 0 },
        title: String::new(),
        heading_path: Vec::new(),
        span: Span::new(0, context.len()),
        text: context.to_owned(),
        metadata: Metadata::new(),
    };
    let read = Read {
        passage: &passage,
        retrieval: 1.0,
        reading: readings.first().expect("one reading for one passage"),
        evidence: evidence.first().expect("one passage has one evidence"),
    };
    Ok(answers(&[read], model.calibration(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;

    #[test]
    fn a_text_answers_verbatim_or_says_that_it_does_not() {
        let model = Model::embedded(Device::Cpu).unwrap();
        let context = "Über die Brücke: it was designed by Joseph Strauss and opened in May 1937.";
        let (answers, verdict) = answer_in(&model, "Who designed it?", context, 3).unwrap();
        assert_eq!(answers[0].text, "Joseph Strauss");
        assert_eq!(answers[0].span.slice(context), Some("Joseph Strauss"));
        assert_eq!(answers[0].characters.start, context.chars().position(|c| c == 'J').unwrap());
        let (_, none) = answer_in(&model, "How many cats live in Oslo?", context, 3).unwrap();
        assert!(none.answerable < verdict.answerable);
        assert!(answer_in(&model, "Who?", "", 3).unwrap().0.is_empty());
    }
}
