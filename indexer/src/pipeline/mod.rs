//! [`Indexer`]: files or documents → the collection. A thread extracts and cuts into passages
//! ([`extracting`]; [`contained`] for binary formats, in a child process); the caller's thread encodes in batches across documents and writes ([`encoding`]); a bounded
//! channel lies between, so memory does not grow with the input.
//!
//! What is stored already with the same content is not encoded again. [`Known`] finds a document by its id, its
//! file and its content: the content hash tells the folder and the file it came from, and a hash of its source and
//! of everything that shapes its passages ([`Origin`]). A file that looks as the [`Ledger`] has it is not even
//! opened; a moved or edited one keeps the vectors of the passages that read the same. So a run that was interrupted
//! goes on where it was, and a folder is kept in step: documents whose file or record is gone are removed, and only
//! those that came from that folder.

mod contained;
mod documents;
mod encoding;
mod extracting;
mod folder;
mod known;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use alder_engine::{DocumentId, Error, Model, StoredDocument, StoredVector, Writer};

use crate::chunk::TokenSpans;
use crate::ledger::Ledger;
use crate::origin::Origin;
use crate::settings::Settings;
use known::Known;

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

/// One vector for each text, in order, as the collection stores it.
type Encode<'a> = dyn Fn(&[&str]) -> Result<Vec<StoredVector>, Error> + 'a;

/// The document with this id as it was stored when the run began.
type Stored<'a> = dyn Fn(&DocumentId) -> Result<Option<StoredDocument>, Error> + 'a;

/// A change to the collection.
#[derive(Debug)]
enum Change {
    Upsert(Box<StoredDocument>),
    Delete(DocumentId),
    Commit,
}

/// Puts files and documents into one collection.
pub struct Indexer<'a> {
    token_spans: Box<TokenSpans<'a>>,
    known: Known,
    ledger: Ledger,
    output: Output<'a>,
}

/// What the caller's thread works with.
struct Output<'a> {
    settings: &'a Settings,
    encode: Box<Encode<'a>>,
    stored: Box<Stored<'a>>,
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
        let format = writer.vector_format();
        let encode: Box<Encode<'a>> = Box::new(move |texts| {
            Ok(model.encode(texts)?.iter().map(|embedding| format.store(embedding)).collect())
        });
        let token_spans: Box<TokenSpans<'a>> = Box::new(|text| model.token_spans(text));
        Ok(Self::with(settings, (token_spans, encode), writer, known))
    }

    fn with(
        settings: &'a Settings,
        (token_spans, encode): (Box<TokenSpans<'a>>, Box<Encode<'a>>),
        writer: &'a mut Writer,
        known: HashMap<DocumentId, String>,
    ) -> Self {
        let snapshot = writer.snapshot();
        let output = Output {
            settings,
            encode,
            stored: Box::new(move |id| snapshot.stored(id)),
            sink: Box::new(|change| match change {
                Change::Upsert(document) => writer.upsert_stored(*document),
                Change::Delete(id) => writer.delete(&id),
                Change::Commit => writer.commit().map(drop),
            }),
            progress: Box::new(|_| {}),
            stop: None,
        };
        Self { token_spans, known: Known::new(known), ledger: Ledger::default(), output }
    }

    /// The same, noting in the collection's `folder` what the files look like: those that look the same in the next
    /// run are not opened, and [`crate::Sources`] tells which were changed since.
    #[must_use]
    pub fn noting_sources(mut self, folder: &Path) -> Self {
        self.ledger = Ledger::open(folder);
        self
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

#[cfg(test)]
mod bulk_tests;
#[cfg(test)]
mod sync_tests;
#[cfg(test)]
mod tests;
