//! [`Lock`]: one writer at a time, across processes. The operating system frees it when the holder ends,
//! however it ends; the process id inside is for messages alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::OpenError;

pub(super) const FILE: &str = "LOCK";

/// The held lock of a folder; dropping it frees it.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file would not do: a child process started meanwhile has it open until it runs its program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of a collection stays until the process ends");
        }
    }
}

impl Lock {
    /// Takes the lock of `folder`.
    ///
    /// # Errors
    /// [`OpenError::Locked`] naming the holder.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        let io = |error| OpenError::io(&path, error);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let known = file.read_to_string(&mut text).is_ok() && !text.trim().is_empty();
                let holder = if known { text.trim() } else { "another process" }.to_owned();
                return Err(OpenError::Locked { path, holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        writeln!(file, "process {}", std::process::id()).map_err(io)?;
        Ok(Self { file })
    }
}
