//! What users give and what is retrieved: [`Document`]s and their [`Passage`]s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{QueryError, Span, limits};

/// The external, stable name of a document: a path, a URL, or whatever id the user's data carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentId(String);

impl DocumentId {
    /// The id `id`.
    ///
    /// # Errors
    /// If it is empty or longer than [`limits::DOCUMENT_ID_BYTES`].
    pub fn new(id: impl Into<String>) -> Result<Self, QueryError> {
        let id = id.into();
        if id.is_empty() || id.len() > limits::DOCUMENT_ID_BYTES {
            return Err(QueryError::OutOfRange {
                field: "id",
                unit: "bytes",
                found: id.len() as u64,
                min: 1,
                max: limits::DOCUMENT_ID_BYTES as u64,
            });
        }
        Ok(Self(id))
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DocumentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Field values of a document, usable in filters: strings, numbers, booleans and lists of these.
pub type Metadata = BTreeMap<String, serde_json::Value>;

/// One document: its extracted text is what every [`Span`] points into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// External id; adding a document with the same id replaces this one.
    pub id: DocumentId,
    /// Title, or an empty string.
    pub title: String,
    /// The extracted text, kept verbatim.
    pub text: String,
    /// Filterable fields.
    pub metadata: Metadata,
    /// Hash of what the document was made from; equal hashes mean nothing to do. Chosen by the writer
    /// of the document (the indexer hashes the source bytes and its own settings).
    pub content_hash: String,
}

/// Names a passage for as long as its document is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PassageId {
    /// The document the passage is part of.
    pub document: DocumentId,
    /// Position among the passages of the document, from 0.
    pub ordinal: u32,
}

/// The unit of retrieval: a span of a document with the headings above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Which passage this is.
    pub id: PassageId,
    /// Title of the document.
    pub title: String,
    /// Headings above the passage, outermost first, without the title.
    pub heading_path: Vec<String>,
    /// Where the passage lies in the document's text.
    pub span: Span,
    /// `document.text[span]`, verbatim.
    pub text: String,
    /// Metadata of the document, and [`Passage::PAGE`] where it has pages.
    pub metadata: Metadata,
}

impl Passage {
    /// Name of the metadata field that holds the page (or slide) the passage stands on, from 1.
    pub const PAGE: &str = "page";

    /// The page (or slide) the passage stands on, where its document has pages.
    pub fn page(&self) -> Option<u64> {
        self.metadata.get(Self::PAGE)?.as_u64()
    }

    /// The text given to the encoder: title, heading path and body on lines of their own.
    pub fn for_encoder(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 80);
        for line in std::iter::once(&self.title).chain(&self.heading_path) {
            if !line.is_empty() {
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push_str(&self.text);
        out
    }
}
