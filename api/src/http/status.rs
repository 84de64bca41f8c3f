//! `/v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::problem::Problem;
use super::state::App;
use crate::wire::{CollectionStatus, ModelStatus, StatusResponse};

/// Program, model, collection and indexing.
#[utoipa::path(get, path = "/v1/status", tag = "operations", responses((status = 200, body = StatusResponse)))]
pub(crate) async fn status(State(app): State<Arc<App>>) -> Result<Json<StatusResponse>, Problem> {
    // Sizes and fields are looked up on the disk.
    let look = move || {
        Ok(Json(StatusResponse {
            version: env!("CARGO_PKG_VERSION"),
            model: ModelStatus::new(&app.model),
            collection: CollectionStatus::new(&app.collection, &app.collection.snapshot())?,
            indexing: Some(app.indexing()),
        }))
    };
    tokio::task::spawn_blocking(look).await.map_err(Problem::internal)?
}
