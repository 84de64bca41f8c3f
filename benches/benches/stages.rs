//! Every stage of both paths on its own: encode, exact scan, graph search, fusion, read, index.
//!
//! `cargo bench -p alder-benches`; compare two states with criterion's `--save-baseline` and `--baseline`.

use std::hint::black_box;
use std::path::Path;

use alder_benches::sample_paragraphs;
use alder_engine::{
    Bm25, Candidate, Collection, CollectionSettings, Cosine, Device, Document, DocumentId,
    Embedding, EncodedDocument, Fusion, Metadata, Model, Passage, PassageId, PassageKey, Span,
    fuse,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 5_000;
const QUESTION: &str = "Who explained superconductivity?";

fn encode_and_read(c: &mut Criterion) {
    let model = Model::embedded(Device::Cpu).expect("the embedded model loads");
    let paragraphs = sample_paragraphs();
    let texts: Vec<&str> = paragraphs.iter().take(32).map(String::as_str).collect();
    let tokens: usize =
        texts.iter().map(|t| model.token_spans(t).expect("paragraphs tokenise").len() + 2).sum();

    let mut group = c.benchmark_group("model");
    group.sample_size(10);
    group.throughput(Throughput::Elements(tokens as u64));
    group.bench_function("encode 32 paragraphs", |b| b.iter(|| model.encode(black_box(&texts))));
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode a question", |b| b.iter(|| model.encode(black_box(&[QUESTION]))));
    group.bench_function("read 10 paragraphs", |b| b.iter(|| model.read(QUESTION, &texts[..10])));
    group.finish();
}

/// A document of one passage with this embedding.
fn encoded(number: usize, text: &str, embedding: Embedding) -> EncodedDocument {
    let id = DocumentId::new(format!("document-{number}")).expect("the id is short");
    let passage = Passage {
        id: PassageId { document: id.clone(), ordinal: 0 },
        title: String::new(),
        heading_path: Vec::new(),
        span: Span::new(0, text.len()),
        text: text.to_owned(),
        metadata: Metadata::new(),
    };
    let document = Document {
        id,
        title: String::new(),
        text: text.to_owned(),
        metadata: Metadata::new(),
        content_hash: number.to_string(),
    };
    EncodedDocument { document, passages: vec![(passage, embedding)] }
}

/// `ROWS` vectors around the embeddings of real paragraphs, as a collection has them.
fn embeddings(model: &Model, paragraphs: &[String]) -> Vec<Embedding> {
    let texts: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    let real = model.encode(&texts).expect("paragraphs encode");
    let mut state = 1u64;
    let mut noise = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.1
    };
    let near = |i: usize| real[i % real.len()].as_slice().to_vec();
    (0..ROWS)
        .map(|i| Embedding::normalised(near(i).into_iter().map(|v| v + noise()).collect()))
        .collect()
}

fn filled(folder: &Path, graph_rows: usize, model: &Model, rows: &[EncodedDocument]) -> Collection {
    let settings = CollectionSettings { graph_rows, ..CollectionSettings::default() };
    let collection = Collection::open_or_create_with(folder, model.identity(), &settings)
        .expect("a new folder becomes a collection");
    let mut writer = collection.writer().expect("nobody else writes");
    for row in rows {
        writer.upsert(row.clone()).expect("the document is stored");
    }
    writer.commit().expect("the commit succeeds");
    drop(writer);
    collection
}

fn store(c: &mut Criterion) {
    let model = Model::embedded(Device::Cpu).expect("the embedded model loads");
    let paragraphs = sample_paragraphs();
    let vectors = embeddings(&model, &paragraphs);
    let rows: Vec<EncodedDocument> = vectors
        .into_iter()
        .enumerate()
        .map(|(i, vector)| encoded(i, &paragraphs[i % paragraphs.len()], vector))
        .collect();
    let question = model.encode(&[QUESTION]).expect("a question encodes").remove(0);
    let folder = tempfile::tempdir().expect("a temporary folder");

    let mut group = c.benchmark_group("store");
    for (name, graph_rows) in [("exact scan", usize::MAX), ("graph search", 1)] {
        let collection = filled(&folder.path().join(name), graph_rows, &model, &rows);
        let snapshot = collection.snapshot();
        group.bench_function(format!("{name} of {ROWS}"), |b| {
            b.iter(|| snapshot.dense(black_box(&question), None, 100));
        });
        if graph_rows == usize::MAX {
            group.bench_function(format!("lexical search of {ROWS}"), |b| {
                b.iter(|| snapshot.lexical(black_box(QUESTION), None, 100));
            });
        }
    }
    group.sample_size(10);
    group.bench_function("index 200 documents and commit", |b| {
        let fresh = || tempfile::tempdir().expect("a temporary folder");
        let work = |folder: tempfile::TempDir| {
            filled(folder.path(), usize::MAX, &model, &rows[..200]);
            folder
        };
        b.iter_batched(fresh, work, BatchSize::PerIteration);
    });
    group.finish();
}

fn fusion(c: &mut Criterion) {
    let key = |row: u32| PassageKey::new(row % 3, row);
    let lexical: Vec<_> =
        (0..100).map(|i| Candidate { key: key(i), score: Bm25(30.0 / (i + 1) as f32) }).collect();
    let dense: Vec<_> = (50..150)
        .map(|i| Candidate { key: key(i), score: Cosine(0.9 - i as f32 / 200.0) })
        .collect();
    c.bench_function("fuse 100 and 100", |b| {
        b.iter(|| fuse(black_box(&lexical), black_box(&dense), Fusion::default()));
    });
}

criterion_group!(stages, encode_and_read, store, fusion);
criterion_main!(stages);
