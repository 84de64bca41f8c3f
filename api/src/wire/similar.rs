//! `POST /v1/similar`: documents near a document, a part of one, or any text.

use alder_engine::{Metadata, SimilarDocument};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::result::ByteSpan;

/// Body of `POST /v1/similar`: either `document`, with a `span` or without, or `text`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarRequest {
    /// Id of the document that the others are compared with.
    pub(crate) document: Option<String>,
    /// The part of it that counts, as `span` of a hit; all of it unless told.
    pub(crate) span: Option<ByteSpan>,
    /// Any text to compare with.
    pub(crate) text: Option<String>,
    /// Documents wanted; 10 unless told.
    pub(crate) limit: Option<usize>,
    /// Which documents may be found; as in a search.
    #[schema(value_type = Option<Object>)]
    pub(crate) filter: Option<Value>,
}

/// Reply of `POST /v1/similar`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarResponse {
    pub(crate) took_ms: f64,
    /// The committed state that was searched.
    pub(crate) generation: u64,
    /// Nearest first, without the document that was given.
    pub(crate) documents: Vec<SimilarWire>,
}

/// A document that is near.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarWire {
    document: String,
    title: String,
    /// Cosine, -1 to 1.
    score: f32,
    /// Its nearest passage.
    text: String,
    heading_path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    span: ByteSpan,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
}

impl From<SimilarDocument> for SimilarWire {
    fn from(found: SimilarDocument) -> Self {
        let passage = found.passage;
        Self {
            document: passage.id.document.to_string(),
            page: passage.page(),
            title: passage.title,
            score: found.score.0,
            text: passage.text,
            heading_path: passage.heading_path,
            span: passage.span.into(),
            metadata: passage.metadata,
        }
    }
}
