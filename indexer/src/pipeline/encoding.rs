//! [`Encoding`]: documents cut into passages → vectors → the collection, in batches across documents, with a
//! commit every so often. A passage that reads the same to the encoder as one that is stored keeps its vector.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use alder_engine::{Document, DocumentId, Error, Passage, PassageId, StoredDocument, StoredVector};

use super::{Change, Event, Output};
use crate::chunk::Chunk;
use crate::limits;
use crate::origin::Origin;

/// A document that is ready to be encoded.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Number the caller knows it by.
    pub(super) key: usize,
    pub(super) document: Document,
    pub(super) chunks: Vec<Chunk>,
    /// Stored documents that may have passages in common with it.
    pub(super) relatives: Vec<DocumentId>,
    /// The file it was moved from.
    pub(super) moved_from: Option<Origin>,
    /// Bytes of all files up to its end.
    pub(super) position: u64,
}

/// What became of a prepared document.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) key: usize,
    pub(super) id: String,
    pub(super) position: u64,
    pub(super) moved_from: Option<Origin>,
    /// Its passages and how many of them kept their vectors, or why it was refused.
    pub(super) result: Result<(u64, u64), String>,
}

struct Pending {
    prepared: Prepared,
    /// The vector of each passage, as far as it is there.
    vectors: Vec<Option<StoredVector>>,
    kept: u64,
    /// Passages before this one have their vectors.
    next: usize,
}

impl Pending {
    /// The first passage from `next` on without a vector.
    fn missing(&self) -> Option<usize> {
        let rest = self.vectors[self.next..].iter();
        rest.zip(self.next..).find(|(vector, _)| vector.is_none()).map(|(_, ordinal)| ordinal)
    }
}

/// The queue of documents on their way into the collection.
pub(super) struct Encoding<'i, 'a> {
    output: &'i mut Output<'a>,
    queue: VecDeque<Pending>,
    /// Tokens in the queue that are not encoded yet.
    tokens: usize,
    /// Text in the queue.
    bytes: usize,
    uncommitted: u64,
    last_commit: Instant,
    stored: u64,
    /// Bytes of all files up to the last document that was stored, and of all.
    behind: u64,
    bytes_total: u64,
    /// Documents that went through since the caller last looked.
    pub(super) finished: Vec<Finished>,
}

impl<'i, 'a> Encoding<'i, 'a> {
    pub(super) fn new(output: &'i mut Output<'a>, bytes_total: u64) -> Self {
        let (queue, finished) = (VecDeque::new(), Vec::new());
        Self {
            output,
            queue,
            tokens: 0,
            bytes: 0,
            uncommitted: 0,
            last_commit: Instant::now(),
            stored: 0,
            behind: 0,
            bytes_total,
            finished,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.output.is_stopped()
    }

    /// Number of the first document that is not stored yet.
    pub(super) fn first_waiting(&self) -> Option<usize> {
        self.queue.front().map(|pending| pending.prepared.key)
    }

    pub(super) fn report(&mut self, file: &str, bytes_done: u64) {
        let (documents, bytes_total) = (self.stored, self.bytes_total);
        self.behind = self.behind.max(bytes_done);
        let bytes_done = self.behind;
        (self.output.progress)(Event::Progress { file, bytes_done, bytes_total, documents });
    }

    /// Tells how far a document is that takes more than one batch.
    fn report_part(&mut self) {
        let Some(Pending { prepared, vectors, next, .. }) = self.queue.front() else { return };
        let bytes = prepared.position.saturating_sub(self.behind);
        let part = bytes as f64 * *next as f64 / vectors.len().max(1) as f64;
        let bytes_done = self.behind + (part as u64).min(bytes);
        let (file, documents) = (prepared.document.id.as_str(), self.stored);
        let bytes_total = self.bytes_total;
        (self.output.progress)(Event::Progress { file, bytes_done, bytes_total, documents });
    }

    /// Takes a document; encodes and stores when there is enough for a batch.
    pub(super) fn push(&mut self, prepared: Prepared) -> Result<(), Error> {
        let vectors = self.kept_vectors(&prepared)?;
        let new = prepared.chunks.iter().zip(&vectors).filter(|(_, vector)| vector.is_none());
        self.tokens += new.map(|(chunk, _)| chunk.tokens).sum::<usize>();
        self.bytes += prepared.document.text.len();
        let kept = vectors.iter().flatten().count() as u64;
        self.queue.push_back(Pending { prepared, vectors, kept, next: 0 });
        self.store()?;
        while self.is_full() && !self.output.is_stopped() {
            self.batch()?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let much = self.bytes >= limits::QUEUE_BYTES;
        self.tokens >= limits::BATCH_TOKENS || (much && !self.queue.is_empty())
    }

    /// The vectors that passages of stored relatives have for the same text.
    fn kept_vectors(&self, prepared: &Prepared) -> Result<Vec<Option<StoredVector>>, Error> {
        let mut stored = HashMap::new();
        for id in &prepared.relatives {
            let relative = (self.output.stored)(id)?.into_iter().flat_map(|d| d.passages);
            stored.extend(relative.map(|(passage, vector)| (passage.for_encoder(), vector)));
        }
        if stored.is_empty() {
            return Ok(vec![None; prepared.chunks.len()]);
        }
        let texts = prepared.chunks.iter().enumerate().map(|(ordinal, chunk)| {
            stored.get(&passage(&prepared.document, ordinal, chunk).for_encoder()).cloned()
        });
        Ok(texts.collect())
    }

    /// Encodes and stores what waits.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        while !self.queue.is_empty() && !self.output.is_stopped() {
            self.batch()?;
        }
        Ok(())
    }

    /// Removes a document with the next commit.
    pub(super) fn delete(&mut self, id: alder_engine::DocumentId) -> Result<(), Error> {
        self.uncommitted += 1;
        (self.output.sink)(Change::Delete(id))
    }

    /// Makes durable what is not yet.
    pub(super) fn commit(&mut self) -> Result<(), Error> {
        self.last_commit = Instant::now();
        if std::mem::take(&mut self.uncommitted) > 0 {
            (self.output.sink)(Change::Commit)?;
            (self.output.progress)(Event::Committed { documents: self.stored });
        }
        Ok(())
    }

    /// Encodes one batch from the front of the queue and stores the documents that are complete with it.
    fn batch(&mut self) -> Result<(), Error> {
        let mut places = Vec::new();
        let mut texts = Vec::new();
        let mut room = limits::BATCH_TOKENS;
        'full: for (number, pending) in self.queue.iter_mut().enumerate() {
            while let Some(ordinal) = pending.missing() {
                if room == 0 {
                    break 'full;
                }
                let chunk = &pending.prepared.chunks[ordinal];
                room = room.saturating_sub(chunk.tokens);
                self.tokens = self.tokens.saturating_sub(chunk.tokens);
                texts.push(passage(&pending.prepared.document, ordinal, chunk).for_encoder());
                places.push((number, ordinal));
                pending.next = ordinal + 1;
            }
            pending.next = pending.vectors.len();
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = if texts.is_empty() { Vec::new() } else { (self.output.encode)(&texts)? };
        for ((number, ordinal), vector) in places.into_iter().zip(vectors) {
            self.queue[number].vectors[ordinal] = Some(vector);
        }
        self.store()?;
        self.report_part();
        Ok(())
    }

    /// Stores the complete documents at the front of the queue; commits when it is time.
    fn store(&mut self) -> Result<(), Error> {
        while self.queue.front().is_some_and(|pending| pending.missing().is_none()) {
            let Some(Pending { prepared, vectors, kept, .. }) = self.queue.pop_front() else {
                break;
            };
            let Prepared { key, document, chunks, position, moved_from, .. } = prepared;
            self.bytes -= document.text.len();
            self.behind = self.behind.max(position);
            let passages: Vec<(Passage, StoredVector)> = chunks
                .iter()
                .enumerate()
                .map(|(ordinal, chunk)| passage(&document, ordinal, chunk))
                .zip(vectors.into_iter().flatten())
                .collect();
            let (id, count) = (document.id.to_string(), passages.len() as u64);
            let document = Box::new(StoredDocument { document, passages });
            let result = match (self.output.sink)(Change::Upsert(document)) {
                Ok(()) => {
                    self.stored += 1;
                    self.uncommitted += 1;
                    Ok((count, kept))
                }
                // Beyond a limit of the engine: the document's fault, not the collection's.
                Err(Error::Query(error)) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            self.finished.push(Finished { key, id, position, moved_from, result });
            let settings = self.output.settings;
            let due = self.last_commit.elapsed() >= Duration::from_secs(settings.commit_seconds);
            if due || self.uncommitted >= settings.commit_documents {
                self.commit()?;
            }
        }
        Ok(())
    }
}

fn passage(document: &Document, ordinal: usize, chunk: &Chunk) -> Passage {
    let mut metadata = document.metadata.clone();
    if let Some(page) = chunk.page {
        metadata.insert(Passage::PAGE.to_owned(), page.into());
    }
    Passage {
        // Fewer passages than bytes of a text, whose limit fits.
        id: PassageId { document: document.id.clone(), ordinal: ordinal as u32 },
        title: document.title.clone(),
        heading_path: chunk.heading_path.to_vec(),
        span: chunk.span,
        text: document.text[chunk.span.start..chunk.span.end].to_owned(),
        metadata,
    }
}
