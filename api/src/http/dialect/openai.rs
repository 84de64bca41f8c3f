//! `POST /v1/embeddings` and `GET /v1/models` as OpenAI has them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::super::extract::Body;
use super::super::problem::{Code, Problem};
use super::super::state::App;
use super::{TooLong, check_model, embed, status};

/// Body of `POST /v1/embeddings`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingsRequest {
    input: Input,
    /// The model of `/v1/models`.
    model: String,
    #[serde(default)]
    encoding_format: EncodingFormat,
    /// Only the model's own number.
    dimensions: Option<usize>,
    /// Taken and not used.
    #[serde(rename = "user")]
    _user: Option<String>,
}

/// Text or texts. Lists of token numbers are refused: they are of another vocabulary.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

/// How vectors are written.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EncodingFormat {
    #[default]
    Float,
    /// The bytes of little-endian 32-bit floats.
    Base64,
}

/// Reply of `POST /v1/embeddings`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbeddingsResponse {
    object: &'static str,
    data: Vec<EmbeddingItem>,
    model: String,
    usage: Usage,
}

#[derive(Debug, Serialize, ToSchema)]
struct EmbeddingItem {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Debug, Serialize, ToSchema)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// Reply of `GET /v1/models`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelList {
    object: &'static str,
    data: Vec<ModelObject>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelObject {
    id: String,
    object: &'static str,
    /// Not known; 0.
    created: u64,
    owned_by: &'static str,
}

/// A problem in the shape of OpenAI.
pub(crate) struct OpenAiError(Problem);

impl From<Problem> for OpenAiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for OpenAiError {
    fn into_response(self) -> Response {
        // Whatever is wrong with the size of a request is a bad request here.
        let status = match status(&self.0) {
            StatusCode::PAYLOAD_TOO_LARGE => StatusCode::BAD_REQUEST,
            status => status,
        };
        let kind = match status.as_u16() {
            429 => "rate_limit_exceeded",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let (_, code, _) = self.0.code.row();
        let body = json!({"error": {
            "message": self.0.detail, "type": kind, "param": self.0.field, "code": code,
        }});
        self.0.with_body(status, body)
    }
}

/// Embeddings of texts, as OpenAI gives them.
#[utoipa::path(post, path = "/v1/embeddings", tag = "dialects",
    request_body(content = EmbeddingsRequest,
        example = json!({"model": "alder-small", "input": ["hot tea", "cold water"]})),
    responses((status = 200, body = EmbeddingsResponse)))]
pub(crate) async fn embeddings(
    State(app): State<Arc<App>>,
    request: Result<Body<EmbeddingsRequest>, Problem>,
) -> Result<Json<EmbeddingsResponse>, OpenAiError> {
    let Body(request) = request?;
    let model = check_model(&app.model, Some(&request.model))?;
    let own = app.model.identity().dimensions;
    if let Some(dimensions) = request.dimensions.filter(|asked| *asked != own) {
        let detail = format!("this model has {own} dimensions and cannot give {dimensions}");
        return Err(Problem::of("dimensions", Code::OutOfRange, detail).into());
    }
    let texts = match request.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
        Input::Tokens(tokens) => return Err(foreign_tokens(tokens.len()).into()),
        Input::TokenLists(lists) => {
            return Err(foreign_tokens(lists.iter().map(Vec::len).sum()).into());
        }
    };
    let embedded = embed(app, texts, TooLong::Refuse).await?;
    let data = embedded.embeddings.iter().enumerate().map(|(index, embedding)| EmbeddingItem {
        object: "embedding",
        index,
        embedding: vector(embedding.as_slice(), request.encoding_format),
    });
    let usage = Usage { prompt_tokens: embedded.tokens, total_tokens: embedded.tokens };
    Ok(Json(EmbeddingsResponse { object: "list", data: data.collect(), model, usage }))
}

fn foreign_tokens(count: usize) -> Problem {
    let detail = format!(
        "these {count} token numbers are of OpenAI's vocabulary, not of this model's; send text \
         (LangChain: check_embedding_ctx_length=False)"
    );
    Problem::of("input", Code::InvalidParameter, detail)
}

fn vector(values: &[f32], format: EncodingFormat) -> Vector {
    match format {
        EncodingFormat::Float => Vector::Floats(values.to_vec()),
        EncodingFormat::Base64 => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Vector::Base64(STANDARD.encode(bytes))
        }
    }
}

/// The one model of this server.
#[utoipa::path(get, path = "/v1/models", tag = "dialects", responses((status = 200, body = ModelList)))]
pub(crate) async fn models(State(app): State<Arc<App>>) -> Json<ModelList> {
    Json(ModelList { object: "list", data: vec![object(&app.model.identity().name)] })
}

/// The model of this server by its name.
#[utoipa::path(get, path = "/v1/models/{id}", tag = "dialects",
    params(("id" = String, Path, example = "alder-small")), responses((status = 200, body = ModelObject)))]
pub(crate) async fn model(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<ModelObject>, OpenAiError> {
    let name = check_model(&app.model, Some(&id))?;
    Ok(Json(object(&name)))
}

fn object(name: &str) -> ModelObject {
    ModelObject { id: name.to_owned(), object: "model", created: 0, owned_by: "alder" }
}
