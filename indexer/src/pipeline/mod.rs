//! [`Indexer`]: files or documents → the collection. A thread extracts and cuts into passages
//! ([`extracting`]; [`contained`] for binary formats, in a child process); the caller's thread encodes in batches across documents and writes ([`encoding`]); a bounded
//! channel lies between, so memory does not grow with the input.
//!
//! What is stored already with the same content is not encoded again: a document's content hash tells the folder
//! and the file it came from, and a hash of its source and of everything that shapes its passages. So a run that
//! was interrupted goes on where it was, and a folder is kept in step: documents whose file or record is gone
//! are removed, and only those that came from that folder.

mod contained;
mod documents;
mod encoding;
mod extracting;
mod folder;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use alder_engine::{DocumentId, Embedding, EncodedDocument, Error, Model, Writer};

use crate::chunk::TokenSpans;
use crate::settings::Settings;

pub use documents::{IncomingDocument, ItemOutcome};

/// How far a run is, told whenever something was stored.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The files are known.
    Found {
        /// Their number.
        files: usize,
        /// Their size.
        bytes: u64,
    },
    /// Everything before this point is stored or reported.
    Progress {
        /// File of the last document.
        file: &'a str,
        /// Bytes of the files behind this point.
        bytes_done: u64,
        /// Bytes of all files.
        bytes_total: u64,
        /// Documents stored so far.
        documents: u64,
    },
    /// The documents stored so far are durable.
    Committed {
        /// Their number.
        documents: u64,
    },
}

/// One embedding for each text, in order.
type Encode<'a> = dyn Fn(&[&str]) -> Result<Vec<Embedding>, Error> + 'a;

/// A change to the collection.
#[derive(Debug)]
enum Change {
    Upsert(Box<EncodedDocument>),
    Delete(DocumentId),
    Commit,
}

/// Puts files and documents into one collection.
pub struct Indexer<'a> {
    token_spans: Box<TokenSpans<'a>>,
    known: HashMap<DocumentId, String>,
    output: Output<'a>,
}

/// What the caller's thread works with.
struct Output<'a> {
    settings: &'a Settings,
    encode: Box<Encode<'a>>,
    sink: Box<dyn FnMut(Change) -> Result<(), Error> + 'a>,
    progress: Box<dyn FnMut(Event<'_>) + 'a>,
    stop: Option<&'a AtomicBool>,
}

impl Output<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

impl<'a> Indexer<'a> {
    /// An indexer that encodes with `model` and writes with `writer`. `known` are the content hashes of the
    /// collection ([`alder_engine::Snapshot::content_hashes`]): what need not be stored again.
    ///
    /// # Errors
    /// [`alder_engine::QueryError::OutOfRange`] for a setting that the model cannot serve.
    pub fn new(
        settings: &'a Settings,
        model: &'a Model,
        writer: &'a mut Writer,
        known: HashMap<DocumentId, String>,
    ) -> Result<Self, Error> {
        settings.check(model.max_length())?;
        let output = Output {
            settings,
            encode: Box::new(|texts| model.encode(texts)),
            sink: Box::new(|change| match change {
                Change::Upsert(document) => writer.upsert(*document),
                Change::Delete(id) => writer.delete(&id),
                Change::Commit => writer.commit().map(drop),
            }),
            progress: Box::new(|_| {}),
            stop: None,
        };
        Ok(Self { token_spans: Box::new(|text| model.token_spans(text)), known, output })
    }

    /// The same, calling `progress` from the thread that runs it.
    #[must_use]
    pub fn on_progress(mut self, progress: impl FnMut(Event<'_>) + 'a) -> Self {
        self.output.progress = Box::new(progress);
        self
    }

    /// The same, ending soon after `stop` becomes true: the batch at hand is finished and committed.
    #[must_use]
    pub fn stop_when(mut self, stop: &'a AtomicBool) -> Self {
        self.output.stop = Some(stop);
        self
    }
}

/// Hash of the source of a document and of everything else that shapes what is stored, with the place it came
/// from: `ROOT.FILE.CONTENT`, hexadecimal.
fn content_hash(origin: &Origin, fingerprint: &str, source: &blake3::Hash) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fingerprint.as_bytes()).update(source.as_bytes());
    format!("{}.{}.{}", origin.root, origin.file, &hasher.finalize().to_hex()[..32])
}

/// Where a document came from, in short hashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Origin {
    root: String,
    file: String,
}

impl Origin {
    fn new(root: &str, file: &str) -> Self {
        let short = |text: &str| blake3::hash(text.as_bytes()).to_hex()[..16].to_owned();
        Self { root: short(root), file: short(file) }
    }
}

/// Origin of the document with this content hash, if an indexer made it.
fn origin_of(content_hash: &str) -> Option<Origin> {
    let mut parts = content_hash.split('.');
    let (root, file) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    (root.len() == 16 && file.len() == 16).then_some(Origin { root, file })
}

#[cfg(test)]
mod bulk_tests;
#[cfg(test)]
mod tests;
