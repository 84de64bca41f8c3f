//! Keys of the service: who may do what. The file holds hashes, never a key; a key is shown once, when it is made.
//!
//! A key is 256 random bits, so that one fast hash is enough: there is nothing to guess. All hashes are compared,
//! in constant time each, so that the time of a refusal tells nothing.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What every key begins with, so that it is recognised where it should not be.
const PREFIX: &str = "alder_";
/// Version of the file.
const VERSION: u32 = 1;
/// Longest name of a key, in bytes.
const NAME_BYTES: usize = 64;

/// What a key allows. `Admin` allows everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Searching, asking, reading documents, the model's dialects
    Search,
    /// Adding and removing documents, tasks, judgements
    Write,
    /// Everything, metrics included
    Admin,
}

/// One key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// Unique in the file.
    pub(crate) name: String,
    /// Hash of the key, hexadecimal.
    hash: String,
    /// What it allows.
    pub(crate) scopes: Vec<Scope>,
    /// Collections it is for; all if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) collections: Vec<String>,
    /// RFC 3339, UTC.
    pub(crate) created_at: String,
    /// The same; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
}

/// The keys of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    version: u32,
    pub(crate) keys: Vec<Key>,
}

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{}: {reason}; repair it, or remove it and make new keys with `alder keys create`", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("there is a key named {0:?} already; revoke it first or choose another name")]
    NameTaken(String),
    #[error("{0:?} is no name for a key; use 1 to {NAME_BYTES} letters, digits, - and _")]
    Name(String),
}

/// What a new key is to be.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) collections: Vec<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Keys {
    /// The keys in the file at `path`; none if it is not there.
    ///
    /// # Errors
    /// [`KeysError::Io`], [`KeysError::Damaged`].
    pub(crate) fn load(path: &Path) -> Result<Self, KeysError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::empty()),
            Err(cause) => return Err(KeysError::Io { path: path.to_owned(), cause }),
        };
        let damaged = |reason| KeysError::Damaged { path: path.to_owned(), reason };
        let keys: Self = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        if keys.version != VERSION {
            return Err(damaged(format!("version {}, expected {VERSION}", keys.version)));
        }
        let unreadable = |key: &&Key| {
            let end = key.expires_at.as_deref().map_or(Ok(Timestamp::MAX), str::parse);
            end.is_err() || blake3::Hash::from_hex(&key.hash).is_err()
        };
        match keys.keys.iter().find(unreadable) {
            Some(key) => Err(damaged(format!("the hash or the time of {:?} is none", key.name))),
            None => Ok(keys),
        }
    }

    fn empty() -> Self {
        Self { version: VERSION, keys: Vec::new() }
    }

    /// Writes the file, readable by its owner only, in one step.
    ///
    /// # Errors
    /// [`KeysError::Io`].
    pub(crate) fn store(&self, path: &Path) -> Result<(), KeysError> {
        let write = || {
            let folder =
                path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            // A temporary file is its owner's alone from the start.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|cause| KeysError::Io { path: path.to_owned(), cause })
    }

    /// Adds a key and returns its secret, which is nowhere else.
    ///
    /// # Errors
    /// [`KeysError::NameTaken`], [`KeysError::Name`]; [`KeysError::Io`] if the system has no randomness.
    pub(crate) fn create(&mut self, new: NewKey) -> Result<String, KeysError> {
        let NewKey { name, scopes, collections, expires_at } = new;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(plain) {
            return Err(KeysError::Name(name));
        }
        if self.keys.iter().any(|key| key.name == name) {
            return Err(KeysError::NameTaken(name));
        }
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).map_err(|error| KeysError::Io {
            path: PathBuf::from("random numbers"),
            cause: io::Error::other(error.to_string()),
        })?;
        let secret = format!("{PREFIX}{}", blake3::Hash::from_bytes(bits).to_hex());
        let hash = hash(&secret).to_hex().to_string();
        let created_at = format!("{:.0}", Timestamp::now());
        let expires_at = expires_at.map(|end| format!("{end:.0}"));
        self.keys.push(Key { name, hash, scopes, collections, created_at, expires_at });
        Ok(secret)
    }

    /// Removes the key called `name`; returns whether there was one.
    pub(crate) fn revoke(&mut self, name: &str) -> Option<Key> {
        let place = self.keys.iter().position(|key| key.name == name)?;
        Some(self.keys.remove(place))
    }

    /// The key whose secret is `secret`, unless it is expired. Takes the same time whichever it is.
    pub(crate) fn find(&self, secret: &str) -> Option<&Key> {
        let given = hash(secret);
        let mut found = None;
        for key in &self.keys {
            // Equality of hashes takes constant time.
            if blake3::Hash::from_hex(&key.hash).is_ok_and(|stored| stored == given) {
                found = Some(key);
            }
        }
        found.filter(|key| !key.is_expired())
    }
}

impl Key {
    fn is_expired(&self) -> bool {
        let Some(end) = &self.expires_at else { return false };
        // A time that cannot be read was refused when the file was loaded.
        end.parse::<Timestamp>().is_ok_and(|end| end <= Timestamp::now())
    }

    /// Whether it may do what needs `scope` in `collection`.
    pub(crate) fn allows(&self, scope: Scope, collection: &str) -> bool {
        let scoped = self.scopes.iter().any(|own| *own == scope || *own == Scope::Admin);
        scoped && (self.collections.is_empty() || self.collections.iter().any(|c| c == collection))
    }
}

fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, scopes: &[Scope]) -> NewKey {
        NewKey {
            name: name.into(),
            scopes: scopes.to_vec(),
            collections: Vec::new(),
            expires_at: None,
        }
    }

    #[test]
    fn the_file_holds_hashes_and_only_the_secret_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/keys.json");
        let mut keys = Keys::load(&path).unwrap();
        let secret = keys.create(new("laptop", &[Scope::Search])).unwrap();
        let other = keys.create(new("backup", &[Scope::Write])).unwrap();
        assert!(secret.starts_with(PREFIX) && secret.len() == PREFIX.len() + 64 && secret != other);
        keys.store(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&secret) && !text.contains(&secret[PREFIX.len()..]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let mut keys = Keys::load(&path).unwrap();
        assert_eq!(keys.find(&secret).unwrap().name, "laptop");
        assert!(keys.find(&text).is_none() && keys.find("").is_none());
        assert!(keys.find(&keys.keys[0].hash.clone()).is_none(), "a hash is no key");
        assert!(keys.revoke("laptop").is_some() && keys.find(&secret).is_none());
        assert!(keys.find(&other).is_some() && keys.revoke("laptop").is_none());
    }

    #[test]
    fn scopes_collections_and_expiry_are_kept() {
        let mut keys = Keys::empty();
        let mut limited = new("one", &[Scope::Search]);
        limited.collections = vec!["papers".into()];
        let secret = keys.create(limited).unwrap();
        let key = keys.find(&secret).unwrap();
        assert!(key.allows(Scope::Search, "papers"));
        assert!(!key.allows(Scope::Write, "papers") && !key.allows(Scope::Search, "default"));
        let admin = keys.create(new("two", &[Scope::Admin])).unwrap();
        assert!(keys.find(&admin).unwrap().allows(Scope::Write, "default"));
        let mut old = new("old", &[Scope::Admin]);
        old.expires_at = Some(Timestamp::now() - std::time::Duration::from_secs(1));
        let old = keys.create(old).unwrap();
        assert!(keys.find(&old).is_none());
    }

    #[test]
    fn names_are_unique_and_a_damaged_file_is_refused() {
        let mut keys = Keys::empty();
        keys.create(new("a", &[Scope::Search])).unwrap();
        assert!(matches!(keys.create(new("a", &[])), Err(KeysError::NameTaken(_))));
        assert!(matches!(keys.create(new("a b", &[])), Err(KeysError::Name(_))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        for text in ["", "{}", "{\"version\": 9, \"keys\": []}", "{\"version\": 1, \"keys\": [{}]}"]
        {
            fs::write(&path, text).unwrap();
            let error = Keys::load(&path).unwrap_err().to_string();
            assert!(error.contains("keys.json") && error.contains("alder keys create"), "{error}");
        }
    }
}
