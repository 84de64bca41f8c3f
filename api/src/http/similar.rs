//! `POST /v1/similar`: documents near a document, a part of one, or any text.

use std::sync::Arc;
use std::time::Instant;

use alder_engine::{DocumentId, Filter, Like, Span};
use axum::Json;
use axum::extract::State;

use super::extract::Body;
use super::problem::{Code, Problem};
use super::state::App;
use crate::wire::{SimilarRequest, SimilarResponse, SimilarWire, filter_from_json};

/// Documents wanted unless told.
const LIMIT: usize = 10;

/// Documents near the one that is given.
#[utoipa::path(post, path = "/v1/similar", tag = "search",
    request_body(content = SimilarRequest,
        example = json!({"document": "tea.md", "limit": 5})),
    responses((status = 200, body = SimilarResponse)))]
pub(crate) async fn similar(
    State(app): State<Arc<App>>,
    Body(request): Body<SimilarRequest>,
) -> Result<Json<SimilarResponse>, Problem> {
    let filter = request.filter.as_ref().map(filter_from_json).transpose()?;
    let document = request.document.clone().map(DocumentId::new).transpose()?;
    if document.is_some() == request.text.is_some()
        || (request.span.is_some() && document.is_none())
    {
        let detail = "give either document, with a span or without, or text";
        return Err(Problem::of("document", Code::BadRequest, detail));
    }
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        run(&app, document, &request, filter.as_ref())
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

fn run(
    app: &App,
    document: Option<DocumentId>,
    request: &SimilarRequest,
    filter: Option<&Filter>,
) -> Result<Json<SimilarResponse>, Problem> {
    let started = Instant::now();
    let snapshot = app.collection.snapshot();
    let like = match (&document, request.span, &request.text) {
        (Some(id), Some(span), _) => {
            Like::Passage(id, Span { start: span.start_byte, end: span.end_byte })
        }
        (Some(id), None, _) => Like::Document(id),
        (None, _, text) => Like::Text(text.as_deref().unwrap_or_default()),
    };
    let limit = request.limit.unwrap_or(LIMIT);
    let found = alder_engine::similar(&snapshot, &app.model, like, filter, limit)?;
    let found = found.ok_or_else(|| {
        let id = document.map(|id| id.to_string()).unwrap_or_default();
        let detail = format!("the collection has no document {id}");
        Problem::of("document", Code::DocumentNotFound, detail)
    })?;
    Ok(Json(SimilarResponse {
        took_ms: started.elapsed().as_secs_f64() * 1e3,
        generation: snapshot.generation().0,
        documents: found.into_iter().map(SimilarWire::from).collect(),
    }))
}
