//! The worker: takes the oldest task, does it, writes down how it went. One at a time, with the same permit to
//! write as every other writer of the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alder_indexer::{Event, Fate, FileReport, IncomingDocument};

use super::spool::{SpooledItem, SpooledRead};
use super::{ATTEMPTS, ITEMS, Tasks, now};
use crate::http::App;
use crate::ingest;
use crate::wire::{ItemOutcome, ItemResult, Task, TaskKind, TaskStatus};

/// Does tasks until [`Tasks::stop`].
pub(crate) async fn run(app: Arc<App>) {
    let mut stopping = app.tasks.stopping.subscribe();
    while !*stopping.borrow_and_update() {
        let turn = async {
            let id = app.tasks.next().await;
            (id, app.writer_turn().await)
        };
        let (id, permit) = tokio::select! {
            turn = turn => turn,
            _ = stopping.changed() => continue,
        };
        let state = app.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            one(&state, id);
        });
        if let Err(panic) = work.await {
            app.tasks.end(id, TaskStatus::Failed, Some(format!("a fault of Alder: {panic}")));
        }
    }
}

/// How a task came to its end.
type Outcome = anyhow::Result<()>;

fn one(app: &App, id: u64) {
    let tasks = &app.tasks;
    let begun = tasks.change(id, |task| {
        // It may have been canceled since it was chosen.
        if task.status == TaskStatus::Enqueued {
            task.status = TaskStatus::Processing;
            task.attempts += 1;
            task.started_at = Some(now());
        }
    });
    let Some((task, stop)) = begun else { return };
    if task.status != TaskStatus::Processing {
        return;
    }
    if task.attempts > ATTEMPTS {
        let detail =
            format!("given up: it was begun {ATTEMPTS} times and the server ended each time");
        return tasks.end(id, TaskStatus::Failed, Some(detail));
    }
    if let Err(error) = tasks.spool.update(&task) {
        return tasks.end(id, TaskStatus::Failed, Some(error.to_string()));
    }
    let outcome = match task.kind {
        TaskKind::Documents => documents(app, id, &stop.now),
        TaskKind::Files => files(app, id, &stop.now),
    };
    let ended = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
    match outcome {
        Err(error) => tasks.end(id, TaskStatus::Failed, Some(format!("{error:#}"))),
        Ok(()) if ended(&stop.canceled) => tasks.end(id, TaskStatus::Canceled, None),
        Ok(()) if ended(&stop.now) => tasks.put_back(id),
        Ok(()) => tasks.end(id, TaskStatus::Succeeded, None),
    }
}

fn documents(app: &App, id: u64, stop: &AtomicBool) -> Outcome {
    let items = app.tasks.spool.items(id)?;
    let total = items.len().max(1) as f32;
    let mut places = Vec::new();
    let mut documents: Vec<IncomingDocument> = Vec::new();
    let mut results = Vec::new();
    for SpooledItem { item, read } in items {
        match read {
            SpooledRead::Document(document) => {
                places.push((item, document.id.clone()));
                documents.push(document);
            }
            SpooledRead::Refused { id, detail } => {
                results.push(ItemResult { item, id, outcome: ItemOutcome::Failed { detail } });
            }
        }
    }
    let told = documents.into_iter().enumerate().map(|(done, document)| {
        app.tasks.progress(id, done as f32 / total);
        document
    });
    let (_, outcomes) = ingest::documents(&app.collection, &app.model, told, Some(stop))?;
    let stored = places.into_iter().zip(outcomes);
    results.extend(stored.map(|((item, id), outcome)| ItemResult { item, id: Some(id), outcome }));
    results.sort_by_key(|result| result.item);
    app.tasks.change(id, |task| count(task, results));
    Ok(())
}

fn files(app: &App, id: u64, stop: &AtomicBool) -> Outcome {
    let paths = app.tasks.spool.place_files(id)?;
    let report = ingest::files(&app.collection, &app.model, &paths, stop, |event| {
        if let Event::Progress { bytes_done, bytes_total, .. } = event {
            app.tasks.progress(id, bytes_done as f32 / bytes_total.max(1) as f32);
        }
    });
    app.tasks.spool.clear_files();
    let report = report?;
    app.tasks.change(id, |task| {
        task.indexed = report.totals.documents;
        task.unchanged = report.totals.unchanged;
        task.failed =
            report.totals.bad_records + report.totals.files_failed + report.totals.files_skipped;
        task.items = report.files.iter().enumerate().flat_map(problems).take(ITEMS).collect();
    });
    Ok(())
}

/// What is to say about one file: why it was refused, or its records that were.
fn problems((index, file): (usize, &FileReport)) -> Vec<ItemResult> {
    let result = |outcome| ItemResult { item: index + 1, id: Some(file.path.clone()), outcome };
    let mut out: Vec<ItemResult> = match &file.fate {
        Fate::Failed { reason } => vec![result(ItemOutcome::Failed { detail: reason.clone() })],
        Fate::Skipped { reason } => vec![result(ItemOutcome::Skipped { detail: reason.clone() })],
        Fate::Indexed | Fate::Unchanged | Fate::Deleted { .. } | Fate::NotReached => Vec::new(),
    };
    out.extend(file.problems.iter().map(|problem| {
        let line = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        result(ItemOutcome::Failed { detail: format!("{line}{}", problem.reason) })
    }));
    out
}

/// Enters the results of documents: numbers for all, words for the first that went wrong.
fn count(task: &mut Task, results: Vec<ItemResult>) {
    let number = |wanted: fn(&ItemOutcome) -> bool| {
        results.iter().filter(|result| wanted(&result.outcome)).count() as u64
    };
    task.indexed = number(|outcome| *outcome == ItemOutcome::Indexed);
    task.unchanged = number(|outcome| *outcome == ItemOutcome::Unchanged);
    task.failed = results.len() as u64 - task.indexed - task.unchanged;
    let wrong = |result: &ItemResult| {
        !matches!(result.outcome, ItemOutcome::Indexed | ItemOutcome::Unchanged)
    };
    task.items = results.into_iter().filter(wrong).take(ITEMS).collect();
}

impl Tasks {
    fn progress(&self, id: u64, progress: f32) {
        self.change(id, |task| task.progress = progress.clamp(0.0, 1.0));
    }

    /// Writes down that a task is finished.
    fn end(&self, id: u64, status: TaskStatus, detail: Option<String>) {
        let ended = self.change(id, |task| {
            task.status = status;
            task.detail = detail;
            task.finished_at = Some(now());
            if status == TaskStatus::Succeeded {
                task.progress = 1.0;
            }
        });
        let Some((task, _)) = ended else { return };
        tracing::info!(task = id, ?status, task.indexed, task.failed, "task finished");
        if let Err(error) = self.spool.finish(&task) {
            tracing::error!(task = id, "{error}; the task will be done again after the next start");
        }
        self.forget_old();
    }

    /// The server stops: the task waits again, and this attempt does not count.
    fn put_back(&self, id: u64) {
        let changed = self.change(id, |task| {
            task.status = TaskStatus::Enqueued;
            task.attempts -= 1;
        });
        if let Some((task, _)) = changed
            && let Err(error) = self.spool.update(&task)
        {
            tracing::error!(task = id, "{error}");
        }
    }
}
