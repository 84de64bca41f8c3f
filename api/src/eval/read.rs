//! The reader on the paragraph each question was asked about: what SQuAD's own scores measure.

use std::time::{Duration, Instant};

use alder_datasets::Squad;
use alder_engine::{Model, answers_in};
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
    let mut out = GoldReading { answers: Vec::new(), times: Vec::new() };
    let bar = progress(&format!("{}: reader", set.name), set.queries.len());
    for query in &set.queries {
        let (_, context) = questions
            .get(query.id.as_str())
            .with_context(|| format!("question {:?} of {} has no paragraph", query.id, set.name))?;
        let start = Instant::now();
        let (answers, verdict) = answers_in(model, &query.text, context, 1)?;
        out.times.push(start.elapsed());
        let text = answers.into_iter().next().map(|answer| answer.text).unwrap_or_default();
        out.answers.push(Answered {
            question: query.id.clone(),
            text,
            probability: f64::from(verdict.answerable.0),
            shown_from: f64::from(verdict.shown_from.0),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(out)
}
