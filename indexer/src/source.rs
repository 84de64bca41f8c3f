//! Paths given by the user → the files to read, each with a stable id. Nothing is opened here.
//!
//! The id of a file is its path relative to the folder that was given, with `/`; a file given by itself has its
//! name as id. Hidden files and what `.gitignore` or `.alderignore` exclude are passed over, as users expect of
//! a search tool, and so are the collections of Alder itself and what the [`Selection`] does not want; links and
//! special files are reported as skipped.

use std::path::{Path, PathBuf};

use alder_engine::Collection;
use ignore::WalkBuilder;

use crate::IngestError;
use crate::ledger::Seen;
use crate::origin::Origin;
use crate::report::counted;
use crate::selection::Selection;

/// A path given by the user and what was found under it.
#[derive(Debug)]
pub(crate) struct Root {
    /// Absolute path, links in it resolved.
    pub(crate) path: PathBuf,
    /// Whether it is a folder, and so kept in step with the collection.
    pub(crate) kind: RootKind,
    /// What is to be read, ordered by id.
    pub(crate) files: Vec<SourceFile>,
    /// What is not: id and reason.
    pub(crate) skipped: Vec<(String, String)>,
    /// What could not be looked at: id (or path) and reason.
    pub(crate) failed: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RootKind {
    File,
    Folder,
}

/// A regular file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// Stable id; also the name it has in the report.
    pub(crate) id: String,
    /// Size when it was listed.
    pub(crate) bytes: u64,
    /// The same with its time.
    pub(crate) seen: Option<Seen>,
}

/// Lists what is under each of `paths`.
///
/// # Errors
/// [`IngestError::NotFound`] if one does not exist, before anything is read.
pub(crate) fn walk(paths: &[PathBuf], selection: &Selection) -> Result<Vec<Root>, IngestError> {
    if paths.is_empty() {
        return Err(IngestError::NoPaths);
    }
    let mut absolute = Vec::new();
    for path in paths {
        let resolved = std::fs::canonicalize(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => IngestError::NotFound { path: path.clone() },
            _ => IngestError::Io { path: path.clone(), source },
        })?;
        if !absolute.contains(&resolved) {
            absolute.push(resolved);
        }
    }
    Ok(absolute.into_iter().map(|path| walk_root(path, selection)).collect())
}

fn walk_root(path: PathBuf, selection: &Selection) -> Root {
    let kind = if path.is_dir() { RootKind::Folder } else { RootKind::File };
    let mut root = Root { path, kind, files: Vec::new(), skipped: Vec::new(), failed: Vec::new() };
    match kind {
        RootKind::File => {
            let path = root.path.clone();
            let name = path.file_name().map(Path::new).unwrap_or(&path);
            root.add(&path, name, std::fs::symlink_metadata(&path).map_err(|e| e.to_string()));
        }
        RootKind::Folder => root.walk_folder(selection),
    }
    root.files.sort_by(|a, b| a.id.cmp(&b.id));
    root
}

impl Root {
    /// What the content hashes of its documents begin with, if it is kept in step with the collection.
    pub(crate) fn synced(&self) -> Option<u64> {
        let folder = self.kind == RootKind::Folder;
        folder.then(|| Origin::new(&self.path.to_string_lossy(), "").root)
    }

    /// Why `documents` that were not found again are kept.
    pub(crate) fn kept(&self, documents: usize) -> String {
        let name = self.path.display();
        let why =
            if self.files.is_empty() { "is empty now" } else { "could not be listed completely" };
        format!(
            "{name}: the folder {why}; its {} not found again {} kept; if they are gone: alder delete --path {name}",
            counted(documents as u64, "document"),
            if documents == 1 { "is" } else { "are" }
        )
    }

    fn walk_folder(&mut self, selection: &Selection) {
        let base = self.path.clone();
        let (root, folders) = (base.clone(), selection.clone());
        let enters = move |entry: &ignore::DirEntry| {
            let relative = entry.path().strip_prefix(&root).unwrap_or(entry.path());
            let folder = entry.depth() > 0 && entry.file_type().is_some_and(|t| t.is_dir());
            !folder || (folders.enters(relative) && !Collection::is_at(entry.path()))
        };
        let walk = WalkBuilder::new(&base)
            .follow_links(false)
            .require_git(false)
            .git_global(false)
            .parents(false)
            .add_custom_ignore_filename(".alderignore")
            .filter_entry(enters)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|t| t.is_dir()) => {}
                Ok(entry) => {
                    let relative = entry.path().strip_prefix(&base).unwrap_or(entry.path());
                    if !selection.wants_file(relative) {
                        continue;
                    }
                    let metadata = entry.metadata().map_err(|e| e.to_string());
                    self.add(entry.path(), relative, metadata);
                }
                Err(error) => self.failed.push(unlisted(&base, &error)),
            }
        }
    }

    /// Files a path under what happens to it.
    fn add(&mut self, path: &Path, relative: &Path, metadata: Result<std::fs::Metadata, String>) {
        let Some(id) = id_of(relative) else {
            let shown = relative.to_string_lossy().into_owned();
            self.failed.push((shown, "its name is not valid Unicode; rename it".into()));
            return;
        };
        match metadata {
            Err(reason) => self.failed.push((id, reason)),
            Ok(metadata) if metadata.is_file() => {
                let (bytes, seen) = (metadata.len(), Seen::new(&metadata));
                self.files.push(SourceFile { path: path.to_owned(), id, bytes, seen });
            }
            Ok(metadata) if metadata.is_symlink() => {
                self.skipped.push((id, "a symbolic link; links are not followed".into()));
            }
            Ok(_) => {
                self.skipped.push((id, "not a regular file (a pipe, socket or device)".into()))
            }
        }
    }
}

/// The place in `base` that could not be listed, and why.
fn unlisted(base: &Path, error: &ignore::Error) -> (String, String) {
    let mut inner = error;
    let mut path = base;
    loop {
        match inner {
            ignore::Error::WithDepth { err, .. } => inner = err,
            ignore::Error::WithPath { path: place, err } => (path, inner) = (place, err),
            _ => break,
        }
    }
    let reason = match inner.io_error() {
        Some(error) => format!("cannot be listed: {error}"),
        None => inner.to_string(),
    };
    let id = path.strip_prefix(base).ok().and_then(id_of).filter(|id| !id.is_empty());
    (id.unwrap_or_else(|| path.display().to_string()), reason)
}

/// The parts of a relative path joined with `/`.
fn id_of(relative: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = relative.components().map(|c| c.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn ids(root: &Root) -> Vec<&str> {
        root.files.iter().map(|f| f.id.as_str()).collect()
    }

    #[test]
    fn ids_are_relative_and_ignored_files_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("b/two.md", "x"),
            ("one.txt", "x"),
            (".hidden", "x"),
            ("build/out.txt", "x"),
            ("secret.txt", "x"),
            (".gitignore", "build/"),
            (".alderignore", "secret.*"),
        ] {
            fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            fs::write(dir.path().join(name), text).unwrap();
        }
        let roots =
            walk(&[dir.path().to_owned(), dir.path().join(".")], &Selection::default()).unwrap();
        assert_eq!(roots.len(), 1, "the same folder twice is one root");
        assert_eq!(ids(&roots[0]), ["b/two.md", "one.txt"]);
        let single = walk(&[dir.path().join("b/two.md")], &Selection::default()).unwrap();
        assert_eq!(ids(&single[0]), ["two.md"]);
    }

    #[test]
    fn folders_left_out_and_collections_are_not_entered() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.md", "old/b.md", "sub/c.md", "sub/c.log", "data/default/d.md"] {
            fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::remove_file(dir.path().join("data/default/d.md")).unwrap();
        let model = alder_engine::ModelIdentity {
            name: "fake".into(),
            fingerprint: "0".into(),
            dimensions: 2,
        };
        Collection::open_or_create(&dir.path().join("data/default"), &model).unwrap();
        let paths = [dir.path().to_owned()];
        assert_eq!(ids(&walk(&paths, &Selection::default()).unwrap()[0]).len(), 4);
        let selection = Selection::new(&["*.md".into()], &["/old".into()]).unwrap();
        assert_eq!(ids(&walk(&paths, &selection).unwrap()[0]), ["a.md", "sub/c.md"]);
        let direct = [dir.path().join("sub/c.log")];
        assert_eq!(ids(&walk(&direct, &selection).unwrap()[0]), ["c.log"], "named by itself");
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let error = walk(&[PathBuf::from("no/such/folder")], &Selection::default()).unwrap_err();
        assert!(error.to_string().starts_with("no/such/folder does not exist"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_named_with_the_reason_alone() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = ignore::Error::WithDepth {
            depth: 1,
            err: Box::new(ignore::Error::WithPath {
                path: "/notes/private".into(),
                err: Box::new(ignore::Error::Io(denied)),
            }),
        };
        let (id, reason) = unlisted(Path::new("/notes"), &error);
        assert_eq!(
            (id.as_str(), reason.as_str()),
            ("private", "cannot be listed: permission denied")
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_skipped_with_a_reason_and_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("escape.txt")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let roots = walk(&[dir.path().to_owned()], &Selection::default()).unwrap();
        assert_eq!(ids(&roots[0]), ["a.txt"]);
        let mut skipped = roots[0].skipped.clone();
        skipped.sort();
        assert_eq!(
            skipped[0],
            ("escape.txt".into(), "a symbolic link; links are not followed".into())
        );
        assert_eq!(skipped[1].0, "loop");
        assert_eq!(
            skipped[2],
            ("pipe".into(), "not a regular file (a pipe, socket or device)".into())
        );
        let direct = walk(&[pipe], &Selection::default()).unwrap();
        assert_eq!(direct[0].skipped[0].0, "pipe");
    }
}
