//! `alder export`: all documents as JSON Lines, in order of their ids.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use alder_engine::Collection;
use anyhow::Context;
use clap::Args;

use crate::cli::Global;
use crate::exit::{CollectionError, Exit};
use crate::progress::say;
use crate::wire::{DocumentLine, Header};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File to write; without one, standard output
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command; needs no model.
pub(crate) fn run(args: &ExportArgs, global: &Global) -> anyhow::Result<Exit> {
    let folder = global.require_collection()?;
    let collection = Collection::open_as_built(&folder).map_err(CollectionError::Open)?;
    let count = match &args.file {
        None => write(&collection, &mut BufWriter::new(stdout().lock()))?,
        Some(path) => {
            // A file that stands under its name is whole.
            let mut name = path.clone().into_os_string();
            name.push(".part");
            let part = PathBuf::from(name);
            let unwritten = || format!("cannot write {}", part.display());
            let mut out = BufWriter::new(File::create(&part).with_context(unwritten)?);
            let count = write(&collection, &mut out)?;
            out.get_ref().sync_all().with_context(unwritten)?;
            std::fs::rename(&part, path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            count
        }
    };
    if !global.quiet {
        say(&format!("exported {count} documents"));
    }
    Ok(Exit::Ok)
}

fn write(collection: &Collection, out: &mut dyn Write) -> anyhow::Result<usize> {
    let snapshot = collection.snapshot();
    let header = Header {
        alder_export: Header::VERSION,
        model: collection.model().clone(),
        vectors: collection.settings().vector_format,
    };
    serde_json::to_writer(&mut *out, &header)?;
    writeln!(out)?;
    let mut ids: Vec<_> = snapshot.content_hashes()?.into_keys().collect();
    ids.sort();
    for id in &ids {
        let stored = snapshot.stored(id)?.context("a document of this state is not in it")?;
        serde_json::to_writer(&mut *out, &DocumentLine::new(&stored))?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(ids.len())
}
