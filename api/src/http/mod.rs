//! The HTTP service: [`app`] is the router, [`App`] its state; `listen` gives it a port, `guard` wraps every
//! request, `problem` shapes every error. Handlers translate between `wire` and the engine and run
//! its work off the async threads.

mod documents;
mod extract;
mod guard;
mod listen;
mod page;
mod plain;
mod problem;
mod reader;
mod search;
mod state;
mod status;
mod suggest;
mod synonyms;
mod template;
#[cfg(test)]
mod tests;
mod why;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use listen::{Address, Callers, listen};
pub(crate) use state::{App, Limits};

/// The whole service, without a port.
pub(crate) fn app(state: Arc<App>) -> Router {
    let search_body = DefaultBodyLimit::max(state.limits.search_body_bytes);
    let documents_body = DefaultBodyLimit::max(state.limits.documents_body_bytes);
    let searches = Router::new()
        .route("/v1/search", get(search::search_get).post(search::search_post))
        .route("/v1/ask", get(search::ask_get).post(search::ask_post))
        .route("/v1/why/{*id}", get(why::why_get).post(why::why_post))
        .route("/v1/suggest", get(suggest::suggest))
        .route("/v1/synonyms", get(synonyms::show).put(synonyms::replace))
        .layer(search_body);
    Router::new()
        .merge(searches)
        .route("/v1/documents", post(documents::upsert).layer(documents_body))
        .route("/v1/documents/{*id}", get(documents::show))
        .route("/v1/status", get(status::status))
        .route("/health", get(status::health))
        .route("/", get(page::index))
        .route("/plain", get(plain::show))
        .route("/document", get(reader::show))
        .route("/collection", get(page::collection))
        .route("/ui/{*path}", get(page::asset))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .fallback(problem::not_found)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// How long a client is asked to wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
