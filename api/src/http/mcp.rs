//! `/mcp`: the Model Context Protocol over HTTP ("streamable", without streams or sessions): one message in a POST,
//! its reply as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::extract::Body;
use super::problem::Problem;
use super::state::App;
use crate::mcp::{self, Mcp, VERSIONS};

/// Handles one message; 202 where no reply is due.
pub(crate) async fn message(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Body(message): Body<Value>,
) -> Result<Response, Problem> {
    if let Some(version) = headers.get("mcp-protocol-version")
        && !VERSIONS.iter().any(|known| version == known)
        && message["method"] != "initialize"
    {
        let asked = String::from_utf8_lossy(version.as_bytes());
        let reply = mcp::unsupported(&message["id"], &asked);
        return Ok((StatusCode::BAD_REQUEST, Json(reply)).into_response());
    }
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        let mcp = Mcp { model: app.model.clone(), collection: app.collection.clone() };
        mcp.handle(&message)
    };
    let reply = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    Ok(match reply {
        Some(reply) => Json(reply).into_response(),
        None => StatusCode::ACCEPTED.into_response(),
    })
}
