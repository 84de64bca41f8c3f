//! [`SearchResponse`]: what `/v1/search`, `/v1/ask` and `--format json` return.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use alder_engine::{Answer, Explanation, Facet, Hit, Metadata, SearchResult, Source, Span};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::freshness::FreshnessOf;
use crate::{confidence, excerpt};

/// The reply to a search or a question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchResponse {
    query: String,
    took_ms: f64,
    /// Milliseconds spent in each stage.
    timings: BTreeMap<String, f64>,
    /// The committed state that was searched.
    generation: u64,
    /// Passages that the retrievers found.
    candidates: usize,
    /// Hits in the whole list: what paging through it shows, and over which facets are counted.
    total: usize,
    /// Whether everything that matches is in the list; otherwise more `candidates` make it longer.
    total_is_complete: bool,
    /// Values of the fields asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    facets: Vec<Facet>,
    /// Give it back as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Absent when no answer was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictWire>,
    pub(crate) answers: Vec<AnswerWire>,
    pub(crate) hits: Vec<HitWire>,
    /// The query with probable typing mistakes mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
    /// What the caller should know, in sentences.
    notes: Vec<String>,
}

/// Whether the documents answer.
#[derive(Debug, Serialize, ToSchema)]
struct VerdictWire {
    /// Whether the first answer should be shown as the answer.
    confident: bool,
    /// Probability that it is right.
    answerable: f32,
    /// The probability from which it is shown.
    shown_from: f32,
    /// The same in words.
    confidence: &'static str,
}

/// One answer, verbatim.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerWire {
    text: String,
    #[serde(flatten)]
    place: Place,
    document: String,
    title: String,
    heading_path: Vec<String>,
    /// Page or slide, where the document has pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    probability: f32,
    confidence: &'static str,
    /// Whether its file is still as it was when it was indexed: `fresh`, `stale` or `gone`; absent for a document
    /// that came from no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    freshness: Option<&'static str>,
    /// The sentence that says so.
    sentence: Excerpt,
    /// The passage it was read in.
    passage: Excerpt,
    /// Where in the document the passage stands.
    passage_span: ByteSpan,
    /// Every place with the same answer, best first.
    sources: Vec<SourceWire>,
}

/// A place in a document's text, in characters and in bytes.
#[derive(Debug, Serialize, ToSchema)]
struct Place {
    start: usize,
    end: usize,
    start_byte: usize,
    end_byte: usize,
}

/// A verbatim piece of text with the position of the answer in it, in characters.
#[derive(Debug, Serialize, ToSchema)]
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct SourceWire {
    document: String,
    title: String,
    span: ByteSpan,
}

/// Bytes of a document's text.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByteSpan {
    pub(crate) start_byte: usize,
    pub(crate) end_byte: usize,
}

/// Characters of the text beside it.
#[derive(Debug, Serialize, ToSchema)]
struct CharacterRange {
    start: usize,
    end: usize,
}

/// One ranked passage.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitWire {
    /// Names the passage while its document is unchanged.
    id: String,
    rank: usize,
    /// Comparable within one reply only.
    score: f32,
    document: String,
    title: String,
    heading_path: Vec<String>,
    /// Page or slide, where the document has pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// As in an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    freshness: Option<&'static str>,
    span: ByteSpan,
    text: String,
    /// Words of the query in `text`, in characters.
    highlights: Vec<CharacterRange>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    explain: Option<Explanation>,
}

impl SearchResponse {
    /// The reply to `query`, which took `took` in all.
    pub(crate) fn new(query: &str, result: SearchResult, took: Duration) -> Self {
        let timings = result.timings.iter().map(|(stage, spent)| {
            let name = format!("{stage:?}_ms").to_lowercase();
            (name, milliseconds(*spent))
        });
        Self {
            query: query.to_owned(),
            took_ms: milliseconds(took),
            timings: timings.collect(),
            generation: result.generation.0,
            candidates: result.candidates,
            total: result.total,
            total_is_complete: result.complete,
            facets: result.facets,
            next: result.next.map(|cursor| cursor.to_string()),
            verdict: result.verdict.map(|verdict| VerdictWire {
                confident: verdict.is_confident() && !result.answers.is_empty(),
                answerable: verdict.answerable.0,
                shown_from: verdict.shown_from.0,
                confidence: confidence::in_words(verdict.answerable),
            }),
            answers: result.answers.into_iter().map(AnswerWire::new).collect(),
            hits: result.hits.into_iter().map(|hit| HitWire::new(hit, query)).collect(),
            did_you_mean: result.meant,
            notes: result.notes,
        }
    }

    /// The same, with what is known of the files of its documents.
    pub(crate) fn with_freshness(mut self, freshness: &FreshnessOf) -> Self {
        let by_id: BTreeMap<&str, &'static str> =
            freshness.iter().map(|(id, freshness)| (id.as_str(), freshness.name())).collect();
        let of = |document: &String| by_id.get(document.as_str()).copied();
        self.hits.iter_mut().for_each(|hit| hit.freshness = of(&hit.document));
        self.answers.iter_mut().for_each(|answer| answer.freshness = of(&answer.document));
        self
    }
}

impl AnswerWire {
    fn new(answer: Answer) -> Self {
        let passage = answer.passage;
        let local =
            Span::new(answer.span.start - passage.span.start, answer.span.end - passage.span.start);
        let sentence = excerpt::sentence_around(&passage.text, local);
        let within = Span::new(local.start - sentence.start, local.end - sentence.start);
        Self {
            text: answer.text,
            place: Place {
                start: answer.characters.start,
                end: answer.characters.end,
                start_byte: answer.span.start,
                end_byte: answer.span.end,
            },
            document: passage.id.document.to_string(),
            page: passage.page(),
            title: passage.title,
            heading_path: passage.heading_path,
            freshness: None,
            probability: answer.probability.0,
            confidence: confidence::in_words(answer.probability),
            sentence: Excerpt::new(&passage.text[sentence], within),
            passage: Excerpt::new(&passage.text, local),
            passage_span: passage.span.into(),
            sources: answer.sources.into_iter().map(SourceWire::from).collect(),
        }
    }
}

impl Excerpt {
    fn new(text: &str, answer: Span) -> Self {
        let Span { start, end } = answer.in_characters(text);
        Self { text: text.to_owned(), start, end }
    }
}

impl HitWire {
    fn new(hit: Hit, query: &str) -> Self {
        let passage = hit.passage;
        Self {
            id: format!("{}#{}", passage.id.document, passage.id.ordinal),
            rank: hit.rank,
            score: hit.score.0,
            document: passage.id.document.to_string(),
            page: passage.page(),
            title: passage.title,
            heading_path: passage.heading_path,
            freshness: None,
            span: passage.span.into(),
            highlights: in_characters(&passage.text, &excerpt::query_terms(&passage.text, query)),
            text: passage.text,
            metadata: passage.metadata,
            explain: hit.explanation,
        }
    }
}

impl From<Source> for SourceWire {
    fn from(source: Source) -> Self {
        Self {
            document: source.passage.document.to_string(),
            title: source.title,
            span: source.span.into(),
        }
    }
}

impl From<Span> for ByteSpan {
    fn from(span: Span) -> Self {
        Self { start_byte: span.start, end_byte: span.end }
    }
}

/// Sorted byte ranges of `text` counted in characters, in one pass.
fn in_characters(text: &str, ranges: &[Range<usize>]) -> Vec<CharacterRange> {
    let mut byte = 0;
    let mut character = 0;
    let mut upto = |end: usize| {
        character += text[byte..end].chars().count();
        byte = end;
        character
    };
    ranges.iter().map(|r| CharacterRange { start: upto(r.start), end: upto(r.end) }).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

#[cfg(test)]
mod tests {
    use alder_engine::{DocumentId, Passage, PassageId, Probability};

    use super::*;

    #[test]
    fn offsets_on_the_wire_cut_out_the_answer_in_every_unit() {
        let document = "Über Gase. Straße 1662: Émile fand das Gesetz. Ende.";
        let start = document.find("Émile").unwrap();
        let span = Span::new(start, start + "Émile".len());
        let from = document.find("Straße").unwrap();
        let passage = Passage {
            id: PassageId { document: DocumentId::new("gase.md").unwrap(), ordinal: 1 },
            title: String::new(),
            heading_path: Vec::new(),
            span: Span::new(from, document.len()),
            text: document[from..].to_owned(),
            metadata: Metadata::new(),
        };
        let wire = AnswerWire::new(Answer {
            text: "Émile".to_owned(),
            span,
            characters: span.in_characters(document),
            passage,
            probability: Probability(0.7),
            margin: 1.0,
            sources: Vec::new(),
        });
        let cut = |text: &str, start: usize, end: usize| {
            text.chars().skip(start).take(end - start).collect::<String>()
        };
        assert_eq!(cut(document, wire.place.start, wire.place.end), "Émile");
        assert_eq!(&document[wire.place.start_byte..wire.place.end_byte], "Émile");
        for excerpt in [&wire.sentence, &wire.passage] {
            assert_eq!(cut(&excerpt.text, excerpt.start, excerpt.end), "Émile");
        }
        assert_eq!(wire.sentence.text, "Straße 1662: Émile fand das Gesetz.");
        assert_eq!(wire.confidence, "likely");
    }
}
