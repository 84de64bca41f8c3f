//! `alder collections`: the collections of a data folder, each a folder of its name.

use std::fs;
use std::io::{Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use alder_engine::{Collection, OpenError};
use anyhow::Context;
use clap::Subcommand;

use crate::cli::Global;
use crate::exit::{CollectionError, Exit, UsageError};
use crate::open::collection_name;
use crate::print;
use crate::progress::say;

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// List the collections of the data folder
    List {
        /// Write them as JSON, one a line
        #[arg(long)]
        json: bool,
    },
    /// Make an empty collection for the model
    Create {
        #[arg(value_parser = collection_name)]
        name: String,
    },
    /// Remove a collection with everything in it; the files it was made of stay
    Drop {
        #[arg(value_parser = collection_name)]
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
pub(crate) fn run(command: &CollectionsCommand, global: &Global) -> anyhow::Result<Exit> {
    match command {
        CollectionsCommand::List { json } => list(*json, global),
        CollectionsCommand::Create { name } => create(name, global),
        CollectionsCommand::Drop { name, yes } => drop_collection(name, *yes, global),
    }
}

fn list(json: bool, global: &Global) -> anyhow::Result<Exit> {
    let mut out = stdout().lock();
    let mut damaged = 0;
    for folder in folders(&global.data_dir)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let collection = match Collection::open_as_built(&folder) {
            Ok(collection) => collection,
            Err(error) => {
                damaged += 1;
                say(&format!("{}: {error}", print::clean(&name)));
                continue;
            }
        };
        let (stats, model) = (collection.snapshot().stats(), &collection.model().name);
        if json {
            let line = serde_json::json!({"name": name, "model": model, "documents": stats.documents,
                "passages": stats.passages, "bytes": stats.bytes});
            writeln!(out, "{line}")?;
        } else {
            let bytes = indicatif::HumanBytes(stats.bytes);
            let (documents, passages) = (stats.documents, stats.passages);
            let line = format!(
                "{name}: {documents} documents, {passages} passages, {bytes}, model {model}"
            );
            writeln!(out, "{}", print::clean(&line))?;
        }
    }
    Ok(if damaged > 0 { Exit::Partial } else { Exit::Ok })
}

/// The folders of all collections in `data_dir`, in order; none where there is no such folder yet.
fn folders(data_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(data_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", data_dir.display()))?,
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let mut folders: Vec<PathBuf> = paths.into_iter().filter(|p| Collection::is_at(p)).collect();
    folders.sort();
    Ok(folders)
}

fn create(name: &str, global: &Global) -> anyhow::Result<Exit> {
    let global = Global { collection: name.to_owned(), ..global.clone() };
    if global.has_collection() {
        let folder = global.collection_folder();
        return Err(UsageError(format!("{} is there already", folder.display())).into());
    }
    let model = global.model()?;
    global.collection_or_new(&model, None)?;
    if !global.quiet {
        say(&format!("made {name}; fill it with alder index --collection {name} FOLDER"));
    }
    Ok(Exit::Ok)
}

fn drop_collection(name: &str, yes: bool, global: &Global) -> anyhow::Result<Exit> {
    let folder = global.data_dir.join(name);
    if !Collection::is_at(&folder) {
        return Err(CollectionError::Missing(folder).into());
    }
    if !yes && !confirmed(name, &folder)? {
        return Ok(Exit::Failure);
    }
    // A collection that someone writes to is not taken from under them; a damaged one may go.
    let writer = match Collection::open_as_built(&folder).and_then(|c| c.writer()) {
        Ok(writer) => Some(writer),
        Err(error @ OpenError::Locked { .. }) => return Err(CollectionError::Open(error).into()),
        Err(_) => None,
    };
    // At once: what is left of an interrupted removal is no collection.
    let leaving = tempfile::Builder::new().prefix(".dropped-").tempdir_in(&global.data_dir)?;
    let moved = leaving.path().join(name);
    fs::rename(&folder, &moved).with_context(|| format!("cannot move {}", folder.display()))?;
    drop(writer);
    leaving
        .close()
        .context("the collection is dropped, but not all of its files could be removed")?;
    if !global.quiet {
        say(&format!("dropped {name}"));
    }
    Ok(Exit::Ok)
}

/// Asks on the terminal.
fn confirmed(name: &str, folder: &Path) -> anyhow::Result<bool> {
    if !console::user_attended() || !console::user_attended_stderr() {
        let remedy = format!("this removes the collection {name} for good; say so with --yes");
        return Err(UsageError(remedy).into());
    }
    let question = format!("Remove {} with everything in it? Type its name: ", folder.display());
    write!(stderr(), "{question}")?;
    let mut typed = String::new();
    stdin().read_line(&mut typed)?;
    if typed.trim() == name {
        return Ok(true);
    }
    say("nothing was removed");
    Ok(false)
}
