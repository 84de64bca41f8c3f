//! The extracting thread: files → documents cut into passages, and what there is to say about each file, in
//! order, in messages of bounded size.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::SystemTime;

use alder_engine::{Document, DocumentId};

use super::encoding::Prepared;
use super::{Known, Ledger, Origin};
use crate::chunk::{TokenSpans, chunk};
use crate::extract::{self, Extracted, Record, RecordSettings, Records};
use crate::ledger::Seen;
use crate::origin::{Tally, short};
use crate::report::Fate;
use crate::settings::{Revisit, Settings};
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
    Begin {
        key: usize,
    },
    Document(Box<Prepared>),
    Unchanged {
        key: usize,
    },
    /// The file looks as it did when these documents were stored, and was not opened.
    Untouched {
        key: usize,
        documents: u64,
        bad_records: u64,
        problems: Vec<crate::Problem>,
    },
    Problem {
        key: usize,
        line: Option<u64>,
        reason: String,
    },
    Note {
        key: usize,
        note: String,
    },
    End {
        key: usize,
        position: u64,
        fate: Option<Fate>,
        reading: Option<Reading>,
    },
}

/// What was seen of a file that was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) seen: Option<Seen>,
    /// Whether a later change will show.
    pub(super) settled: bool,
    /// The documents it gave.
    pub(super) tally: Tally,
}

/// Short hashes of the ids that were found.
pub(super) type Found = HashSet<u128>;

/// The thread's state.
pub(super) struct Extracting<'a> {
    pub(super) settings: &'a Settings,
    pub(super) known: &'a Known,
    pub(super) ledger: &'a Ledger,
    /// Hash of the settings, as the ledger has it.
    pub(super) settings_hash: u64,
    /// The files of this run, and the roots that are kept in step: what else came from these is gone.
    pub(super) listed: &'a HashSet<Origin>,
    pub(super) synced: &'a HashSet<u64>,
    pub(super) token_spans: &'a TokenSpans<'a>,
    pub(super) stop: Option<&'a AtomicBool>,
    pub(super) send: SyncSender<Vec<Message>>,
    pub(super) waiting: Vec<Message>,
    pub(super) waiting_bytes: usize,
    pub(super) found: Found,
    /// What is known of the file at hand.
    pub(super) reading: Option<Reading>,
}

/// Why a file gave no documents.
pub(super) type Outcome = Result<(), Fate>;

impl Extracting<'_> {
    /// Reads the files in order until all are read, the run is stopped or nobody listens.
    pub(super) fn run(mut self, jobs: &[Job]) -> Found {
        for job in jobs {
            let key = job.key;
            if self.tell(Message::Begin { key }).is_break() {
                break;
            }
            self.reading = None;
            // A parser that panics costs its file, not the run.
            let outcome = catch_unwind(AssertUnwindSafe(|| match self.untouched(job) {
                Some(outcome) => outcome,
                None => self.file(job),
            }));
            let outcome = outcome.unwrap_or_else(|_| {
                Err(failed(
                    "its parser failed on it, which is a fault of Alder; please report the file",
                ))
            });
            if self.is_stopped() {
                break;
            }
            let position = job.position + job.file.bytes;
            let end = Message::End { key, position, fate: outcome.err(), reading: self.reading };
            if self.tell(end).is_break() {
                break;
            }
        }
        let _ = self.send.send(std::mem::take(&mut self.waiting));
        self.found
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

    /// What became of a file that looks as the ledger has it, if the collection holds just what it gave.
    fn untouched(&mut self, job: &Job) -> Option<Outcome> {
        let entry = self.ledger.entry(job.origin)?;
        let revisit = self.settings.revisit;
        if let Some(failure) = &entry.failed {
            let same =
                Some(failure.seen) == job.file.seen && failure.settings == self.settings_hash;
            let leave = revisit == Revisit::None && same;
            return leave.then(|| Err(failed(failure.reason.clone())));
        }
        let same = entry.settled
            && revisit != Revisit::All
            && Some(entry.seen) == job.file.seen
            && entry.settings == self.settings_hash
            && entry.tally == self.known.tally(job.origin);
        let ids: Vec<u128> = self.known.of_file(job.origin).map(short).collect();
        if !same || ids.iter().any(|id| self.found.contains(id)) {
            return None;
        }
        if let Some(reason) = &entry.skipped {
            return Some(Err(skipped(reason.clone())));
        }
        self.found.extend(ids);
        let (documents, bad_records) = (entry.tally.documents, entry.bad_records);
        let problems = entry.problems.clone();
        let _ = self.tell(Message::Untouched { key: job.key, documents, bad_records, problems });
        Some(Ok(()))
    }

    fn file(&mut self, job: &Job) -> Outcome {
        let now = SystemTime::now();
        let mut file = File::open(&job.file.path).map_err(unreadable)?;
        let before = file.metadata().map_err(unreadable)?;
        let seen = Seen::new(&before);
        let settled = seen.is_some_and(|seen| seen.is_settled(now));
        self.reading = Some(Reading { seen, settled, tally: Tally::default() });
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
            if let Some(reading) = &mut self.reading {
                reading.settled = false;
            }
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
        let content_hash = job.origin.content_hash(&self.settings.fingerprint(), &hash);
        if !format.is_records() && self.known.has(&id, &content_hash) {
            self.once(&id, job).map_err(failed)?;
            self.unchanged(job, &id, &content_hash);
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
        let content_hash = job.origin.content_hash(fingerprint, &record.hash);
        if self.known.has(&id, &content_hash) {
            self.unchanged(job, &id, &content_hash);
            return Ok(());
        }
        let position = job.position + record.position.min(job.file.bytes);
        self.document(job, (id, content_hash, position), extracted)
    }

    /// Two documents of one run cannot have the same id: the second would silently replace the first.
    pub(super) fn once(&mut self, id: &DocumentId, job: &Job) -> Result<(), String> {
        if self.found.insert(short(id)) {
            return Ok(());
        }
        // What becomes of it depends on another file.
        if let Some(reading) = &mut self.reading {
            reading.settled = false;
        }
        let file = &job.file.id;
        Err(format!(
            "the id {id} in {file} was already used in this run; ids must be unique in a collection"
        ))
    }

    /// Tells of a document that is stored already.
    pub(super) fn unchanged(&mut self, job: &Job, id: &DocumentId, content_hash: &str) {
        self.count(id, content_hash);
        let _ = self.tell(Message::Unchanged { key: job.key });
    }

    fn count(&mut self, id: &DocumentId, content_hash: &str) {
        if let Some(reading) = &mut self.reading {
            reading.tally.add(id, content_hash);
        }
    }

    /// The file that a document came from before, if that is gone.
    fn moved_from(&self, relatives: &[&DocumentId]) -> Option<Origin> {
        let gone =
            |origin: &Origin| self.synced.contains(&origin.root) && !self.listed.contains(origin);
        relatives.iter().filter_map(|id| self.known.origin(id)).find(gone)
    }

    pub(super) fn document(
        &mut self,
        job: &Job,
        (id, content_hash, position): (DocumentId, String, u64),
        extracted: Extracted,
    ) -> Result<(), String> {
        let notes = extracted.notes.clone();
        let relatives = self.known.relatives(&id, &content_hash);
        let moved_from = self.moved_from(&relatives);
        let relatives: Vec<DocumentId> = relatives.into_iter().cloned().collect();
        let prepared = prepare(id, content_hash, extracted, (self.settings, self.token_spans))?;
        let Document { id, content_hash, .. } = &prepared.document;
        self.count(id, content_hash);
        for note in notes {
            let _ = self.tell(Message::Note { key: job.key, note });
        }
        let key = job.key;
        let prepared = Prepared { key, position, relatives, moved_from, ..prepared };
        let _ = self.tell(Message::Document(Box::new(prepared)));
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
    Ok(Prepared { key: 0, document, chunks, relatives: Vec::new(), moved_from: None, position: 0 })
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
