//! `alder synonyms`: the words that a collection takes for each other, shown or set from a file.

use std::io::{Write, stdout};
use std::path::PathBuf;

use alder_engine::Synonyms;
use anyhow::Context;
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::print;

#[derive(Debug, Args)]
pub(crate) struct SynonymsArgs {
    /// File with lines such as "car, automobile" or "nyc => new york city"; an empty file removes them
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &SynonymsArgs, global: &Global) -> anyhow::Result<Exit> {
    global.require_collection()?;
    let collection = global.collection(&*global.model()?)?;
    let mut out = stdout().lock();
    let Some(file) = &args.file else {
        let synonyms = collection.synonyms()?;
        let text = synonyms.as_str().lines().map(print::clean).collect::<Vec<_>>().join("\n");
        if !text.is_empty() {
            writeln!(out, "{text}")?;
        }
        return Ok(Exit::Ok);
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {}; check the path", file.display()))?;
    let synonyms = Synonyms::parse(&text)?;
    collection.set_synonyms(&synonyms)?;
    writeln!(out, "{} words have synonyms now", synonyms.len())?;
    Ok(Exit::Ok)
}
