//! Tuning: which fusion, and which weight of the reader, rank a collection best. Chosen by one half of some queries
//! whose right results are known, and worth keeping only if the other half, which chose nothing, is served better too.
//!
//! The queries come from judgements, or [`made`] from the collection itself. Both lists of every query are retrieved
//! once and fused in every way; what the reader says of a passage is asked once, for the passages that need it.

mod made;

use std::collections::HashMap;

use alder_datasets::{Measure, Qrels, Run, mean, randomisation_test};
use alder_engine::{
    Bm25, Candidate, Cosine, FusedCandidate, Fusion, Model, PassageId, PassageKey, Ranking,
    Snapshot, fuse, limits, relevances,
};

/// What is made better.
const MEASURE: &str = "nDCG@10";
/// Resamples of the randomisation test.
const RESAMPLES: usize = 10_000;
/// From this probability of the difference being chance on it is not kept.
const SIGNIFICANT: f64 = 0.05;
/// Weights of the reader that are tried.
const RERANK_WEIGHTS: [f32; 6] = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7];

/// A query and what it should find.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TuneQuery {
    pub(crate) text: String,
    /// Grade by document, or by [`passage_name`].
    pub(crate) right: HashMap<String, i32>,
}

/// What the right results are named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Document,
    Passage,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Tuning {
    /// Queries that chose.
    pub(crate) chosen_by: usize,
    /// Queries that `before` and `after` are means of.
    pub(crate) tested_on: usize,
    pub(crate) from: Ranking,
    pub(crate) to: Ranking,
    /// nDCG@10 of the tested queries with `from`.
    pub(crate) before: f64,
    /// The same with `to`.
    pub(crate) after: f64,
    /// Two-sided p of the paired randomisation test.
    pub(crate) p: f64,
}

impl Tuning {
    /// Whether `to` is better beyond chance.
    pub(crate) fn is_better(&self) -> bool {
        self.to != self.from && self.after > self.before && self.p < SIGNIFICANT
    }
}

/// Queries made from the collection, and what their right results are named by.
///
/// # Errors
/// As the engine's; that there are too few sentences to make any from.
pub(crate) fn made_queries(
    snapshot: &Snapshot,
    model: &Model,
    count: usize,
) -> anyhow::Result<Vec<TuneQuery>> {
    made::queries(snapshot, model, count)
}

/// Chooses the ranking for `queries`, beginning from that of the collection.
///
/// # Errors
/// As the engine's; fewer than four queries.
pub(crate) fn tune(
    snapshot: &Snapshot,
    model: &Model,
    queries: &[TuneQuery],
    unit: Unit,
    progress: &dyn Fn(),
) -> anyhow::Result<Tuning> {
    anyhow::ensure!(queries.len() >= 4, "{} queries are too few to tune by", queries.len());
    let mut prepared = Vec::with_capacity(queries.len());
    for query in queries {
        prepared.push(Prepared::new(snapshot, model, query, unit)?);
        progress();
    }
    let tested = prepared.split_off(prepared.len() / 2);
    let mut trial = Trial { snapshot, model, queries: prepared };
    let from = snapshot.ranking();
    let mut to = Ranking { rerank_weight: Some(0.0), ..from };
    let unread = to;
    trial.choose(&mut to, fusions().map(|fusion| Ranking { fusion, ..unread }))?;
    to.rerank_weight = from.rerank_weight;
    if model.has_reader() {
        let fusion = to.fusion;
        let weights = RERANK_WEIGHTS.map(Some);
        trial.choose(&mut to, weights.map(|rerank_weight| Ranking { fusion, rerank_weight }))?;
    }
    let chosen_by = trial.queries.len();
    trial.queries = tested;
    let (old, new) = (trial.scores(from)?, trial.scores(to)?);
    let differences: Vec<f64> = new.iter().zip(&old).map(|(new, old)| new - old).collect();
    let p = randomisation_test(&differences, RESAMPLES, 1);
    Ok(Tuning {
        chosen_by,
        tested_on: old.len(),
        from,
        to,
        before: mean(&old),
        after: mean(&new),
        p,
    })
}

/// The ways of fusing that are tried.
fn fusions() -> impl Iterator<Item = Fusion> {
    let weights = || (0..=10).map(|tenth| tenth as f32 / 10.0);
    weights()
        .map(|lexical_weight| Fusion::MinMax { lexical_weight })
        .chain(weights().map(|lexical_weight| Fusion::Dbsf { lexical_weight }))
        .chain([Fusion::Rrf { k: 60.0 }])
}

/// The name of a passage among right results.
pub(crate) fn passage_name(id: &PassageId) -> String {
    format!("{} {}", id.document, id.ordinal)
}

/// The ranking in words.
pub(crate) fn described(ranking: Ranking) -> String {
    let fusion = match ranking.fusion {
        Fusion::MinMax { lexical_weight } => format!("min-max, lexical weight {lexical_weight:.1}"),
        Fusion::Dbsf { lexical_weight } => format!("dbsf, lexical weight {lexical_weight:.1}"),
        Fusion::Rrf { k } => format!("rrf, k {k:.0}"),
    };
    match ranking.rerank_weight {
        Some(weight) => format!("{fusion}, reader weight {weight:.1}"),
        None => format!("{fusion}, the model's reader weight"),
    }
}

/// One query with both its lists.
struct Prepared {
    text: String,
    right: HashMap<String, i32>,
    lexical: Vec<Candidate<Bm25>>,
    dense: Vec<Candidate<Cosine>>,
    /// What the results are named by, for every candidate.
    names: HashMap<PassageKey, String>,
    /// What the reader says of the candidates it was asked about, 0..=1.
    evidence: HashMap<PassageKey, f32>,
}

impl Prepared {
    fn new(
        snapshot: &Snapshot,
        model: &Model,
        query: &TuneQuery,
        unit: Unit,
    ) -> anyhow::Result<Self> {
        let (lexical, _) = snapshot.lexical(&query.text, None, limits::CANDIDATES_DEFAULT)?;
        let embedding = model.encode(&[query.text.as_str()])?.pop();
        let embedding = embedding.expect("one text has one embedding");
        let dense = snapshot.dense(&embedding, None, limits::CANDIDATES_DEFAULT)?;
        let mut names = HashMap::new();
        for key in lexical.iter().map(|c| c.key).chain(dense.iter().map(|c| c.key)) {
            if let std::collections::hash_map::Entry::Vacant(place) = names.entry(key) {
                let id = snapshot.passage(key)?.id;
                place.insert(match unit {
                    Unit::Document => id.document.to_string(),
                    Unit::Passage => passage_name(&id),
                });
            }
        }
        let (text, right, evidence) = (query.text.clone(), query.right.clone(), HashMap::new());
        Ok(Self { text, right, lexical, dense, names, evidence })
    }

    /// The names in the order of `ranking`, each once.
    fn order(
        &mut self,
        snapshot: &Snapshot,
        model: &Model,
        ranking: Ranking,
    ) -> anyhow::Result<Vec<String>> {
        let mut fused = fuse(&self.lexical, &self.dense, ranking.fusion);
        let weight = ranking.rerank_weight.unwrap_or(model.calibration().rerank_weight);
        if model.has_reader() && weight > 0.0 {
            let read = limits::READ_DEPTH_DEFAULT.min(fused.len());
            self.read(snapshot, model, &fused[..read])?;
            rerank(&mut fused[..read], &self.evidence, weight);
        }
        let mut names: Vec<String> = Vec::new();
        for candidate in &fused {
            let name = &self.names[&candidate.key];
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Ok(names)
    }

    /// Asks the reader about those of `candidates` it was not asked about yet.
    fn read(
        &mut self,
        snapshot: &Snapshot,
        model: &Model,
        candidates: &[FusedCandidate],
    ) -> anyhow::Result<()> {
        let keys = candidates.iter().map(|c| c.key);
        let keys: Vec<_> = keys.filter(|key| !self.evidence.contains_key(key)).collect();
        let passages =
            keys.iter().map(|key| snapshot.passage(*key)).collect::<Result<Vec<_>, _>>()?;
        let texts: Vec<&str> = passages.iter().map(|p| p.text.as_str()).collect();
        let logits = relevances(model, &self.text, &texts)?;
        let evidence = logits.into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp()));
        self.evidence.extend(keys.into_iter().zip(evidence));
        Ok(())
    }
}

/// Reorders `read` as a search does.
fn rerank(read: &mut [FusedCandidate], evidence: &HashMap<PassageKey, f32>, weight: f32) {
    let best = read.iter().map(|c| c.score.0).fold(f32::MIN_POSITIVE, f32::max);
    let score = |c: &FusedCandidate| {
        (1.0 - weight) * (c.score.0 / best).clamp(0.0, 1.0) + weight * evidence[&c.key]
    };
    read.sort_by(|a, b| score(b).total_cmp(&score(a)));
}

/// Queries by which rankings are compared.
struct Trial<'a> {
    snapshot: &'a Snapshot,
    model: &'a Model,
    queries: Vec<Prepared>,
}

impl Trial<'_> {
    /// The measure of every query, in their order.
    fn scores(&mut self, ranking: Ranking) -> anyhow::Result<Vec<f64>> {
        let (mut qrels, mut run) = (Qrels::default(), Run::default());
        for (at, query) in self.queries.iter_mut().enumerate() {
            let id = format!("{at:08}");
            query.right.iter().for_each(|(name, grade)| {
                qrels.insert(&id, name, *grade);
            });
            let names = query.order(self.snapshot, self.model, ranking)?;
            let ranked = names.into_iter().zip(1..).map(|(name, rank)| (name, 1.0 / rank as f32));
            run.insert(&id, ranked.collect());
        }
        let measure: Measure = MEASURE.parse()?;
        Ok(measure.per_query(&qrels, &run).into_values().collect())
    }

    /// Leaves in `best` the one of `rankings` with the highest mean; the one that is there stays if none is better.
    fn choose(
        &mut self,
        best: &mut Ranking,
        rankings: impl IntoIterator<Item = Ranking>,
    ) -> anyhow::Result<()> {
        let mut highest = mean(&self.scores(*best)?);
        for ranking in rankings {
            let score = mean(&self.scores(ranking)?);
            if score > highest {
                (*best, highest) = (ranking, score);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
