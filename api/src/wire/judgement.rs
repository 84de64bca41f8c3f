//! `POST /v1/judgements`: what a person said of a hit or an answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `POST /v1/judgements`: `relevance` judges the document as a hit, `right` the answer; one or both.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgementRequest {
    /// The question or words that were searched.
    pub(crate) q: String,
    /// Id of the document that is judged.
    pub(crate) document: String,
    /// 0 for not relevant, 1 for relevant, up to 3 for more.
    pub(crate) relevance: Option<u8>,
    /// Whether the answer is right.
    pub(crate) right: Option<bool>,
    /// The answer that is judged, verbatim; needed with `right`.
    pub(crate) answer: Option<String>,
}

/// Reply of `POST /v1/judgements`, sent once they are durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JudgementResponse {
    /// The name of the query in the files: the same for the same words.
    pub(crate) query_id: String,
    #[serde(flatten)]
    pub(crate) counts: JudgementCounts,
}

/// How much was judged so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct JudgementCounts {
    pub(crate) queries: usize,
    /// Pairs of query and document.
    pub(crate) documents: usize,
    /// Answers.
    pub(crate) answers: usize,
}
