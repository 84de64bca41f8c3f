//! The extracting thread: files → documents cut into passages, and what there is to say about each file, in
//! order, in messages of bounded size.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use alder_engine::{Document, DocumentId};

use super::encoding::Prepared;
use super::{Origin, content_hash};
use crate::chunk::{TokenSpans, chunk};
use crate::extract::{self, Extracted, Record, RecordSettings, Records};
use crate::report::Fate;
use crate::settings::Settings;
use crate::source::SourceFile;
use crate::{Format, decode, limits};

/// A file to read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) file: SourceFile,
    /// Number of the file in the report.
    pub(super) key: usize,
    pub(super) origin: Origin,
    /// Bytes of all files before it.
    pub(super) position: u64,
}

/// What the thread tells.
#[derive(Debug)]
pub(super) enum Message {
    Begin { key: usize },
    Document(Box<Prepared>),
    Unchanged { key: usize },
    Problem { key: usize, line: Option<u64>, reason: String },
    Note { key: usize, note: String },
    End { key: usize, position: u64, fate: Option<Fate> },
}

/// Short hashes of the ids that were found.
pub(super) type Seen = HashSet<u128>;

/// A short hash of an id; a collision in a million documents is less likely than a broken disk.
pub(super) fn short(id: &DocumentId) -> u128 {
    let hash = blake3::hash(id.as_str().as_bytes());
    u128::from_le_bytes(hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes"))
}

/// The thread's state.
pub(super) struct Extracting<'a> {
    pub(super) settings: &'a Settings,
    pub(super) known: &'a HashMap<DocumentId, String>,
    pub(super) token_spans: &'a TokenSpans<'a>,
    pub(super) stop: Option<&'a AtomicBool>,
    pub(super) send: SyncSender<Vec<Message>>,
    pub(super) waiting: Vec<Message>,
    pub(super) waiting_bytes: usize,
    pub(super) seen: Seen,
}

/// Why a file gave no documents.
pub(super) type Outcome = Result<(), Fate>;

impl Extracting<'_> {
    /// Reads the files in order until all are read, the run is stopped or nobody listens.
    pub(super) fn run(mut self, jobs: &[Job]) -> Seen {
        for job in jobs {
            let key = job.key;
            if self.tell(Message::Begin { key }).is_break() {
                break;
            }
            // A parser that panics costs its file, not the run.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.file(job))).unwrap_or_else(|_| {
                Err(failed(
                    "its parser failed on it, which is a fault of Alder; please report the file",
                ))
            });
            if self.is_stopped() {
                break;
            }
            let position = job.position + job.file.bytes;
            if self.tell(Message::End { key, position, fate: outcome.err() }).is_break() {
                break;
            }
        }
        let _ = self.send.send(std::mem::take(&mut self.waiting));
        self.seen
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Sends a message, together with others where they are small.
    pub(super) fn tell(&mut self, message: Message) -> ControlFlow<()> {
        if let Message::Document(prepared) = &message {
            self.waiting_bytes += prepared.document.text.len();
        }
        self.waiting.push(message);
        let full = self.waiting_bytes >= limits::MESSAGE_BYTES
            || self.waiting.len() >= limits::MESSAGE_DOCUMENTS;
        if full {
            self.waiting_bytes = 0;
            if self.send.send(std::mem::take(&mut self.waiting)).is_err() {
                return ControlFlow::Break(());
            }
        }
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn file(&mut self, job: &Job) -> Outcome {
        let mut file = File::open(&job.file.path).map_err(unreadable)?;
        let before = file.metadata().map_err(unreadable)?;
        if !before.is_file() {
            return Err(failed("it is no regular file any more"));
        }
        let mut head = Vec::new();
        file.by_ref()
            .take(limits::SNIFF_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        if head.is_empty() {
            return Err(skipped("empty"));
        }
        let format = Format::detect(&job.file.id, &head).map_err(skipped)?;
        let wide =
            encoding_rs::Encoding::for_bom(&head).is_some_and(|(e, _)| e != encoding_rs::UTF_8);
        let outcome = if format.is_contained() {
            self.contained(job, format, &mut file)
        } else if format == Format::JsonLines && !wide {
            self.lines(job, Cursor::new(head).chain(&file))
        } else {
            let bytes = self.read_whole(head, &file, before.len())?;
            self.whole(job, format, bytes)
        };
        let changed = file.metadata().is_ok_and(|after| {
            after.len() != before.len() || after.modified().ok() != before.modified().ok()
        });
        if changed {
            let note = "changed while it was read; index it again for its newest state".into();
            let _ = self.tell(Message::Note { key: job.key, note });
        }
        outcome
    }

    fn read_whole(&self, mut head: Vec<u8>, file: &File, size: u64) -> Result<Vec<u8>, Fate> {
        let limit = self.settings.max_file_bytes;
        if size > limit {
            return Err(too_large(size, limit));
        }
        file.take((limit + 1).saturating_sub(head.len() as u64))
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        let size = head.len() as u64;
        if size > limit { Err(too_large(size, limit)) } else { Ok(head) }
    }

    fn lines(&mut self, job: &Job, source: impl Read) -> Outcome {
        self.records(job, |records| {
            records.lines(&mut BufReader::with_capacity(1 << 16, source)).map_err(unreadable)
        })
    }

    fn whole(&mut self, job: &Job, format: Format, bytes: Vec<u8>) -> Outcome {
        let hash = blake3::hash(&bytes);
        let id = DocumentId::new(job.file.id.clone()).map_err(|e| failed(e.to_string()))?;
        let content_hash = content_hash(&job.origin, &self.settings.fingerprint(), &hash);
        if !format.is_records() && self.known.get(&id) == Some(&content_hash) {
            self.once(&id, job).map_err(failed)?;
            let _ = self.tell(Message::Unchanged { key: job.key });
            return Ok(());
        }
        let declared =
            (format == Format::Html).then(|| extract::declared_encoding(&bytes)).flatten();
        let decoded = decode::decode(bytes, declared).map_err(skipped)?;
        for note in decoded.notes {
            let _ = self.tell(Message::Note { key: job.key, note });
        }
        if decoded.text.trim().is_empty() {
            return Err(skipped("no text in it"));
        }
        if format.is_records() {
            return self
                .records(job, |records| records.text(format, &decoded.text).map_err(failed));
        }
        self.once(&id, job).map_err(failed)?;
        let extracted = extract::whole(format, &job.file.id, decoded.text).map_err(failed)?;
        let position = job.position + job.file.bytes;
        self.document(job, (id, content_hash, position), extracted).map_err(failed)
    }

    /// Reads the records of a file with `read`.
    fn records(&mut self, job: &Job, read: impl FnOnce(&mut Records<'_>) -> Outcome) -> Outcome {
        let settings = RecordSettings {
            fields: &self.settings.fields,
            max_line_bytes: self.settings.max_line_bytes,
        };
        let fingerprint = self.settings.fingerprint();
        let mut any = false;
        let mut emit = |record: Record| {
            any = true;
            let line = record.line;
            if let Err(reason) = self.record(job, &fingerprint, record) {
                return self.tell(Message::Problem { key: job.key, line: Some(line), reason });
            }
            if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        read(&mut Records { settings, emit: &mut emit })?;
        if any { Ok(()) } else { Err(skipped("no records in it")) }
    }

    fn record(&mut self, job: &Job, fingerprint: &str, record: Record) -> Result<(), String> {
        let extracted = record.content?;
        let file = &job.file.id;
        let id = record.id.unwrap_or_else(|| match record.number {
            0 => file.clone(),
            number => format!("{file}#{number}"),
        });
        let id = DocumentId::new(id).map_err(|error| error.to_string())?;
        self.once(&id, job)?;
        let content_hash = content_hash(&job.origin, fingerprint, &record.hash);
        if self.known.get(&id) == Some(&content_hash) {
            let _ = self.tell(Message::Unchanged { key: job.key });
            return Ok(());
        }
        let position = job.position + record.position.min(job.file.bytes);
        self.document(job, (id, content_hash, position), extracted)
    }

    /// Two documents of one run cannot have the same id: the second would silently replace the first.
    pub(super) fn once(&mut self, id: &DocumentId, job: &Job) -> Result<(), String> {
        if self.seen.insert(short(id)) {
            return Ok(());
        }
        let file = &job.file.id;
        Err(format!(
            "the id {id} in {file} was already used in this run; ids must be unique in a collection"
        ))
    }

    pub(super) fn document(
        &mut self,
        job: &Job,
        (id, content_hash, position): (DocumentId, String, u64),
        extracted: Extracted,
    ) -> Result<(), String> {
        let notes = extracted.notes.clone();
        let prepared = prepare(id, content_hash, extracted, (self.settings, self.token_spans))?;
        for note in notes {
            let _ = self.tell(Message::Note { key: job.key, note });
        }
        let _ =
            self.tell(Message::Document(Box::new(Prepared { key: job.key, position, ..prepared })));
        Ok(())
    }
}

/// Cuts an extracted document into passages and checks that it can be held.
///
/// # Errors
/// The reason in words.
pub(super) fn prepare(
    id: DocumentId,
    content_hash: String,
    extracted: Extracted,
    (settings, token_spans): (&Settings, &TokenSpans<'_>),
) -> Result<Prepared, String> {
    let limit = alder_engine::limits::DOCUMENT_TEXT_BYTES;
    if extracted.text.len() > limit {
        let found = extracted.text.len();
        return Err(format!(
            "its text has {found} bytes, the limit is {limit}; split it into several documents"
        ));
    }
    let chunks = chunk(&extracted, settings, token_spans).map_err(|error| error.to_string())?;
    if chunks.is_empty() {
        return Err("no text in it".into());
    }
    let Extracted { title, text, metadata, .. } = extracted;
    let fields: usize =
        metadata.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
    let headings =
        chunks.iter().map(|c| c.heading_path.iter().map(String::len).sum()).max().unwrap_or(0);
    let repeated = (fields + title.len() + headings).saturating_mul(chunks.len());
    if repeated > limits::REPEATED_BYTES {
        let (passages, limit) = (chunks.len(), limits::REPEATED_BYTES);
        return Err(format!(
            "its title and metadata would take {repeated} bytes over {passages} passages, the limit is {limit}; \
             shorten them or split the document"
        ));
    }
    let document = Document { id, title, text, metadata, content_hash };
    Ok(Prepared { key: 0, document, chunks, position: 0 })
}

pub(super) fn too_large(size: u64, limit: u64) -> Fate {
    failed(format!("{size} bytes large, the limit is {limit}; raise it with --max-file-bytes"))
}

pub(super) fn unreadable(error: std::io::Error) -> Fate {
    failed(format!("cannot be read: {error}"))
}

pub(super) fn failed(reason: impl Into<String>) -> Fate {
    Fate::Failed { reason: reason.into() }
}

pub(super) fn skipped(reason: impl Into<String>) -> Fate {
    Fate::Skipped { reason: reason.into() }
}
