//! The hidden command that reads one file of a binary format, started by the indexer so that a parser that crashes,
//! hangs or takes all memory ends this process alone.

use std::io::{stdin, stdout};

use crate::exit::Exit;

/// Runs the command.
pub(crate) fn run(request: &str) -> anyhow::Result<Exit> {
    alder_indexer::extract_child(request, stdin(), stdout()).map_err(anyhow::Error::msg)?;
    Ok(Exit::Ok)
}
