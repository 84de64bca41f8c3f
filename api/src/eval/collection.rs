//! The collection of a judged set: found in the cache, or built as `POST /v1/documents` builds one, so that
//! what is judged is what users get.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use alder_engine::{Collection, Model};
use alder_indexer::{IncomingDocument, Indexer, ItemOutcome, Settings};
use anyhow::Context;

use super::judged::JudgedSet;
use super::progress;

/// Changes when judged sets become other documents.
const LAYOUT: &str = "eval-3";
/// Problems written out; the rest are counted.
const PROBLEMS_SHOWN: usize = 3;

/// An open collection and how much work it took.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) collection: Collection,
    /// Documents that had to be indexed; 0 if all were there.
    pub(super) documents: usize,
    /// Time it took.
    pub(super) seconds: f64,
}

/// The collection of `set` in `cache`, in a folder named by the set, the model's fingerprint and the hash of
/// the corpus file. Documents that are there already (from an interrupted run) are not encoded again.
pub(super) fn open(set: &JudgedSet, cache: &Path, model: &Model) -> anyhow::Result<Indexed> {
    let start = Instant::now();
    let key = key(set.corpus_file(), &model.identity().fingerprint)?;
    let folder = cache.join(format!("{}-{key}", set.name));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
    let collection = Collection::open_or_create(&folder, model.identity())?;
    let mut writer = collection.writer()?;
    let known = collection.snapshot().content_hashes()?;

    let settings = Settings::default();
    let bar = progress(&format!("{}: indexing", set.name), set.documents()?.count());
    let mut unread = None;
    let incoming = set.documents()?.map_while(|source| {
        bar.inc(1);
        let source = source.map_err(|error| unread = Some(error)).ok()?;
        let (id, title, text) = (source.id, source.title, source.text);
        Some(IncomingDocument { id, title, text, metadata: Default::default() })
    });
    let outcomes = Indexer::new(&settings, model, &mut writer, known)?.documents(incoming)?;
    bar.finish_and_clear();
    if let Some(error) = unread {
        return Err(error);
    }
    let problems: Vec<&str> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            ItemOutcome::Failed { reason } => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    if !problems.is_empty() {
        let (count, shown) = (problems.len(), &problems[..problems.len().min(PROBLEMS_SHOWN)]);
        tracing::warn!(
            "{}: {count} documents could not be indexed: {}",
            set.name,
            shown.join("; ")
        );
    }
    let is_new = |outcome: &&ItemOutcome| matches!(outcome, ItemOutcome::Indexed { .. });
    let documents = outcomes.iter().filter(is_new).count();
    Ok(Indexed { collection, documents, seconds: start.elapsed().as_secs_f64() })
}

/// 16 hexadecimal digits that change with the corpus, the model and the cutting.
fn key(corpus: &Path, fingerprint: &str) -> anyhow::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(LAYOUT.as_bytes()).update(&[0]).update(fingerprint.as_bytes()).update(&[0]);
    let file = File::open(corpus).with_context(|| format!("cannot open {}", corpus.display()))?;
    hasher.update_reader(file).with_context(|| format!("cannot read {}", corpus.display()))?;
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_with_the_corpus_and_with_the_model() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one").unwrap();
        let first = key(file.path(), "m1").unwrap();
        assert_eq!((first.len(), &first), (16, &key(file.path(), "m1").unwrap()));
        assert_ne!(first, key(file.path(), "m2").unwrap());
        std::fs::write(file.path(), "two").unwrap();
        assert_ne!(first, key(file.path(), "m1").unwrap());
        assert!(
            key(Path::new("/no/such/file"), "m1")
                .unwrap_err()
                .to_string()
                .contains("/no/such/file")
        );
    }
}
