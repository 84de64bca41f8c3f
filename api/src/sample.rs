//! The sample collection: short articles inside the program, so that the first question needs no documents.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../datasets/sample/articles"]
struct Articles;

/// Writes the sample articles below `data_dir` and returns their folder.
pub(crate) fn unpack(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = data_dir.join("sample");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for name in Articles::iter() {
        let article = Articles::get(&name).expect("the name comes from the list of names");
        let path = folder.join(name.as_ref());
        std::fs::write(&path, article.data)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(folder)
}
