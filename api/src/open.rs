//! Opens what the global options name: the model, and a collection in the data folder, which is the folder of its
//! name there.

use std::path::PathBuf;
use std::sync::Arc;

use alder_engine::{Collection, CollectionSettings, Language, Model, OpenError};
use anyhow::Context;

use crate::cli::Global;
use crate::exit::CollectionError;
use crate::hub;

/// The collection that is meant when none is named.
pub(crate) const COLLECTION: &str = "default";
/// Longest name of a collection, in bytes: it is the name of a folder.
const NAME_BYTES: usize = 64;

/// A name that can be that of a folder everywhere and cannot lead out of the data folder.
///
/// # Errors
/// What it should be.
pub(crate) fn collection_name(name: &str) -> Result<String, String> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first && name.len() <= NAME_BYTES && name.chars().all(letters) {
        return Ok(name.to_owned());
    }
    Err(format!("expected 1 to {NAME_BYTES} of a-z, 0-9, - and _, the first a letter or digit"))
}

impl Global {
    /// The model asked for, or the one in the program. Also sets the number of threads it works with.
    pub(crate) fn model(&self) -> anyhow::Result<Arc<Model>> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(usize::from(threads))
                .build_global()
                .context("cannot start that many threads; choose fewer with --threads")?;
        }
        let Some(name) = &self.model else {
            return Ok(Model::embedded(self.device)?);
        };
        Ok(Model::open(&hub::resolve(name)?, self.device)?)
    }

    /// Where the collection is, or would be.
    pub(crate) fn collection_folder(&self) -> PathBuf {
        self.data_dir.join(&self.collection)
    }

    /// Whether something is where the collection would be.
    pub(crate) fn has_collection(&self) -> bool {
        self.collection_folder().exists()
    }

    /// The collection, for searching.
    pub(crate) fn collection(&self, model: &Model) -> anyhow::Result<Collection> {
        let folder = self.require_collection()?;
        Ok(Collection::open(&folder, model.identity()).map_err(|error| match error {
            OpenError::Missing { .. } => CollectionError::Missing(folder),
            error => CollectionError::Open(error),
        })?)
    }

    /// The folder of the collection, if it is there; cheap, to be asked before a model is loaded.
    pub(crate) fn require_collection(&self) -> Result<PathBuf, CollectionError> {
        let folder = self.collection_folder();
        if self.has_collection() { Ok(folder) } else { Err(CollectionError::Missing(folder)) }
    }

    /// The collection, made if there is none; `language` must be the one it was made with.
    pub(crate) fn collection_or_new(
        &self,
        model: &Model,
        language: Option<Language>,
    ) -> anyhow::Result<Collection> {
        let folder = self.collection_folder();
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let settings = CollectionSettings {
            language: language.unwrap_or_default(),
            ..CollectionSettings::default()
        };
        let collection = Collection::open_or_create_with(&folder, model.identity(), &settings)
            .map_err(CollectionError::Open)?;
        let own = collection.settings().language;
        if language.is_some_and(|asked| asked != own) {
            return Err(CollectionError::Open(OpenError::Mismatch {
                path: folder,
                built_with: format!("the language {}", own.name()),
                opened_with: settings.language.name().to_owned(),
                remedy: "leave out --language, or index the documents into another --data-dir"
                    .into(),
            })
            .into());
        }
        Ok(collection)
    }
}
