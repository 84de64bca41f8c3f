//! How a run ends: the exit codes, the errors that choose one, and the message on stderr.

use std::io;

use alder_engine::{OpenError, QueryError};

/// What the shell is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything was done.
    Ok = 0,
    /// Nothing, or not what was asked, was done.
    Failure = 1,
    /// The command line asks for something that cannot be.
    Usage = 2,
    /// Some files or ids failed, the others were done.
    Partial = 3,
    /// The collection is missing, locked, damaged or built with another model.
    Collection = 4,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

/// The command line asks for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// The collection cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectionError {
    /// There is none.
    #[error(
        "there is no collection in {0}; make one with `alder index FOLDER`, or name its folder with --data-dir"
    )]
    Missing(std::path::PathBuf),
    /// There is one, but it cannot be opened.
    #[error(transparent)]
    Open(OpenError),
}

/// Prints `error` and says which exit code it means.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    if is_broken_pipe(error) {
        return Exit::Ok; // The reader of our output has seen enough (`alder search … | head`).
    }
    let label = console::style("error:").for_stderr().red().bold();
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{label} {error:#}\n"));
    exit_of(error)
}

fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if cause.is::<CollectionError>() || cause.downcast_ref().is_some_and(is_locked) {
            return Exit::Collection;
        }
        if cause.is::<UsageError>() || cause.is::<QueryError>() {
            return Exit::Usage;
        }
        if let Some(alder_engine::Error::Query(_)) = cause.downcast_ref() {
            return Exit::Usage;
        }
    }
    Exit::Failure
}

fn is_locked(error: &OpenError) -> bool {
    matches!(error, OpenError::Locked { .. } | OpenError::Mismatch { .. })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_exit_code() {
        let locked = OpenError::Locked { path: "data/LOCK".into(), holder: "process 7".into() };
        let cases: [(anyhow::Error, Exit); 5] = [
            (QueryError::Empty.into(), Exit::Usage),
            (alder_engine::Error::Query(QueryError::Empty).into(), Exit::Usage),
            (UsageError("no".into()).into(), Exit::Usage),
            (CollectionError::Open(locked).into(), Exit::Collection),
            (anyhow::anyhow!("disk full"), Exit::Failure),
        ];
        for (error, exit) in cases {
            assert_eq!(exit_of(&error), exit, "{error}");
        }
    }
}
