//! `/health` and `/v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::state::App;
use crate::wire::{CollectionStatus, Health, ModelStatus, StatusResponse};

/// The server runs and can search.
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Program, model, collection and indexing.
pub(crate) async fn status(State(app): State<Arc<App>>) -> Json<StatusResponse> {
    Json(StatusResponse {
        version: env!("CARGO_PKG_VERSION"),
        model: ModelStatus::new(&app.model),
        collection: CollectionStatus::new(&app.collection, &app.collection.snapshot()),
        indexing: Some(app.indexing()),
    })
}
