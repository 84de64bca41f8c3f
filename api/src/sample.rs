//! The sample collection: short articles inside the program, so that the first question needs no documents.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Writes the sample articles below `data_dir` and returns their folder.
pub(crate) fn unpack(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = data_dir.join("sample");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (name, text) in alder_datasets::sample_articles() {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(folder)
}
