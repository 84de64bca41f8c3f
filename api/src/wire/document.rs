//! Documents on the wire: what `POST /v1/documents` takes and returns, and what
//! `GET /v1/documents/{id}` shows.

use alder_engine::{Document, Metadata};
use alder_indexer::ItemOutcome as Ingested;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One document given over HTTP.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentRequest {
    /// External id; a document with the same id is replaced.
    pub(crate) id: String,
    /// Title, if it has one.
    #[serde(default)]
    pub(crate) title: String,
    /// The text to search.
    pub(crate) text: String,
    /// Fields to filter by.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) metadata: Metadata,
}

/// Whether the reply waits for the work.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitParameters {
    /// `true` answers when the work is done, `false` with 202 and a task once it is durable.
    pub(crate) wait: Option<bool>,
}

/// Reply to `DELETE /v1/documents/{id}`, sent once the commit is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeleteResponse {
    /// The document that is gone.
    pub(crate) id: String,
    /// The committed state without it.
    pub(crate) generation: u64,
    pub(crate) took_ms: u64,
}

/// Reply to `POST /v1/documents`, sent once the commit is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpsertResponse {
    /// The committed state that holds the documents.
    pub(crate) generation: u64,
    pub(crate) took_ms: u64,
    /// Documents now in the collection.
    pub(crate) accepted: usize,
    /// Documents that were refused.
    pub(crate) failed: usize,
    /// One result for each document given, in order.
    pub(crate) items: Vec<ItemResult>,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ItemResult {
    /// Position in the request: the line of NDJSON, or the place in the list, from 1.
    pub(crate) item: usize,
    /// Its id, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(flatten)]
    pub(crate) outcome: ItemOutcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum ItemOutcome {
    /// In the collection.
    Indexed,
    /// Was there already, with the same content.
    Unchanged,
    /// Refused.
    Failed {
        /// Why, and what would be right.
        detail: String,
    },
    /// Nothing to index.
    Skipped {
        /// Why.
        detail: String,
    },
}

/// A whole document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentResponse {
    id: String,
    title: String,
    text: String,
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// The committed state it was read from.
    generation: u64,
}

impl From<Ingested> for ItemOutcome {
    fn from(outcome: Ingested) -> Self {
        match outcome {
            Ingested::Indexed { .. } => Self::Indexed,
            Ingested::Unchanged => Self::Unchanged,
            Ingested::Failed { reason } => Self::Failed { detail: reason },
            Ingested::NotReached => {
                Self::Failed { detail: "the server stopped before it; send it again".to_owned() }
            }
        }
    }
}

impl DocumentResponse {
    /// `document` as it stands in `generation`.
    pub(crate) fn new(document: Document, generation: u64) -> Self {
        Self {
            id: document.id.to_string(),
            title: document.title,
            text: document.text,
            metadata: document.metadata,
            generation,
        }
    }
}
