//! Opens what the global options name: the model, and the collection in the data folder.

use std::path::PathBuf;
use std::sync::Arc;

use alder_engine::{Collection, CollectionSettings, Language, Model, OpenError};
use anyhow::Context;

use crate::cli::Global;
use crate::exit::CollectionError;
use crate::hub;

/// Folder of the collection in the data folder; the name leaves room for others beside it.
pub(crate) const COLLECTION: &str = "default";

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
        self.data_dir.join(COLLECTION)
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
