//! [`Remembered`]: what a collection is made of and how the user wants that to be read, kept beside it as
//! `sources.json`, so that a later run and the watcher do the same without being told again.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{IngestError, Settings};

const FILE: &str = "sources.json";

/// Paths and choices of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Absolute paths of the files and folders it was made of.
    pub paths: BTreeSet<PathBuf>,
    /// What was chosen.
    pub choices: Choices,
}

/// What the user chose about indexing; what is not there is at its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choices {
    /// Globs of the files that are read; none for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Globs of the files that are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// As [`Settings::max_file_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// As [`Settings::max_line_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_line_bytes: Option<usize>,
    /// As [`Settings::extract_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extract_seconds: Option<u64>,
    /// As [`Settings::extract_memory_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extract_memory_bytes: Option<u64>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored {
    #[serde(rename = "1")]
    First { paths: BTreeSet<PathBuf>, choices: Choices },
}

impl Remembered {
    /// What the collection in `folder` remembers; nothing if it never was told.
    ///
    /// # Errors
    /// [`IngestError::Remembered`] for a file that cannot be read or understood.
    pub fn load(folder: &Path) -> Result<Self, IngestError> {
        let path = folder.join(FILE);
        let wrong = |reason| IngestError::Remembered { path: path.clone(), reason };
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| wrong(error.to_string()))?,
        };
        let Stored::First { paths, choices } =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { paths, choices })
    }

    /// Keeps it for the collection in `folder`, at once or not at all.
    ///
    /// # Errors
    /// [`IngestError::Remembered`].
    pub fn save(&self, folder: &Path) -> Result<(), IngestError> {
        let path = folder.join(FILE);
        let Self { paths, choices } = self.clone();
        let temporary = path.with_extension("json.tmp");
        let write = || {
            let text = serde_json::to_vec_pretty(&Stored::First { paths, choices })?;
            let mut file = fs::File::create(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| IngestError::Remembered {
            path: path.clone(),
            reason: error.to_string(),
        })
    }
}

impl Choices {
    /// `settings` with what was chosen.
    pub fn over(&self, settings: Settings) -> Settings {
        Settings {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            max_file_bytes: self.max_file_bytes.unwrap_or(settings.max_file_bytes),
            max_line_bytes: self.max_line_bytes.unwrap_or(settings.max_line_bytes),
            extract_seconds: self.extract_seconds.unwrap_or(settings.extract_seconds),
            extract_memory_bytes: self
                .extract_memory_bytes
                .unwrap_or(settings.extract_memory_bytes),
            ..settings
        }
    }

    /// What is other than in `before`, one sentence for each option.
    pub fn changes(&self, before: &Self) -> Vec<String> {
        fn option<T: PartialEq + Debug>(
            name: &str,
            now: Option<T>,
            before: Option<T>,
        ) -> Option<String> {
            let words = |value: &Option<T>| {
                value.as_ref().map_or("its default".to_owned(), |value| format!("{value:?}"))
            };
            let changed = now != before;
            changed.then(|| format!("{name} was {}, is now {}", words(&before), words(&now)))
        }
        let globs = |globs: &[String]| (!globs.is_empty()).then(|| globs.to_vec());
        [
            option("--include", globs(&self.include), globs(&before.include)),
            option("--exclude", globs(&self.exclude), globs(&before.exclude)),
            option("--max-file-bytes", self.max_file_bytes, before.max_file_bytes),
            option("--max-line-bytes", self.max_line_bytes, before.max_line_bytes),
            option("--extract-seconds", self.extract_seconds, before.extract_seconds),
            option(
                "--extract-memory-bytes",
                self.extract_memory_bytes,
                before.extract_memory_bytes,
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_remembered_and_a_change_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut remembered = Remembered::load(folder.path()).unwrap();
        assert_eq!(remembered, Remembered::default());
        remembered.paths.insert("/notes".into());
        remembered.choices.exclude = vec!["*.log".into()];
        remembered.choices.extract_seconds = Some(90);
        remembered.save(folder.path()).unwrap();
        assert_eq!(Remembered::load(folder.path()).unwrap(), remembered);
        let changes = remembered.choices.changes(&Choices::default());
        let expected = [
            "--exclude was its default, is now [\"*.log\"]",
            "--extract-seconds was its default, is now 90",
        ];
        assert_eq!(changes, expected);
        let settings = remembered.choices.over(Settings::default());
        assert_eq!((settings.extract_seconds, settings.max_line_bytes), (90, 16 << 20));

        fs::write(folder.path().join(FILE), r#"{"version": "2"}"#).unwrap();
        let error = Remembered::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("sources.json") && error.contains("variant"), "{error}");
    }
}
