//! The queries of a set through one stage of the engine: rankings of documents, answers, and times.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use alder_datasets::Run;
use alder_engine::{
    Fusion, Hit, Mode, Model, Query, Rerank, SearchResult, Snapshot, SnapshotStats, Stage, limits,
    search,
};
use anyhow::Context;

use super::judged::{JudgedQuery, JudgedSet};
use super::{EvalStage, progress};

/// Documents ranked for each query: what R@100 looks at.
pub(super) const DOCUMENTS: usize = 100;

/// What all stages of one set share.
pub(super) struct Retrieval<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) model: &'a Model,
    pub(super) set: &'a JudgedSet,
    pub(super) read_depth: usize,
    pub(super) fusion: Option<Fusion>,
    /// Passages asked for, so that [`DOCUMENTS`] documents are among them.
    pub(super) limit: usize,
}

/// What one stage made of all queries.
#[derive(Debug)]
pub(super) struct StageRun {
    pub(super) stage: EvalStage,
    pub(super) run: Run,
    /// Whole time of each query.
    pub(super) times: Vec<Duration>,
    /// Time of each query in each stage of the engine.
    pub(super) engine: BTreeMap<Stage, Vec<Duration>>,
    /// The answer to each question, where the reader ran.
    pub(super) answers: Vec<Answered>,
}

/// The answer given to one question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    pub(super) question: String,
    /// Verbatim; empty if none was found.
    pub(super) text: String,
    /// Calibrated probability that it is right, 0..=1.
    pub(super) probability: f64,
    /// From this probability on it is shown as the answer.
    pub(super) shown_from: f64,
}

/// Passages to ask for in order to see `documents` documents, from the mean number of passages per document.
pub(super) fn passages_for(documents: usize, stats: &SnapshotStats) -> usize {
    let each = stats.passages.div_ceil(stats.documents.max(1)).max(1) as usize;
    documents.saturating_mul(each).min(limits::LIMIT_MAX)
}

impl Retrieval<'_> {
    /// Runs every query through `stage`, one at a time so that times are those of a single user.
    pub(super) fn run(&self, stage: EvalStage) -> anyhow::Result<StageRun> {
        let mut out = StageRun {
            stage,
            run: Run::default(),
            times: Vec::with_capacity(self.set.queries.len()),
            engine: BTreeMap::new(),
            answers: Vec::new(),
        };
        if let Some(first) = self.set.queries.first() {
            self.search(stage, first)?; // Files are mapped and caches filled before the clock runs.
        }
        let bar = progress(&format!("{}: {}", self.set.name, stage.name()), self.set.queries.len());
        for query in &self.set.queries {
            let start = Instant::now();
            let result = self.search(stage, query)?;
            out.times.push(start.elapsed());
            for (stage, time) in &result.timings {
                out.engine.entry(*stage).or_default().push(*time);
            }
            out.run.insert(&query.id, ranking(&result.hits));
            if stage == EvalStage::Reranked {
                out.answers.push(answered(query, &result));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(out)
    }

    fn search(&self, stage: EvalStage, query: &JudgedQuery) -> anyhow::Result<SearchResult> {
        search(self.snapshot, self.model, &self.query(stage, &query.text))
            .with_context(|| format!("query {:?} of {}", query.id, self.set.name))
    }

    fn query(&self, stage: EvalStage, text: &str) -> Query {
        let mut query = Query::new(text);
        query.limit = self.limit;
        query.fusion = self.fusion;
        query.mode = match stage {
            EvalStage::Bm25 => Mode::Lexical,
            EvalStage::Dense => Mode::Dense,
            EvalStage::Fused | EvalStage::Reranked | EvalStage::Reader => Mode::Hybrid,
        };
        if stage == EvalStage::Reranked {
            query.read_depth = self.read_depth;
            query.rerank = Rerank::On;
            query.answers = 1;
        } else {
            query.read_depth = 0;
            query.rerank = Rerank::Off;
            query.answers = 0;
        }
        query
    }
}

/// Documents in the order of their best passages. The score is one over the rank: what is measured is the order
/// that users see, which reranking changes without making its scores comparable to those below.
fn ranking(hits: &[Hit]) -> Vec<(String, f32)> {
    let mut seen = HashSet::new();
    hits.iter()
        .map(|hit| hit.passage.id.document.as_str())
        .filter(|document| seen.insert(*document))
        .take(DOCUMENTS)
        .enumerate()
        .map(|(at, document)| (document.to_owned(), 1.0 / (at + 1) as f32))
        .collect()
}

fn answered(query: &JudgedQuery, result: &SearchResult) -> Answered {
    Answered {
        question: query.id.clone(),
        text: result.answers.first().map(|a| a.text.clone()).unwrap_or_default(),
        probability: result.verdict.map_or(0.0, |v| f64::from(v.answerable.0)),
        shown_from: result.verdict.map_or(1.0, |v| f64::from(v.shown_from.0)),
    }
}

impl EvalStage {
    /// As it is written in tables and file names.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::Dense => "dense",
            Self::Fused => "fused",
            Self::Reranked => "reranked",
            Self::Reader => "reader",
        }
    }
}

#[cfg(test)]
mod tests {
    use alder_engine::{DocumentId, Fused, Metadata, Passage, PassageId, Span};

    use super::*;

    fn hit(rank: usize, document: &str) -> Hit {
        let document = DocumentId::new(document).unwrap();
        Hit {
            rank,
            passage: Passage {
                id: PassageId { document, ordinal: rank as u32 },
                title: String::new(),
                heading_path: Vec::new(),
                span: Span::new(0, 0),
                text: String::new(),
                metadata: Metadata::new(),
            },
            score: Fused(0.5),
            explanation: None,
        }
    }

    #[test]
    fn a_document_ranks_where_its_best_passage_does() {
        let hits = [hit(1, "b"), hit(2, "a"), hit(3, "b"), hit(4, "c")];
        let mut run = Run::default();
        run.insert("q", ranking(&hits));
        let ids: Vec<_> = run.ranking("q").iter().map(|(d, _)| d.as_str()).collect();
        assert_eq!(ids, ["b", "a", "c"]);
    }

    #[test]
    fn enough_passages_are_asked_for_to_see_a_hundred_documents() {
        let stats = |documents, passages| SnapshotStats {
            documents,
            passages,
            segments: 1,
            graphs: 0,
            bytes: 0,
        };
        assert_eq!(passages_for(100, &stats(10, 10)), 100);
        assert_eq!(passages_for(100, &stats(10, 11)), 200);
        assert_eq!(passages_for(100, &stats(10, 1000)), limits::LIMIT_MAX);
        assert_eq!(passages_for(100, &stats(0, 0)), 100);
    }
}
