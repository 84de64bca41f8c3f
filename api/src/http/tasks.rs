//! `/v1/tasks`: what becomes of work that was accepted and is done later.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::extract::Parameters;
use super::problem::{Code, Problem};
use super::state::App;
use crate::tasks::{Draft, EnqueueError, SpoolError};
use crate::wire::{Task, TaskList, TaskParameters};

/// Tasks on one page.
const PAGE: usize = 20;
const PAGE_MAX: usize = 1_000;

/// The tasks, newest first.
#[utoipa::path(get, path = "/v1/tasks", tag = "documents", params(TaskParameters),
    responses((status = 200, body = TaskList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<TaskParameters>,
) -> Result<Json<TaskList>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        let detail = format!("limit must be between 1 and {PAGE_MAX} tasks, found {limit}");
        return Err(Problem::of("limit", Code::OutOfRange, detail));
    }
    let (tasks, more) = app.tasks.page(wanted.status, wanted.before, limit);
    let next_before = tasks.last().filter(|_| more).map(|task| task.id);
    Ok(Json(TaskList { tasks, next_before }))
}

/// One task.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "documents",
    params(("id" = u64, Path, example = 1)), responses((status = 200, body = Task)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Task>, Problem> {
    let task = id.parse().ok().and_then(|id| app.tasks.find(id));
    task.map(Json).ok_or_else(|| missing(&id))
}

/// Ends a task: one that waits at once, one under way after its batch.
#[utoipa::path(post, path = "/v1/tasks/{id}/cancel", tag = "documents",
    params(("id" = u64, Path, example = 1)), responses((status = 200, body = Task)))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Task>, Problem> {
    let number = id.parse().map_err(|_| missing(&id))?;
    let canceled = tokio::task::spawn_blocking(move || app.tasks.cancel(number));
    let task = canceled.await.map_err(Problem::internal)??;
    task.map(Json).ok_or_else(|| missing(&id))
}

fn missing(id: &str) -> Problem {
    Problem::of(
        "id",
        Code::TaskNotFound,
        format!("there is no task {id:?}; old ones are forgotten"),
    )
}

/// Makes `draft` a task, durable before the reply: 202 with its place, or, if the client `waits`, 200 when it is done.
pub(super) async fn accept(app: Arc<App>, draft: Draft, waits: bool) -> Result<Response, Problem> {
    let state = app.clone();
    let task = tokio::task::spawn_blocking(move || state.tasks.enqueue(draft));
    let task = task.await.map_err(Problem::internal)??;
    if waits {
        let finished = app.tasks.finished(task.id).await;
        return Ok(Json(finished.ok_or_else(|| missing(&task.id.to_string()))?).into_response());
    }
    let place = format!("/v1/tasks/{}", task.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(task)).into_response())
}

impl From<EnqueueError> for Problem {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Full(_) => Self::new(Code::QueueFull, error.to_string()),
            EnqueueError::Spool(error) => error.into(),
        }
    }
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        if error.is_disk_full() {
            let detail = "the disk is full; free some space and send it again";
            return Self::new(Code::DiskFull, detail);
        }
        Self::internal(error)
    }
}
