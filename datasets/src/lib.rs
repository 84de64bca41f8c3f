//! Data sets and measures: what Alder is judged by, independent of Alder itself (no other crate of the
//! workspace is imported here).
//!
//! - Retrieval: [`Beir`] folders give documents, queries and [`Qrels`]; a [`Run`] holds rankings; a [`Measure`]
//!   compares the two as trec_eval does.
//! - Reading: [`Squad`] files give questions with accepted answers; [`evaluate_squad`] and [`evaluate_squad2`]
//!   score predictions as the official scripts do.
//! - Statistics: intervals, significance, rank correlation, calibration.
//!
//! Every loader reads `.zst` and `.gz` as well, and every error names the file, the place and the field.
//!
//! ```
//! use alder_datasets::{Measure, Qrels, Run};
//!
//! let mut qrels = Qrels::default();
//! qrels.insert("q1", "d2", 1);
//! let mut run = Run::default();
//! run.insert("q1", vec![("d1".into(), 3.5), ("d2".into(), 2.0)]);
//!
//! let measure: Measure = "RR@10".parse()?;
//! assert_eq!(measure.mean(&qrels, &run), 0.5);
//! # Ok::<(), alder_datasets::UnknownMeasure>(())
//! ```

mod beir;
mod error;
mod input;
mod pairs;
mod ranking;
mod reading;
mod sample;
mod squad;
mod statistics;
mod trec;

pub use beir::{Beir, BeirDocument, BeirQuery, judged_queries};
pub use error::DatasetError;
pub use pairs::{OpenQuestion, SentencePair, load_open_questions, load_sentence_pairs};
pub use ranking::{Measure, UnknownMeasure};
pub use reading::{
    BestThresholds, SpanScores, Squad2Scores, answer_f1, best_match, evaluate_squad,
    evaluate_squad2, exact_match, normalise_answer,
};
pub use sample::{Sample, SampleArticle, SampleQuestion};
pub use squad::{
    Squad, SquadAnswer, SquadArticle, SquadParagraph, SquadQuestion, load_no_answer_scores,
    load_predictions,
};
pub use statistics::{
    Interval, RiskPoint, SplitMix64, bootstrap_interval, bootstrap_test,
    expected_calibration_error, mean, randomisation_test, risk_coverage, spearman,
};
pub use trec::{Qrels, Run};
