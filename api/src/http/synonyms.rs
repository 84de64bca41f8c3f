//! `/v1/synonyms`: the words that the collection takes for each other, as text.

use std::sync::Arc;

use alder_engine::{Error, Synonyms};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Body;
use super::problem::Problem;
use super::state::App;

/// Lines such as `car, automobile` or `nyc => new york city`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SynonymsText {
    synonyms: String,
}

/// The synonyms there are.
#[utoipa::path(get, path = "/v1/synonyms", tag = "search",
    responses((status = 200, body = SynonymsText)))]
pub(crate) async fn show(State(app): State<Arc<App>>) -> Result<Json<SynonymsText>, Problem> {
    let work = move || app.collection.synonyms();
    let synonyms = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)??;
    Ok(Json(SynonymsText { synonyms: synonyms.as_str().to_owned() }))
}

/// Replaces them, at once and durably.
#[utoipa::path(put, path = "/v1/synonyms", tag = "search",
    request_body(content = SynonymsText, example = json!({"synonyms": "car, automobile"})),
    responses((status = 200, body = SynonymsText)))]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    Body(request): Body<SynonymsText>,
) -> Result<Json<SynonymsText>, Problem> {
    let synonyms = Synonyms::parse(&request.synonyms)?;
    let permit = app.write_permit().await?;
    let work = move || {
        let _permit = permit;
        app.collection.set_synonyms(&synonyms)
    };
    let written: Result<(), Error> =
        tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    written?;
    Ok(Json(request))
}
