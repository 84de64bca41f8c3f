//! [`Report`]: every number of one `alder eval`, as it is written in JSON and shown in tables.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use alder_datasets::{
    Interval, Measure, RiskPoint, SpanScores, Squad2Scores, best_match, bootstrap_interval,
    evaluate_squad, evaluate_squad2, expected_calibration_error, randomisation_test, risk_coverage,
};
use alder_engine::{Model, ModelIdentity, SnapshotStats, Stage};
use serde::Serialize;

use super::judged::JudgedSet;
use super::read::GoldReading;
use super::retrieve::{Answered, StageRun};
use super::{EvalStage, files};
use crate::tune::Tuning;

/// Measures of a ranking, in the order of the table.
pub(super) const MEASURES: [&str; 5] = ["nDCG@10", "R@100", "RR@10", "R@1", "R@10"];
/// The measure that intervals and tests of differences are for.
pub(super) const MAIN_MEASURE: &str = MEASURES[0];
/// Resamples of the bootstrap and of the randomisation test.
const RESAMPLES: usize = 10_000;
/// Bins of the calibration error.
const CALIBRATION_BINS: usize = 15;
/// Coverage is reported for this share of right answers.
const ACCURACY: f64 = 0.8;

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The command that was run.
    pub(super) command: String,
    pub(super) model: ModelIdentity,
    pub(super) sets: Vec<SetReport>,
}

/// One data set.
#[derive(Debug, Serialize)]
pub(super) struct SetReport {
    pub(super) name: String,
    pub(super) documents: u64,
    pub(super) passages: u64,
    pub(super) queries: usize,
    /// Queries the set has; more than `queries` if a sample was asked.
    pub(super) of_queries: usize,
    /// Documents indexed by this run; the others were in the cache.
    pub(super) indexed: usize,
    pub(super) index_seconds: f64,
    /// What tuning found, where it was asked for; kept if it was better.
    pub(super) tuned: Option<Tuning>,
    pub(super) rankings: Vec<RankingReport>,
    pub(super) answers: Vec<AnswerReport>,
}

/// One ranking of one set.
#[derive(Debug, Serialize)]
pub(super) struct RankingReport {
    pub(super) stage: EvalStage,
    /// Means over the judged queries, by the name of the measure.
    pub(super) measures: BTreeMap<&'static str, f64>,
    /// The main measure with its 95 % interval.
    pub(super) interval: Interval,
    /// Against the first ranking of the report.
    pub(super) difference: Option<Difference>,
    pub(super) time: Times,
    /// By stage of the engine.
    pub(super) engine: Vec<(Stage, Times)>,
}

/// The main measure of a ranking minus that of another, query by query.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) against: EvalStage,
    pub(super) interval: Interval,
    /// Two-sided p of the randomisation test.
    pub(super) p: f64,
}

/// Answers to SQuAD questions, from one source of passages.
#[derive(Debug, Serialize)]
pub(super) struct AnswerReport {
    /// "gold paragraph" or "all paragraphs".
    pub(super) from: &'static str,
    /// Every question answered, none declined.
    pub(super) always: SpanScores,
    /// SQuAD 2.0: declining below the probability from which answers are shown, with the best thresholds.
    pub(super) declining: Option<Squad2Scores>,
    /// Gap between the probability of an answer and how often it is an exact match, 0..=1.
    pub(super) calibration_error: Option<f64>,
    /// The largest share of the questions, most confident first, of whose answers four fifths are exact matches.
    pub(super) coverage: f64,
    /// Share of wrong answers when only the more confident ones are given, at ten levels of coverage.
    pub(super) risk_coverage: Vec<RiskPoint>,
    pub(super) time: Times,
}

/// Milliseconds of one query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Report {
    pub(super) fn new(model: &Model) -> Self {
        let typed = std::env::args().skip(1).map(|word| quoted(&word));
        let command =
            std::iter::once("alder".to_owned()).chain(typed).collect::<Vec<_>>().join(" ");
        Self { command, model: model.identity().clone(), sets: Vec::new() }
    }
}

impl SetReport {
    pub(super) fn new(set: &JudgedSet, stats: &SnapshotStats) -> Self {
        Self {
            name: set.name.clone(),
            documents: stats.documents,
            passages: stats.passages,
            queries: set.queries.len(),
            of_queries: set.of_queries,
            indexed: 0,
            index_seconds: 0.0,
            tuned: None,
            rankings: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Measures the rankings; the first one is what the others are compared with.
    pub(super) fn add_rankings(&mut self, set: &JudgedSet, runs: &[StageRun], seed: u64) {
        let mut first: Option<(EvalStage, Vec<f64>)> = None;
        for run in runs {
            let mean = |name| (name, measure(name).mean(&set.qrels, &run.run));
            let values: Vec<f64> =
                measure(MAIN_MEASURE).per_query(&set.qrels, &run.run).into_values().collect();
            let difference = first.as_ref().map(|(against, base)| {
                let differences: Vec<f64> = values.iter().zip(base).map(|(a, b)| a - b).collect();
                Difference {
                    against: *against,
                    interval: bootstrap_interval(&differences, RESAMPLES, seed),
                    p: randomisation_test(&differences, RESAMPLES, seed),
                }
            });
            self.rankings.push(RankingReport {
                stage: run.stage,
                measures: MEASURES.map(mean).into(),
                interval: bootstrap_interval(&values, RESAMPLES, seed),
                difference,
                time: Times::of(&run.times),
                engine: run
                    .engine
                    .iter()
                    .map(|(stage, times)| (*stage, Times::of(times)))
                    .collect(),
            });
            first.get_or_insert((run.stage, values));
        }
    }

    /// Scores the answers of the reader on gold paragraphs and of the whole engine, for a SQuAD file.
    pub(super) fn add_answers(
        &mut self,
        set: &JudgedSet,
        runs: &[StageRun],
        gold: Option<&GoldReading>,
    ) {
        let gold = gold.map(|gold| (files::GOLD, &gold.answers, &gold.times));
        let open = runs.iter().filter(|r| !r.answers.is_empty());
        let open = open.map(|run| (files::OPEN, &run.answers, &run.times));
        for (from, answers, times) in gold.into_iter().chain(open) {
            if set.squad.is_some() {
                self.answers.push(AnswerReport::new(from, set, answers, Times::of(times)));
            }
        }
    }
}

impl AnswerReport {
    fn new(from: &'static str, set: &JudgedSet, answers: &[Answered], time: Times) -> Self {
        let squad = set.squad.as_ref().expect("only the answers of SQuAD files are scored");
        let predictions: HashMap<String, String> =
            answers.iter().map(|a| (a.question.clone(), a.text.clone())).collect();
        let declining = squad.has_unanswerable().then(|| {
            let scores = no_answer_scores(answers);
            let shown_from = answers.first().map_or(1.0, |answer| answer.shown_from);
            evaluate_squad2(squad, &predictions, Some(&scores), 1.0 - shown_from)
        });
        let questions = JudgedSet::questions(squad);
        let judged: Vec<(f64, bool)> = answers
            .iter()
            .filter_map(|answer| {
                let (question, _) = questions.get(answer.question.as_str())?;
                let golds = question.answers.iter().map(|a| a.text.as_str());
                Some((answer.probability, best_match(golds, &answer.text).0 == 1.0))
            })
            .collect();
        let risk = risk_coverage(&judged);
        let good = risk.iter().filter(|point| point.risk <= 1.0 - ACCURACY);
        Self {
            from,
            coverage: good.map(|point| point.coverage).fold(0.0, f64::max),
            always: evaluate_squad(squad, &predictions),
            declining,
            calibration_error: expected_calibration_error(&judged, CALIBRATION_BINS),
            risk_coverage: ten_levels(risk),
            time,
        }
    }
}

/// What SQuAD 2.0 calls no-answer probability, in the order of the answers.
pub(super) fn no_answer_scores(answers: &[Answered]) -> Vec<(String, f64)> {
    answers.iter().map(|a| (a.question.clone(), 1.0 - a.probability)).collect()
}

/// The first point at or beyond each tenth of coverage.
fn ten_levels(points: Vec<RiskPoint>) -> Vec<RiskPoint> {
    let level = |tenth: usize| points.iter().find(|p| p.coverage >= tenth as f64 / 10.0).copied();
    (1..=10).filter_map(level).collect()
}

fn measure(name: &str) -> Measure {
    name.parse().expect("the names are constants that alder-datasets knows")
}

impl Times {
    /// Median and 99th percentile by the nearest rank; zeros for no times.
    fn of(times: &[Duration]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| match sorted.len() {
            0 => 0.0,
            n => sorted[(percent * n).div_ceil(100).max(1) - 1].as_secs_f64() * 1e3,
        };
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// A word as a shell would have to be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_times() {
        let times: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Times::of(&times), Times { p50_ms: 100.0, p99_ms: 198.0 });
        assert_eq!(Times::of(&times[..1]), Times { p50_ms: 200.0, p99_ms: 200.0 });
        assert_eq!(Times::of(&[]), Times { p50_ms: 0.0, p99_ms: 0.0 });
    }

    #[test]
    fn the_command_can_be_typed_again() {
        assert_eq!(quoted("--stages=bm25,dense"), "--stages=bm25,dense");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn risk_is_kept_at_ten_levels_of_coverage() {
        let judged: Vec<_> = (0..50).map(|n| (f64::from(n) / 50.0, n > 25)).collect();
        let levels = ten_levels(risk_coverage(&judged));
        assert_eq!(levels.len(), 10);
        assert_eq!((levels[0].risk, levels[9].risk), (0.0, 26.0 / 50.0));
        assert_eq!(
            ten_levels(risk_coverage(&[(0.5, true)])).len(),
            10,
            "one point serves every level"
        );
    }
}
