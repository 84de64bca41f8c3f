//! The HTTP service: [`app`] is the router, [`App`] its state; `listen` gives it a port, `guard` wraps every
//! request, `problem` shapes every error. Handlers translate between `wire` and the engine and run
//! its work off the async threads.

mod accept;
mod auth;
mod batch;
mod bulk;
mod dialect;
mod docs;
mod documents;
mod extract;
mod files;
mod guard;
mod health;
mod judgements;
mod listen;
mod mcp;
mod metrics;
mod openapi;
mod page;
mod plain;
mod problem;
mod rate;
mod reader;
mod search;
mod similar;
mod state;
mod status;
mod stream;
mod suggest;
mod synonyms;
mod tasks;
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

pub(crate) use accept::{Connections, serve};
pub(crate) use auth::Gate;
use dialect::{cohere, huggingface, openai, tei};
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
        .route("/v1/ask/stream", get(stream::ask_get).post(stream::ask_post))
        .route("/v1/batch", post(batch::batch))
        .route("/v1/similar", post(similar::similar))
        .route("/v1/judgements", post(judgements::record))
        .route("/mcp", post(mcp::message))
        .layer(search_body);
    let dialects = Router::new()
        .route("/v1/embeddings", post(openai::embeddings))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{*id}", get(openai::model))
        .route("/embed", post(tei::embed_texts))
        .route("/rerank", post(tei::rerank))
        .route("/tokenize", post(tei::tokenize))
        .route("/info", get(tei::info))
        .route("/v1/rerank", post(cohere::rerank_v1))
        .route("/v2/rerank", post(cohere::rerank_v2))
        .route("/v1/qa", post(huggingface::answer))
        .layer(DefaultBodyLimit::max(state.limits.texts_body_bytes));
    let files_body = DefaultBodyLimit::max(state.limits.files_body_bytes);
    Router::new()
        .merge(searches)
        .merge(dialects)
        .route("/v1/documents", post(documents::upsert).layer(documents_body))
        .route("/_bulk", post(bulk::bulk).layer(documents_body))
        .route("/v1/files", post(files::upload).layer(files_body))
        .route("/v1/documents/{*id}", get(documents::show).delete(documents::remove))
        .route("/v1/tasks", get(tasks::list))
        .route("/v1/tasks/{id}", get(tasks::show))
        .route("/v1/tasks/{id}/cancel", post(tasks::cancel))
        .route("/v1/status", get(status::status))
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::show))
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(docs::show))
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
