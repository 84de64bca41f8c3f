//! Documents with deterministic embeddings, made from a number and a version.

use std::path::Path;

use alder_engine::{
    Collection, CollectionSettings, Document, DocumentId, Embedding, EncodedDocument, Metadata,
    ModelIdentity, Passage, PassageId, Snapshot, Span,
};
use serde_json::json;

pub(crate) const DIMENSIONS: usize = 16;

pub(crate) fn model() -> ModelIdentity {
    ModelIdentity { name: "fake".into(), fingerprint: "0123".into(), dimensions: DIMENSIONS }
}

/// Settings under which tens of vectors make a graph.
pub(crate) fn small_graphs() -> CollectionSettings {
    CollectionSettings { graph_rows: 40, ..CollectionSettings::default() }
}

pub(crate) fn open(folder: &Path) -> Collection {
    Collection::open_or_create_with(folder, &model(), &small_graphs()).unwrap()
}

/// A small generator: the tests need repeatable numbers, not good ones.
#[derive(Clone)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Roughly normal, mean 0.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.below(1 << 20) as f32 / (1 << 20) as f32 - 0.5).sum()
    }
}

pub(crate) fn embedding(seed: u64) -> Embedding {
    let mut numbers = Numbers(seed);
    Embedding::normalised((0..DIMENSIONS).map(|_| numbers.normal()).collect())
}

pub(crate) fn id(number: u64) -> DocumentId {
    DocumentId::new(format!("doc-{number}")).unwrap()
}

/// The seed of a passage's embedding.
pub(crate) fn seed(number: u64, version: u64, ordinal: u64) -> u64 {
    number * 1_000_003 + version * 1_009 + ordinal
}

/// Document `number` in its `version`: one to three passages, each with words of its own.
pub(crate) fn document(number: u64, version: u64) -> EncodedDocument {
    let count = 1 + (number + version) % 3;
    let metadata = Metadata::from([
        ("version".to_string(), json!(version)),
        ("parity".to_string(), json!(if number.is_multiple_of(2) { "even" } else { "odd" })),
        ("tags".to_string(), json!([format!("t{}", number % 5), "all"])),
    ]);
    let title = format!("Title number{number}");
    let mut text = String::new();
    let mut passages = Vec::new();
    for ordinal in 0..count {
        let start = text.len();
        text += &format!("Common word{number} release{version} part{ordinal}, naïve – text.");
        let passage = Passage {
            id: PassageId { document: id(number), ordinal: ordinal as u32 },
            title: title.clone(),
            heading_path: vec!["Chapter".into(), format!("Section part{ordinal}")],
            span: Span::new(start, text.len()),
            text: text[start..].to_owned(),
            metadata: metadata.clone(),
        };
        passages.push((passage, embedding(seed(number, version, ordinal))));
        text.push('\n');
    }
    let content_hash = format!("{number}:{version}");
    let document = Document { id: id(number), title, text, metadata, content_hash };
    EncodedDocument { document, passages }
}

/// Ids of all passages both retrievers return for everything, which must be the same.
pub(crate) fn live(snapshot: &Snapshot) -> Vec<PassageId> {
    let names = |keys: Vec<_>| {
        let mut names: Vec<PassageId> =
            keys.into_iter().map(|key| snapshot.passage(key).unwrap().id).collect();
        names.sort();
        names
    };
    let lexical = snapshot.lexical("common", None, 10_000).unwrap().0;
    let dense = snapshot.dense(&embedding(1), None, 10_000).unwrap();
    let lexical = names(lexical.into_iter().map(|hit| hit.key).collect());
    let dense = names(dense.into_iter().map(|hit| hit.key).collect());
    assert_eq!(lexical, dense, "the retrievers disagree on what is live");
    lexical
}

/// Checks that `snapshot` holds exactly `documents` (number, version), whole and in both retrievers.
pub(crate) fn assert_holds(snapshot: &Snapshot, documents: impl IntoIterator<Item = (u64, u64)>) {
    let mut expected = Vec::new();
    let mut hashes = std::collections::HashMap::new();
    for (number, version) in documents {
        let EncodedDocument { document, passages } = document(number, version);
        hashes.insert(document.id.clone(), document.content_hash.clone());
        assert_eq!(snapshot.document(&document.id).unwrap().as_ref(), Some(&document));
        for (passage, embedding) in passages {
            let best = snapshot.dense(&embedding, None, 1).unwrap()[0];
            assert!(best.score.0 > 0.99, "the vector of {:?} is not there", passage.id);
            assert_eq!(snapshot.passage(best.key).unwrap(), passage);
            expected.push(passage.id);
        }
    }
    expected.sort();
    assert_eq!(live(snapshot), expected);
    assert_eq!(snapshot.content_hashes().unwrap(), hashes);
    let stats = snapshot.stats();
    assert_eq!((stats.documents, stats.passages), (hashes.len() as u64, expected.len() as u64));
}
