//! `/v1/search` and `/v1/ask`: one road, entered by GET or POST.

use std::sync::Arc;
use std::time::Instant;

use alder_engine::Query;
use axum::Json;
use axum::extract::State;

use super::extract::{Body, Parameters};
use super::problem::Problem;
use super::state::App;
use crate::wire::{Purpose, SearchParameters, SearchRequest, SearchResponse};

type Shared = State<Arc<App>>;
type Reply = Result<Json<SearchResponse>, Problem>;

/// Passages for `?q=`.
#[utoipa::path(get, path = "/v1/search", tag = "search", params(SearchParameters),
    responses((status = 200, body = SearchResponse)))]
pub(crate) async fn search_get(app: Shared, request: Parameters<SearchParameters>) -> Reply {
    run(app, request.0.into_query(Purpose::Search)?).await
}

/// Passages for a JSON request.
#[utoipa::path(post, path = "/v1/search", tag = "search",
    request_body(content = SearchRequest,
        example = json!({"q": "What is tea made from?", "limit": 5})),
    responses((status = 200, body = SearchResponse)))]
pub(crate) async fn search_post(app: Shared, request: Body<SearchRequest>) -> Reply {
    run(app, request.0.into_query(Purpose::Search)?).await
}

/// Answers for `?q=`.
#[utoipa::path(get, path = "/v1/ask", tag = "search", params(SearchParameters),
    responses((status = 200, body = SearchResponse)))]
pub(crate) async fn ask_get(app: Shared, request: Parameters<SearchParameters>) -> Reply {
    run(app, request.0.into_query(Purpose::Ask)?).await
}

/// Answers for a JSON request.
#[utoipa::path(post, path = "/v1/ask", tag = "search",
    request_body(content = SearchRequest,
        example = json!({"q": "What is tea made from?", "limit": 5})),
    responses((status = 200, body = SearchResponse)))]
pub(crate) async fn ask_post(app: Shared, request: Body<SearchRequest>) -> Reply {
    run(app, request.0.into_query(Purpose::Ask)?).await
}

/// Searches one pinned snapshot on a blocking thread. The permit goes with the work, so that a client
/// that hangs up does not make room for more than runs.
async fn run(State(app): Shared, query: Query) -> Reply {
    let permit = app.search_permit().await?;
    let search = move || {
        let _permit = permit;
        let started = Instant::now();
        let snapshot = app.collection.snapshot();
        let result = alder_engine::search(&snapshot, &app.model, &query)?;
        app.metrics.search(&result);
        let freshness = app.sources.look(&app.collection, &snapshot, &result)?;
        let reply = SearchResponse::new(&query.text, result, started.elapsed());
        Ok(Json(reply.with_freshness(&freshness)))
    };
    tokio::task::spawn_blocking(search).await.map_err(Problem::internal)?
}
