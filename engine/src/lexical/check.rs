//! Verifies the index before it is trusted: tantivy opens files without reading their checksums and may panic
//! on damaged ones.
//!
//! Every file of every segment must be there; checksums are verified, smallest file first, up to
//! [`limits::SCRUB_BYTES`]. Not covered: the contents of larger files (their footers are), and a changed
//! `meta.json` that is still valid JSON with the right schema and segments that agree with their files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tantivy::directory::error::OpenReadError;
use tantivy::index::SegmentComponent;
use tantivy::{Directory, HasLen, Index, SegmentReader, TantivyError};

use crate::{OpenError, limits};

const REMEDY: &str =
    "restore the collection from a copy, or index the documents again into a new one";

/// What is wrong, in which file of the folder.
pub(super) struct Damage {
    file: PathBuf,
    expected: String,
    found: String,
}

impl Damage {
    fn new(file: impl Into<PathBuf>, expected: &str, found: impl Into<String>) -> Self {
        Self { file: file.into(), expected: expected.into(), found: found.into() }
    }

    /// The fields are not those of this version.
    pub(super) fn schema() -> Self {
        Self::new("meta.json", "the fields of this version", "other fields")
    }
}

impl From<TantivyError> for Damage {
    fn from(error: TantivyError) -> Self {
        let file = match &error {
            TantivyError::OpenReadError(
                OpenReadError::FileDoesNotExist(path)
                | OpenReadError::IoError { filepath: path, .. },
            ) => path.clone(),
            TantivyError::DataCorruption(corruption)
                if format!("{corruption:?}").contains(".managed.json") =>
            {
                ".managed.json".into()
            }
            _ => "meta.json".into(),
        };
        Self::new(file, "a sound index", error.to_string())
    }
}

/// `damage` as what the caller sees.
pub(super) fn unexpected(folder: &Path, damage: Damage) -> OpenError {
    OpenError::Unexpected {
        path: folder.join(damage.file),
        expected: damage.expected,
        found: damage.found,
        remedy: REMEDY.into(),
    }
}

/// Runs `open`; a panic in it means files that are damaged beyond what [`files`] finds.
pub(super) fn no_panic<T>(folder: &Path, open: impl FnOnce() -> T) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).map_err(|_| {
        unexpected(folder, Damage::new("meta.json", "a sound index", "files that contradict it"))
    })
}

/// The files every segment has.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::Terms,
    SegmentComponent::Store,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
];

/// Verifies the files of every segment.
pub(super) fn files(index: &Index) -> Result<(), Damage> {
    let directory = index.directory();
    let metas = index.load_metas()?;
    let mut files = Vec::new();
    for segment in &metas.segments {
        if segment.num_deleted_docs() > segment.max_doc() {
            let found = format!("{} of {}", segment.num_deleted_docs(), segment.max_doc());
            return Err(Damage::new("meta.json", "fewer deleted records than records", found));
        }
        let deletes = segment.has_deletes().then_some(SegmentComponent::Delete);
        for component in COMPONENTS.into_iter().chain(deletes) {
            let path = segment.relative_path(component);
            let slice = directory
                .open_read(&path)
                .map_err(|e| Damage::new(&path, "a file of the index", e.to_string()))?;
            files.push((slice.len() as u64, path));
        }
    }
    files.sort();
    let mut budget = limits::SCRUB_BYTES;
    for (len, path) in files {
        let Some(rest) = budget.checked_sub(len) else { break };
        budget = rest;
        if !matches!(directory.validate_checksum(&path), Ok(true)) {
            return Err(Damage::new(path, "contents with the recorded checksum", "other contents"));
        }
    }
    counts(index)
}

/// The counts in `meta.json` must be those of the files.
fn counts(index: &Index) -> Result<(), Damage> {
    for segment in index.searchable_segments()? {
        let meta = segment.meta();
        let reader = SegmentReader::open(&segment)?;
        let rows = reader.fast_fields().column_opt::<u64>("ordinal").ok().flatten();
        let deleted = reader.alive_bitset().map_or(0, |alive| {
            meta.max_doc() as usize - alive.num_alive_docs().min(meta.max_doc() as usize)
        });
        let counted = rows.is_none_or(|column| column.num_docs() == meta.max_doc());
        if !counted || deleted != meta.num_deleted_docs() as usize {
            let found = format!("{} records, {} deleted", meta.max_doc(), meta.num_deleted_docs());
            return Err(Damage::new("meta.json", "the counts of the segments' files", found));
        }
    }
    Ok(())
}
