//! `/v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::state::App;
use crate::wire::{CollectionStatus, ModelStatus, StatusResponse};

/// Program, model, collection and indexing.
#[utoipa::path(get, path = "/v1/status", tag = "operations", responses((status = 200, body = StatusResponse)))]
pub(crate) async fn status(State(app): State<Arc<App>>) -> Json<StatusResponse> {
    Json(StatusResponse {
        version: env!("CARGO_PKG_VERSION"),
        model: ModelStatus::new(&app.model),
        collection: CollectionStatus::new(&app.collection, &app.collection.snapshot()),
        indexing: Some(app.indexing()),
    })
}
