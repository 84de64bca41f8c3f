//! `POST /v1/batch`: several searches and questions on one committed state, one after the other.

use std::sync::Arc;
use std::time::Instant;

use alder_engine::Snapshot;
use axum::Json;
use axum::extract::State;

use super::extract::Body;
use super::problem::{Code, Problem, ProblemBody};
use super::state::App;
use crate::wire::{BatchItem, BatchRequest, BatchResponse, BatchResult, Purpose, SearchResponse};

/// Requests in one batch: they share one turn.
const REQUESTS: usize = 64;

/// Several searches and questions at once. What is wrong with one is its own result and no one else's.
#[utoipa::path(post, path = "/v1/batch", tag = "search",
    request_body(content = BatchRequest,
        example = json!({"requests": [{"search": {"q": "tea"}}, {"ask": {"q": "What is tea made from?"}}]})),
    responses((status = 200, body = BatchResponse<ProblemBody>)))]
pub(crate) async fn batch(
    State(app): State<Arc<App>>,
    Body(BatchRequest { requests }): Body<BatchRequest>,
) -> Result<Json<BatchResponse<ProblemBody>>, Problem> {
    if !(1..=REQUESTS).contains(&requests.len()) {
        let detail = format!("requests must be between 1 and {REQUESTS}, found {}", requests.len());
        return Err(Problem::of("requests", Code::OutOfRange, detail));
    }
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        let started = Instant::now();
        let snapshot = app.collection.snapshot();
        let results = requests.into_iter().map(|item| match one(&snapshot, &app, item) {
            Ok(response) => BatchResult::Ok(Box::new(response)),
            Err(problem) => BatchResult::Problem(problem.body()),
        });
        let results = results.collect();
        let took_ms = started.elapsed().as_secs_f64() * 1e3;
        Json(BatchResponse { took_ms, generation: snapshot.generation().0, results })
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

fn one(snapshot: &Snapshot, app: &App, item: BatchItem) -> Result<SearchResponse, Problem> {
    let query = match item {
        BatchItem::Search(request) => request.into_query(Purpose::Search)?,
        BatchItem::Ask(request) => request.into_query(Purpose::Ask)?,
    };
    let started = Instant::now();
    let result = alder_engine::search(snapshot, &app.model, &query)?;
    app.metrics.search(&result);
    Ok(SearchResponse::new(&query.text, result, started.elapsed()))
}
