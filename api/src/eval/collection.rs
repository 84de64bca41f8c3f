//! The collection of a judged set: found in the cache, or built with the engine.

use std::fs::File;
use std::path::Path;

use alder_engine::{Collection, Document, EncodedDocument, Model, Passage, Writer};
use anyhow::Context;

use super::judged::JudgedSet;
use super::{passages, progress};

/// Changes when the same documents would be cut into other passages.
const LAYOUT: &str = "eval-1";
/// Passages encoded at once: enough to sort by length, little enough to be held.
const BATCH_PASSAGES: usize = 512;
/// Documents between two commits: what an interrupted run has to do again.
const COMMIT_DOCUMENTS: usize = 50_000;

/// An open collection and how much work it took.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) collection: Collection,
    /// Documents that had to be indexed; 0 if all were there.
    pub(super) documents: usize,
}

/// The collection of `set` in `cache`, in a folder named by the set, the model's fingerprint and the hash of
/// the corpus file. Documents that are there already (from an interrupted run) are not encoded again.
pub(super) fn open(set: &JudgedSet, cache: &Path, model: &Model) -> anyhow::Result<Indexed> {
    let key = key(set.corpus_file(), &model.identity().fingerprint)?;
    let folder = cache.join(format!("{}-{key}", set.name));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
    let collection = Collection::open_or_create(&folder, model.identity())?;
    let done = collection.snapshot().content_hashes()?;

    let token_spans = |text: &str| model.token_spans(text);
    let mut writer: Option<Writer> = None;
    let mut batch = Batch::default();
    let mut documents = 0;
    let bar = progress(&format!("{}: indexing", set.name), set.documents()?.count());
    for source in set.documents()? {
        let (document, passages) = passages::passages(source?, model.max_length(), &token_spans)?;
        bar.inc(1);
        if done.get(&document.id) == Some(&document.content_hash) {
            continue;
        }
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(collection.writer()?),
        };
        batch.push(document, passages);
        documents += 1;
        if batch.passages >= BATCH_PASSAGES {
            batch.write(model, writer)?;
        }
        if documents % COMMIT_DOCUMENTS == 0 {
            batch.write(model, writer)?;
            writer.commit()?;
        }
    }
    if let Some(mut writer) = writer {
        batch.write(model, &mut writer)?;
        writer.commit()?;
    }
    bar.finish_and_clear();
    Ok(Indexed { collection, documents })
}

/// Documents that wait to be encoded together.
#[derive(Default)]
struct Batch {
    documents: Vec<(Document, Vec<Passage>)>,
    passages: usize,
}

impl Batch {
    fn push(&mut self, document: Document, passages: Vec<Passage>) {
        self.passages += passages.len();
        self.documents.push((document, passages));
    }

    fn write(&mut self, model: &Model, writer: &mut Writer) -> anyhow::Result<()> {
        let texts: Vec<String> =
            self.documents.iter().flat_map(|(_, p)| p.iter().map(Passage::for_encoder)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut embeddings = model.encode(&texts)?.into_iter();
        for (document, passages) in self.documents.drain(..) {
            let passages = passages.into_iter().zip(embeddings.by_ref()).collect();
            writer.upsert(EncodedDocument { document, passages })?;
        }
        self.passages = 0;
        Ok(())
    }
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
