//! [`Collection`]: a folder on disk with one commit point. [`Snapshot`] is the immutable view a request
//! pins; [`Writer`] holds the lock and commits.
//!
//! The store of record is [`crate::lexical`]; vectors are stored there too, and [`crate::vector`] files beside
//! it are derived. This folder is where the two meet: neither knows the other.

mod lock;
mod manifest;
mod ranking;
mod sealed;
mod snapshot;
mod synonyms;
mod vectors;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use self::manifest::{Manifest, VECTORS, store_path};
use self::vectors::VectorFolder;
use crate::lexical::Store;
use crate::model::ModelIdentity;
use crate::vector::{GRAPH_ROWS_DEFAULT, Shape, StoredVector, VectorFormat};
use crate::{Document, Embedding, Error, Language, OpenError, Passage, Synonyms};

pub use ranking::Ranking;
pub use snapshot::{Snapshot, SnapshotStats};
pub use writer::Writer;

/// Number of a committed state; grows by one with every commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// A document with its passages and their vectors, ready to be stored.
#[derive(Debug, Clone)]
pub struct EncodedDocument {
    /// The document.
    pub document: Document,
    /// Its passages in order, each with its embedding.
    pub passages: Vec<(Passage, Embedding)>,
}

/// A document with its passages and their vectors, as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// The document.
    pub document: Document,
    /// Its passages in order, each with its vector.
    pub passages: Vec<(Passage, StoredVector)>,
}

/// What is chosen when a collection is created, and stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionSettings {
    /// How vectors are stored.
    pub vector_format: VectorFormat,
    /// Vectors from which a segment gets a graph; smaller ones are scanned.
    pub graph_rows: usize,
    /// Language of the texts, for their stems.
    pub language: Language,
}

impl Default for CollectionSettings {
    fn default() -> Self {
        Self {
            vector_format: VectorFormat::default(),
            graph_rows: GRAPH_ROWS_DEFAULT,
            language: Language::default(),
        }
    }
}

/// A named set of documents on disk. The folder is the collection's own: of others only the indexer keeps its
/// notes in it ([`Collection::folder`]).
#[derive(Debug, Clone)]
pub struct Collection {
    shared: Arc<Shared>,
}

/// What the collection and its writer have in common.
#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    manifest: Manifest,
    store: Store,
    vectors: VectorFolder,
    published: ArcSwap<Snapshot>,
    /// Held while a snapshot is made, so that an older one never replaces a newer one.
    publishing: Mutex<()>,
}

impl Collection {
    /// Opens the collection in `directory`, creating an empty one for `model` when there is none.
    ///
    /// # Errors
    /// [`OpenError::Mismatch`] if it was built with another model or analyser, [`OpenError::Unexpected`]
    /// if the folder holds something else or is damaged.
    pub fn open_or_create(directory: &Path, model: &ModelIdentity) -> Result<Self, OpenError> {
        Self::open_or_create_with(directory, model, &CollectionSettings::default())
    }

    /// The same, with `settings` for a new collection; an existing one keeps its own.
    ///
    /// # Errors
    /// As [`Collection::open_or_create`].
    pub fn open_or_create_with(
        directory: &Path,
        model: &ModelIdentity,
        settings: &CollectionSettings,
    ) -> Result<Self, OpenError> {
        Self::from_manifest(directory, Manifest::open(directory, model, Some(settings))?)
    }

    /// Opens the collection in `directory` for searching.
    ///
    /// # Errors
    /// As [`Collection::open_or_create`], and [`OpenError::Missing`] when there is none.
    pub fn open(directory: &Path, model: &ModelIdentity) -> Result<Self, OpenError> {
        Self::from_manifest(directory, Manifest::open(directory, model, None)?)
    }

    fn from_manifest(folder: &Path, manifest: Manifest) -> Result<Self, OpenError> {
        let store = Store::open(&store_path(folder), manifest.settings.language)?;
        let settings = &manifest.settings;
        let vectors = VectorFolder {
            path: folder.join(VECTORS),
            shape: Shape { format: settings.vector_format, dimensions: manifest.model.dimensions },
            graph_rows: settings.graph_rows,
        };
        // A missing folder of derived files is no loss.
        if let Err(error) = std::fs::create_dir_all(&vectors.path) {
            tracing::warn!(folder = %vectors.path.display(), %error, "vectors stay in memory");
        }
        let first = snapshot(folder, &manifest, (&store, &vectors), None);
        let first = first.map_err(|e| match e {
            Error::Open(e) => e,
            other => OpenError::io(folder, std::io::Error::other(other)),
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                manifest,
                store,
                vectors,
                published: ArcSwap::from_pointee(first),
                publishing: Mutex::new(()),
            }),
        })
    }

    /// Opens the collection in `directory` as it was built, for reading and moving what is stored: without a
    /// model nothing can be asked of it.
    ///
    /// # Errors
    /// As [`Collection::open`], but for the model.
    pub fn open_as_built(directory: &Path) -> Result<Self, OpenError> {
        Self::from_manifest(directory, Manifest::open_as_built(directory)?)
    }

    /// Whether `directory` is that of a collection, sound or not.
    pub fn is_at(directory: &Path) -> bool {
        Manifest::is_in(directory)
    }

    /// Where it is. Files of the indexer about the collection's sources may stand beside the engine's own.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// The model it was built with.
    pub fn model(&self) -> &ModelIdentity {
        &self.shared.manifest.model
    }

    /// What was chosen when it was created.
    pub fn settings(&self) -> &CollectionSettings {
        &self.shared.manifest.settings
    }

    /// The newest published state. Cheap; hold the result for a whole request.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published.load_full()
    }

    /// Publishes commits made by another process, if any.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn reload(&self) -> Result<(), Error> {
        self.shared.publish()
    }

    /// The words that are taken for each other.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] naming the file if it was changed into what cannot be read.
    pub fn synonyms(&self) -> Result<Synonyms, OpenError> {
        synonyms::read(&self.shared.folder)
    }

    /// Takes `synonyms` for each other from now on, durably; searches under way keep the old ones.
    ///
    /// # Errors
    /// [`Error::Open`] if they cannot be written, [`Error::Store`].
    pub fn set_synonyms(&self, synonyms: &Synonyms) -> Result<(), Error> {
        synonyms::write(&self.shared.folder, synonyms)?;
        self.shared.publish()
    }

    /// How queries that leave it open are ranked.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] naming the file if it was changed into what cannot be read.
    pub fn ranking(&self) -> Result<Ranking, OpenError> {
        ranking::read(&self.shared.folder)
    }

    /// Ranks by `ranking` from now on, durably; searches under way keep the old one.
    ///
    /// # Errors
    /// [`Error::Query`] for numbers out of bounds, [`Error::Open`] if it cannot be written, [`Error::Store`].
    pub fn set_ranking(&self, ranking: &Ranking) -> Result<(), Error> {
        ranking.validate()?;
        ranking::write(&self.shared.folder, ranking)?;
        self.shared.publish()
    }

    /// Takes the lock and returns the writer.
    ///
    /// # Errors
    /// [`OpenError::Locked`] naming the process that holds it.
    pub fn writer(&self) -> Result<Writer, OpenError> {
        Writer::new(Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Publishes the newest committed state with the vector files as they are now.
    fn publish(&self) -> Result<(), Error> {
        let _one_at_a_time = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.published.load();
        let new = snapshot(&self.folder, &self.manifest, (&self.store, &self.vectors), Some(&old))?;
        self.published.store(Arc::new(new));
        Ok(())
    }
}

/// The newest committed state; vector files of `old` are used again.
fn snapshot(
    folder: &Path,
    manifest: &Manifest,
    (store, vectors): (&Store, &VectorFolder),
    old: Option<&Snapshot>,
) -> Result<Snapshot, Error> {
    let view = store.view(&synonyms::read(folder)?)?;
    let generation = manifest.generation(folder, view.payload())?;
    let known = old.map(Snapshot::files).unwrap_or_default();
    let vectors = vectors.open(&view, &known)?;
    let dimensions = manifest.model.dimensions;
    let ranking = ranking::read(folder)?;
    Ok(Snapshot { generation, view, vectors, dimensions, ranking, folder: folder.to_owned() })
}
