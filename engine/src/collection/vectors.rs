//! Keeps the derived vector files of a collection: opens them, makes missing or wrong ones again from the
//! store, adds graphs to large ones, removes those of segments that are gone.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::lexical::View;
use crate::vector::{Shape, VectorFile, add_graph, flat_image, write_flat};

/// The vector files of a view, by segment number.
pub(super) type VectorFiles = Vec<Arc<VectorFile>>;

/// The folder of vector files.
#[derive(Debug)]
pub(super) struct VectorFolder {
    pub(super) path: PathBuf,
    pub(super) shape: Shape,
    pub(super) graph_rows: usize,
}

impl VectorFolder {
    /// The files of all segments of `view`; those in `known`, by segment id, are not opened again.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot give its vectors.
    pub(super) fn open(
        &self,
        view: &View,
        known: &HashMap<&str, &Arc<VectorFile>>,
    ) -> Result<VectorFiles, Error> {
        (0..view.segments())
            .map(|segment| match known.get(view.segment_id(segment)) {
                // A large file without a graph may have got one meanwhile.
                Some(&file) if file.has_graph() || file.rows() < self.graph_rows => {
                    Ok(Arc::clone(file))
                }
                _ => self.open_or_make(view, segment).map(Arc::new),
            })
            .collect()
    }

    fn open_or_make(&self, view: &View, segment: u32) -> Result<VectorFile, Error> {
        let path = self.file(view.segment_id(segment));
        let rows = view.rows(segment);
        if path.exists() {
            match VectorFile::open(&path, self.shape, rows) {
                Ok(file) => return Ok(file),
                Err(found) => {
                    tracing::warn!(file = %path.display(), %found, "making a vector file again");
                }
            }
        }
        let source =
            |each: &mut dyn FnMut(u32, &[u8]) -> Result<(), Error>| view.vectors(segment, each);
        let broken = |reason| Error::Store { doing: "making a vector file", reason };
        match write_flat(&path, self.shape, &source) {
            Ok(()) => VectorFile::open(&path, self.shape, rows).map_err(broken),
            Err(Error::Io { source: cause, .. }) => {
                tracing::warn!(file = %path.display(), %cause, "keeping vectors in memory");
                let image = flat_image(self.shape, &source)?;
                VectorFile::in_memory(&image, self.shape, rows).map_err(broken)
            }
            Err(other) => Err(other),
        }
    }

    /// Adds graphs to the large files of `view` that have none; returns whether any was added.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn add_graphs(&self, view: &View, files: &VectorFiles) -> Result<bool, Error> {
        let mut added = false;
        for (segment, file) in files.iter().enumerate() {
            if file.rows() >= self.graph_rows.max(1) && !file.has_graph() {
                add_graph(&self.file(view.segment_id(segment as u32)), file)?;
                added = true;
            }
        }
        Ok(added)
    }

    /// Removes the files of segments that `view` does not have. What cannot be removed stays until next time.
    pub(super) fn remove_orphans(&self, view: &View) {
        let wanted: HashSet<PathBuf> =
            (0..view.segments()).map(|segment| self.file(view.segment_id(segment))).collect();
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            if !wanted.contains(&path)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(file = %path.display(), %error, "an old vector file stays");
            }
        }
    }

    fn file(&self, segment_id: &str) -> PathBuf {
        self.path.join(format!("{segment_id}.vec"))
    }
}

/// Bytes of the files directly in `folder`.
pub(super) fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
}
