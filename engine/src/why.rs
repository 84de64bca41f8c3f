//! [`why`]: where a document stands for a query, and at which stage it was lost. The stages are those of
//! [`crate::search()`]; only the ranks beyond the cut are looked up here.

use std::collections::HashMap;

use serde::Serialize;

use crate::arrange::arrange;
use crate::fusion::fuse;
use crate::lexical::Plan;
use crate::search::{self, depth};
use crate::{
    Bm25, Candidate, Cosine, DocumentId, Error, Fused, Generation, Model, PassageKey, Query,
    Snapshot, TermScore,
};

/// Where a document stands for a query.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// The document asked about.
    pub document: DocumentId,
    /// The committed state that was searched.
    pub generation: Generation,
    /// Its best rank on the page that was asked for, after reading and sorting.
    pub rank: Option<usize>,
    /// The fate of the passage that came furthest, in a sentence.
    pub reason: String,
    /// Its passages, the one that came furthest first.
    pub passages: Vec<Fate>,
}

/// How far one passage came.
#[derive(Debug, Clone, Serialize)]
pub struct Fate {
    /// Position among the passages of the document, from 0.
    pub ordinal: u32,
    /// The last stage it reached.
    pub stage: Reached,
    /// The same in a sentence, with what would bring it further.
    pub reason: String,
    /// Its BM25 score, and its rank among all passages that may be found.
    pub lexical: Option<(Bm25, Option<usize>)>,
    /// BM25 of each query term and field.
    pub terms: Vec<TermScore>,
    /// Its similarity to the question, and its rank among all passages that may be found.
    pub dense: Option<(Cosine, Option<usize>)>,
    /// Its score and rank after fusion.
    pub fused: Option<(Fused, usize)>,
}

/// The last stage that a passage reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// The filter leaves it out.
    Filtered,
    /// It lacks what the query demands, or has what it excludes.
    Refused,
    /// No retriever ranked it high enough.
    Ranked,
    /// Other passages of its document took its place.
    Grouped,
    /// It is in the list, on another page.
    Listed,
    /// It is on the page.
    Shown,
}

/// Where `document` stands for `query`: for each of its passages the last stage it reached and the numbers of every
/// stage, also beyond the cut. Costs as much as ranking the whole collection.
///
/// # Errors
/// As [`crate::search()`].
pub fn why(
    snapshot: &Snapshot,
    model: &Model,
    query: &Query,
    document: &DocumentId,
) -> Result<Why, Error> {
    let result = search::search(snapshot, model, query)?;
    let keys = snapshot.view.passages_of(document)?;
    let ours = |hit: &&crate::Hit| hit.passage.id.document == *document;
    let shown: HashMap<u32, usize> =
        result.hits.iter().filter(ours).map(|hit| (hit.passage.id.ordinal, hit.rank)).collect();
    let ranks = Ranks::of(snapshot, model, query)?;
    let mut passages = Vec::with_capacity(keys.len());
    for key in keys {
        passages.push(ranks.fate(snapshot, query, key, &shown)?);
    }
    passages.sort_by_key(|fate| {
        let rank = fate.fused.map_or(usize::MAX, |(_, rank)| rank);
        (std::cmp::Reverse(fate.stage), rank, fate.ordinal)
    });
    let reason = match passages.first() {
        Some(best) => best.reason.clone(),
        None => "there is no such document in the collection".to_owned(),
    };
    let rank = shown.values().min().copied();
    let generation = snapshot.generation();
    Ok(Why { document: document.clone(), generation, rank, reason, passages })
}

/// The ranks of all passages in every stage.
struct Ranks {
    plan: Plan,
    /// What the filter alone lets through.
    filtered: Option<Plan>,
    question: Option<crate::Embedding>,
    lexical: HashMap<PassageKey, usize>,
    dense: HashMap<PassageKey, usize>,
    /// After fusion, before grouping.
    fused: HashMap<PassageKey, (Fused, usize)>,
    /// After grouping.
    listed: HashMap<PassageKey, usize>,
}

/// The rank of each candidate, from 1.
fn numbered<S>(list: &[Candidate<S>]) -> HashMap<PassageKey, usize> {
    list.iter().zip(1..).map(|(candidate, rank)| (candidate.key, rank)).collect()
}

impl Ranks {
    fn of(snapshot: &Snapshot, model: &Model, query: &Query) -> Result<Self, Error> {
        let plan = snapshot.plan(&query.text, query.filter.as_ref(), query.last_word)?;
        let filtered = match &query.filter {
            Some(filter) => Some(snapshot.plan("", Some(filter), query.last_word)?),
            None => None,
        };
        let lexical = search::lexical_of(snapshot, &plan, query, depth(query))?;
        let question = search::question(model, &plan, query)?;
        let dense = search::dense_of(snapshot, &plan, question.as_ref(), depth(query))?;
        let fused = fuse(&lexical, &dense, query.fusion.unwrap_or(snapshot.ranking().fusion));
        let by_rank = fused.iter().zip(1..).map(|(c, rank)| (c.key, (c.score, rank))).collect();
        let listed = arrange(snapshot, query, fused)?;
        let all = snapshot.stats().passages as usize;
        let lexical = search::lexical_of(snapshot, &plan, query, all)?;
        let dense = search::dense_of(snapshot, &plan, question.as_ref(), all)?;
        Ok(Self {
            lexical: numbered(&lexical),
            dense: numbered(&dense),
            fused: by_rank,
            listed: listed.iter().zip(1..).map(|(c, rank)| (c.key, rank)).collect(),
            plan,
            filtered,
            question,
        })
    }

    fn fate(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        key: PassageKey,
        shown: &HashMap<u32, usize>,
    ) -> Result<Fate, Error> {
        let passage = snapshot.passage(key)?;
        let ordinal = passage.id.ordinal;
        let may = |plan: &Plan| snapshot.view.may_be_found(plan, key.segment).contains(key.row);
        let stage = match (&self.filtered, self.listed.contains_key(&key)) {
            _ if shown.contains_key(&ordinal) => Reached::Shown,
            (_, true) => Reached::Listed,
            (Some(filter), _) if !may(filter) => Reached::Filtered,
            _ if !may(&self.plan) => Reached::Refused,
            _ if self.fused.contains_key(&key) => Reached::Grouped,
            _ => Reached::Ranked,
        };
        let terms = snapshot.explain_plan(&self.plan, key)?;
        let score: f32 = terms.iter().map(|part| part.score).sum();
        let dense = match &self.question {
            Some(question) => {
                Some((cosine(question, &snapshot.vector(key)?), self.dense.get(&key)))
            }
            None => None,
        };
        let mut fate = Fate {
            ordinal,
            stage,
            reason: String::new(),
            lexical: (!terms.is_empty()).then(|| (Bm25(score), self.lexical.get(&key).copied())),
            terms,
            dense: dense.map(|(score, rank)| (score, rank.copied())),
            fused: self.fused.get(&key).copied(),
        };
        fate.reason = self.reason(&fate, query, key, shown);
        Ok(fate)
    }

    fn reason(
        &self,
        fate: &Fate,
        query: &Query,
        key: PassageKey,
        shown: &HashMap<u32, usize>,
    ) -> String {
        let rank = |of: Option<Option<usize>>| match of {
            Some(Some(rank)) => format!("rank {rank}"),
            Some(None) | None => "no rank".to_owned(),
        };
        let words = rank(fate.lexical.map(|(_, rank)| rank));
        let meaning = rank(fate.dense.map(|(_, rank)| rank));
        match fate.stage {
            Reached::Shown => {
                let rank = shown.get(&fate.ordinal).copied().unwrap_or_default();
                format!("it is hit {rank} ({words} by words, {meaning} by meaning)")
            }
            Reached::Listed => {
                let rank = self.listed.get(&key).copied().unwrap_or_default();
                let (from, to) = (query.offset + 1, query.offset + query.limit);
                format!("it is number {rank} by score in the list, and the page shows {from} to {to} of it")
            }
            Reached::Grouped => {
                let most = query.per_document.unwrap_or_default();
                format!("better passages of the same document came first, and at most {most} are shown")
            }
            Reached::Filtered => "the filter leaves it out".to_owned(),
            Reached::Refused => {
                "it lacks a phrase, word or field that the query demands, or has one that it excludes"
                    .to_owned()
            }
            Reached::Ranked if fate.lexical.is_none() && fate.dense.is_none() => {
                "it has none of the words, and the search was by words alone".to_owned()
            }
            Reached::Ranked => {
                let depth = depth(query);
                let best = [fate.lexical.and_then(|l| l.1), fate.dense.and_then(|d| d.1)];
                let needed = best.into_iter().flatten().min().unwrap_or_default();
                format!(
                    "{words} by words and {meaning} by meaning, and {depth} of each are taken; \
                     {needed} candidates would reach it"
                )
            }
        }
    }
}

/// Cosine of two unit vectors.
fn cosine(question: &crate::Embedding, vector: &[f32]) -> Cosine {
    let product: f32 = question.as_slice().iter().zip(vector).map(|(a, b)| a * b).sum();
    Cosine(product.clamp(-1.0, 1.0))
}
