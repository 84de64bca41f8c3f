//! How well the lexical retriever ranks public collections: floors that a change must not fall below.
//! The data lies in `../shared` beside the repository (or where `ALDER_SHARED` says).

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use alder_engine::{
    Collection, Document, DocumentId, Embedding, EncodedDocument, Metadata, ModelIdentity, Passage,
    PassageId, Snapshot, Span,
};

/// The evaluation data, or `None` after saying loudly that the test is skipped.
fn evaluation_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("ALDER_SHARED").map_or(beside, PathBuf::from);
    let data = shared.join("data/eval");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", data.display());
    println!("SKIPPED: {} is missing; set ALDER_SHARED", data.display());
    None
}

/// The text of the string field `key` in a flat JSON line.
fn field(line: &str, key: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The BEIR collection in `folder`, one passage per document.
fn index(folder: &Path, into: &Path) -> Collection {
    let packed = fs::read(folder.join("corpus.jsonl.zst")).unwrap();
    let mut corpus = String::new();
    ruzstd::decoding::StreamingDecoder::new(&packed[..])
        .unwrap()
        .read_to_string(&mut corpus)
        .unwrap();
    let model = ModelIdentity { name: "none".into(), fingerprint: "0".into(), dimensions: 1 };
    let collection = Collection::open_or_create(into, &model).unwrap();
    let mut writer = collection.writer().unwrap();
    for line in corpus.lines() {
        let id = DocumentId::new(field(line, "_id")).unwrap();
        let (title, text) = (field(line, "title"), field(line, "text"));
        let passage = Passage {
            id: PassageId { document: id.clone(), ordinal: 0 },
            title: title.clone(),
            heading_path: vec![],
            span: Span::new(0, text.len()),
            text: text.clone(),
            metadata: Metadata::new(),
        };
        let (metadata, content_hash) = (Metadata::new(), String::new());
        let document = Document { id, title, text, metadata, content_hash };
        let passages = vec![(passage, Embedding::normalised(vec![1.0]))];
        writer.upsert(EncodedDocument { document, passages }).unwrap();
    }
    writer.commit().unwrap();
    collection
}

/// Mean nDCG@10 with binary gains over the judged queries of `folder` (Järvelin and Kekäläinen 2002).
fn ndcg_at_10(folder: &Path, snapshot: &Snapshot) -> f64 {
    let mut judged: HashMap<String, Vec<String>> = HashMap::new();
    for line in fs::read_to_string(folder.join("qrels/test.tsv")).unwrap().lines().skip(1) {
        let parts: Vec<&str> = line.split('\t').collect();
        if parts[2] != "0" {
            judged.entry(parts[0].to_owned()).or_default().push(parts[1].to_owned());
        }
    }
    let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let (mut sum, mut queries) = (0.0, 0);
    for line in fs::read_to_string(folder.join("queries.jsonl")).unwrap().lines() {
        let Some(relevant) = judged.get(&field(line, "_id")) else { continue };
        let hits = snapshot.lexical(&field(line, "text"), None, 10).unwrap().0;
        let found = hits.iter().enumerate().filter(|(_, hit)| {
            relevant.iter().any(|id| id == snapshot.passage(hit.key).unwrap().id.document.as_str())
        });
        let reached: f64 = found.map(|(rank, _)| gain(rank)).sum();
        sum += reached / (0..relevant.len().min(10)).map(gain).sum::<f64>();
        queries += 1;
    }
    sum / f64::from(queries)
}

#[test]
fn bm25_ranks_public_collections_as_well_as_before() {
    let Some(data) = evaluation_data() else { return };
    for (name, floor) in [("scifact", 0.675), ("cranfield", 0.37), ("cacm", 0.37)] {
        let folder = tempfile::tempdir().unwrap();
        let collection = index(&data.join(name), folder.path());
        let ndcg = ndcg_at_10(&data.join(name), &collection.snapshot());
        println!("{name}: nDCG@10 {ndcg:.4}");
        assert!(ndcg >= floor, "{name}: {ndcg} is below {floor}");
    }
}
