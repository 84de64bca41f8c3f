//! [`DatasetError`]: which file, which line, which field, and what would be right.

use std::path::{Path, PathBuf};

/// A data set cannot be read, or its parts do not fit together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The operating system, or the decompressor, refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file at fault.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that the layout needs is not there.
    #[error("{} not found: {remedy}", path.display())]
    Missing {
        /// What was looked for.
        path: PathBuf,
        /// What should be there.
        remedy: &'static str,
    },
    /// A record is not what it should be.
    #[error("{}, {place}: {field}: {reason}", path.display())]
    Invalid {
        /// The file at fault.
        path: PathBuf,
        /// `line 17`, or the way to a value in a JSON file (`data[3].paragraphs[0]`).
        place: String,
        /// The field or column.
        field: String,
        /// What is wrong and what would be right.
        reason: String,
    },
}

impl DatasetError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn line(path: &Path, line: usize, field: &str, reason: impl Into<String>) -> Self {
        Self::at(path, format!("line {line}"), field, reason)
    }

    pub(crate) fn at(path: &Path, place: String, field: &str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            place,
            field: field.to_owned(),
            reason: reason.into(),
        }
    }
}
