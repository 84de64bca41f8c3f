//! `alder delete`: removes documents by id, by the path they came from, or by a filter.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use alder_engine::{Collection, DocumentId, Snapshot};
use alder_indexer::{Remembered, Sources};
use clap::Args;

use crate::cli::Global;
use crate::exit::{CollectionError, Exit};
use crate::progress::say;
use crate::{print, wire};

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct DeleteArgs {
    /// Ids as `alder search` shows them
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,
    /// What came from this file, or from the files below this folder; may be given several times
    #[arg(long, value_name = "PATH", group = "which")]
    path: Vec<PathBuf>,
    /// Documents with a passage that passes this filter, as JSON: {"must": [{"key": "lang", "match": {"value": "en"}}]}
    #[arg(long, value_name = "JSON", group = "which")]
    filter: Option<String>,
    /// Only say how many there are
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command: removes what is there, names what is not.
pub(crate) fn run(args: &DeleteArgs, global: &Global) -> anyhow::Result<Exit> {
    let filter = args.filter.as_deref().map(wire::filter_from_text).transpose()?;
    let ids: Vec<DocumentId> = args.ids.iter().map(DocumentId::new).collect::<Result<_, _>>()?;
    let folder = global.require_collection()?;
    // Deleting needs no model, so it goes with whatever the collection was built with.
    let collection = Collection::open_as_built(&folder).map_err(CollectionError::Open)?;
    let mut writer = collection.writer()?;
    let snapshot = collection.snapshot();
    let mut found = BTreeSet::new();
    let mut missing = 0;
    for id in ids {
        if snapshot.content_hash(&id)?.is_some() {
            found.insert(id);
        } else {
            missing += 1;
            say(&format!("there is no document {}", print::clean(id.as_str())));
        }
    }
    if let Some(filter) = &filter {
        found.extend(snapshot.documents_passing(filter)?);
    }
    let paths = args.path.iter().map(|path| absolute(path)).collect::<Result<Vec<_>, _>>()?;
    missing += below(&paths, &snapshot, &collection, &mut found)?;

    let (count, dry) = (found.len(), args.dry_run);
    if !dry && count > 0 {
        for id in &found {
            writer.delete(id)?;
        }
        writer.commit()?;
    }
    if !dry {
        forget(&paths, &collection)?;
    }
    if !global.quiet || dry {
        let done = if dry { "would remove" } else { "removed" };
        say(&format!("{done} {count} documents"));
    }
    Ok(match (count, missing) {
        (0, 0) if !paths.is_empty() || filter.is_some() => Exit::Ok,
        (0, _) => Exit::Failure,
        (_, 0) => Exit::Ok,
        _ => Exit::Partial,
    })
}

/// Adds the documents from `paths` to `found`; returns of how many paths there are none.
fn below(
    paths: &[PathBuf],
    snapshot: &Snapshot,
    collection: &Collection,
    found: &mut BTreeSet<DocumentId>,
) -> anyhow::Result<usize> {
    if paths.is_empty() {
        return Ok(0);
    }
    let hashes: HashMap<DocumentId, String> = snapshot.content_hashes()?;
    let sources = Sources::open(collection.folder());
    let mut missing = 0;
    for path in paths {
        let there = sources.documents_below(path, &hashes);
        if there.is_empty() {
            missing += 1;
            say(&format!("there is no document from {}", print::clean(&path.to_string_lossy())));
        }
        found.extend(there);
    }
    Ok(missing)
}

/// Takes `paths` off those that later runs index; says where a later run would bring documents back.
fn forget(paths: &[PathBuf], collection: &Collection) -> anyhow::Result<()> {
    let mut remembered = Remembered::load(collection.folder())?;
    let before = remembered.paths.len();
    remembered.paths.retain(|known| !paths.iter().any(|path| known.starts_with(path)));
    if remembered.paths.len() < before {
        remembered.save(collection.folder())?;
    }
    for path in paths {
        if let Some(root) = remembered.paths.iter().find(|root| path.starts_with(root)) {
            let (path, root) = (path.display(), root.display());
            let remedy = "leave it out with --exclude or remove the file";
            say(&format!("the next `alder index {root}` brings {path} back; {remedy}"));
        }
    }
    Ok(())
}

/// `path` with the links in it resolved, as far as it exists: it may be gone already.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut rest = Vec::new();
    let mut there = path.as_path();
    loop {
        if let Ok(resolved) = there.canonicalize() {
            return Ok(rest.iter().rev().fold(resolved, |path, part| path.join(part)));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                there = parent;
            }
            _ => return Ok(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_gone_is_resolved_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("a")).unwrap();
        assert_eq!(absolute(&real.join("a/../a/gone/b.md")).unwrap(), real.join("a/gone/b.md"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(real.join("a"), real.join("link")).unwrap();
            assert_eq!(absolute(&real.join("link/gone.md")).unwrap(), real.join("a/gone.md"));
        }
    }
}
