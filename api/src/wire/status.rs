//! [`StatusResponse`]: what `/v1/status` and `alder status --format json` tell, and [`Health`].

use alder_engine::{Collection, Error, FieldStats, Language, Model, Snapshot, SnapshotStats};
use serde::Serialize;
use utoipa::ToSchema;

/// Reply of `GET /health`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: &'static str,
}

/// Program, model, collection and what is going on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusResponse {
    pub(crate) version: &'static str,
    pub(crate) model: ModelStatus,
    pub(crate) collection: CollectionStatus,
    /// Absent from the command line, which sees no server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) indexing: Option<IndexingStatus>,
}

/// The loaded model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelStatus {
    name: String,
    fingerprint: String,
    dimensions: usize,
    /// Tokens a text may have.
    max_length: usize,
    /// Whether it can answer questions.
    reader: bool,
}

/// The published state of the collection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CollectionStatus {
    generation: u64,
    /// Language of the texts.
    #[schema(value_type = String)]
    language: Language,
    #[serde(flatten)]
    #[schema(inline, value_type = Object)]
    pub(crate) stats: SnapshotStats,
    /// Metadata fields of the documents, in order of name, at most 100.
    fields: Vec<FieldStatus>,
}

/// A metadata field: what facets and filters can ask for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldStatus {
    name: String,
    /// Its different values, at most 100.
    values: usize,
    /// Whether these are all.
    complete: bool,
}

/// What the server's own indexing does.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum IndexingStatus {
    /// Nothing was asked.
    #[default]
    Idle,
    /// Under way.
    Running {
        /// Documents stored so far.
        documents: u64,
        /// Bytes of the files behind this point.
        bytes_done: u64,
        /// Bytes of all files.
        bytes_total: u64,
        /// Since the start.
        elapsed_ms: u64,
    },
    /// Finished.
    Done {
        /// The report in words.
        summary: String,
    },
    /// Ended early.
    Failed {
        /// Why.
        detail: String,
    },
}

impl ModelStatus {
    /// Figures of `model`.
    pub(crate) fn new(model: &Model) -> Self {
        let identity = model.identity();
        Self {
            name: identity.name.clone(),
            fingerprint: identity.fingerprint.clone(),
            dimensions: identity.dimensions,
            max_length: model.max_length(),
            reader: model.has_reader(),
        }
    }
}

impl CollectionStatus {
    /// Figures of `snapshot`, a state of `collection`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn new(collection: &Collection, snapshot: &Snapshot) -> Result<Self, Error> {
        let of = |FieldStats { name, values, complete }| FieldStatus { name, values, complete };
        Ok(Self {
            generation: snapshot.generation().0,
            language: collection.settings().language,
            stats: snapshot.stats(),
            fields: snapshot.fields()?.into_iter().map(of).collect(),
        })
    }
}
