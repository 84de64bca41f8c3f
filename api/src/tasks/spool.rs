//! The tasks on disk: `tasks/ID/` in the data folder holds `task.json` and, until the task is finished, what was
//! sent: `items.jsonl`, or the folder `files`.
//!
//! A task appears by one rename of a folder whose files are synced, so it is there whole or not at all; what a
//! crash left half written has another name and is removed at the next start.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use alder_indexer::IncomingDocument;
use serde::{Deserialize, Serialize};

use super::{Draft, Item};
use crate::wire::Task;

const LOCK: &str = "LOCK";
const RECORD: &str = "task.json";
const ITEMS: &str = "items.jsonl";
const FILES: &str = "files";
/// Longest name of a file, as most file systems have it.
const NAME_BYTES: usize = 255;

/// The spool cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub(crate) struct SpoolError {
    path: PathBuf,
    cause: std::io::Error,
}

impl SpoolError {
    /// Whether there is no room left.
    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(
            self.cause.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    }
}

/// One document as it waits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SpooledItem {
    /// Place in the request.
    pub(super) item: usize,
    #[serde(flatten)]
    pub(super) read: SpooledRead,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SpooledRead {
    /// A document.
    Document(IncomingDocument),
    /// Why it is none.
    Refused { id: Option<String>, detail: String },
}

/// The folder of all tasks.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    /// Where files are while they are read: always the same path, so that sending a file again changes nothing.
    uploads: PathBuf,
    /// Locked while this spool is open, so that no second server does the same tasks.
    _lock: File,
}

/// Files that arrive, in a folder that is gone with this value unless it becomes a task.
#[derive(Debug)]
pub(crate) struct FileDraft {
    folder: tempfile::TempDir,
    names: Vec<String>,
}

/// Turns an I/O error at `path` into a [`SpoolError`].
fn at(path: &Path) -> impl FnOnce(std::io::Error) -> SpoolError + use<> {
    let path = path.to_owned();
    move |cause| SpoolError { path, cause }
}

impl Spool {
    /// The spool in `data_dir`, and the tasks in it with the bytes of each.
    pub(super) fn open(data_dir: &Path) -> Result<(Self, Vec<(Task, u64)>), SpoolError> {
        let (folder, uploads) = (data_dir.join("tasks"), data_dir.join("uploads"));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let lock = folder.join(LOCK);
        let file = File::create(&lock).map_err(at(&lock))?;
        file.try_lock().map_err(|_| {
            let reason = "another `alder serve` uses this data folder; stop it, or choose another with --data-dir";
            at(&lock)(std::io::Error::other(reason))
        })?;
        let spool = Self { folder, uploads, _lock: file };
        let mut tasks = Vec::new();
        for entry in fs::read_dir(&spool.folder).map_err(at(&spool.folder))? {
            let path = entry.map_err(at(&spool.folder))?.path();
            let is_task = path.file_name().is_some_and(|name| {
                name.to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()))
            });
            if is_task {
                let record = path.join(RECORD);
                let bytes = fs::read(&record).map_err(at(&record))?;
                let task = serde_json::from_slice(&bytes)
                    .map_err(|error| at(&record)(std::io::Error::other(error)))?;
                tasks.push((task, payload_bytes(&path)));
            } else if path != lock {
                fs::remove_dir_all(&path).map_err(at(&path))?;
            }
        }
        Ok((spool, tasks))
    }

    /// An empty place for files.
    pub(super) fn file_draft(&self) -> Result<FileDraft, SpoolError> {
        let folder = self.temporary()?;
        let files = folder.path().join(FILES);
        fs::create_dir(&files).map_err(at(&files))?;
        Ok(FileDraft { folder, names: Vec::new() })
    }

    /// Writes down what was sent, in a folder that is gone with the result unless it becomes a task.
    pub(super) fn stage(&self, draft: Draft) -> Result<tempfile::TempDir, SpoolError> {
        match draft {
            Draft::Files(files) => Ok(files.folder),
            Draft::Documents(items) => {
                let folder = self.temporary()?;
                write_items(&folder.path().join(ITEMS), items)?;
                Ok(folder)
            }
        }
    }

    /// Makes what was staged a task, durable; returns the bytes it holds.
    pub(super) fn add(&self, task: &Task, folder: tempfile::TempDir) -> Result<u64, SpoolError> {
        write_synced(&folder.path().join(RECORD), &record(task))?;
        sync(folder.path())?;
        let path = self.path(task.id);
        fs::rename(folder.path(), &path).map_err(at(&path))?;
        // It has its name now; there is nothing left to remove under the old one.
        let _ = folder.keep();
        sync(&self.folder)?;
        Ok(payload_bytes(&path))
    }

    /// Writes down how a task stands.
    pub(super) fn update(&self, task: &Task) -> Result<(), SpoolError> {
        let folder = self.path(task.id);
        let (new, old) = (folder.join("task.new"), folder.join(RECORD));
        write_synced(&new, &record(task))?;
        fs::rename(&new, &old).map_err(at(&old))?;
        sync(&folder)
    }

    /// Writes down that a task is finished and removes what was sent.
    pub(super) fn finish(&self, task: &Task) -> Result<(), SpoolError> {
        self.update(task)?;
        let folder = self.path(task.id);
        // What stays because of an error is removed with the record.
        let _ = fs::remove_file(folder.join(ITEMS));
        let _ = fs::remove_dir_all(folder.join(FILES));
        Ok(())
    }

    /// Removes a task; what cannot be removed stays until the next start.
    pub(super) fn remove(&self, id: u64) {
        if let Err(error) = fs::remove_dir_all(self.path(id)) {
            tracing::warn!(task = id, %error, "an old task stays on disk");
        }
    }

    /// The documents of a task.
    pub(super) fn items(&self, id: u64) -> Result<Vec<SpooledItem>, SpoolError> {
        let path = self.path(id).join(ITEMS);
        let lines = BufReader::new(File::open(&path).map_err(at(&path))?).lines();
        lines
            .map(|line| serde_json::from_str(&line?).map_err(std::io::Error::other))
            .collect::<Result<_, _>>()
            .map_err(at(&path))
    }

    /// Moves the files of a task to where they are read, and returns their paths in order of name.
    pub(super) fn place_files(&self, id: u64) -> Result<Vec<PathBuf>, SpoolError> {
        fs::create_dir_all(&self.uploads).map_err(at(&self.uploads))?;
        let folder = self.path(id).join(FILES);
        let mut placed = Vec::new();
        for entry in fs::read_dir(&folder).map_err(at(&folder))? {
            let entry = entry.map_err(at(&folder))?;
            let to = self.uploads.join(entry.file_name());
            fs::copy(entry.path(), &to).map_err(at(&to))?;
            placed.push(to);
        }
        placed.sort();
        Ok(placed)
    }

    /// Removes the files that were read.
    pub(super) fn clear_files(&self) {
        let _ = fs::remove_dir_all(&self.uploads);
    }

    fn temporary(&self) -> Result<tempfile::TempDir, SpoolError> {
        tempfile::Builder::new().prefix("new-").tempdir_in(&self.folder).map_err(at(&self.folder))
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id:010}"))
    }
}

impl FileDraft {
    /// The files in it, in the order in which they came.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A new file called `name`, to be written and given to [`FileDraft::finish`].
    ///
    /// # Errors
    /// In words, if the name is none for a file or comes twice; [`SpoolError`] in them for the disk's fault.
    pub(crate) fn create(&mut self, name: &str) -> Result<File, String> {
        let whole = Path::new(name).file_name().is_some_and(|last| last == name);
        if !whole || name.contains(['/', '\\', '\0']) || name.len() > NAME_BYTES {
            return Err(format!(
                "{name:?} is no name of a file; send 1 to {NAME_BYTES} bytes without a folder"
            ));
        }
        if self.names.iter().any(|known| known == name) {
            return Err(format!("{name:?} comes twice; send each file once"));
        }
        let path = self.folder.path().join(FILES).join(name);
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|source| at(&path)(source).to_string())?;
        self.names.push(name.to_owned());
        Ok(file)
    }

    /// Makes a file durable.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn finish(&self, file: &File) -> Result<(), SpoolError> {
        let files = self.folder.path().join(FILES);
        file.sync_all().map_err(at(&files))?;
        sync(&files)
    }
}

fn write_items(path: &Path, items: Vec<Item>) -> Result<(), SpoolError> {
    let mut file = BufWriter::new(File::create_new(path).map_err(at(path))?);
    let write = || {
        for (item, read) in items {
            let read = match read {
                Ok(document) => SpooledRead::Document(document),
                Err((id, detail)) => SpooledRead::Refused { id, detail },
            };
            serde_json::to_writer(&mut file, &SpooledItem { item, read })?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        file.get_ref().sync_all()
    };
    write().map_err(at(path))
}

fn record(task: &Task) -> Vec<u8> {
    serde_json::to_vec_pretty(task).expect("a task has string keys only")
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), SpoolError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(at(path))
}

/// Makes the names in `folder` durable, where the system can.
fn sync(folder: &Path) -> Result<(), SpoolError> {
    if cfg!(unix) {
        return File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder));
    }
    Ok(())
}

fn payload_bytes(folder: &Path) -> u64 {
    let length = |path: PathBuf| fs::metadata(path).map_or(0, |data| data.len());
    let files = fs::read_dir(folder.join(FILES)).into_iter().flatten().flatten();
    length(folder.join(ITEMS)) + files.map(|file| length(file.path())).sum::<u64>()
}
