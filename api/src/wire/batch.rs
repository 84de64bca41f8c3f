//! `POST /v1/batch`: several searches and questions at once, on one committed state.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SearchRequest, SearchResponse};

/// Body of `POST /v1/batch`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    /// Done in this order, 1 to 64.
    pub(crate) requests: Vec<BatchItem>,
}

/// One request of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BatchItem {
    /// As `POST /v1/search`.
    Search(SearchRequest),
    /// As `POST /v1/ask`.
    Ask(SearchRequest),
}

/// Reply of `POST /v1/batch`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchResponse<P> {
    pub(crate) took_ms: f64,
    /// The committed state that all of them searched.
    pub(crate) generation: u64,
    /// One for each request, in order.
    pub(crate) results: Vec<BatchResult<P>>,
}

/// What became of one request: its reply, or the problem `P` with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BatchResult<P> {
    Ok(Box<SearchResponse>),
    Problem(P),
}
