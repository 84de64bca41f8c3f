//! `alder suggest`: what a begun query may become, from the words and titles of the collection.

use std::io::{Write, stdout};

use clap::Args;

use crate::cli::{Global, query_text};
use crate::exit::Exit;
use crate::print;
use crate::wire::SuggestResponse;

#[derive(Debug, Args)]
pub(crate) struct SuggestArgs {
    /// What was typed so far
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,
    /// Suggestions of each kind, at most
    #[arg(long, short = 'n', default_value_t = 8, value_name = "N")]
    limit: usize,
    /// Write them as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. No suggestion is a result, not a failure.
pub(crate) fn run(args: &SuggestArgs, global: &Global) -> anyhow::Result<Exit> {
    let text = query_text(&args.words)?;
    global.require_collection()?;
    let started = std::time::Instant::now();
    let snapshot = global.collection(&*global.model()?)?.snapshot();
    let suggestions = snapshot.suggest(&text, args.limit)?;
    let mut out = stdout().lock();
    if args.json {
        let response =
            SuggestResponse::new(&text, suggestions, snapshot.generation(), started.elapsed());
        serde_json::to_writer_pretty(&mut out, &response)?;
        writeln!(out)?;
        return Ok(Exit::Ok);
    }
    for completion in &suggestions.completions {
        writeln!(out, "{}", print::clean(&completion.text))?;
    }
    for found in &suggestions.titles {
        let (title, document) = (print::clean(&found.title), print::clean(found.document.as_str()));
        writeln!(out, "{title} ({document})")?;
    }
    if let Some(meant) = &suggestions.meant {
        writeln!(out, "did you mean: {}", print::clean(meant))?;
    }
    Ok(Exit::Ok)
}
