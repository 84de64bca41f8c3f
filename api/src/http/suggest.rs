//! `GET /v1/suggest`: completions, titles and "did you mean" while someone types, from the words alone.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;

use super::extract::Parameters;
use super::problem::Problem;
use super::state::App;
use crate::wire::{SuggestParameters, SuggestResponse};

/// Suggestions of each kind when none are asked for.
const LIMIT: usize = 8;

/// Suggestions for `?q=`; nothing typed yet gives none.
#[utoipa::path(get, path = "/v1/suggest", tag = "search", params(SuggestParameters),
    responses((status = 200, body = SuggestResponse)))]
pub(crate) async fn suggest(
    State(app): State<Arc<App>>,
    Parameters(request): Parameters<SuggestParameters>,
) -> Result<Json<SuggestResponse>, Problem> {
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        let started = Instant::now();
        let snapshot = app.collection.snapshot();
        let found = snapshot.suggest(&request.q, request.limit.unwrap_or(LIMIT))?;
        let generation = snapshot.generation();
        Ok(Json(SuggestResponse::new(&request.q, found, generation, started.elapsed())))
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}
