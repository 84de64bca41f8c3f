//! Lexical retrieval on one committed state: the best passages of a [`Plan`], and how a score came about.

use tantivy::DocSet;
use tantivy::query::Query;

use super::bm25::{PassageStatistics, disjunction};
use super::{Plan, View, failed};
use crate::candidate::PassageKey;
use crate::row_set::RowSet;
use crate::top_k::TopK;
use crate::{Error, TermScore};

impl View {
    /// The best `k` live passages of `plan` by BM25, best first. If it has conditions alone, all passages that hold
    /// to them have the score 0.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn search(&self, plan: &Plan, k: usize) -> Result<Vec<(PassageKey, f32)>, Error> {
        let mut hits = Vec::new();
        if plan.clauses.is_empty() && !plan.plain.is_empty() || k == 0 {
            return Ok(hits);
        }
        let statistics = self.statistics();
        let weight = disjunction(&plan.clauses).weight(statistics.scoring());
        let weight = weight.map_err(failed("searching"))?;
        let readers = self.searcher.segment_readers().iter().zip(&self.segments);
        for (number, (reader, segment)) in (0..).zip(readers) {
            let allowed = plan.allowed.as_ref().map(|sets| &sets[number as usize]);
            let mut top = TopK::new(k);
            let mut offer = |row, score: f32| {
                if segment.live.contains(row) && allowed.is_none_or(|set| set.contains(row)) {
                    top.push(score, row, |row| segment.tie(row));
                }
                // Scores equal to the k-th still compete by document id.
                top.floor().map_or(f32::MIN, f32::next_down)
            };
            if plan.clauses.is_empty() {
                (0..reader.max_doc()).for_each(|row| {
                    offer(row, 0.0);
                });
            } else {
                let pruned = weight.for_each_pruning(f32::MIN, reader, &mut offer);
                pruned.map_err(failed("searching"))?;
            }
            let key = |row| PassageKey { segment: number, row };
            hits.extend(top.into_sorted().into_iter().map(|(row, score)| (key(row), score)));
        }
        Ok(self.ranked(hits, k))
    }

    /// The parts of a passage's score, each from the scorer that made it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn explain(&self, plan: &Plan, key: PassageKey) -> Result<Vec<TermScore>, Error> {
        let failed = failed("explaining a score");
        let reader = self.searcher.segment_reader(key.segment);
        let statistics = self.statistics();
        let mut parts = Vec::new();
        for clause in &plan.clauses {
            let weight = clause.query().weight(statistics.scoring()).map_err(&failed)?;
            let mut scorer = weight.scorer(reader, 1.0).map_err(&failed)?;
            if scorer.doc() < key.row {
                scorer.seek(key.row);
            }
            if scorer.doc() == key.row {
                let (field, term) = (clause.field, clause.text.clone());
                parts.push(TermScore { field, term, score: scorer.score() });
            }
        }
        Ok(parts)
    }

    /// The live passages that may be found, by segment.
    pub(crate) fn may_be_found<'a>(&'a self, plan: &'a Plan, segment: u32) -> &'a RowSet {
        match &plan.allowed {
            Some(sets) => &sets[segment as usize],
            None => self.live(segment),
        }
    }

    fn statistics(&self) -> PassageStatistics<'_> {
        PassageStatistics { searcher: &self.searcher, passages: self.passages }
    }
}
