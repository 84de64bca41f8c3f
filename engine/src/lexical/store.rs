//! [`Store`]: the index on disk, created, opened and verified.

use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::{Directory, Index, IndexReader, IndexSettings, ReloadPolicy};

use super::schema::{self, Fields};
use super::view::View;
use super::writer::StoreWriter;
use super::{check, failed};
use crate::{Error, Language, OpenError, Synonyms};

/// Blocks of decompressed records each segment keeps in memory.
const RECORD_CACHE_BLOCKS: usize = 32;
/// Attempts to see one state while another process makes the next.
const RELOADS: usize = 10;

/// An open index.
pub(crate) struct Store {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    language: Language,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Store {
    /// Creates an empty index with `payload` in `folder`, which exists and is empty, and syncs it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn create(folder: &Path, payload: &str, language: Language) -> Result<(), Error> {
        let failed = failed("creating the store");
        let directory = MmapDirectory::open(folder).map_err(|e| failed(e.into()))?;
        let (schema, _) = schema::schema(language);
        let index = Index::create(directory, schema, IndexSettings::default()).map_err(&failed)?;
        schema::register(&index, language);
        StoreWriter::new(index, folder)?.commit(payload)
    }

    /// Opens and verifies the index in `folder`, also while another process writes to it.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] naming the file that is damaged.
    pub(crate) fn open(folder: &Path, language: Language) -> Result<Self, OpenError> {
        let meta = || std::fs::read(folder.join("meta.json")).ok();
        let mut attempts = 1..RELOADS;
        loop {
            let before = meta();
            let opened = check::no_panic(folder, || Self::open_unguarded(folder, language))
                .and_then(|opened| opened.map_err(|damage| check::unexpected(folder, damage)));
            // A file may be gone because a commit or a merge replaced it meanwhile.
            if opened.is_ok() || meta() == before || attempts.next().is_none() {
                return opened;
            }
        }
    }

    fn open_unguarded(folder: &Path, language: Language) -> Result<Self, check::Damage> {
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = Index::open(directory)?;
        let (schema, fields) = schema::schema(language);
        if index.schema() != schema {
            return Err(check::Damage::schema());
        }
        schema::register(&index, language);
        check::files(&index)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(RECORD_CACHE_BLOCKS)
            .try_into()?;
        Ok(Self { folder: folder.to_owned(), index, reader, fields, language })
    }

    /// The newest committed state, searched with `synonyms`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn view(&self, synonyms: &Synonyms) -> Result<View, Error> {
        let failed = failed("reading the newest commit");
        for _ in 0..RELOADS {
            let metas = self.index.load_metas().map_err(&failed)?;
            self.reader.reload().map_err(&failed)?;
            let searcher = self.reader.searcher();
            let read =
                searcher.segment_readers().iter().map(|s| (s.segment_id(), s.delete_opstamp()));
            let written = metas.segments.iter().map(|s| (s.id(), s.delete_opstamp()));
            if read.eq(written) {
                let payload = metas.payload.unwrap_or_default();
                return View::new((searcher, self.fields), self.language, synonyms, payload);
            }
        }
        Err(Error::Store {
            doing: "reading the newest commit",
            reason: format!("another process committed {RELOADS} times meanwhile; try again"),
        })
    }

    /// A writer; the caller holds the collection's lock.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn writer(&self) -> Result<StoreWriter, Error> {
        StoreWriter::new(self.index.clone(), &self.folder)
    }
}

/// Makes the renames in `directory` durable; tantivy does not after its own.
pub(super) fn sync(directory: &dyn Directory) -> Result<(), Error> {
    directory
        .sync_directory()
        .map_err(|e| Error::Store { doing: "syncing the store's folder", reason: e.to_string() })
}
