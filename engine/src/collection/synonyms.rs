//! The synonyms of a collection: `synonyms.txt` in its folder, as they were given. They change what a query means,
//! not what is stored, so they may change at any time.

use std::fs;
use std::path::Path;

use super::manifest::write_synced;
use crate::{OpenError, Synonyms};

const FILE: &str = "synonyms.txt";

/// The synonyms in `folder`; none if there is no file.
pub(super) fn read(folder: &Path) -> Result<Synonyms, OpenError> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(OpenError::io(&path, error)),
    };
    Synonyms::parse(&text).map_err(|error| OpenError::Unexpected {
        path,
        expected: "lines of words that mean the same".into(),
        found: error.to_string(),
        remedy: "set the synonyms again, or remove the file".into(),
    })
}

/// Keeps `synonyms` in `folder`.
pub(super) fn write(folder: &Path, synonyms: &Synonyms) -> Result<(), OpenError> {
    write_synced(&folder.join(FILE), synonyms.as_str())
}
