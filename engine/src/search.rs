//! The read path as one page: plan → retrieve (lexical ‖ dense) → fuse → arrange → read and rerank → page.
//!
//! Only this file knows all stages. A stage is switched off by not being called.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::answer::{Read, answers};
use crate::arrange::{arrange, sorted};
use crate::evidence::Evidence;
use crate::fusion::{FusedCandidate, fuse};
use crate::lexical::Plan;
use crate::{
    Answer, Bm25, Calibration, Candidate, Cosine, Cursor, Embedding, Error, Explain, Explanation,
    Facet, Hit, Mode, Model, Passage, PassageKey, Probability, Query, QueryError, ReadSpan,
    Reading, ReadingScores, Rerank, SearchResult, Share, Snapshot, Span, Stage, Verdict, limits,
};

/// Runs `query` on one pinned snapshot.
///
/// # Errors
/// [`Error::Query`] for a query that cannot be; what the stages return otherwise.
pub fn search(snapshot: &Snapshot, model: &Model, query: &Query) -> Result<SearchResult, Error> {
    query.validate()?;
    check_generation(snapshot, query)?;
    let mut clock = Clock::default();
    let plan = clock
        .time(Stage::Plan, || snapshot.plan(&query.text, query.filter.as_ref(), query.last_word))?;
    let mut notes = plan.notes.clone();
    let wanted = depth(query);
    let lexical = clock.time(Stage::Lexical, || lexical_of(snapshot, &plan, query, wanted))?;
    let mut dense = Vec::new();
    if query.mode != Mode::Lexical {
        let question = clock.time(Stage::Encode, || question(model, &plan, query))?;
        let find = || dense_of(snapshot, &plan, question.as_ref(), wanted);
        dense = clock.time(Stage::Dense, find)?;
    }
    let complete = lexical.len().max(dense.len()) < wanted;
    let fusion = query.fusion.unwrap_or(snapshot.ranking().fusion);
    let fused = clock.time(Stage::Fuse, || fuse(&lexical, &dense, fusion));
    let candidates = fused.len();
    let fused = clock.time(Stage::Arrange, || arrange(snapshot, query, fused))?;
    let list = List::new(snapshot, query, fused, &mut clock)?;
    let (total, facets) = (list.ranked.len(), list.facets);
    let mut hits = list.ranked;

    let reads = if model.has_reader() && !plan.plain.is_empty() {
        query.read_depth.min(hits.len())
    } else {
        0
    };
    let mut answers = Vec::new();
    let mut verdict = None;
    if reads > 0 {
        let read = &mut hits[..reads];
        load(snapshot, read, &mut clock)?;
        match clock.time(Stage::Read, || read_and_rerank(snapshot, model, (&plan, query), read)) {
            Ok(found) => (answers, verdict) = (found.0, Some(found.1)),
            // A query too long to be a question still finds passages.
            Err(Error::Query(why @ QueryError::OutOfRange { .. })) => {
                notes.push(format!("the passages were not read for answers: {why}"));
            }
            Err(error) => return Err(error),
        }
    }

    if let Some(order) = list.order {
        let place: HashMap<PassageKey, usize> =
            order.into_iter().enumerate().map(|(place, key)| (key, place)).collect();
        hits.sort_by_key(|hit| place[&hit.fused.key]);
    }
    if query.offset >= total && total > 0 && !complete {
        notes.push(format!("the list has {total} hits; ask for more candidates to see more"));
    }
    let mut page: Vec<Ranked> = hits.into_iter().skip(query.offset).take(query.limit).collect();
    load(snapshot, &mut page, &mut clock)?;
    let generation = snapshot.generation();
    let end = query.offset + page.len();
    let next = (end < total && !page.is_empty() && end < limits::WINDOW_MAX)
        .then(|| Cursor::new(query, generation, end));
    let hits = (query.offset + 1..)
        .zip(page)
        .map(|(rank, ranked)| ranked.into_hit(rank, snapshot, (&plan, query)))
        .collect::<Result<Vec<_>, Error>>()?;
    let (timings, meant) = (clock.stages, plan.meant);
    Ok(SearchResult {
        generation,
        hits,
        candidates,
        total,
        complete,
        facets,
        next,
        answers,
        verdict,
        meant,
        timings,
        notes,
    })
}

/// Pages of one list come from one state.
fn check_generation(snapshot: &Snapshot, query: &Query) -> Result<(), QueryError> {
    let found = snapshot.generation();
    match query.generation {
        Some(asked) if asked != found => {
            Err(QueryError::Changed { asked: asked.0, found: found.0 })
        }
        _ => Ok(()),
    }
}

/// The whole ranked list, what was counted over it, and its order if that is not the rank.
struct List {
    ranked: Vec<Ranked>,
    facets: Vec<Facet>,
    order: Option<Vec<PassageKey>>,
}

impl List {
    fn new(
        snapshot: &Snapshot,
        query: &Query,
        fused: Vec<FusedCandidate>,
        clock: &mut Clock,
    ) -> Result<Self, Error> {
        let count = |field: &String| snapshot.facet(field, fused.iter().map(|c| c.key));
        let facets: Result<Vec<Facet>, Error> =
            clock.time(Stage::Arrange, || query.facets.iter().map(count).collect());
        let order = match query.sort.is_empty() {
            true => None,
            false => {
                let order = clock.time(Stage::Arrange, || sorted(snapshot, &fused, &query.sort))?;
                Some(order.into_iter().map(|at| fused[at].key).collect())
            }
        };
        let ranked = (1..).zip(fused).map(|(fused_rank, fused)| Ranked {
            fused,
            fused_rank,
            passage: None,
            reading: None,
        });
        Ok(Self { ranked: ranked.collect(), facets: facets?, order })
    }
}

/// Time spent per stage, in order of first use.
#[derive(Default)]
struct Clock {
    stages: Vec<(Stage, Duration)>,
}

impl Clock {
    fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let out = work();
        let spent = start.elapsed();
        match self.stages.iter_mut().find(|(known, _)| *known == stage) {
            Some((_, sum)) => *sum += spent,
            None => self.stages.push((stage, spent)),
        }
        out
    }
}

/// A candidate on its way to becoming a hit.
struct Ranked {
    fused: FusedCandidate,
    /// Rank after fusion, from 1.
    fused_rank: usize,
    /// Once it is loaded.
    passage: Option<Passage>,
    reading: Option<ReadingScores>,
}

/// How many candidates each retriever is asked for: the same for every page of a list.
pub(crate) fn depth(query: &Query) -> usize {
    query.candidates.max(query.limit).max(query.read_depth)
}

/// The best `k` passages by words, if the query asks for them, or if it has nothing but conditions.
pub(crate) fn lexical_of(
    snapshot: &Snapshot,
    plan: &Plan,
    query: &Query,
    k: usize,
) -> Result<Vec<Candidate<Bm25>>, Error> {
    match query.mode {
        Mode::Dense if !plan.plain.is_empty() => Ok(Vec::new()),
        _ => snapshot.best_lexical(plan, k),
    }
}

/// The embedding of the question, if the query asks for meaning and says any.
pub(crate) fn question(
    model: &Model,
    plan: &Plan,
    query: &Query,
) -> Result<Option<Embedding>, Error> {
    if query.mode == Mode::Lexical || plan.plain.is_empty() {
        return Ok(None);
    }
    Ok(Some(model.encode(&[plan.plain.as_str()])?.remove(0)))
}

/// The best `k` passages by meaning.
pub(crate) fn dense_of(
    snapshot: &Snapshot,
    plan: &Plan,
    question: Option<&Embedding>,
    k: usize,
) -> Result<Vec<Candidate<Cosine>>, Error> {
    let Some(question) = question else { return Ok(Vec::new()) };
    snapshot.best_dense(question, plan.allowed.as_deref(), k)
}

/// Loads the passages of `hits` that are not loaded yet.
fn load(snapshot: &Snapshot, hits: &mut [Ranked], clock: &mut Clock) -> Result<(), Error> {
    clock.time(Stage::Fetch, || {
        for hit in hits.iter_mut().filter(|hit| hit.passage.is_none()) {
            hit.passage = Some(snapshot.passage(hit.fused.key)?);
        }
        Ok(())
    })
}

/// Reads the passages of `hits`, reorders them by retrieval and evidence together, and returns the answers.
fn read_and_rerank(
    snapshot: &Snapshot,
    model: &Model,
    (plan, query): (&Plan, &Query),
    hits: &mut [Ranked],
) -> Result<(Vec<Answer>, Verdict), Error> {
    let passages: Vec<Passage> = hits.iter().filter_map(|h| h.passage.clone()).collect();
    let texts: Vec<&str> = passages.iter().map(|p| p.text.as_str()).collect();
    let readings = model.read(&plan.plain, &texts)?;
    let evidence = Evidence::of(model, &plan.plain, &texts, &readings)?;
    let retrieval = normalised_scores(hits);
    let calibration = model.calibration();

    let reads = passages.iter().zip(&retrieval).zip(readings.iter().zip(&evidence));
    let reads: Vec<Read<'_>> = reads
        .map(|((passage, &retrieval), (reading, evidence))| Read {
            passage,
            retrieval,
            reading,
            evidence,
        })
        .collect();
    let (mut answers, mut verdict) = answers(&reads, calibration, query.answers);
    if let Some(risk) = query.risk {
        verdict.shown_from = Probability(1.0 - risk);
    }
    for answer in &mut answers {
        locate_characters(snapshot, answer)?;
    }

    let weight = snapshot.ranking().rerank_weight.unwrap_or(calibration.rerank_weight);
    let read = readings.iter().zip(&evidence).zip(retrieval);
    for (hit, ((reading, evidence), retrieval)) in hits.iter_mut().zip(read) {
        let evidence = sigmoid(evidence_logit(calibration, reading, evidence));
        hit.reading = Some(ReadingScores {
            span_logit: best_logit(reading),
            null_logit: reading.null_logit,
            relevance_logit: reading.relevance_logit,
            retrieval,
            evidence,
            evidence_weight: weight,
            rerank_score: (1.0 - weight) * retrieval + weight * evidence,
        });
    }
    if query.rerank == Rerank::On {
        let score = |hit: &Ranked| hit.reading.map_or(0.0, |r| r.rerank_score);
        hits.sort_by(|a, b| score(b).total_cmp(&score(a)));
    }
    Ok((answers, verdict))
}

/// Fused scores mapped to 0..=1 by the best and 0, so that any fusion can be weighed against evidence.
fn normalised_scores(hits: &[Ranked]) -> Vec<f32> {
    let best = hits.iter().map(|h| h.fused.score.0).fold(f32::MIN_POSITIVE, f32::max);
    hits.iter().map(|h| (h.fused.score.0 / best).clamp(0.0, 1.0)).collect()
}

fn best_logit(reading: &Reading) -> f32 {
    reading.spans.first().map_or(f32::MIN / 4.0, |s| s.logit)
}

/// How well a passage speaks to the question: the relevance head, or the best span where there is none.
pub(crate) fn evidence_logit(
    calibration: Calibration,
    reading: &Reading,
    evidence: &Evidence,
) -> f32 {
    reading.relevance_logit.unwrap_or_else(|| best_z(calibration, reading, evidence))
}

/// The calibrated logit of the best span, whatever the passage's retrieval score.
fn best_z(calibration: Calibration, reading: &Reading, evidence: &Evidence) -> f32 {
    let z =
        |s: &ReadSpan| calibration.z(s.logit - reading.null_logit, 1.0, evidence.at(s.span), 0.0);
    reading.spans.iter().map(z).fold(f32::MIN, f32::max)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Replaces the answer's character offsets, so far within the passage, by those within the document.
fn locate_characters(snapshot: &Snapshot, answer: &mut Answer) -> Result<(), Error> {
    let document = snapshot.document(answer.document())?;
    let text = document.as_ref().and_then(|d| d.text.get(..answer.passage.span.start));
    let before = text.ok_or_else(|| Error::Store {
        doing: "locating an answer in its document",
        reason: format!("document {} does not reach byte {}", answer.document(), answer.span.start),
    })?;
    let offset = before.chars().count();
    answer.characters = Span::new(answer.characters.start + offset, answer.characters.end + offset);
    Ok(())
}

impl Ranked {
    fn into_hit(
        self,
        rank: usize,
        snapshot: &Snapshot,
        (plan, query): (&Plan, &Query),
    ) -> Result<Hit, Error> {
        let explanation = match query.explain {
            Explain::No => None,
            Explain::Yes => Some(self.explain(snapshot, plan)?),
        };
        let passage = match self.passage {
            Some(passage) => passage,
            None => snapshot.passage(self.fused.key)?,
        };
        Ok(Hit { rank, passage, score: self.fused.score, explanation })
    }

    fn explain(&self, snapshot: &Snapshot, plan: &Plan) -> Result<Explanation, Error> {
        let fused = &self.fused;
        Ok(Explanation {
            lexical: fused.lexical,
            terms: match fused.lexical {
                Some(_) => snapshot.explain_plan(plan, fused.key)?,
                None => Vec::new(),
            },
            dense: fused.dense,
            contributions: vec![("lexical", fused.parts[0]), ("dense", fused.parts[1])],
            arithmetic: ["lexical", "dense"]
                .into_iter()
                .zip(fused.normalised.into_iter().zip(fused.weights).zip(fused.parts))
                .map(|(list, ((normalised, weight), part))| Share {
                    list,
                    normalised,
                    weight,
                    part,
                })
                .collect(),
            fused_rank: self.fused_rank,
            reading: self.reading,
        })
    }
}
