//! Tasks on the wire and on disk: work that was accepted and is done later.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ItemResult;

/// Work that was accepted and is done later, one after the other in the order of ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Task {
    /// Grows with every task of this data folder.
    pub(crate) id: u64,
    pub(crate) kind: TaskKind,
    pub(crate) status: TaskStatus,
    /// Share that is done, 0 to 1.
    pub(crate) progress: f32,
    /// Documents or files that were sent.
    pub(crate) received: u64,
    /// The names of the files, the first ten of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    /// Documents stored.
    pub(crate) indexed: u64,
    /// Documents that were stored already with the same content.
    pub(crate) unchanged: u64,
    /// Documents or files that were refused or skipped.
    pub(crate) failed: u64,
    /// The first of those, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) items: Vec<ItemResult>,
    /// Why the task as a whole failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// How often it was begun; more than once after a crash.
    pub(crate) attempts: u32,
    /// RFC 3339, UTC.
    pub(crate) enqueued_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<String>,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskKind {
    /// Stores documents.
    Documents,
    /// Reads files and stores their documents.
    Files,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskStatus {
    /// Durable, and waits for its turn.
    Enqueued,
    /// Being done.
    Processing,
    /// Done; single documents may have been refused.
    Succeeded,
    /// Ended early: `detail` says why. What was committed until then stays.
    Failed,
    /// Ended on request. What was committed until then stays.
    Canceled,
}

impl TaskStatus {
    /// Whether nothing will change any more.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// Which tasks are listed, newest first.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TaskParameters {
    /// Only tasks with this status.
    pub(crate) status: Option<TaskStatus>,
    /// Tasks wanted, 1 to 1000; 20 unless told.
    pub(crate) limit: Option<usize>,
    /// Only tasks with a smaller id.
    pub(crate) before: Option<u64>,
}

/// Reply of `GET /v1/tasks`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    /// Newest first.
    pub(crate) tasks: Vec<Task>,
    /// `before` of the next page, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_before: Option<u64>,
}
