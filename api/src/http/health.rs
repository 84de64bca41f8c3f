//! `/health`, `/health/live` and `/health/ready`: for people, and for what starts and balances servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::problem::{Code, Problem};
use super::state::App;
use crate::wire::Health;

/// The server runs.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The process is alive; if this fails, start it again.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Requests may be sent; 503 while the server stops.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses((status = 200, body = Health)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    if app.tasks.is_stopping() {
        return Err(Problem::new(
            Code::Stopping,
            "the server finishes what it has and takes no more",
        ));
    }
    Ok(Json(Health { status: "ok" }))
}
