//! [`Indexer::documents`]: documents that come as such (over HTTP, from another program) instead of as files.

use alder_engine::{DocumentId, Metadata};
use serde::Serialize;

use super::encoding::{Encoding, Prepared};
use super::extracting::prepare;
use super::{Indexer, Origin};
use crate::IngestError;
use crate::extract::{self, BlockKind, Extracted};

/// A document as a client gives it.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncomingDocument {
    /// External id; a document with the same id is replaced.
    pub id: String,
    /// Title, or an empty string.
    #[serde(default)]
    pub title: String,
    /// Plain text.
    #[serde(default)]
    pub text: String,
    /// Fields for filters.
    #[serde(default)]
    pub metadata: Metadata,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ItemOutcome {
    /// Stored.
    Indexed {
        /// Its passages.
        passages: u64,
    },
    /// Stored already with the same content.
    Unchanged,
    /// Not stored.
    Failed {
        /// Why, and what to do.
        reason: String,
    },
    /// The run was stopped before it was stored.
    NotReached,
}

impl Indexer<'_> {
    /// Stores `documents` and commits; returns what became of each, in their order. Of several with the same id
    /// the last one counts.
    ///
    /// # Errors
    /// [`IngestError::Engine`] if the model or the store fails: what was committed until then stays.
    pub fn documents(
        mut self,
        documents: impl IntoIterator<Item = IncomingDocument>,
    ) -> Result<Vec<ItemOutcome>, IngestError> {
        let settings = self.output.settings;
        let fingerprint = settings.fingerprint();
        let mut outcomes = Vec::new();
        let mut encoding = Encoding::new(&mut self.output, 0);
        for (key, incoming) in documents.into_iter().enumerate() {
            outcomes.push(ItemOutcome::NotReached);
            if encoding.is_stopped() {
                continue;
            }
            let prepared =
                DocumentId::new(incoming.id.clone()).map_err(|e| e.to_string()).and_then(|id| {
                    let hash =
                        Origin::new("documents", "").content_hash(&fingerprint, &hash(&incoming));
                    if self.known.has(&id, &hash) {
                        return Ok(None);
                    }
                    let relatives = self.known.relatives(&id, &hash);
                    let relatives = relatives.into_iter().cloned().collect();
                    // A later document with this id replaces this one, whatever was stored before.
                    self.known.forget(&id);
                    let extracted =
                        extract::plain(incoming.title, incoming.text, BlockKind::Paragraph);
                    let extracted = Extracted { metadata: incoming.metadata, ..extracted };
                    let prepared = prepare(id, hash, extracted, (settings, &*self.token_spans))?;
                    Ok(Some(Prepared { relatives, ..prepared }))
                });
            match prepared {
                Ok(Some(prepared)) => encoding.push(Prepared { key, ..prepared })?,
                Ok(None) => outcomes[key] = ItemOutcome::Unchanged,
                Err(reason) => outcomes[key] = ItemOutcome::Failed { reason },
            }
        }
        encoding.flush()?;
        encoding.commit()?;
        for finished in encoding.finished {
            outcomes[finished.key] = match finished.result {
                Ok((passages, _)) => ItemOutcome::Indexed { passages },
                Err(reason) => ItemOutcome::Failed { reason },
            };
        }
        Ok(outcomes)
    }
}

/// Hash over all fields, each with its length.
fn hash(document: &IncomingDocument) -> blake3::Hash {
    let metadata = serde_json::Value::from_iter(document.metadata.clone()).to_string();
    let mut hasher = blake3::Hasher::new();
    for field in [&document.title, &document.text, &metadata] {
        hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
    }
    hasher.finalize()
}
