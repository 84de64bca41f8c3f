//! Errors by phase: [`OpenError`] when something on disk is not what it should be, [`QueryError`] when the
//! caller asks for what cannot be, [`Error`] for the rest. Every message names the thing and the remedy.

use std::path::{Path, PathBuf};

/// A model or a collection cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path does not exist.
    #[error("{what} not found at {}: {remedy}", path.display())]
    Missing {
        /// What was looked for ("a collection", "config.json").
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What to do about it.
        remedy: String,
    },
    /// The file is there but is not what it should be.
    #[error("{}: expected {expected}, found {found}; {remedy}", path.display())]
    Unexpected {
        /// The file at fault.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do about it.
        remedy: String,
    },
    /// The collection was built with another model or analyser.
    #[error("{} was built with {built_with} and cannot be searched with {opened_with}; {remedy}", path.display())]
    Mismatch {
        /// The collection.
        path: PathBuf,
        /// What it was built with.
        built_with: String,
        /// What it was opened with.
        opened_with: String,
        /// What to do about it.
        remedy: String,
    },
    /// Another process writes to the collection.
    #[error("{} is in use by {holder}; stop it or wait until it ends", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Process id and start of the holder, as far as known.
        holder: String,
    },
    /// The device to run on is not there.
    #[error("{device} cannot be used: {reason}; {remedy}")]
    Device {
        /// Which device.
        device: String,
        /// Why, in the words of the library.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file at fault.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl OpenError {
    /// An I/O error at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// The caller asked for something that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query has no text.
    #[error("the query is empty; type a question or some words")]
    Empty,
    /// A value is outside its bounds.
    #[error("{field} must be between {min} and {max} {unit}, found {found}")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// Unit of the numbers.
        unit: &'static str,
        /// What was given.
        found: u64,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A parameter of the fusion is outside its bounds.
    #[error("{field} must be a number between {min} and {max}, found {found}")]
    Fusion {
        /// Which parameter.
        field: &'static str,
        /// What was given.
        found: f32,
        /// Smallest allowed.
        min: f32,
        /// Largest allowed.
        max: f32,
    },
    /// A filter cannot be understood.
    #[error("filter, at {position}: {reason}")]
    Filter {
        /// Byte position in the string form, or a JSON pointer.
        position: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A field that lists are sorted by or that is counted does not exist.
    #[error("{parameter}: {reason}")]
    Field {
        /// `sort` or `facets`.
        parameter: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A cursor is none, or not of this query.
    #[error("cursor: {reason}")]
    Cursor {
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The collection changed since the page before.
    #[error(
        "the collection is at generation {found} and the page before came from {asked}; ask for the first page again"
    )]
    Changed {
        /// The generation asked for.
        asked: u64,
        /// The generation there is.
        found: u64,
    },
    /// A line of synonyms cannot be understood.
    #[error("synonyms, line {line}: {reason}")]
    Synonyms {
        /// From 1.
        line: usize,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A metadata field of a document cannot be stored.
    #[error("metadata field {key:?}: {reason}")]
    Metadata {
        /// The field.
        key: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The loaded model lacks a head that the request needs.
    #[error("the model {model} has no {head} head; {remedy}")]
    MissingHead {
        /// Name of the model.
        model: String,
        /// Which head.
        head: &'static str,
        /// What to do about it.
        remedy: String,
    },
}

/// Anything else that goes wrong while the engine works.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`OpenError`].
    #[error(transparent)]
    Open(#[from] OpenError),
    /// See [`QueryError`].
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The lexical store failed.
    #[error("the store failed while {doing}: {reason}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// The store's own words.
        reason: String,
    },
    /// The model failed.
    #[error("the model failed while {doing}: {reason}")]
    Model {
        /// What was being done.
        doing: &'static str,
        /// The library's own words.
        reason: String,
    },
}
