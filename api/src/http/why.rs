//! `/v1/why/{id}`: where a document stands for a query, and at which stage it was lost.

use std::sync::Arc;

use alder_engine::{DocumentId, Query, Why, why};
use axum::Json;
use axum::extract::{Path, State};

use super::extract::{Body, Parameters};
use super::problem::Problem;
use super::state::App;
use crate::wire::{Purpose, SearchParameters, SearchRequest};

type Reply = Result<Json<Why>, Problem>;

/// For `?q=`, with the parameters of a search.
#[utoipa::path(get, path = "/v1/why/{id}", tag = "search",
    params(("id" = String, Path, example = "tea.md"), SearchParameters),
    responses((status = 200, body = Object)))]
pub(crate) async fn why_get(
    app: State<Arc<App>>,
    Path(id): Path<String>,
    request: Parameters<SearchParameters>,
) -> Reply {
    run(app, id, request.0.into_query(Purpose::Search)?).await
}

/// For the body of a search.
#[utoipa::path(post, path = "/v1/why/{id}", tag = "search",
    params(("id" = String, Path, example = "tea.md")),
    request_body(content = SearchRequest, example = json!({"q": "What is tea made from?"})),
    responses((status = 200, body = Object)))]
pub(crate) async fn why_post(
    app: State<Arc<App>>,
    Path(id): Path<String>,
    request: Body<SearchRequest>,
) -> Reply {
    run(app, id, request.0.into_query(Purpose::Search)?).await
}

async fn run(State(app): State<Arc<App>>, id: String, query: Query) -> Reply {
    let document = DocumentId::new(id)?;
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        Ok(Json(why(&app.collection.snapshot(), &app.model, &query, &document)?))
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}
