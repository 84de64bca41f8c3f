//! `POST /v1/documents` (JSON object, JSON list, or NDJSON), `GET` and `DELETE /v1/documents/{id}`.
//!
//! A bad document does not lose the others: each has its own result, by line or position. The reply is sent
//! after the commit is durable, so what it calls indexed survives a crash; with `wait=false` it is sent once the
//! documents are durable as a task.

use std::sync::Arc;
use std::time::Instant;

use alder_engine::DocumentId;
use alder_indexer::IncomingDocument;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::extract::{Parameters, Raw, content_type};
use super::problem::{Code, Problem};
use super::state::App;
use super::tasks;
use crate::ingest;
use crate::tasks::{Draft, Item};
use crate::wire::{
    DeleteResponse, DocumentRequest, DocumentResponse, ItemOutcome, ItemResult, Task,
    UpsertResponse, WaitParameters,
};

/// Adds or replaces documents: one, a list, or one per line.
#[utoipa::path(post, path = "/v1/documents", tag = "documents", params(WaitParameters),
    request_body(content(
        (DocumentRequest = "application/json", example = json!({"id": "tea.md", "title": "Tea", "text": "Tea is made from leaves."})),
        (String = "application/x-ndjson", example = "{\"id\": \"tea.md\", \"text\": \"Tea is made from leaves.\"}\n"))),
    responses((status = 200, body = UpsertResponse),
        (status = 202, description = "With `wait=false`: durable, and done later", body = Task)))]
pub(crate) async fn upsert(
    State(app): State<Arc<App>>,
    Parameters(WaitParameters { wait }): Parameters<WaitParameters>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let items = read(&headers, &body)?;
    if wait == Some(false) {
        return tasks::accept(app, Draft::Documents(items), false).await;
    }
    let permit = app.write_permit().await?;
    let write = move || {
        let _permit = permit;
        write(&app, items)
    };
    let (generation, items) =
        tokio::task::spawn_blocking(write).await.map_err(Problem::internal)??;
    let failed =
        items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Failed { .. })).count();
    if failed == items.len() {
        let detail = format!("each of the {failed} documents was refused; items says why");
        return Err(Problem { items, ..Problem::new(Code::NoValidDocument, detail) });
    }
    let took_ms = started.elapsed().as_millis() as u64;
    let accepted = items.len() - failed;
    Ok(Json(UpsertResponse { generation, took_ms, accepted, failed, items }).into_response())
}

/// Removes a document; the reply comes once that is durable.
#[utoipa::path(delete, path = "/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, example = "tea.md", description = "With `/` written as it is or as %2F")),
    responses((status = 200, body = DeleteResponse)))]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<DeleteResponse>, Problem> {
    let started = Instant::now();
    let id = DocumentId::new(id)?;
    let permit = app.write_permit().await?;
    let work = move || {
        let _permit = permit;
        if app.collection.snapshot().document(&id)?.is_none() {
            return Err(missing(&id));
        }
        let generation = ingest::delete(&app.collection, std::slice::from_ref(&id))?.0;
        let took_ms = started.elapsed().as_millis() as u64;
        Ok(Json(DeleteResponse { id: id.to_string(), generation, took_ms }))
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

fn missing(id: &DocumentId) -> Problem {
    Problem::of("id", Code::DocumentNotFound, format!("the collection has no document {id}"))
}

/// One document with its whole text and its metadata.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, example = "tea.md", description = "With `/` written as it is or as %2F")),
    responses((status = 200, body = DocumentResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<DocumentResponse>, Problem> {
    let id = DocumentId::new(id)?;
    let load = move || {
        let snapshot = app.collection.snapshot();
        let document = snapshot.document(&id)?.ok_or_else(|| missing(&id))?;
        Ok(Json(DocumentResponse::new(document, snapshot.generation().0)))
    };
    tokio::task::spawn_blocking(load).await.map_err(Problem::internal)?
}

/// Commits what could be read and pairs it with what could not, in the order of the request.
fn write(app: &App, items: Vec<Item>) -> Result<(u64, Vec<ItemResult>), Problem> {
    let mut results = Vec::with_capacity(items.len());
    let mut places = Vec::new();
    let mut documents = Vec::new();
    for (item, read) in items {
        match read {
            Ok(document) => {
                places.push((item, document.id.clone()));
                documents.push(document);
            }
            Err((id, detail)) => {
                results.push(ItemResult { item, id, outcome: ItemOutcome::Failed { detail } });
            }
        }
    }
    let mut generation = app.collection.snapshot().generation();
    if !documents.is_empty() {
        let (committed, outcomes) =
            ingest::documents(&app.collection, &app.model, documents, None)?;
        generation = committed;
        results.extend(places.into_iter().zip(outcomes).map(|((item, id), outcome)| ItemResult {
            item,
            id: Some(id),
            outcome,
        }));
    }
    results.sort_by_key(|result| result.item);
    Ok((generation.0, results))
}

/// Takes the body apart by its content type.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Item>, Problem> {
    let items = match content_type(headers).as_str() {
        "application/json" => read_json(body)?,
        "application/x-ndjson" | "application/jsonl" => read_lines(body),
        _ => {
            let detail = "send documents as application/json or application/x-ndjson";
            return Err(Problem::of("content-type", Code::UnsupportedMediaType, detail));
        }
    };
    if items.is_empty() {
        return Err(Problem::new(Code::NoValidDocument, "the body holds no documents"));
    }
    Ok(items)
}

fn read_json(body: &[u8]) -> Result<Vec<Item>, Problem> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
    Ok(match value {
        Value::Array(values) => {
            values.into_iter().enumerate().map(|(i, v)| (i + 1, document(v))).collect()
        }
        value => vec![(1, document(value))],
    })
}

fn read_lines(body: &[u8]) -> Vec<Item> {
    body.split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, line)| {
            let read = serde_json::from_slice(line)
                .map_err(|error| (None, format!("not JSON: {error}")))
                .and_then(document);
            (index + 1, read)
        })
        .collect()
}

/// The document in `value`, or its id as far as known and what is wrong.
fn document(value: Value) -> Result<IncomingDocument, (Option<String>, String)> {
    let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
    let DocumentRequest { id, title, text, metadata } =
        serde_json::from_value(value).map_err(|error| (id, error.to_string()))?;
    if text.trim().is_empty() {
        return Err((Some(id), "text is empty; there is nothing to search".to_owned()));
    }
    Ok(IncomingDocument { id, title, text, metadata })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named_and_the_good_ones_are_kept() {
        let body = b"{\"id\": \"a\", \"text\": \"one\"}\n\nnonsense\n{\"id\": \"b\"}\n{\"id\": \"c\", \"text\": \" \"}\n{\"id\": \"d\", \"text\": \"x\", \"txt\": 1}\n{\"id\": \"e\", \"text\": \"two\"}";
        let items = read_lines(body);
        let fate: Vec<_> = items
            .iter()
            .map(|(line, read)| {
                (
                    *line,
                    read.as_ref().map(|document| document.id.as_str()).map_err(|e| e.1.as_str()),
                )
            })
            .collect();
        assert_eq!(fate[0], (1, Ok("a")));
        assert_eq!(fate[5], (7, Ok("e")));
        for (index, line, words) in
            [(1, 3, "not JSON"), (2, 4, "`text`"), (3, 5, "empty"), (4, 6, "`txt`")]
        {
            assert_eq!(fate[index].0, line);
            assert!(fate[index].1.unwrap_err().contains(words), "{:?}", fate[index]);
        }
    }
}
