//! `POST /_bulk`: what exports of Elasticsearch send. Actions are applied as if one after the other; the reply
//! comes once they are durable, with one item each, in their dialect.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use alder_engine::{DocumentId, Error};
use alder_indexer::IncomingDocument;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::extract::{Raw, content_type};
use super::problem::{Code, Problem};
use super::state::App;
use crate::ingest;
use crate::open::COLLECTION;
use crate::wire::{
    BulkAction, BulkError, BulkItem, BulkOperation, BulkResponse, ItemOutcome, read_bulk,
};

/// Adds, replaces and removes documents by `_bulk` lines.
#[utoipa::path(post, path = "/_bulk", tag = "documents",
    request_body(content_type = "application/x-ndjson", content = String,
        example = "{\"index\":{\"_id\":\"tea\"}}\n{\"title\":\"Tea\",\"text\":\"Tea is made from leaves.\"}\n"),
    responses((status = 200, body = BulkResponse)))]
pub(crate) async fn bulk(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let kind = content_type(&headers);
    if kind != "application/x-ndjson" && kind != "application/json" {
        let detail = "send the actions as application/x-ndjson";
        return Err(Problem::of("content-type", Code::UnsupportedMediaType, detail));
    }
    let mut unique = new_ids()?;
    let actions = match read_bulk(&body, COLLECTION, || unique.next_id()) {
        Ok(actions) if !actions.is_empty() => actions,
        Ok(_) => return Ok(refused(BulkError::bad("request body is required"))),
        Err(error) => return Ok(refused(error)),
    };
    let permit = app.write_permit().await?;
    let write = move || {
        let _permit = permit;
        apply(&app, actions)
    };
    let items = tokio::task::spawn_blocking(write).await.map_err(Problem::internal)??;
    let errors = items.iter().any(|(_, item)| item.error.is_some());
    let items =
        items.into_iter().map(|(name, item)| Map::from_iter([(name.to_owned(), json!(item))]));
    let took = started.elapsed().as_millis() as u64;
    Ok(Json(BulkResponse { took, errors, items: items.collect() }).into_response())
}

/// A body that cannot be taken apart, as Elasticsearch says so.
fn refused(error: BulkError) -> Response {
    let body: Value = json!({"error": {"root_cause": [error], "type": error.r#type, "reason": error.reason}, "status": 400});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// What the actions come to: the last word on every id, and what is to say about each action.
#[derive(Default)]
struct Plan {
    /// By id: the document, with the action that brought it, or that it goes.
    last: HashMap<String, Option<(usize, IncomingDocument)>>,
    items: Vec<(&'static str, BulkItem)>,
}

impl Plan {
    fn add(&mut self, action: BulkAction, stored: &HashSet<String>) {
        let BulkAction { name, id, operation } = action;
        let exists = |plan: &Self, id: &str| match plan.last.get(id) {
            Some(last) => last.is_some(),
            None => stored.contains(id),
        };
        let key = id.clone().unwrap_or_default();
        let existed = exists(self, &key);
        let place = self.items.len();
        let outcome = match operation {
            Err(error) => Err(error),
            Ok(BulkOperation::Create(_)) if existed => Err(BulkError {
                status: 409,
                r#type: "version_conflict_engine_exception",
                reason: format!("[{key}]: version conflict, document already exists"),
            }),
            Ok(BulkOperation::Index(document) | BulkOperation::Create(document)) => {
                self.last.insert(key, Some((place, document)));
                Ok(if existed { (200, "updated") } else { (201, "created") })
            }
            Ok(BulkOperation::Delete) => {
                self.last.insert(key, None);
                Ok(if existed { (200, "deleted") } else { (404, "not_found") })
            }
        };
        let (status, result, error) = match outcome {
            Ok((status, result)) => (status, Some(result), None),
            Err(error) => (error.status, None, Some(error)),
        };
        self.items.push((name, BulkItem { index: COLLECTION, id, status, result, error }));
    }
}

/// Carries the actions out, with one commit for what is stored and one for what goes.
fn apply(app: &App, actions: Vec<BulkAction>) -> Result<Vec<(&'static str, BulkItem)>, Problem> {
    let snapshot = app.collection.snapshot();
    let mut stored = HashSet::new();
    for id in actions.iter().filter_map(|action| action.id.as_ref()) {
        if let Ok(known) = DocumentId::new(id.clone())
            && snapshot.document(&known)?.is_some()
        {
            stored.insert(id.clone());
        }
    }
    let mut plan = Plan::default();
    actions.into_iter().for_each(|action| plan.add(action, &stored));

    let mut documents = Vec::new();
    let mut places = Vec::new();
    let mut gone = Vec::new();
    for (id, last) in std::mem::take(&mut plan.last) {
        match last {
            Some((place, document)) => {
                places.push(place);
                documents.push(document);
            }
            None if stored.contains(&id) => gone.push(DocumentId::new(id).map_err(Error::Query)?),
            None => {}
        }
    }
    if !documents.is_empty() {
        let (_, outcomes) = ingest::documents(&app.collection, &app.model, documents, None)?;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            plan.items[place].1.enter(outcome);
        }
    }
    if !gone.is_empty() {
        ingest::delete(&app.collection, &gone)?;
    }
    Ok(plan.items)
}

impl BulkItem {
    /// Corrects what was expected by what happened.
    fn enter(&mut self, outcome: ItemOutcome) {
        match outcome {
            ItemOutcome::Indexed => {}
            ItemOutcome::Unchanged => (self.status, self.result) = (200, Some("noop")),
            ItemOutcome::Failed { detail } | ItemOutcome::Skipped { detail } => {
                (self.status, self.result) = (400, None);
                self.error = Some(BulkError {
                    status: 400,
                    r#type: "document_parsing_exception",
                    reason: detail,
                });
            }
        }
    }
}

/// Names for documents that come without: 64 random bits for the request, and a number.
struct NewIds {
    prefix: u64,
    next: u64,
}

fn new_ids() -> Result<NewIds, Problem> {
    Ok(NewIds { prefix: getrandom::u64().map_err(Problem::internal)?, next: 0 })
}

impl NewIds {
    fn next_id(&mut self) -> String {
        self.next += 1;
        format!("{:016x}-{}", self.prefix, self.next)
    }
}
