//! `alder mcp`: the collection for an assistant, by the Model Context Protocol over standard input and output.

use std::io::{BufRead, Read, Write, stdin, stdout};

use clap::Args;
use serde_json::Value;

use crate::cli::Global;
use crate::exit::Exit;
use crate::mcp::{self, Mcp};

/// Longest message, in bytes.
const LINE_BYTES: u64 = 4 << 20;

#[derive(Debug, Args)]
pub(crate) struct McpArgs {}

/// Runs the command until standard input ends: one message a line, one reply a line. Commits of other programs are
/// seen with the next message.
pub(crate) fn run(_args: &McpArgs, global: &Global) -> anyhow::Result<Exit> {
    global.require_collection()?;
    let model = global.model()?;
    let collection = global.collection(&model)?;
    let mcp = Mcp { model, collection };
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    loop {
        let mut line = String::new();
        let length = input.by_ref().take(LINE_BYTES).read_line(&mut line)?;
        if length == 0 {
            return Ok(Exit::Ok);
        }
        anyhow::ensure!(
            (length as u64) < LINE_BYTES,
            "a message is longer than {LINE_BYTES} bytes"
        );
        if line.trim().is_empty() {
            continue;
        }
        if let Err(error) = mcp.collection.reload() {
            tracing::warn!("{error}");
        }
        let reply = match serde_json::from_str(&line) {
            Ok(message) => mcp.handle(&message),
            Err(error) => Some(mcp::error(&Value::Null, mcp::PARSE_ERROR, &error.to_string())),
        };
        if let Some(reply) = reply {
            writeln!(output, "{reply}")?;
            output.flush()?;
        }
    }
}
