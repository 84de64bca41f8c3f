//! What a search returns: [`SearchResult`] with its [`Hit`]s and [`Answer`]s, and how they came about.

use std::time::Duration;

use crate::{
    Bm25, Cosine, Cursor, DocumentId, Facet, Fused, Generation, Passage, PassageId, Probability,
    Span,
};

/// Everything one query returned, computed on one pinned snapshot.
#[derive(Debug, Clone)]
pub struct SearchResult {
    /// The committed state that was searched.
    pub generation: Generation,
    /// Ranked passages.
    pub hits: Vec<Hit>,
    /// Passages that the retrievers found.
    pub candidates: usize,
    /// Hits in the whole list: what paging through it shows. The list is the union of what each retriever ranked
    /// highest ([`crate::Query::candidates`]), less passages beyond [`crate::Query::per_document`].
    pub total: usize,
    /// Whether everything that matches is in the list: no retriever had more.
    pub complete: bool,
    /// Values of the fields in [`crate::Query::facets`], counted over the whole list.
    pub facets: Vec<Facet>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// Verbatim answers, most probable first. Empty when none was asked for.
    pub answers: Vec<Answer>,
    /// Whether the documents answer; `None` when nothing was read.
    pub verdict: Option<Verdict>,
    /// The query with probable typing mistakes mended: "did you mean"; `None` when every word is known.
    pub meant: Option<String>,
    /// Time spent in each stage, in order.
    pub timings: Vec<(Stage, Duration)>,
    /// What the caller should know ("only 64 of 210 query terms were used").
    pub notes: Vec<String>,
}

/// Whether the documents answer the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Probability that the best answer is right; below `shown_from` means "no confident answer".
    pub answerable: Probability,
    /// From this probability on it is shown as the answer.
    pub shown_from: Probability,
}

impl Verdict {
    /// From this probability on an answer is shown as the answer, with its probability beside it, unless
    /// [`crate::Query::risk`] says otherwise. As the default model's calibration was fitted, for questions of which every
    /// third has no answer, 65 % of the answers shown from here on were right and 48 % of the held-back questions got one
    /// (72 % and 32 % from 0.5); as it is packaged it expects one in ten, and the same answers are more probable.
    pub const SHOWN_FROM: f32 = 0.35;

    /// Whether the best answer should be shown as the answer.
    pub fn is_confident(self) -> bool {
        self.answerable.0 >= self.shown_from.0
    }
}

/// A stage of the read path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Query text and filter to terms and the passages that may be found.
    Plan,
    /// Query text to embedding.
    Encode,
    /// BM25 retrieval.
    Lexical,
    /// Vector retrieval.
    Dense,
    /// Two lists to one.
    Fuse,
    /// Grouped, diversified, counted and sorted.
    Arrange,
    /// Passages loaded from the store.
    Fetch,
    /// The span reader, and reranking with it.
    Read,
}

/// One ranked passage.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Position, from 1.
    pub rank: usize,
    /// The passage.
    pub passage: Passage,
    /// Its fused score.
    pub score: Fused,
    /// Every stage's numbers, when asked for.
    pub explanation: Option<Explanation>,
}

/// The numbers of each stage for one hit; `contributions` sum to `Hit::score`.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Explanation {
    /// Lexical score and rank.
    pub lexical: Option<(Bm25, usize)>,
    /// BM25 of each query term and field.
    pub terms: Vec<TermScore>,
    /// Dense score and rank.
    pub dense: Option<(Cosine, usize)>,
    /// Part of each retriever in the fused score, by name.
    pub contributions: Vec<(&'static str, f32)>,
    /// How each contribution came about: `weight · normalised = part`.
    pub arithmetic: Vec<Share>,
    /// Rank before reranking, from 1.
    pub fused_rank: usize,
    /// What the reader saw, if it read this passage.
    pub reading: Option<ReadingScores>,
}

/// What one list adds to the fused score.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Share {
    /// `lexical` or `dense`.
    pub list: &'static str,
    /// The list's score (or rank) for the passage as the fusion normalises it; 0 if it is not in the list.
    pub normalised: f32,
    /// Weight of the list.
    pub weight: f32,
    /// Their product.
    pub part: f32,
}

/// BM25 of one term in one field.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TermScore {
    /// Field name.
    pub field: &'static str,
    /// The analysed term.
    pub term: String,
    /// Its part of the score.
    pub score: f32,
}

/// The reader's numbers for one passage.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ReadingScores {
    /// Start plus end logit of the best span.
    pub span_logit: f32,
    /// Start plus end logit of "no answer here".
    pub null_logit: f32,
    /// Logit of the relevance head, if the model has one.
    pub relevance_logit: Option<f32>,
    /// The fused score divided by the best of those read.
    pub retrieval: f32,
    /// What reading says of the passage, 0..=1.
    pub evidence: f32,
    /// Weight of `evidence`; `retrieval` has the rest.
    pub evidence_weight: f32,
    /// Their weighted sum, by which the passages read are reordered.
    pub rerank_score: f32,
}

/// A verbatim answer: `document.text[span] == text`, always.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer, byte for byte as in the document.
    pub text: String,
    /// Where it stands in the document's text.
    pub span: Span,
    /// The same in characters (Unicode scalar values) of the document's text.
    pub characters: Span,
    /// The passage it was read in (the best of `sources`).
    pub passage: Passage,
    /// Calibrated probability that it is right.
    pub probability: Probability,
    /// Its start plus end logit minus the null logit of `passage`.
    pub margin: f32,
    /// Every place that gave the same answer, best first; the first is `passage`.
    pub sources: Vec<Source>,
}

/// One place an answer was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Which passage.
    pub passage: PassageId,
    /// Title of its document.
    pub title: String,
    /// Where in the document.
    pub span: Span,
}

impl Answer {
    /// The document the answer stands in.
    pub fn document(&self) -> &DocumentId {
        &self.passage.id.document
    }
}
