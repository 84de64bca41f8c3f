//! `alder index`: files and folders into the collection, with a report of what became of each.

use std::io::{Write, stderr, stdout};
use std::sync::Arc;

use alder_engine::Model;
use alder_indexer::IngestReport;
use clap::Args;

use crate::cli::Global;
use crate::exit::Exit;
use crate::ingest::{self, Sources};
use crate::interrupt::Interrupt;
use crate::print;
use crate::progress::{Progress, say};
use crate::sample;

#[derive(Debug, Args)]
pub(crate) struct IndexArgs {
    #[command(flatten)]
    sources: Sources,
    /// Write the report as JSON, with every file
    #[arg(long)]
    json: bool,
}

/// Runs the command. Ctrl-C finishes the batch and commits; the same command then goes on from there.
pub(crate) fn run(args: &IndexArgs, global: &Global) -> anyhow::Result<Exit> {
    if args.sources.paths.is_empty() {
        let missing = clap::error::ErrorKind::MissingRequiredArgument;
        clap::Error::raw(missing, "say what to index: alder index FILE_OR_FOLDER…\n").exit();
    }
    args.sources.check()?;
    let model = global.model()?;
    let interrupt = Interrupt::new();
    interrupt.on_ctrl_c()?;
    let report = index(&args.sources, global, &model, &interrupt)?;
    let mut out = stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print::report(&mut out, &report.summary())?;
    }
    Ok(if report.stopped_at.is_some() {
        Exit::Interrupted
    } else if !report.has_failures() {
        Exit::Ok
    } else if report.totals.documents + report.totals.unchanged > 0 {
        Exit::Partial
    } else {
        Exit::Failure
    })
}

/// Makes a collection of the sample articles, saying so on stderr.
pub(super) fn sample(global: &Global, model: &Arc<Model>) -> anyhow::Result<()> {
    if !global.quiet {
        say(
            "There is no collection yet: indexing the sample articles. Your own: alder index FOLDER",
        );
    }
    let folder = sample::unpack(&global.data_dir)?;
    let report = index(&Sources::folder(folder), global, model, &Interrupt::new())?;
    if !global.quiet {
        print::report(&mut stderr().lock(), &report.summary())?;
    }
    anyhow::ensure!(!report.has_failures(), "the sample articles could not all be indexed");
    Ok(())
}

fn index(
    sources: &Sources,
    global: &Global,
    model: &Arc<Model>,
    interrupt: &Interrupt,
) -> anyhow::Result<IngestReport> {
    let collection = global.collection_or_new(model, sources.language)?;
    let progress = Progress::for_stderr(global.quiet);
    let report =
        ingest::paths(&collection, model, sources, interrupt, |event| progress.tell(&event));
    progress.finish();
    report
}
