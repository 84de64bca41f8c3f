//! Measures of a ranking against judgements, as trec_eval defines them and under the names of ir-measures.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::{Qrels, Run};

/// A measure with its cutoff, written as ir-measures writes it: `nDCG@10`, `R@100`, `RR`.
///
/// A document is relevant if its grade is above zero. All measures lie in 0..=1, are 0 for a query without
/// relevant documents, and see documents in the order of [`Run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure {
    kind: Kind,
    /// `None` is the whole ranking.
    cutoff: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Ndcg,
    ReciprocalRank,
    Recall,
    Precision,
    AveragePrecision,
    Success,
}

const NAMES: [(&str, Kind); 6] = [
    ("nDCG", Kind::Ndcg),
    ("RR", Kind::ReciprocalRank),
    ("R", Kind::Recall),
    ("P", Kind::Precision),
    ("AP", Kind::AveragePrecision),
    ("Success", Kind::Success),
];

/// A name that is no measure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no measure; use nDCG, RR or AP, with or without a cutoff as in nDCG@10, or R, P or Success \
     with a cutoff as in R@100"
)]
pub struct UnknownMeasure {
    name: String,
}

impl FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(name: &str) -> Result<Self, UnknownMeasure> {
        let unknown = || UnknownMeasure { name: name.to_owned() };
        let (stem, cutoff) = match name.split_once('@') {
            Some((stem, cutoff)) => (stem, Some(cutoff.parse().map_err(|_| unknown())?)),
            None => (name, None),
        };
        let kind = NAMES.iter().find(|(n, _)| *n == stem).ok_or_else(unknown)?.1;
        let whole = matches!(kind, Kind::Ndcg | Kind::ReciprocalRank | Kind::AveragePrecision);
        if cutoff.is_none() && !whole {
            return Err(unknown());
        }
        Ok(Self { kind, cutoff })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = NAMES.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        match self.cutoff {
            Some(k) => write!(f, "{stem}@{k}"),
            None => f.write_str(stem),
        }
    }
}

impl Measure {
    /// The value for each judged query; a query that was not run has 0, a query that was run without
    /// judgements is left out, as in ir-measures.
    pub fn per_query(self, qrels: &Qrels, run: &Run) -> BTreeMap<String, f64> {
        qrels
            .queries()
            .filter_map(|query| Some((query, qrels.judged(query)?)))
            .map(|(query, judged)| (query.to_owned(), self.one(judged, run.ranking(query))))
            .collect()
    }

    /// The mean of [`Measure::per_query`], 0 without judged queries.
    pub fn mean(self, qrels: &Qrels, run: &Run) -> f64 {
        let values = self.per_query(qrels, run);
        values.values().sum::<f64>() / values.len().max(1) as f64
    }

    fn one(self, judged: &HashMap<String, i32>, ranking: &[(String, f32)]) -> f64 {
        let top = self.cutoff.map_or(ranking.len(), |k| k.get().min(ranking.len()));
        let grades: Vec<Option<i32>> =
            ranking[..top].iter().map(|(document, _)| judged.get(document).copied()).collect();
        let found: Vec<bool> = grades.iter().map(|g| g.is_some_and(|g| g > 0)).collect();
        let hits = found.iter().filter(|f| **f).count() as f64;
        let relevant = judged.values().filter(|g| **g > 0).count() as f64;
        let depth = self.cutoff.map_or(ranking.len(), NonZeroUsize::get);
        match self.kind {
            Kind::Ndcg => ndcg(judged, &grades, self.cutoff),
            Kind::ReciprocalRank => {
                found.iter().position(|f| *f).map_or(0.0, |at| 1.0 / (at + 1) as f64)
            }
            Kind::Recall => ratio(hits, relevant),
            Kind::Precision => ratio(hits, depth as f64),
            Kind::AveragePrecision => ratio(precision_sum(&found), relevant),
            Kind::Success => f64::from(u8::from(hits > 0.0)),
        }
    }
}

/// Discounted cumulative gain over that of the best possible ranking, with the grade itself as gain and
/// `1 / log2(rank + 1)` as discount (Järvelin and Kekäläinen 2002, in trec_eval's `ndcg_cut`).
fn ndcg(
    judged: &HashMap<String, i32>,
    grades: &[Option<i32>],
    cutoff: Option<NonZeroUsize>,
) -> f64 {
    let mut ideal: Vec<i32> = judged.values().copied().filter(|g| *g > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    ideal.truncate(cutoff.map_or(usize::MAX, NonZeroUsize::get));
    ratio(dcg(grades.iter().map(|g| g.unwrap_or(0))), dcg(ideal.into_iter()))
}

fn dcg(grades: impl Iterator<Item = i32>) -> f64 {
    grades.enumerate().map(|(at, g)| f64::from(g.max(0)) / ((at + 2) as f64).log2()).sum()
}

/// Sum of the precision at each relevant rank.
fn precision_sum(found: &[bool]) -> f64 {
    let ranks = found.iter().enumerate().filter(|(_, f)| **f).map(|(at, _)| at + 1);
    ranks.enumerate().map(|(before, rank)| (before + 1) as f64 / rank as f64).sum()
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
