//! [`Indexer::index`]: everything under the given paths, in step with the collection.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use alder_engine::{DocumentId, Error};

use super::encoding::Encoding;
use super::extracting::{Extracting, Job, Message, Seen, short};
use super::{Event, Indexer, Origin, origin_of};
use crate::report::{Fate, FileReport, IngestReport};
use crate::source::{self, Root, RootKind};
use crate::{IngestError, limits};

impl Indexer<'_> {
    /// Indexes every file under `paths` and removes the documents that came from the same folders before and are
    /// gone. What is wrong with one file or record is a line in the report.
    ///
    /// # Errors
    /// [`IngestError::NotFound`] before anything is read; [`IngestError::Engine`] if the model or the store
    /// fails: what was committed until then stays.
    pub fn index(mut self, paths: &[PathBuf]) -> Result<IngestReport, IngestError> {
        let started = Instant::now();
        let roots = source::walk(paths)?;
        let mut run = Run::default();
        run.list(&roots);
        let (files, bytes) = (run.jobs.len(), run.report.totals.bytes);
        (self.output.progress)(Event::Found { files, bytes });

        let jobs = std::mem::take(&mut run.jobs);
        let (send, receive) = sync_channel(limits::MESSAGES_WAITING);
        let worker = Extracting {
            settings: self.output.settings,
            known: &self.known,
            token_spans: &*self.token_spans,
            stop: self.output.stop,
            send,
            waiting: Vec::new(),
            waiting_bytes: 0,
            seen: Seen::new(),
        };
        let mut encoding = Encoding::new(&mut self.output);
        let (written, seen) = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("extract".into())
                .stack_size(limits::EXTRACT_STACK_BYTES)
                .spawn_scoped(scope, || worker.run(&jobs));
            let thread = match thread {
                Ok(thread) => thread,
                Err(source) => return (Err(IngestError::Thread { source }), None),
            };
            // The receiver ends with this call, and the thread with the receiver.
            let written = run.receive(receive, &mut encoding).map_err(IngestError::from);
            (written, thread.join().ok())
        });
        written?;
        let Some(seen) = seen else { return Err(IngestError::Extracting { file: run.current() }) };
        run.close(&encoding);
        if run.report.stopped_at.is_none() {
            run.remove_gone(&roots, &jobs, (&self.known, &seen), &mut encoding)?;
        }
        encoding.commit()?;
        run.report.sum();
        run.report.totals.seconds = started.elapsed().as_secs_f64();
        Ok(run.report)
    }
}

/// One run, as the caller's thread sees it.
#[derive(Default)]
struct Run {
    report: IngestReport,
    jobs: Vec<Job>,
    /// Number of the file that is being read.
    current: usize,
    bytes_done: u64,
}

impl Run {
    /// Gives every file its place in the report.
    fn list(&mut self, roots: &[Root]) {
        let files = &mut self.report.files;
        for root in roots {
            let name = root.path.to_string_lossy();
            for file in &root.files {
                self.jobs.push(Job {
                    origin: Origin::new(&name, &file.id),
                    key: files.len(),
                    position: self.report.totals.bytes,
                    file: file.clone(),
                });
                self.report.totals.bytes += file.bytes;
                files.push(FileReport::new(file.id.clone(), Fate::NotReached));
            }
            for (id, reason) in &root.skipped {
                files.push(FileReport::new(id.clone(), Fate::Skipped { reason: reason.clone() }));
            }
            for (id, reason) in &root.failed {
                files.push(FileReport::new(id.clone(), Fate::Failed { reason: reason.clone() }));
            }
            if root.kind == RootKind::Folder && root.files.is_empty() {
                let note =
                    "there is nothing to index in it; hidden and ignored files are passed over";
                self.report.notes.push(format!("{name}: {note}"));
            }
        }
    }

    /// Takes what the thread tells until it ends or the run is stopped.
    fn receive(
        &mut self,
        messages: Receiver<Vec<Message>>,
        encoding: &mut Encoding<'_, '_>,
    ) -> Result<(), Error> {
        while let Ok(messages) = messages.recv() {
            for message in messages {
                self.message(message, encoding)?;
            }
            if encoding.is_stopped() {
                break;
            }
        }
        encoding.flush()?;
        self.drain(encoding);
        Ok(())
    }

    fn message(&mut self, message: Message, encoding: &mut Encoding<'_, '_>) -> Result<(), Error> {
        let files = &mut self.report.files;
        match message {
            Message::Begin { key } => self.current = key,
            Message::Document(prepared) => {
                encoding.push(*prepared)?;
                self.drain(encoding);
            }
            Message::Unchanged { key } => files[key].unchanged += 1,
            Message::Problem { key, line, reason } => files[key].problem(line, reason),
            Message::Note { key, note } => files[key].note(note),
            Message::End { key, position, fate } => {
                // Until the run is closed, this says that the file was read to its end.
                files[key].fate = fate.unwrap_or(Fate::Unchanged);
                if encoding.is_empty() {
                    self.bytes_done = self.bytes_done.max(position);
                    self.tell(encoding);
                }
            }
        }
        Ok(())
    }

    /// Enters the documents that were stored.
    fn drain(&mut self, encoding: &mut Encoding<'_, '_>) {
        if encoding.finished.is_empty() {
            return;
        }
        for finished in std::mem::take(&mut encoding.finished) {
            let file = &mut self.report.files[finished.key];
            match finished.result {
                Ok(passages) => {
                    file.indexed += 1;
                    self.report.totals.passages += passages;
                }
                Err(reason) => file.problem(None, format!("{}: {reason}", finished.id)),
            }
            self.bytes_done = self.bytes_done.max(finished.position);
        }
        self.tell(encoding);
    }

    fn tell(&self, encoding: &mut Encoding<'_, '_>) {
        let file = &self.report.files[self.current].path;
        encoding.report(file, self.bytes_done, self.report.totals.bytes);
    }

    fn current(&self) -> String {
        self.report.files.get(self.current).map(|file| file.path.clone()).unwrap_or_default()
    }

    /// Decides the fate of every file that was read to its end.
    fn close(&mut self, encoding: &Encoding<'_, '_>) {
        let first_waiting = encoding.first_waiting().unwrap_or(usize::MAX);
        for (key, file) in self.report.files.iter_mut().enumerate() {
            if file.fate != Fate::Unchanged {
                continue;
            }
            file.fate = match file {
                _ if key >= first_waiting => Fate::NotReached,
                FileReport { indexed: 1.., .. } => Fate::Indexed,
                FileReport { unchanged: 1.., .. } => Fate::Unchanged,
                FileReport { bad_records, .. } => Fate::Failed {
                    reason: format!("none of its {bad_records} documents could be stored"),
                },
            };
        }
        let stopped = self.report.files.iter().find(|file| file.fate == Fate::NotReached);
        self.report.stopped_at = stopped.map(|file| file.path.clone());
    }

    /// Removes the documents that came from one of the folders and were not found again. A file that could not be
    /// read whole keeps its documents, and so does a folder that is empty now or could not be listed.
    fn remove_gone(
        &mut self,
        roots: &[Root],
        jobs: &[Job],
        (known, seen): (&HashMap<DocumentId, String>, &Seen),
        encoding: &mut Encoding<'_, '_>,
    ) -> Result<(), Error> {
        let incomplete: HashSet<&Origin> = jobs
            .iter()
            .filter(|job| self.report.files[job.key].is_incomplete())
            .map(|job| &job.origin)
            .collect();
        for root in roots.iter().filter(|root| root.kind == RootKind::Folder) {
            let name = root.path.to_string_lossy();
            let tag = Origin::new(&name, "").root;
            let gone: Vec<&DocumentId> = known
                .iter()
                .filter(|(id, hash)| {
                    !seen.contains(&short(id))
                        && origin_of(hash).is_some_and(|origin| {
                            origin.root == tag && !incomplete.contains(&origin)
                        })
                })
                .map(|(id, _)| id)
                .collect();
            if !gone.is_empty() && (root.files.is_empty() || !root.failed.is_empty()) {
                let why = if root.files.is_empty() {
                    "is empty now"
                } else {
                    "could not be listed completely"
                };
                self.report.notes.push(format!(
                    "{name}: the folder {why}; its {} documents that were not found were kept, delete them by id \
                     if they are gone",
                    gone.len()
                ));
                continue;
            }
            self.report.totals.removed += gone.len() as u64;
            for id in gone {
                encoding.delete(id.clone())?;
            }
        }
        Ok(())
    }
}
