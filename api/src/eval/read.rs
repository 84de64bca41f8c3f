//! The reader on the paragraph each question was asked about: what SQuAD's own scores measure.

use std::time::{Duration, Instant};

use alder_datasets::Squad;
use alder_engine::{Calibration, Model, Reading};
use anyhow::Context;

use super::judged::JudgedSet;
use super::progress;
use super::retrieve::Answered;

/// Answers from the gold paragraphs.
#[derive(Debug)]
pub(super) struct GoldReading {
    pub(super) answers: Vec<Answered>,
    /// Time of each question.
    pub(super) times: Vec<Duration>,
}

/// Reads the own paragraph of every question of `set`.
pub(super) fn gold_paragraphs(
    squad: &Squad,
    set: &JudgedSet,
    model: &Model,
) -> anyhow::Result<GoldReading> {
    let questions = JudgedSet::questions(squad);
    let calibration = model.calibration();
    let mut out = GoldReading { answers: Vec::new(), times: Vec::new() };
    let bar = progress(&format!("{}: reader", set.name), set.queries.len());
    for query in &set.queries {
        let (_, context) = questions
            .get(query.id.as_str())
            .with_context(|| format!("question {:?} of {} has no paragraph", query.id, set.name))?;
        let start = Instant::now();
        let readings = model.read(&query.text, &[*context])?;
        out.times.push(start.elapsed());
        let reading = readings.first().context("the reader returned nothing for a paragraph")?;
        let (text, probability) = best_span(reading, context, calibration)?;
        out.answers.push(Answered { question: query.id.clone(), text, probability });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(out)
}

/// The best span, and its probability against "no answer": the logistic function of
/// `(logit - null_logit - null_bias) / temperature`.
fn best_span(
    reading: &Reading,
    context: &str,
    calibration: Calibration,
) -> anyhow::Result<(String, f64)> {
    let Some(best) = reading.spans.first() else { return Ok((String::new(), 0.0)) };
    let text =
        best.span.slice(context).context("the reader returned a span outside its passage")?;
    let margin = best.logit - reading.null_logit - calibration.null_bias;
    let probability = 1.0 / (1.0 + f64::from(-margin / calibration.temperature).exp());
    Ok((text.to_owned(), probability))
}

#[cfg(test)]
mod tests {
    use alder_engine::{ReadSpan, Span};

    use super::*;

    #[test]
    fn the_best_span_is_read_out_with_its_probability_against_no_answer() {
        let reading = |logit| Reading {
            spans: vec![
                ReadSpan { span: Span::new(3, 6), logit },
                ReadSpan { span: Span::new(0, 2), logit: 0.0 },
            ],
            null_logit: 2.0,
            relevance_logit: None,
        };
        let calibration =
            Calibration { null_bias: 1.0, temperature: 2.0, ..Calibration::default() };
        let (text, even) = best_span(&reading(3.0), "an elm", calibration).unwrap();
        assert_eq!((text.as_str(), even), ("elm", 0.5));
        let (_, sure) = best_span(&reading(5.0), "an elm", calibration).unwrap();
        assert!((sure - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-9);
        assert!(best_span(&reading(3.0), "an", calibration).is_err());
        let nothing = Reading { spans: Vec::new(), null_logit: 0.0, relevance_logit: None };
        assert_eq!(best_span(&nothing, "an elm", calibration).unwrap(), (String::new(), 0.0));
    }
}
