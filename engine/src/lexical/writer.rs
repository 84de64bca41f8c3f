//! [`StoreWriter`]: adds and deletes records, commits with a payload, merges. The one place that commits.
//!
//! After any error the inner writer is dropped and opened again from the last commit: tantivy keeps segments
//! of a failed commit in memory, and a later merge would publish them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tantivy::index::SegmentId;
use tantivy::indexer::{NoMergePolicy, UserOperation};
use tantivy::{Index, IndexWriter, SegmentMeta, TantivyError};

use super::failed;
use super::record::{id_term, records};
use super::schema::{self, Fields};
use super::store::sync;
use crate::{Document, DocumentId, Error, Passage, limits};

/// The collection's lock is held, so tantivy's own can only be a remainder: a child process started while it
/// was held has it open until it runs its program.
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The writer of an index.
pub(crate) struct StoreWriter {
    folder: PathBuf,
    index: Index,
    fields: Fields,
    /// `None` after a failure, until the next use.
    inner: Option<IndexWriter>,
}

impl std::fmt::Debug for StoreWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreWriter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl StoreWriter {
    pub(super) fn new(index: Index, folder: &Path) -> Result<Self, Error> {
        let fields = schema::fields();
        let mut writer = Self { folder: folder.to_owned(), index, fields, inner: None };
        writer.inner()?;
        Ok(writer)
    }

    /// The inner writer, opened at the last commit after a failure.
    fn inner(&mut self) -> Result<&mut IndexWriter, Error> {
        if self.inner.is_none() {
            let mut attempts = 1..=LOCK_ATTEMPTS;
            let writer = loop {
                match self.index.writer_with_num_threads(1, limits::WRITER_HEAP_BYTES) {
                    Err(TantivyError::LockFailure(..)) if attempts.next().is_some() => {
                        std::thread::sleep(LOCK_PAUSE);
                    }
                    other => break other.map_err(failed("opening the store for writing"))?,
                }
            };
            writer.set_merge_policy(Box::new(NoMergePolicy));
            self.inner = Some(writer);
        }
        Ok(self.inner.as_mut().expect("it was opened above"))
    }

    /// Forgets everything since the last commit.
    pub(crate) fn forget(&mut self) {
        self.inner = None;
    }

    /// Replaces the document and its passages, each with its stored vector.
    ///
    /// # Errors
    /// [`Error::Query`] for metadata that cannot be stored (nothing happens then); [`Error::Store`], after
    /// which nothing since the last commit is kept.
    pub(crate) fn upsert(
        &mut self,
        document: &Document,
        passages: &[(Passage, Vec<u8>)],
    ) -> Result<(), Error> {
        let records = records(&self.fields, document, passages)?;
        let delete = UserOperation::Delete(id_term(&self.fields, document.id.as_str()));
        let operations = std::iter::once(delete).chain(records.into_iter().map(UserOperation::Add));
        self.attempt("adding a document", |writer| writer.run(operations.collect::<Vec<_>>()))?;
        Ok(())
    }

    /// Removes the records of a document.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn delete(&mut self, id: &DocumentId) -> Result<(), Error> {
        let term = id_term(&self.fields, id.as_str());
        self.attempt("deleting a document", |writer| Ok(writer.delete_term(term)))?;
        Ok(())
    }

    /// Makes everything since the last commit durable, with `payload`.
    ///
    /// # Errors
    /// [`Error::Store`]; nothing since the last commit is kept then.
    pub(crate) fn commit(&mut self, payload: &str) -> Result<(), Error> {
        self.attempt("committing", |writer| {
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(payload);
            prepared.commit()
        })?;
        self.sync()
    }

    /// Merges segments of one size class, when there are [`limits::MERGE_SEGMENTS`] of it, and rewrites
    /// segments that are more than half deleted. Returns whether anything changed. Never beside a commit: it
    /// needs the writer alone, and nothing may be pending.
    ///
    /// # Errors
    /// [`Error::Store`]; the segments stay as they were then.
    pub(crate) fn merge(&mut self) -> Result<bool, Error> {
        let metas = self.index.searchable_segment_metas().map_err(failed("listing segments"))?;
        self.merge_all(&merge_groups(&metas))
    }

    /// Rewrites everything as one segment without what is deleted, unless it is that already. Returns whether
    /// anything changed. Never beside a commit, as [`StoreWriter::merge`].
    ///
    /// # Errors
    /// [`Error::Store`]; the segments stay as they were then.
    pub(crate) fn compact(&mut self) -> Result<bool, Error> {
        let metas = self.index.searchable_segment_metas().map_err(failed("listing segments"))?;
        if metas.len() < 2 && metas.iter().all(|meta| !meta.has_deletes()) {
            return Ok(false);
        }
        self.merge_all(&[metas.iter().map(SegmentMeta::id).collect()])
    }

    fn merge_all(&mut self, groups: &[Vec<SegmentId>]) -> Result<bool, Error> {
        for group in groups {
            self.attempt("merging segments", |writer| writer.merge(group).wait())?;
        }
        if groups.is_empty() {
            return Ok(false);
        }
        self.sync()?;
        self.attempt("removing merged segments", |writer| writer.garbage_collect_files().wait())?;
        Ok(true)
    }

    fn sync(&mut self) -> Result<(), Error> {
        let synced = sync(self.index.directory());
        if synced.is_err() {
            self.forget();
        }
        synced
    }

    fn attempt<T>(
        &mut self,
        doing: &'static str,
        action: impl FnOnce(&mut IndexWriter) -> Result<T, TantivyError>,
    ) -> Result<T, Error> {
        let result = action(self.inner()?).map_err(failed(doing));
        if result.is_err() {
            self.forget();
        }
        result
    }
}

/// Segments to merge with each other: classes are powers of [`limits::MERGE_SEGMENTS`], so a record is
/// rewritten about once each time the collection grows by that factor.
fn merge_groups(metas: &[SegmentMeta]) -> Vec<Vec<SegmentId>> {
    let mut classes: BTreeMap<u32, Vec<&SegmentMeta>> = BTreeMap::new();
    let mut groups = Vec::new();
    for meta in metas {
        let live = u64::from(meta.num_docs());
        if u64::from(meta.num_deleted_docs()) > live {
            groups.push(vec![meta.id()]);
        } else if live <= limits::MERGE_PASSAGES {
            let class = (live.max(1_000)).ilog(limits::MERGE_SEGMENTS as u64);
            classes.entry(class).or_default().push(meta);
        }
    }
    let full = classes.into_values().filter(|class| class.len() >= limits::MERGE_SEGMENTS);
    groups.extend(full.map(|class| class.iter().map(|meta| meta.id()).collect()));
    groups
}
