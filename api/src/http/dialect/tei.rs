//! `/embed`, `/rerank`, `/tokenize` and `/info` as Text Embeddings Inference 1.9 has them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::super::extract::Body;
use super::super::problem::{Code, Problem};
use super::super::state::App;
use super::{
    EMBED_TEXTS, RERANK_TEXTS, Texts, TooLong, check_count, count_tokens, embed, in_turn, status,
};

/// Body of `POST /embed`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbedRequest {
    inputs: Texts,
    /// Only true: the model's vectors have length 1.
    normalize: Option<bool>,
    /// Whether texts that are too long are cut; they are refused unless told.
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    /// Only none: the model has no prompts.
    prompt_name: Option<String>,
    /// Only the model's own number.
    dimensions: Option<usize>,
}

/// Which end of a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
enum Direction {
    #[serde(alias = "left")]
    Left,
    #[serde(alias = "right")]
    Right,
}

/// Body of `POST /rerank`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerankRequest {
    query: String,
    texts: Vec<String>,
    /// Logits instead of probabilities.
    #[serde(default)]
    raw_scores: bool,
    #[serde(default)]
    return_text: bool,
    /// Texts of any length are read whole, so that there is nothing to cut.
    #[serde(rename = "truncate")]
    _truncate: Option<bool>,
    #[serde(rename = "truncation_direction")]
    _truncation_direction: Option<Direction>,
}

/// One text in the order of relevance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rank {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    score: f32,
}

/// Body of `POST /tokenize`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenizeRequest {
    inputs: Texts,
    add_special_tokens: Option<bool>,
    /// Only none: the model has no prompts.
    prompt_name: Option<String>,
}

/// One token; `start` and `stop` count characters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimpleToken {
    id: u32,
    text: String,
    special: bool,
    start: Option<usize>,
    stop: Option<usize>,
}

/// Reply of `GET /info`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Info {
    model_id: String,
    model_sha: Option<String>,
    model_dtype: &'static str,
    #[schema(value_type = Object)]
    model_type: serde_json::Value,
    max_concurrent_requests: usize,
    max_input_length: usize,
    max_batch_tokens: usize,
    max_batch_requests: Option<usize>,
    max_client_batch_size: usize,
    auto_truncate: bool,
    tokenization_workers: usize,
    version: &'static str,
    sha: Option<&'static str>,
    docker_label: Option<&'static str>,
}

/// A problem in the shape of TEI.
pub(crate) struct TeiError(Problem);

impl From<Problem> for TeiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for TeiError {
    fn into_response(self) -> Response {
        let kind = match (self.0.code, status(&self.0)) {
            (Code::EmptyQuery, _) => "Empty",
            (_, StatusCode::TOO_MANY_REQUESTS) => "Overloaded",
            (_, StatusCode::SERVICE_UNAVAILABLE) => "Unhealthy",
            (_, StatusCode::INTERNAL_SERVER_ERROR) => "Backend",
            _ => "Validation",
        };
        let body = json!({"error": self.0.detail, "error_type": kind});
        self.0.with_body(status(&self.0), body)
    }
}

/// Embeddings of texts, as TEI gives them.
#[utoipa::path(post, path = "/embed", tag = "dialects",
    request_body(content = EmbedRequest,
        example = json!({"inputs": ["hot tea", "cold water"]})),
    responses((status = 200, body = Vec<Vec<f32>>)))]
pub(crate) async fn embed_texts(
    State(app): State<Arc<App>>,
    request: Result<Body<EmbedRequest>, Problem>,
) -> Result<Json<Vec<Vec<f32>>>, TeiError> {
    let Body(request) = request?;
    check(&app, &request)?;
    let too_long = if request.truncate == Some(true) { TooLong::Cut } else { TooLong::Refuse };
    let embedded = embed(app, request.inputs.into_vec(), too_long).await?;
    Ok(Json(embedded.embeddings.iter().map(|e| e.as_slice().to_vec()).collect()))
}

fn check(app: &App, request: &EmbedRequest) -> Result<(), Problem> {
    let own = app.model.identity().dimensions;
    let wrong =
        |field: &str, detail: String| Err(Problem::of(field, Code::InvalidParameter, detail));
    if request.normalize == Some(false) {
        return wrong("normalize", "this model's embeddings are always normalised".into());
    }
    if let Some(asked) = request.dimensions.filter(|asked| *asked != own) {
        return wrong(
            "dimensions",
            format!("this model has {own} dimensions and cannot give {asked}"),
        );
    }
    if request.truncation_direction == Some(Direction::Left) {
        return wrong("truncation_direction", "texts are cut at their end only".into());
    }
    no_prompts(request.prompt_name.as_deref())
}

fn no_prompts(name: Option<&str>) -> Result<(), Problem> {
    let Some(name) = name else { return Ok(()) };
    let detail = format!("this model has no prompts, and so none named {name:?}");
    Err(Problem::of("prompt_name", Code::InvalidParameter, detail))
}

/// Texts in the order of their relevance to a query, as TEI gives them.
#[utoipa::path(post, path = "/rerank", tag = "dialects",
    request_body(content = RerankRequest,
        example = json!({"query": "What is tea made from?", "texts": ["Tea is made from leaves.", "Wind is air that flows."]})),
    responses((status = 200, body = Vec<Rank>)))]
pub(crate) async fn rerank(
    State(app): State<Arc<App>>,
    request: Result<Body<RerankRequest>, Problem>,
) -> Result<Json<Vec<Rank>>, TeiError> {
    let Body(RerankRequest { query, texts, raw_scores, return_text, .. }) = request?;
    check_count("texts", texts.len(), RERANK_TEXTS)?;
    let ranks = in_turn(app, move |model| {
        let ranked = super::ranked(model, &query, &texts)?;
        let rank = |(index, logit): (usize, f32)| Rank {
            index,
            text: return_text.then(|| texts[index].clone()),
            score: if raw_scores { logit } else { super::sigmoid(logit) },
        };
        Ok(ranked.into_iter().map(rank).collect())
    });
    Ok(Json(ranks.await?))
}

/// The tokens of texts, as TEI gives them.
#[utoipa::path(post, path = "/tokenize", tag = "dialects",
    request_body(content = TokenizeRequest,
        example = json!({"inputs": "hot tea"})),
    responses((status = 200, body = Vec<Vec<SimpleToken>>)))]
pub(crate) async fn tokenize(
    State(app): State<Arc<App>>,
    request: Result<Body<TokenizeRequest>, Problem>,
) -> Result<Json<Vec<Vec<SimpleToken>>>, TeiError> {
    let Body(TokenizeRequest { inputs, add_special_tokens, prompt_name }) = request?;
    no_prompts(prompt_name.as_deref())?;
    let texts = inputs.into_vec();
    check_count("inputs", texts.len(), EMBED_TEXTS)?;
    let special = add_special_tokens.unwrap_or(true);
    let tokens = in_turn(app, move |model| {
        count_tokens(model, &texts, TooLong::Cut)?;
        texts.iter().map(|text| tokens_of(model, text, special)).collect()
    });
    Ok(Json(tokens.await?))
}

fn tokens_of(
    model: &alder_engine::Model,
    text: &str,
    special: bool,
) -> Result<Vec<SimpleToken>, Problem> {
    let (mut byte, mut character) = (0, 0);
    let mut out = Vec::new();
    for token in model.tokenize(text)? {
        // Starts never go back, so that characters are counted once; a token ends after the next one starts only
        // where it has combining marks, which are counted again then.
        let place = token.span.map(|span| {
            let start = span.start.max(byte);
            character += text[byte..start].chars().count();
            byte = start;
            (character, character + text[start..span.end.max(start)].chars().count())
        });
        if special || place.is_some() {
            let (start, stop) = place.unzip();
            out.push(SimpleToken {
                id: token.id,
                text: token.text,
                special: place.is_none(),
                start,
                stop,
            });
        }
    }
    Ok(out)
}

/// The model and the limits of this server, as TEI gives them.
#[utoipa::path(get, path = "/info", tag = "dialects", responses((status = 200, body = Info)))]
pub(crate) async fn info(State(app): State<Arc<App>>) -> Json<Info> {
    let model = &app.model;
    let limits = &app.limits;
    Json(Info {
        model_id: model.identity().name.clone(),
        model_sha: None,
        model_dtype: "float32",
        model_type: json!({"embedding": {"pooling": model.pooling()}}),
        max_concurrent_requests: limits.searches_running + limits.searches_waiting,
        max_input_length: model.max_length(),
        max_batch_tokens: model.max_length() * EMBED_TEXTS,
        max_batch_requests: None,
        max_client_batch_size: EMBED_TEXTS,
        auto_truncate: false,
        tokenization_workers: limits.searches_running,
        version: env!("CARGO_PKG_VERSION"),
        sha: None,
        docker_label: None,
    })
}
