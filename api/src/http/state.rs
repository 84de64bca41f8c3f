//! [`App`]: what all handlers share. One collection, one model, and the permits that keep the work of many
//! clients within what the machine can do.

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alder_engine::{Collection, Model};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::auth::Gate;
use super::metrics::Metrics;
use super::problem::{Code, Problem};
use crate::freshness::KnownSources;
use crate::judgements::Judgements;
use crate::tasks::{SpoolError, Tasks};
use crate::wire::IndexingStatus;

/// What one server takes at most.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Searches that run at once: each uses every core for a while, so few are best.
    pub(crate) searches_running: usize,
    /// Searches that wait for those; the next one is refused at once.
    pub(crate) searches_waiting: usize,
    /// How long a search waits for its turn.
    pub(crate) search_wait: Duration,
    /// How long documents wait for another writer of this server.
    pub(crate) write_wait: Duration,
    /// Between two pieces of a body.
    pub(crate) body_wait: Duration,
    /// Body of a search: the longest query and its filter.
    pub(crate) search_body_bytes: usize,
    /// Body of documents, held in memory until they are committed.
    pub(crate) documents_body_bytes: usize,
    /// Body of texts for the model alone, in the dialects of other servers.
    pub(crate) texts_body_bytes: usize,
    /// Body of uploaded files, written to disk as it comes.
    pub(crate) files_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            searches_running: cores,
            searches_waiting: 4 * cores,
            search_wait: Duration::from_secs(10),
            write_wait: Duration::from_secs(10),
            body_wait: Duration::from_secs(30),
            search_body_bytes: 1 << 20,
            documents_body_bytes: 64 << 20,
            texts_body_bytes: 16 << 20,
            files_body_bytes: 1 << 30,
        }
    }
}

/// Everything a request needs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) model: Arc<Model>,
    pub(crate) collection: Collection,
    /// The files that documents came from.
    pub(crate) sources: KnownSources,
    /// Work accepted now and done later.
    pub(crate) tasks: Tasks,
    /// What people said of hits and answers.
    pub(crate) judgements: Judgements,
    pub(crate) limits: Limits,
    /// Address the server listens on.
    pub(crate) bound: IpAddr,
    /// Names it answers to besides.
    pub(crate) names: Vec<String>,
    /// Who may call.
    pub(crate) gate: Gate,
    pub(crate) metrics: Metrics,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    indexing: Mutex<IndexingStatus>,
    requests: AtomicU64,
}

/// Held while a search runs.
#[derive(Debug)]
pub(crate) struct SearchPermit {
    _admitted: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl App {
    /// The state of a server that listens on `bound` and keeps its files in `data_dir`.
    ///
    /// # Errors
    /// [`SpoolError`] when the tasks in `data_dir` cannot be read.
    pub(crate) fn new(
        model: Arc<Model>,
        collection: Collection,
        data_dir: &Path,
        bound: IpAddr,
        limits: Limits,
    ) -> Result<Self, SpoolError> {
        Ok(Self {
            tasks: Tasks::open(data_dir)?,
            judgements: Judgements::in_folder(data_dir),
            sources: KnownSources::default(),
            model,
            collection,
            bound,
            names: Vec::new(),
            gate: Gate::open(),
            metrics: Metrics::new(),
            admitted: Arc::new(Semaphore::new(limits.searches_running + limits.searches_waiting)),
            running: Arc::new(Semaphore::new(limits.searches_running)),
            writing: Arc::new(Semaphore::new(1)),
            indexing: Mutex::default(),
            requests: AtomicU64::new(1),
            limits,
        })
    }

    /// The same for callers that pass `gate` and know it by `names`.
    #[must_use]
    pub(crate) fn guarded(mut self, gate: Gate, names: Vec<String>) -> Self {
        (self.gate, self.names) = (gate, names);
        self
    }

    /// Waits for the turn of a search.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait already, [`Code::Timeout`] when the turn does not come.
    pub(crate) async fn search_permit(&self) -> Result<SearchPermit, Problem> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| {
            let detail = "more searches are waiting than this server keeps; try again in a moment";
            Problem::new(Code::Overloaded, detail)
        })?;
        let running = acquire(&self.running, self.limits.search_wait).await.ok_or_else(|| {
            Problem::new(Code::Timeout, "other searches took too long; try again in a moment")
        })?;
        Ok(SearchPermit { _admitted: admitted, _running: running })
    }

    /// Waits until no other request of this server writes.
    ///
    /// # Errors
    /// [`Code::Busy`] when that takes too long.
    pub(crate) async fn write_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        acquire(&self.writing, self.limits.write_wait).await.ok_or_else(|| {
            let detail = "documents are being indexed; try again when /v1/status says it is done";
            Problem::new(Code::Busy, detail)
        })
    }

    /// The next turn to write, however long that takes.
    pub(crate) async fn writer_turn(&self) -> OwnedSemaphorePermit {
        let turn = self.writing.clone().acquire_owned().await;
        turn.expect("the semaphore is never closed")
    }

    /// What indexing does right now.
    pub(crate) fn indexing(&self) -> IndexingStatus {
        self.indexing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells what indexing does right now.
    pub(crate) fn set_indexing(&self, status: IndexingStatus) {
        *self.indexing.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// The number of the next request, from 1.
    pub(crate) fn next_request_id(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, wait: Duration) -> Option<OwnedSemaphorePermit> {
    tokio::time::timeout(wait, semaphore.clone().acquire_owned()).await.ok()?.ok()
}
