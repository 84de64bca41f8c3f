//! [`IngestError`]: why indexing as a whole cannot go on. What is wrong with one document is a line in the
//! [`crate::IngestReport`] instead.

use std::path::PathBuf;

/// Indexing cannot start or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// No path was given.
    #[error("nothing to index: give a file or a folder")]
    NoPaths,
    /// A path given by the user does not exist.
    #[error("{} does not exist; check the spelling, or the folder it is relative to", path.display())]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A path given by the user cannot be looked at.
    #[error("{}: {source}; check its permissions", path.display())]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A glob of the user cannot be understood.
    #[error(
        "the glob {glob:?} cannot be used: {reason}; write one as in a .gitignore file, such as *.log or /old/"
    )]
    Glob {
        /// The glob as it was given.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What the collection remembers of its sources cannot be read or written.
    #[error("{}: {reason}; set it right or remove it, and give paths and options again", path.display())]
    Remembered {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine failed, or a setting is outside its bounds. What was committed before stays.
    #[error(transparent)]
    Engine(#[from] alder_engine::Error),
    /// The operating system gives no thread.
    #[error("cannot start a thread for reading files: {source}")]
    Thread {
        /// Why.
        source: std::io::Error,
    },
    /// The extracting thread died, which is a fault of Alder.
    #[error("extracting stopped without a result after {file}; please report this file")]
    Extracting {
        /// The last file it began.
        file: String,
    },
}
