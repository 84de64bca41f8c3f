//! `POST /v1/qa`: question answering about one text, as the inference servers of Hugging Face have it.

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
use super::{in_turn, status};

/// Longest text that is read, in bytes.
const CONTEXT_BYTES: usize = 256 << 10;
/// Answers wanted at most.
const TOP_K: usize = 100;

/// Body of `POST /v1/qa`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QaRequest {
    inputs: QaInputs,
    #[serde(default)]
    parameters: QaParameters,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QaInputs {
    question: String,
    context: String,
}

/// What of the pipeline's parameters has a meaning here; windows and lengths are the model's own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct QaParameters {
    /// Answers wanted; with more than 1 the reply is a list.
    top_k: Option<usize>,
    /// Whether "no answer" stands among the answers, as an empty one.
    handle_impossible_answer: Option<bool>,
    /// Longest answer, in tokens of white space.
    max_answer_len: Option<usize>,
    #[serde(rename = "doc_stride")]
    _doc_stride: Option<usize>,
    #[serde(rename = "max_question_len")]
    _max_question_len: Option<usize>,
    #[serde(rename = "max_seq_len")]
    _max_seq_len: Option<usize>,
    #[serde(rename = "align_to_words")]
    _align_to_words: Option<bool>,
}

/// One answer; `start` and `end` count characters of the context.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct QaAnswer {
    /// Probability, 0 to 1.
    score: f32,
    start: usize,
    end: usize,
    answer: String,
}

/// The answer, or the answers if more than one was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum QaResponse {
    One(QaAnswer),
    Many(Vec<QaAnswer>),
}

/// A problem in the shape of Hugging Face.
pub(crate) struct HuggingFaceError(Problem);

impl From<Problem> for HuggingFaceError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for HuggingFaceError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.0.detail});
        self.0.with_body(status(&self.0), body)
    }
}

/// Answers to a question about a text, as Hugging Face gives them.
#[utoipa::path(post, path = "/v1/qa", tag = "dialects",
    request_body(content = QaRequest,
        example = json!({"inputs": {"question": "What is tea made from?", "context": "Tea is made from leaves."}})),
    responses((status = 200, body = QaResponse)))]
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    request: Result<Body<QaRequest>, Problem>,
) -> Result<Json<QaResponse>, HuggingFaceError> {
    let Body(QaRequest { inputs, parameters }) = request?;
    let top_k = parameters.top_k.unwrap_or(1);
    if !(1..=TOP_K).contains(&top_k) {
        let detail = format!("top_k must be between 1 and {TOP_K}, found {top_k}");
        return Err(Problem::of("top_k", Code::OutOfRange, detail).into());
    }
    if inputs.context.len() > CONTEXT_BYTES {
        let detail = format!("context must be at most {CONTEXT_BYTES} bytes");
        return Err(Problem::of("context", Code::OutOfRange, detail).into());
    }
    let mut answers = in_turn(app, move |model| answers(model, &inputs, &parameters)).await?;
    answers.truncate(top_k);
    Ok(Json(match (top_k, answers.pop()) {
        (1, Some(best)) => QaResponse::One(best),
        (1, None) => QaResponse::One(QaAnswer::none(1.0)),
        (_, last) => QaResponse::Many(answers.into_iter().chain(last).collect()),
    }))
}

fn answers(
    model: &alder_engine::Model,
    inputs: &QaInputs,
    parameters: &QaParameters,
) -> Result<Vec<QaAnswer>, Problem> {
    let longest = parameters.max_answer_len.unwrap_or(usize::MAX);
    let (found, _) = alder_engine::answers_in(model, &inputs.question, &inputs.context, TOP_K)?;
    let sum = found.iter().map(|answer| answer.probability.0).sum::<f32>();
    let mut answers: Vec<QaAnswer> = found
        .into_iter()
        .filter(|answer| answer.text.split_whitespace().count() <= longest)
        .map(|answer| QaAnswer {
            score: answer.probability.0,
            start: answer.characters.start,
            end: answer.characters.end,
            answer: answer.text,
        })
        .collect();
    if parameters.handle_impossible_answer == Some(true) {
        answers.push(QaAnswer::none((1.0 - sum).max(0.0)));
        answers.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(answers)
}

impl QaAnswer {
    /// "No answer", as the pipeline writes it.
    fn none(score: f32) -> Self {
        Self { score, start: 0, end: 0, answer: String::new() }
    }
}
