//! Inputs shared by benches and comparisons: the sample collection as texts, passages and a store; arrays of NumPy.

pub mod npy;

use std::path::{Path, PathBuf};

/// The folder of the sample articles.
pub fn sample_articles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/sample/articles")
}

/// Every paragraph of the sample articles, in order of the file names.
///
/// # Panics
/// If the sample collection cannot be read: it is part of the checkout.
pub fn sample_paragraphs() -> Vec<String> {
    let folder = std::fs::read_dir(sample_articles()).expect("the sample collection is there");
    let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let texts = files.iter().map(|f| std::fs::read_to_string(f).expect("articles are UTF-8"));
    let paragraphs = texts
        .flat_map(|text| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>().into_iter());
    paragraphs.filter(|p| !p.starts_with('#') && !p.trim().is_empty()).collect()
}
