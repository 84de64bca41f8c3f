//! [`Indexer::index`]: everything under the given paths, in step with the collection.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use alder_engine::Error;

use super::encoding::Encoding;
use super::extracting::{Extracting, Found, Job, Message, Reading};
use super::{Event, Indexer, Known, Ledger, Origin};
use crate::ledger::{Entry, Failure};
use crate::origin::short;
use crate::report::{Fate, FileReport, IngestReport, Novelty, ONLY_DOCUMENT};
use crate::selection::Selection;
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
        let settings = self.output.settings;
        let selection = Selection::new(&settings.include, &settings.exclude)?;
        let roots = source::walk(paths, &selection)?;
        let mut run = Run::default();
        run.list(&roots);
        let (files, bytes) = (run.jobs.len(), run.report.totals.bytes);
        (self.output.progress)(Event::Found { files, bytes });

        let jobs = std::mem::take(&mut run.jobs);
        let listed: HashSet<Origin> = jobs.iter().map(|job| job.origin).collect();
        let synced: HashSet<u64> = roots.iter().filter_map(Root::synced).collect();
        let (send, receive) = sync_channel(limits::MESSAGES_WAITING);
        let worker = Extracting {
            settings,
            known: &self.known,
            ledger: &self.ledger,
            settings_hash: settings.hash(),
            listed: &listed,
            synced: &synced,
            token_spans: &*self.token_spans,
            stop: self.output.stop,
            send,
            waiting: Vec::new(),
            waiting_bytes: 0,
            found: Found::new(),
            reading: None,
        };
        let mut encoding = Encoding::new(&mut self.output, bytes);
        let (written, found) = std::thread::scope(|scope| {
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
        let Some(found) = found else {
            return Err(IngestError::Extracting { file: run.current() });
        };
        run.close(&jobs, &encoding, &self.known, &self.ledger);
        let mut gone = Vec::new();
        if run.report.stopped_at.is_none() {
            gone =
                run.remove_gone(&roots, &jobs, (&self.known, &self.ledger, &found), &mut encoding)?;
        }
        encoding.commit()?;
        run.enter(&jobs, &gone, settings.hash(), &mut self.ledger);
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
    /// What was seen of the files that were opened, by number.
    readings: HashMap<usize, Reading>,
    /// Where the first moved document of a file came from, by number.
    moved: HashMap<usize, Origin>,
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
            Message::Untouched { key, documents, bad_records, problems } => {
                let file = &mut files[key];
                (file.unchanged, file.bad_records, file.problems) =
                    (documents, bad_records, problems);
            }
            Message::Problem { key, line, reason } => files[key].problem(line, reason),
            Message::Note { key, note } => files[key].note(note),
            Message::End { key, position, fate, reading } => {
                // Until the run is closed, this says that the file was read to its end.
                files[key].fate = fate.unwrap_or(Fate::Unchanged);
                self.readings.extend(reading.map(|reading| (key, reading)));
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
                Ok((passages, kept)) => {
                    file.indexed += 1;
                    self.report.totals.passages += passages;
                    self.report.totals.vectors_kept += kept;
                    if let Some(from) = finished.moved_from {
                        self.moved.entry(finished.key).or_insert(from);
                    }
                }
                Err(reason) => file.problem(None, format!("{}: {reason}", finished.id)),
            }
            self.bytes_done = self.bytes_done.max(finished.position);
        }
        self.tell(encoding);
    }

    fn tell(&self, encoding: &mut Encoding<'_, '_>) {
        let file = &self.report.files[self.current].path;
        encoding.report(file, self.bytes_done);
    }

    fn current(&self) -> String {
        self.report.files.get(self.current).map(|file| file.path.clone()).unwrap_or_default()
    }

    /// Decides the fate of every file that was read to its end.
    fn close(&mut self, jobs: &[Job], encoding: &Encoding<'_, '_>, known: &Known, ledger: &Ledger) {
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
                    reason: match bad_records {
                        1 => ONLY_DOCUMENT.into(),
                        _ => format!("none of its {bad_records} documents could be stored"),
                    },
                },
            };
        }
        for job in jobs {
            let file = &mut self.report.files[job.key];
            if file.indexed > 0 {
                file.novelty = Some(if known.of_file(job.origin).next().is_some() {
                    Novelty::Changed
                } else if let Some(from) = self.moved.get(&job.key) {
                    Novelty::Moved { from: name(*from, known, ledger) }
                } else {
                    Novelty::Added
                });
            }
        }
        self.report.totals.files_read = self.readings.len() as u64;
        let stopped = self.report.files.iter().find(|file| file.fate == Fate::NotReached);
        self.report.stopped_at = stopped.map(|file| file.path.clone());
    }

    /// Removes the documents that came from one of the folders and were not found again, and returns the files
    /// that are gone. A file that could not be read whole keeps its documents, and so does a folder that is empty
    /// now or could not be listed.
    fn remove_gone(
        &mut self,
        roots: &[Root],
        jobs: &[Job],
        (known, ledger, found): (&Known, &Ledger, &Found),
        encoding: &mut Encoding<'_, '_>,
    ) -> Result<Vec<Origin>, Error> {
        let listed: HashMap<Origin, usize> = jobs.iter().map(|job| (job.origin, job.key)).collect();
        let moved: HashSet<Origin> = self.moved.values().copied().collect();
        let mut gone = Vec::new();
        for root in roots {
            let Some(tag) = root.synced() else { continue };
            let mut leaving = Vec::new();
            for origin in known.files_of(tag) {
                let key = listed.get(&origin);
                if key.is_some_and(|&key| self.report.files[key].is_incomplete()) {
                    continue;
                }
                let ids = known.of_file(origin).filter(|id| !found.contains(&short(id)));
                leaving.push((origin, key.is_none(), ids.cloned().collect::<Vec<_>>()));
            }
            let documents: usize = leaving.iter().map(|(_, _, ids)| ids.len()).sum();
            if documents > 0 && (root.files.is_empty() || !root.failed.is_empty()) {
                self.report.notes.push(root.kept(documents));
                continue;
            }
            self.report.totals.removed += documents as u64;
            for (origin, is_gone, ids) in leaving {
                if is_gone && !moved.contains(&origin) && !ids.is_empty() {
                    let documents = ids.len() as u64;
                    let name = name(origin, known, ledger);
                    self.report.files.push(FileReport::new(name, Fate::Deleted { documents }));
                }
                for id in ids {
                    encoding.delete(id)?;
                }
            }
            gone.extend(ledger.of_root(tag).into_iter().filter(|o| !listed.contains_key(o)));
        }
        Ok(gone)
    }

    /// Enters what was seen in the ledger, once everything is committed.
    fn enter(&mut self, jobs: &[Job], gone: &[Origin], settings: u64, ledger: &mut Ledger) {
        for origin in gone {
            ledger.remove(*origin);
        }
        for job in jobs {
            let file = &self.report.files[job.key];
            let Some(reading) = self.readings.get(&job.key) else { continue };
            let (Some(seen), Some(path)) = (reading.seen, job.file.path.to_str()) else { continue };
            let new = Entry {
                path: path.to_owned(),
                file: job.file.id.clone(),
                seen,
                tally: reading.tally,
                settled: reading.settled,
                skipped: None,
                bad_records: file.bad_records,
                problems: file.problems.clone(),
                failed: None,
                settings,
            };
            let entry = match &file.fate {
                Fate::Indexed | Fate::Unchanged => new,
                Fate::Skipped { reason } => Entry { skipped: Some(reason.clone()), ..new },
                // What it gave before, if anything, is what the collection still holds.
                Fate::Failed { reason } => {
                    let before = ledger.entry(job.origin).cloned().unwrap_or(new);
                    let failure = Failure { seen, settings, reason: reason.clone() };
                    Entry { failed: reading.settled.then_some(failure), settled: false, ..before }
                }
                Fate::Deleted { .. } | Fate::NotReached => continue,
            };
            ledger.set(job.origin, entry);
        }
        if let Err(error) = ledger.save() {
            self.report.notes.push(format!(
                "what the files looked like could not be noted ({error}); the next run reads all of them"
            ));
        }
    }
}

/// The name of a file that is gone.
fn name(origin: Origin, known: &Known, ledger: &Ledger) -> String {
    let document = || known.of_file(origin).next().map(ToString::to_string);
    ledger.entry(origin).map(|entry| entry.file.clone()).or_else(document).unwrap_or_default()
}
