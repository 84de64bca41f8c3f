//! The read path as one page: retrieve (lexical ‖ dense) → fuse → fetch → read and rerank → answers.
//!
//! Only this file knows all stages. A stage is switched off by not being called.

use std::time::{Duration, Instant};

use crate::answer::{Read, answers};
use crate::evidence::Evidence;
use crate::fusion::{FusedCandidate, fuse};
use crate::{
    Answer, Bm25, Calibration, Candidate, Cosine, Error, Explain, Explanation, Hit, Mode, Model,
    Passage, Query, QueryError, ReadSpan, Reading, ReadingScores, Rerank, SearchResult, Snapshot,
    Span, Stage, Verdict,
};

/// Runs `query` on one pinned snapshot.
///
/// # Errors
/// [`Error::Query`] for a query that cannot be; what the stages return otherwise.
pub fn search(snapshot: &Snapshot, model: &Model, query: &Query) -> Result<SearchResult, Error> {
    query.validate()?;
    let mut clock = Clock::default();
    let (lexical, mut notes) = retrieve_lexical(snapshot, query, &mut clock)?;
    let dense = retrieve_dense(snapshot, model, query, &mut clock)?;
    let fused = clock.time(Stage::Fuse, || fuse(&lexical, &dense, query.fusion));
    let candidates = fused.len();
    let mut hits = fetch(snapshot, query, fused, &mut clock)?;

    let reads = if model.has_reader() { query.read_depth.min(hits.len()) } else { 0 };
    let mut answers = Vec::new();
    let mut verdict = None;
    if reads > 0 {
        let read = &mut hits[..reads];
        match clock.time(Stage::Read, || read_and_rerank(snapshot, model, query, read)) {
            Ok(found) => (answers, verdict) = (found.0, Some(found.1)),
            // A query too long to be a question still finds passages.
            Err(Error::Query(why @ QueryError::OutOfRange { .. })) => {
                notes.push(format!("the passages were not read for answers: {why}"));
            }
            Err(error) => return Err(error),
        }
    }

    let page = hits.into_iter().enumerate().skip(query.offset).take(query.limit);
    let hits = page
        .map(|(i, ranked)| ranked.into_hit(i + 1, snapshot, query))
        .collect::<Result<Vec<_>, Error>>()?;
    let timings = clock.stages;
    let generation = snapshot.generation();
    Ok(SearchResult { generation, hits, candidates, answers, verdict, timings, notes })
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
        self.stages.push((stage, start.elapsed()));
        out
    }
}

/// A candidate on its way to becoming a hit.
struct Ranked {
    fused: FusedCandidate,
    /// Rank after fusion, from 1.
    fused_rank: usize,
    passage: Passage,
    reading: Option<ReadingScores>,
}

/// How many candidates each retriever is asked for.
fn depth(query: &Query) -> usize {
    query.candidates.max(query.offset + query.limit).max(query.read_depth)
}

fn retrieve_lexical(
    snapshot: &Snapshot,
    query: &Query,
    clock: &mut Clock,
) -> Result<(Vec<Candidate<Bm25>>, Vec<String>), Error> {
    if query.mode == Mode::Dense {
        return Ok((Vec::new(), Vec::new()));
    }
    clock
        .time(Stage::Lexical, || snapshot.lexical(&query.text, query.filter.as_ref(), depth(query)))
}

fn retrieve_dense(
    snapshot: &Snapshot,
    model: &Model,
    query: &Query,
    clock: &mut Clock,
) -> Result<Vec<Candidate<Cosine>>, Error> {
    if query.mode == Mode::Lexical {
        return Ok(Vec::new());
    }
    let embedding = clock.time(Stage::Encode, || model.encode(&[&query.text]))?.remove(0);
    clock.time(Stage::Dense, || snapshot.dense(&embedding, query.filter.as_ref(), depth(query)))
}

/// The passages that can be on the page or be read.
fn fetch(
    snapshot: &Snapshot,
    query: &Query,
    fused: Vec<FusedCandidate>,
    clock: &mut Clock,
) -> Result<Vec<Ranked>, Error> {
    let wanted = (query.offset + query.limit).max(query.read_depth);
    let load = |(i, fused): (usize, FusedCandidate)| {
        let passage = snapshot.passage(fused.key)?;
        Ok(Ranked { fused, fused_rank: i + 1, passage, reading: None })
    };
    clock.time(Stage::Fetch, || fused.into_iter().take(wanted).enumerate().map(load).collect())
}

/// Reads the passages of `hits`, reorders them by retrieval and evidence together, and returns the answers.
fn read_and_rerank(
    snapshot: &Snapshot,
    model: &Model,
    query: &Query,
    hits: &mut [Ranked],
) -> Result<(Vec<Answer>, Verdict), Error> {
    let texts: Vec<&str> = hits.iter().map(|h| h.passage.text.as_str()).collect();
    let readings = model.read(&query.text, &texts)?;
    let evidence = Evidence::of(model, &query.text, &texts)?;
    let retrieval = normalised_scores(hits);
    let calibration = model.calibration();

    let reads = hits.iter().zip(&retrieval).zip(readings.iter().zip(&evidence));
    let reads: Vec<Read<'_>> = reads
        .map(|((hit, &retrieval), (reading, evidence))| Read {
            passage: &hit.passage,
            retrieval,
            reading,
            evidence,
        })
        .collect();
    let (mut answers, verdict) = answers(&reads, calibration, query.answers);
    for answer in &mut answers {
        locate_characters(snapshot, answer)?;
    }

    let read = readings.iter().zip(&evidence).zip(retrieval);
    for (hit, ((reading, evidence), retrieval)) in hits.iter_mut().zip(read) {
        let evidence = sigmoid(evidence_logit(calibration, reading, evidence));
        hit.reading = Some(ReadingScores {
            span_logit: best_logit(reading),
            null_logit: reading.null_logit,
            relevance_logit: reading.relevance_logit,
            rerank_score: (1.0 - calibration.rerank_weight) * retrieval
                + calibration.rerank_weight * evidence,
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
    let z = |s: &ReadSpan| calibration.z(s.logit - reading.null_logit, 1.0, evidence.at(s.span));
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
    fn into_hit(self, rank: usize, snapshot: &Snapshot, query: &Query) -> Result<Hit, Error> {
        let explanation = match query.explain {
            Explain::No => None,
            Explain::Yes => Some(self.explain(snapshot, query)?),
        };
        Ok(Hit { rank, passage: self.passage, score: self.fused.score, explanation })
    }

    fn explain(&self, snapshot: &Snapshot, query: &Query) -> Result<Explanation, Error> {
        let fused = &self.fused;
        Ok(Explanation {
            lexical: fused.lexical,
            terms: match fused.lexical {
                Some(_) => snapshot.explain_lexical(&query.text, fused.key)?,
                None => Vec::new(),
            },
            dense: fused.dense,
            contributions: vec![("lexical", fused.parts[0]), ("dense", fused.parts[1])],
            fused_rank: self.fused_rank,
            reading: self.reading,
        })
    }
}
