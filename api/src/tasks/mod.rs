//! Work accepted now and done later. [`Tasks`] is the list that requests see; [`spool`] keeps each task on disk
//! from before it is acknowledged until it is finished; [`work`] does one after the other.
//!
//! What is acknowledged is durable: a crash at any moment leaves the task either whole in the spool, and it is
//! done after the next start, or unacknowledged. Doing it twice is harmless, because documents replace each
//! other by id. A task that was begun and not finished three times is given up, so that no document can keep the
//! server from starting.

mod spool;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alder_indexer::IncomingDocument;
use tokio::sync::{Notify, watch};

use crate::wire::{Task, TaskKind, TaskStatus};
use spool::Spool;
pub(crate) use spool::{FileDraft, SpoolError};
pub(crate) use work::run;

/// Tasks that wait at most; the next one is refused.
const WAITING: usize = 1_000;
/// Bytes that wait at most in the spool.
const WAITING_BYTES: u64 = 4 << 30;
/// Finished tasks that are remembered.
const REMEMBERED: usize = 1_000;
/// Files that a task names.
const NAMES: usize = 10;
/// Problems that a task names.
const ITEMS: usize = 100;
/// A task that was begun this often and never finished is given up.
const ATTEMPTS: u32 = 3;

/// What was read of one document: its place in the request, and the document or, with its id as far as known,
/// why it is none.
pub(crate) type Item = (usize, Result<IncomingDocument, (Option<String>, String)>);

/// What a client sent, before it is a task.
#[derive(Debug)]
pub(crate) enum Draft {
    /// Documents as they were read.
    Documents(Vec<Item>),
    /// Files already written into the spool.
    Files(FileDraft),
}

/// Why no task was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnqueueError {
    /// Too much waits already.
    #[error("{0} wait already; try again when some are done")]
    Full(String),
    /// The disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// All tasks of one data folder.
#[derive(Debug)]
pub(crate) struct Tasks {
    spool: Spool,
    list: Mutex<List>,
    /// Tells the worker that something waits.
    waiting: Notify,
    /// Told whenever a task changed.
    changed: watch::Sender<()>,
    /// Whether the server stops.
    stopping: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct List {
    tasks: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    task: Task,
    /// Bytes in the spool.
    bytes: u64,
    stop: Arc<Stop>,
}

/// How a task is asked to end.
#[derive(Debug, Default)]
struct Stop {
    /// Whether it is to end after its batch.
    now: AtomicBool,
    /// Whether that is for good, because somebody canceled it.
    canceled: AtomicBool,
}

impl Tasks {
    /// The tasks in `data_dir`; those a crash left unfinished wait again.
    ///
    /// # Errors
    /// [`SpoolError`] naming the file that cannot be read.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, SpoolError> {
        let (spool, found) = Spool::open(data_dir)?;
        let mut list = List { tasks: BTreeMap::new(), next: 1 };
        for (mut task, bytes) in found {
            list.next = list.next.max(task.id + 1);
            if task.status == TaskStatus::Processing {
                task.status = TaskStatus::Enqueued;
                tracing::info!(
                    task = task.id,
                    "was under way when the server ended; it waits again"
                );
            }
            list.tasks.insert(task.id, Entry::new(task, bytes));
        }
        Ok(Self {
            spool,
            list: Mutex::new(list),
            waiting: Notify::new(),
            changed: watch::Sender::new(()),
            stopping: watch::Sender::new(false),
        })
    }

    /// A place in the spool for files that arrive.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub(crate) fn file_draft(&self) -> Result<FileDraft, SpoolError> {
        self.spool.file_draft()
    }

    /// Makes `draft` durable and returns its task.
    ///
    /// # Errors
    /// [`EnqueueError::Full`] when too much waits, [`EnqueueError::Spool`] when it cannot be made durable.
    pub(crate) fn enqueue(&self, draft: Draft) -> Result<Task, EnqueueError> {
        self.list().check_room()?;
        let (kind, received, names) = match &draft {
            Draft::Documents(items) => (TaskKind::Documents, items.len() as u64, Vec::new()),
            Draft::Files(files) => {
                let names = files.names().iter().take(NAMES).cloned().collect();
                (TaskKind::Files, files.names().len() as u64, names)
            }
        };
        // What takes long is written before the list is locked.
        let staged = self.spool.stage(draft)?;
        let mut list = self.list();
        list.check_room()?;
        let task = Task {
            id: list.next,
            kind,
            status: TaskStatus::Enqueued,
            progress: 0.0,
            received,
            names,
            indexed: 0,
            unchanged: 0,
            failed: 0,
            items: Vec::new(),
            detail: None,
            attempts: 0,
            enqueued_at: now(),
            started_at: None,
            finished_at: None,
        };
        let bytes = self.spool.add(&task, staged)?;
        list.next += 1;
        list.tasks.insert(task.id, Entry::new(task.clone(), bytes));
        drop(list);
        self.waiting.notify_one();
        Ok(task)
    }

    /// The task with this id, while it is remembered.
    pub(crate) fn find(&self, id: u64) -> Option<Task> {
        self.list().tasks.get(&id).map(|entry| entry.task.clone())
    }

    /// Up to `limit` tasks below `before`, newest first, with `status` if given; and whether there are more.
    pub(crate) fn page(
        &self,
        status: Option<TaskStatus>,
        before: Option<u64>,
        limit: usize,
    ) -> (Vec<Task>, bool) {
        let list = self.list();
        let mut found = list
            .tasks
            .range(..before.unwrap_or(u64::MAX))
            .rev()
            .map(|(_, entry)| &entry.task)
            .filter(|task| status.is_none_or(|status| task.status == status));
        let page = found.by_ref().take(limit).cloned().collect();
        (page, found.next().is_some())
    }

    /// Asks for the end of a task: one that waits is canceled at once, one under way after its batch. Returns the
    /// task as it is then, or `None` if there is none; a finished task stays as it is.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub(crate) fn cancel(&self, id: u64) -> Result<Option<Task>, SpoolError> {
        let mut list = self.list();
        let Some(entry) = list.tasks.get_mut(&id) else { return Ok(None) };
        entry.stop.canceled.store(true, Ordering::Relaxed);
        entry.stop.now.store(true, Ordering::Relaxed);
        if entry.task.status == TaskStatus::Enqueued {
            entry.task.status = TaskStatus::Canceled;
            entry.task.finished_at = Some(now());
            self.spool.finish(&entry.task)?;
        }
        let task = entry.task.clone();
        drop(list);
        self.changed.send_replace(());
        Ok(Some(task))
    }

    /// The task once it is finished, or `None` if it is not remembered.
    pub(crate) async fn finished(&self, id: u64) -> Option<Task> {
        let mut changed = self.changed.subscribe();
        loop {
            let task = self.find(id)?;
            if task.status.is_final() || changed.changed().await.is_err() {
                return Some(task);
            }
        }
    }

    /// Asks the worker to end: the task under way stops after its batch and waits for the next start.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
        for entry in self.list().tasks.values() {
            entry.stop.now.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the worker was asked to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// How many tasks are not finished.
    pub(crate) fn unfinished(&self) -> usize {
        self.list().tasks.values().filter(|entry| !entry.task.status.is_final()).count()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the oldest task that is not begun.
    async fn next(&self) -> u64 {
        loop {
            let waits = |entry: &&Entry| entry.task.status == TaskStatus::Enqueued;
            let next = self.list().tasks.values().find(waits).map(|entry| entry.task.id);
            if let Some(id) = next {
                return id;
            }
            self.waiting.notified().await;
        }
    }

    /// Changes a task and tells those who wait for it; returns it, and what ends it.
    fn change(&self, id: u64, change: impl FnOnce(&mut Task)) -> Option<(Task, Arc<Stop>)> {
        let mut list = self.list();
        let entry = list.tasks.get_mut(&id)?;
        change(&mut entry.task);
        let changed = (entry.task.clone(), entry.stop.clone());
        drop(list);
        self.changed.send_replace(());
        Some(changed)
    }

    /// Forgets the oldest finished tasks beyond what is remembered.
    fn forget_old(&self) {
        let mut list = self.list();
        let finished: Vec<u64> = list
            .tasks
            .values()
            .filter(|entry| entry.task.status.is_final())
            .map(|entry| entry.task.id)
            .collect();
        for id in &finished[..finished.len().saturating_sub(REMEMBERED)] {
            list.tasks.remove(id);
            self.spool.remove(*id);
        }
    }
}

impl List {
    /// Refuses another task when too much waits.
    fn check_room(&self) -> Result<(), EnqueueError> {
        let waiting = self.tasks.values().filter(|entry| !entry.task.status.is_final());
        let (count, bytes) = waiting.fold((0, 0), |(n, b), entry| (n + 1, b + entry.bytes));
        if count >= WAITING {
            return Err(EnqueueError::Full(format!("{count} tasks")));
        }
        if bytes >= WAITING_BYTES {
            return Err(EnqueueError::Full(format!("{bytes} bytes")));
        }
        Ok(())
    }
}

impl Entry {
    fn new(task: Task, bytes: u64) -> Self {
        Self { task, bytes, stop: Arc::default() }
    }
}

/// The time, RFC 3339 in UTC.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
