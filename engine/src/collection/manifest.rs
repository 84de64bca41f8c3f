//! [`Manifest`]: what a collection was built with, in `collection.json`, and how a folder becomes one.
//!
//! ```text
//! collection.json   the manifest, sealed; written once
//! LOCK              held by the one writer
//! synonyms.txt      words taken for each other, if any; may change at any time
//! ranking.json      how results are ranked, if it was tuned; may change at any time
//! store/            the store of record; its meta.json is the one commit point
//! vectors/          derived, one file per segment; may be deleted at any time
//! ```

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{self, Lock};
use super::sealed::{seal, unseal};
use super::{CollectionSettings, Generation};
use crate::lexical::{ANALYSER_VERSION, Store};
use crate::model::ModelIdentity;
use crate::{Error, OpenError};

/// Version of the folder's layout and of the files in it.
const FORMAT: u32 = 1;
const FILE: &str = "collection.json";
const STORE: &str = "store";
/// The store while it is created.
const NEW_STORE: &str = "store.new";
pub(super) const VECTORS: &str = "vectors";

/// What a collection was built with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    pub(super) model: ModelIdentity,
    analyser: u32,
    pub(super) settings: CollectionSettings,
}

/// What each commit says about itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Payload {
    format: u32,
    generation: Generation,
    model: String,
    analyser: u32,
}

impl Manifest {
    /// The manifest of the collection in `folder`, which is made first when there is none and `create` says how.
    ///
    /// # Errors
    /// As [`super::Collection::open_or_create`] and [`super::Collection::open`].
    pub(super) fn open(
        folder: &Path,
        model: &ModelIdentity,
        create: Option<&CollectionSettings>,
    ) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        if !path.try_exists().map_err(|e| OpenError::io(&path, e))? {
            match create {
                Some(settings) => Self::create(folder, model, settings)?,
                None => return Err(no_collection(folder)),
            }
        }
        let manifest = Self::read(folder)?;
        manifest.check(folder, model)?;
        finish_creation(folder)?;
        Ok(manifest)
    }

    /// The manifest of the collection in `folder`, whatever model it was built with.
    ///
    /// # Errors
    /// As [`super::Collection::open_as_built`].
    pub(super) fn open_as_built(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        if !path.try_exists().map_err(|e| OpenError::io(&path, e))? {
            return Err(no_collection(folder));
        }
        let manifest = Self::read(folder)?;
        manifest.check(folder, &manifest.model)?;
        finish_creation(folder)?;
        Ok(manifest)
    }

    /// Whether there is one in `folder`.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    fn read(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => damaged(&path, "bytes that are not text"),
            _ => OpenError::io(&path, e),
        })?;
        unseal(&text).map_err(|found| damaged(&path, &found))
    }

    fn check(&self, folder: &Path, model: &ModelIdentity) -> Result<(), OpenError> {
        let mismatch = |built_with, opened_with, remedy: &str| OpenError::Mismatch {
            path: folder.to_owned(),
            built_with,
            opened_with,
            remedy: remedy.to_owned(),
        };
        if self.format != FORMAT {
            let (found, own) = (self.format, FORMAT);
            return Err(mismatch(
                format!("layout {found}"),
                format!("layout {own}"),
                "use the version of Alder it was built with, or index the documents into a new folder",
            ));
        }
        let built = &self.model;
        if (&built.fingerprint, built.dimensions) != (&model.fingerprint, model.dimensions) {
            return Err(mismatch(
                describe(built),
                describe(model),
                "open it with that model, or index the documents into a new folder with this one",
            ));
        }
        if self.analyser != ANALYSER_VERSION {
            return Err(mismatch(
                format!("text analyser {}", self.analyser),
                format!("text analyser {ANALYSER_VERSION}"),
                "index the documents into a new folder",
            ));
        }
        Ok(())
    }

    /// Makes a collection in `folder`, which must not hold anything else. The store comes into place last, so
    /// that [`finish_creation`] can complete an interrupted creation.
    fn create(
        folder: &Path,
        model: &ModelIdentity,
        settings: &CollectionSettings,
    ) -> Result<(), OpenError> {
        fs::create_dir_all(folder).map_err(|e| OpenError::io(folder, e))?;
        refuse_foreign(folder)?;
        let _lock = Lock::take(folder)?;
        if folder.join(FILE).exists() {
            return Ok(());
        }
        let manifest = Self {
            format: FORMAT,
            model: model.clone(),
            analyser: ANALYSER_VERSION,
            settings: settings.clone(),
        };
        let store = folder.join(NEW_STORE);
        if store.exists() {
            fs::remove_dir_all(&store).map_err(|e| OpenError::io(&store, e))?;
        }
        for made in [&store, &folder.join(VECTORS)] {
            fs::create_dir_all(made).map_err(|e| OpenError::io(made, e))?;
        }
        let payload = manifest.payload(Generation(0));
        let created = Store::create(&store, &payload, settings.language);
        created.map_err(|e| OpenError::io(&store, std::io::Error::other(e)))?;
        write_synced(&folder.join(FILE), &seal(&manifest))?;
        rename_synced(&store, &folder.join(STORE))
    }

    /// The payload of the commit that makes `generation`.
    pub(super) fn payload(&self, generation: Generation) -> String {
        let model = self.model.fingerprint.clone();
        seal(&Payload { format: FORMAT, generation, model, analyser: self.analyser })
    }

    /// The generation in the payload of a commit of this collection.
    ///
    /// # Errors
    /// [`Error::Open`] naming `meta.json` if it is not one.
    pub(super) fn generation(&self, folder: &Path, payload: &str) -> Result<Generation, Error> {
        let meta = store_path(folder).join("meta.json");
        let read: Payload =
            unseal(payload).map_err(|found| damaged(&meta, &format!("a commit with {found}")))?;
        if self.payload(read.generation) != payload {
            return Err(damaged(&meta, "a commit of another collection").into());
        }
        Ok(read.generation)
    }
}

/// The folder of the store.
pub(super) fn store_path(folder: &Path) -> PathBuf {
    folder.join(STORE)
}

fn describe(model: &ModelIdentity) -> String {
    let start: String = model.fingerprint.chars().take(12).collect();
    format!("model {} ({start}, {} dimensions)", model.name, model.dimensions)
}

fn no_collection(folder: &Path) -> OpenError {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.any(|_| true)) {
        return damaged(&folder.join(FILE), "a folder without it");
    }
    OpenError::Missing {
        what: "a collection",
        path: folder.to_owned(),
        remedy: "check the path, or index documents into it first".into(),
    }
}

fn damaged(path: &Path, found: &str) -> OpenError {
    OpenError::Unexpected {
        path: path.to_owned(),
        expected: "a sound file of a collection".into(),
        found: found.into(),
        remedy: "check the path, restore the collection from a copy, or index into a new folder"
            .into(),
    }
}

/// A folder that holds anything but the remains of an interrupted creation is not ours to fill.
fn refuse_foreign(folder: &Path) -> Result<(), OpenError> {
    for entry in fs::read_dir(folder).map_err(|e| OpenError::io(folder, e))? {
        let name = entry.map_err(|e| OpenError::io(folder, e))?.file_name();
        let name = name.to_string_lossy();
        let ours = [lock::FILE, NEW_STORE, VECTORS].contains(&&*name) || name.ends_with(".tmp");
        if !ours {
            return Err(OpenError::Unexpected {
                path: folder.to_owned(),
                expected: "a collection or an empty folder".into(),
                found: format!("a folder with {name}"),
                remedy: "choose another folder for the collection".into(),
            });
        }
    }
    Ok(())
}

/// Puts the store of an interrupted creation in place.
fn finish_creation(folder: &Path) -> Result<(), OpenError> {
    let (new, store) = (folder.join(NEW_STORE), store_path(folder));
    if store.is_dir() {
        return Ok(());
    }
    if !new.is_dir() {
        return Err(damaged(&store, "a collection without it"));
    }
    let _lock = Lock::take(folder)?;
    if store.is_dir() { Ok(()) } else { rename_synced(&new, &store) }
}

/// Writes `text` to `path`, durably, at once or not at all.
pub(super) fn write_synced(path: &Path, text: &str) -> Result<(), OpenError> {
    let io = |error| OpenError::io(path, error);
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    rename_synced(&temporary, path)
}

fn rename_synced(from: &Path, to: &Path) -> Result<(), OpenError> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::rename(from, to)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|e| OpenError::io(to, e))
}
