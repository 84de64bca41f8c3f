//! `POST /v1/rerank` and `POST /v2/rerank` as Cohere has them, and Jina at the first: their replies share all
//! fields that their clients read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::super::extract::Body;
use super::super::problem::{Code, Problem};
use super::super::state::App;
use super::{RERANK_TEXTS, check_count, check_model, in_turn, status};

/// Body of `/v1/rerank` and `/v2/rerank`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerankRequest {
    /// The model of `/v1/models`, or nothing.
    model: Option<String>,
    query: String,
    documents: Vec<RerankDocument>,
    /// Results wanted; all unless told.
    top_n: Option<usize>,
    return_documents: Option<bool>,
    /// Documents of any length are read whole.
    #[serde(rename = "max_chunks_per_doc")]
    _max_chunks_per_doc: Option<u32>,
    #[serde(rename = "max_tokens_per_doc")]
    _max_tokens_per_doc: Option<u32>,
}

/// A text, or an object with one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
enum RerankDocument {
    Text(String),
    Object { text: String },
}

/// Reply of `/v1/rerank` and `/v2/rerank`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RerankResponse {
    id: String,
    model: String,
    /// Most relevant first.
    results: Vec<RerankResult>,
    #[schema(value_type = Object)]
    meta: serde_json::Value,
    #[schema(value_type = Object)]
    usage: serde_json::Value,
}

#[derive(Debug, Serialize, ToSchema)]
struct RerankResult {
    /// Place in `documents`, from 0.
    index: usize,
    /// 0 to 1.
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    document: Option<serde_json::Value>,
}

/// A problem in the shape of Cohere.
pub(crate) struct CohereError(Problem);

impl From<Problem> for CohereError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for CohereError {
    fn into_response(self) -> Response {
        let body = json!({"message": self.0.detail});
        self.0.with_body(status(&self.0), body)
    }
}

type Request = Result<Body<RerankRequest>, Problem>;
type Reply = Result<Json<RerankResponse>, CohereError>;

/// Documents in the order of their relevance to a query, as Cohere and Jina give them.
#[utoipa::path(post, path = "/v1/rerank", tag = "dialects",
    request_body(content = RerankRequest,
        example = json!({"query": "What is tea made from?", "documents": ["Wind is air that flows.", {"text": "Tea is made from leaves."}]})),
    responses((status = 200, body = RerankResponse)))]
pub(crate) async fn rerank_v1(app: State<Arc<App>>, request: Request) -> Reply {
    rerank(app, request, "1").await
}

/// Documents in the order of their relevance to a query, as Cohere gives them.
#[utoipa::path(post, path = "/v2/rerank", tag = "dialects",
    request_body(content = RerankRequest,
        example = json!({"query": "What is tea made from?", "documents": ["Wind is air that flows.", "Tea is made from leaves."]})),
    responses((status = 200, body = RerankResponse)))]
pub(crate) async fn rerank_v2(app: State<Arc<App>>, request: Request) -> Reply {
    rerank(app, request, "2").await
}

async fn rerank(State(app): State<Arc<App>>, request: Request, version: &'static str) -> Reply {
    let Body(request) = request?;
    let model = check_model(&app.model, request.model.as_deref())?;
    check_count("documents", request.documents.len(), RERANK_TEXTS)?;
    if request.top_n == Some(0) {
        return Err(Problem::of("top_n", Code::OutOfRange, "top_n must be at least 1").into());
    }
    let id = format!("{:016x}", getrandom::u64().map_err(Problem::internal)?);
    let with_text = request.return_documents.unwrap_or(false);
    let wanted = request.top_n.unwrap_or(usize::MAX);
    let (results, tokens) = in_turn(app, move |model| {
        let texts: Vec<String> = request.documents.into_iter().map(RerankDocument::text).collect();
        let ranked = super::ranked(model, &request.query, &texts)?;
        let tokens = super::token_sum(model, &request.query, &texts)?;
        let results = ranked.into_iter().take(wanted).map(|(index, logit)| RerankResult {
            index,
            relevance_score: super::sigmoid(logit),
            document: with_text.then(|| json!({"text": texts[index]})),
        });
        Ok((results.collect(), tokens))
    })
    .await?;
    Ok(Json(RerankResponse {
        id,
        model,
        results,
        meta: json!({"api_version": {"version": version}, "billed_units": {"search_units": 0}}),
        usage: json!({"total_tokens": tokens}),
    }))
}

impl RerankDocument {
    fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Object { text } => text,
        }
    }
}
