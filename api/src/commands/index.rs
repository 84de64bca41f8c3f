//! `alder index`: files and folders into the collection, with a report of what became of each; with `--watch`
//! again whenever they change.

use std::io::{Write, stderr, stdout};
use std::sync::Arc;

use alder_engine::{Collection, Model};
use alder_indexer::{IngestReport, Remembered, Wake, Watch};
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
    let sources = &args.sources;
    let remembered = Remembered::load(&global.collection_folder())?;
    if sources.paths(&remembered).is_empty() {
        let missing = clap::error::ErrorKind::MissingRequiredArgument;
        clap::Error::raw(missing, "say what to index: alder index FILE_OR_FOLDER…\n").exit();
    }
    sources.check()?;
    let model = global.model()?;
    let interrupt = Interrupt::new();
    interrupt.on_ctrl_c()?;
    let collection = global.collection_or_new(&model, sources.language)?;
    // Before the first run, so that nothing that changes meanwhile is missed.
    let watch = sources.watch.then(|| ingest::watch(&collection, sources)).transpose()?;
    let report = index(sources, &collection, &model, (global, &interrupt))?;
    let mut out = stdout().lock();
    tell(&mut out, args, &report)?;
    let Some(watch) = watch.filter(|_| report.stopped_at.is_none()) else {
        return Ok(exit_of(&report));
    };
    if !global.quiet {
        say("watching for changes; Ctrl-C ends");
    }
    keep_in_step(args, &collection, &model, (watch, &interrupt))
}

/// Indexes again whenever `watch` says so, until interrupted.
fn keep_in_step(
    args: &IndexArgs,
    collection: &Collection,
    model: &Model,
    (mut watch, interrupt): (Watch, &Interrupt),
) -> anyhow::Result<Exit> {
    let sources = args.sources.again();
    while watch.wait(interrupt.flag()) != Wake::Stopped {
        match ingest::paths(collection, model, &sources, interrupt, |_| {}) {
            Ok(report) if ingest::is_news(&report) => tell(&mut stdout().lock(), args, &report)?,
            Ok(_) => {}
            // Another program may be writing; what changed is not lost.
            Err(error) => {
                tracing::error!("{error:#}");
                watch.wake_within(ingest::RETRY);
            }
        }
    }
    Ok(Exit::Ok)
}

fn tell(out: &mut dyn Write, args: &IndexArgs, report: &IngestReport) -> anyhow::Result<()> {
    if args.json {
        // One line for each run of many.
        match args.sources.watch {
            true => serde_json::to_writer(&mut *out, report)?,
            false => serde_json::to_writer_pretty(&mut *out, report)?,
        }
        writeln!(out)?;
    } else {
        print::report(out, &report.summary())?;
    }
    Ok(out.flush()?)
}

fn exit_of(report: &IngestReport) -> Exit {
    if report.stopped_at.is_some() {
        Exit::Interrupted
    } else if !report.has_failures() {
        Exit::Ok
    } else if report.totals.documents + report.totals.unchanged > 0 {
        Exit::Partial
    } else {
        Exit::Failure
    }
}

/// Makes a collection of the sample articles, saying so on stderr.
pub(super) fn sample(global: &Global, model: &Arc<Model>) -> anyhow::Result<()> {
    if !global.quiet {
        say(
            "There is no collection yet: indexing the sample articles. Your own: alder index FOLDER",
        );
    }
    let folder = sample::unpack(&global.data_dir)?;
    let collection = global.collection_or_new(model, None)?;
    let interrupt = Interrupt::new();
    let report = index(&Sources::folder(folder), &collection, model, (global, &interrupt))?;
    if !global.quiet {
        print::report(&mut stderr().lock(), &report.summary())?;
    }
    anyhow::ensure!(!report.has_failures(), "the sample articles could not all be indexed");
    Ok(())
}

fn index(
    sources: &Sources,
    collection: &Collection,
    model: &Model,
    (global, interrupt): (&Global, &Interrupt),
) -> anyhow::Result<IngestReport> {
    let progress = Progress::for_stderr(global.quiet);
    let report =
        ingest::paths(collection, model, sources, interrupt, |event| progress.tell(&event));
    progress.finish();
    report
}
