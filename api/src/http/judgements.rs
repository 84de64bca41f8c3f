//! `POST /v1/judgements`: the buttons "relevant", "not relevant", "right" and "wrong".

use std::sync::Arc;

use alder_engine::{DocumentId, limits};
use axum::Json;
use axum::extract::State;

use super::extract::Body;
use super::problem::{Code, Problem};
use super::state::App;
use crate::judgements::HIGHEST_GRADE;
use crate::wire::{JudgementRequest, JudgementResponse};

/// Records what a person says of a hit or an answer, in files of the BEIR layout in the data folder.
#[utoipa::path(post, path = "/v1/judgements", tag = "search",
    request_body(content = JudgementRequest,
        example = json!({"q": "What is tea made from?", "document": "tea.md", "relevance": 1})),
    responses((status = 200, body = JudgementResponse)))]
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    Body(judgement): Body<JudgementRequest>,
) -> Result<Json<JudgementResponse>, Problem> {
    check(&judgement)?;
    let record = move || app.judgements.record(&judgement);
    let recorded = tokio::task::spawn_blocking(record).await.map_err(Problem::internal)?;
    let (query_id, counts) = recorded.map_err(Problem::internal)?;
    Ok(Json(JudgementResponse { query_id, counts }))
}

fn check(judgement: &JudgementRequest) -> Result<(), Problem> {
    let JudgementRequest { q, document, relevance, right, answer } = judgement;
    if q.trim().is_empty() {
        return Err(Problem::of("q", Code::EmptyQuery, "the query that is judged is empty"));
    }
    DocumentId::new(document.clone())?;
    if document.contains(['\t', '\n', '\r']) {
        let detail = "a tab or line end in an id cannot be written to the judgements' file";
        return Err(Problem::of("document", Code::BadRequest, detail));
    }
    for (field, text) in [("q", q), ("answer", answer.as_ref().unwrap_or(q))] {
        if text.len() > limits::QUERY_BYTES {
            let detail = format!("{field} must be at most {} bytes", limits::QUERY_BYTES);
            return Err(Problem::of(field, Code::OutOfRange, detail));
        }
    }
    if relevance.is_some_and(|grade| grade > HIGHEST_GRADE) {
        let detail = format!("relevance must be between 0 and {HIGHEST_GRADE}");
        return Err(Problem::of("relevance", Code::OutOfRange, detail));
    }
    if right.is_some() != answer.is_some() || (relevance.is_none() && right.is_none()) {
        let detail = "give relevance, or right with the answer that is judged, or both";
        return Err(Problem::of("relevance", Code::BadRequest, detail));
    }
    Ok(())
}
