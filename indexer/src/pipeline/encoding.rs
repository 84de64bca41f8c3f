//! [`Encoding`]: documents cut into passages → embeddings → the collection, in batches across documents, with a
//! commit every so often.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use alder_engine::{Document, Embedding, EncodedDocument, Error, Passage, PassageId};

use super::{Change, Event, Output};
use crate::chunk::Chunk;
use crate::limits;

/// A document that is ready to be encoded.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Number the caller knows it by.
    pub(super) key: usize,
    pub(super) document: Document,
    pub(super) chunks: Vec<Chunk>,
    /// Bytes of all files up to its end.
    pub(super) position: u64,
}

/// What became of a prepared document: its passages, or why it was refused.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) key: usize,
    pub(super) id: String,
    pub(super) position: u64,
    pub(super) result: Result<u64, String>,
}

struct Pending {
    prepared: Prepared,
    passages: Vec<(Passage, Embedding)>,
}

/// The queue of documents on their way into the collection.
pub(super) struct Encoding<'i, 'a> {
    output: &'i mut Output<'a>,
    queue: VecDeque<Pending>,
    /// Tokens in the queue that are not encoded yet.
    tokens: usize,
    uncommitted: u64,
    last_commit: Instant,
    stored: u64,
    /// Documents that went through since the caller last looked.
    pub(super) finished: Vec<Finished>,
}

impl<'i, 'a> Encoding<'i, 'a> {
    pub(super) fn new(output: &'i mut Output<'a>) -> Self {
        let (queue, finished) = (VecDeque::new(), Vec::new());
        Self {
            output,
            queue,
            tokens: 0,
            uncommitted: 0,
            last_commit: Instant::now(),
            stored: 0,
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

    pub(super) fn report(&mut self, file: &str, bytes_done: u64, bytes_total: u64) {
        let documents = self.stored;
        (self.output.progress)(Event::Progress { file, bytes_done, bytes_total, documents });
    }

    /// Takes a document; encodes and stores when there is enough for a batch.
    pub(super) fn push(&mut self, prepared: Prepared) -> Result<(), Error> {
        self.tokens += prepared.chunks.iter().map(|chunk| chunk.tokens).sum::<usize>();
        self.queue.push_back(Pending { passages: Vec::new(), prepared });
        while self.tokens >= limits::BATCH_TOKENS && !self.output.is_stopped() {
            self.batch()?;
        }
        Ok(())
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
        let mut passages = Vec::new();
        let mut counts = Vec::new();
        let mut room = limits::BATCH_TOKENS;
        for pending in &self.queue {
            let before = passages.len();
            let Prepared { document, chunks, .. } = &pending.prepared;
            for (ordinal, chunk) in chunks.iter().enumerate().skip(pending.passages.len()) {
                if room == 0 {
                    break;
                }
                room = room.saturating_sub(chunk.tokens);
                self.tokens = self.tokens.saturating_sub(chunk.tokens);
                passages.push(passage(document, ordinal, chunk));
            }
            counts.push(passages.len() - before);
            if room == 0 {
                break;
            }
        }
        let texts: Vec<String> = passages.iter().map(Passage::for_encoder).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let embeddings = (self.output.encode)(&texts)?;
        let mut encoded = passages.into_iter().zip(embeddings);
        for (pending, count) in self.queue.iter_mut().zip(counts) {
            pending.passages.extend(encoded.by_ref().take(count));
        }
        self.store()
    }

    /// Stores the complete documents at the front of the queue; commits when it is time.
    fn store(&mut self) -> Result<(), Error> {
        while self.queue.front().is_some_and(|p| p.passages.len() == p.prepared.chunks.len()) {
            let Some(Pending { prepared, passages }) = self.queue.pop_front() else { break };
            let Prepared { key, document, position, .. } = prepared;
            let (id, count) = (document.id.to_string(), passages.len() as u64);
            let document = Box::new(EncodedDocument { document, passages });
            let result = match (self.output.sink)(Change::Upsert(document)) {
                Ok(()) => {
                    self.stored += 1;
                    self.uncommitted += 1;
                    Ok(count)
                }
                // Beyond a limit of the engine: the document's fault, not the collection's.
                Err(Error::Query(error)) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            self.finished.push(Finished { key, id, position, result });
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
