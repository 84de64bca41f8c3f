//! `alder status`: what the collection holds.

use std::io::{Write, stdout};

use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::print;
use crate::tune::described;
use crate::wire::{CollectionStatus, ModelStatus, StatusResponse};

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &StatusArgs, global: &Global) -> anyhow::Result<Exit> {
    global.require_collection()?;
    let model = global.model()?;
    let collection = global.collection(&model)?;
    let snapshot = collection.snapshot();
    let mut out = stdout().lock();
    if args.json {
        let status = StatusResponse {
            version: env!("CARGO_PKG_VERSION"),
            model: ModelStatus::new(&model),
            collection: CollectionStatus::new(&collection, &snapshot)?,
            indexing: None,
        };
        serde_json::to_writer_pretty(&mut out, &status)?;
        writeln!(out)?;
        return Ok(Exit::Ok);
    }
    let stats = snapshot.stats();
    let identity = model.identity();
    let rows = [
        ("Collection", global.collection_folder().display().to_string()),
        ("Documents", stats.documents.to_string()),
        ("Passages", stats.passages.to_string()),
        ("On disk", indicatif::HumanBytes(stats.bytes).to_string()),
        ("Segments", format!("{}, {} with a graph", stats.segments, stats.graphs)),
        ("Language", collection.settings().language.name().to_owned()),
        ("Ranking", described(snapshot.ranking())),
        ("Generation", snapshot.generation().0.to_string()),
        ("Model", format!("{}, {} dimensions", identity.name, identity.dimensions)),
        ("Answers", if model.has_reader() { "yes" } else { "no: the model has no reader" }.into()),
    ];
    print::rows(&mut out, &rows)?;
    Ok(Exit::Ok)
}
