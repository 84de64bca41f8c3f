//! Compares how vectors are stored and searched: for each format, by exact scan and by graph, nDCG@10 of dense
//! retrieval, recall@10 against the exact scan in f32, bytes of the collection, and milliseconds per query.
//!
//! `cargo build --release --workspace --bins && target/release/vector-formats BEIR_FOLDER`

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use alder_datasets::{Beir, BeirDocument, Measure, Qrels, Run};
use alder_engine::{
    Collection, CollectionSettings, Device, Document, DocumentId, Embedding, EncodedDocument,
    Metadata, Model, Passage, PassageId, Span, VectorFormat,
};
use anyhow::Context;

const TOP: usize = 10;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: vector-formats BEIR_FOLDER")?;
    let beir = Beir::open(&PathBuf::from(folder))?;
    let model = Model::embedded(Device::Cpu)?;
    let documents = encoded(&beir, &model)?;
    let queries = beir.queries()?;
    let texts: Vec<&str> = queries.iter().map(|q| q.text.as_str()).collect();
    let ids = queries.iter().map(|q| q.id.clone());
    let queries: Vec<(String, Embedding)> = ids.zip(model.encode(&texts)?).collect();
    let qrels = beir.qrels("test")?;

    let mut out = io::stdout().lock();
    writeln!(out, "| vectors | search | nDCG@10 | recall@10 | bytes | ms per query |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    let mut exact: Option<Run> = None;
    for (format, name) in
        [(VectorFormat::F32, "f32"), (VectorFormat::F16, "f16"), (VectorFormat::Int8, "int8")]
    {
        for (graph_rows, search) in [(usize::MAX, "exact"), (1, "graph")] {
            let settings = CollectionSettings {
                vector_format: format,
                graph_rows,
                ..CollectionSettings::default()
            };
            let folder = tempfile::tempdir()?;
            let collection = filled(folder.path(), &settings, &model, &documents)?;
            let (run, milliseconds) = ranked(&collection, &queries)?;
            let exact = exact.get_or_insert_with(|| run.clone());
            let bytes = collection.snapshot().stats().bytes;
            let (ndcg, recall) = (mean_ndcg(&qrels, &run)?, overlap(exact, &run, &queries));
            writeln!(
                out,
                "| {name} | {search} | {ndcg:.4} | {recall:.4} | {bytes} | {milliseconds:.2} |"
            )?;
        }
    }
    Ok(())
}

/// Every document of the set as one passage, cut where the encoder cuts it.
fn encoded(beir: &Beir, model: &Model) -> anyhow::Result<Vec<EncodedDocument>> {
    let documents = beir.documents()?.collect::<Result<Vec<_>, _>>()?;
    let passages: Vec<(Document, Passage)> =
        documents.into_iter().map(passage).collect::<anyhow::Result<_>>()?;
    let texts: Vec<String> = passages.iter().map(|(_, p)| p.for_encoder()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let with = |((document, passage), embedding)| EncodedDocument {
        document,
        passages: vec![(passage, embedding)],
    };
    Ok(passages.into_iter().zip(model.encode(&texts)?).map(with).collect())
}

fn passage(source: BeirDocument) -> anyhow::Result<(Document, Passage)> {
    let BeirDocument { id, title, text } = source;
    let id = DocumentId::new(id)?;
    let passage = Passage {
        id: PassageId { document: id.clone(), ordinal: 0 },
        title: title.clone(),
        heading_path: Vec::new(),
        span: Span::new(0, text.len()),
        text: text.clone(),
        metadata: Metadata::new(),
    };
    let content_hash = String::new();
    Ok((Document { id, title, text, metadata: Metadata::new(), content_hash }, passage))
}

fn filled(
    folder: &Path,
    settings: &CollectionSettings,
    model: &Model,
    documents: &[EncodedDocument],
) -> anyhow::Result<Collection> {
    let collection = Collection::open_or_create_with(folder, model.identity(), settings)?;
    let mut writer = collection.writer()?;
    for document in documents {
        writer.upsert(document.clone())?;
    }
    writer.commit()?;
    drop(writer);
    Ok(collection)
}

fn ranked(collection: &Collection, queries: &[(String, Embedding)]) -> anyhow::Result<(Run, f64)> {
    let snapshot = collection.snapshot();
    let mut run = Run::default();
    let mut seconds = 0.0;
    for (id, embedding) in queries {
        let start = Instant::now();
        let found = snapshot.dense(embedding, None, TOP)?;
        seconds += start.elapsed().as_secs_f64();
        let documents = found.iter().map(|c| {
            let passage = snapshot.passage(c.key)?;
            Ok((passage.id.document.to_string(), c.score.0))
        });
        run.insert(id, documents.collect::<Result<Vec<_>, alder_engine::Error>>()?);
    }
    Ok((run, 1000.0 * seconds / queries.len().max(1) as f64))
}

fn mean_ndcg(qrels: &Qrels, run: &Run) -> anyhow::Result<f64> {
    Ok("nDCG@10".parse::<Measure>()?.mean(qrels, run))
}

/// Share of the documents of `exact` that `run` found too.
fn overlap(exact: &Run, run: &Run, queries: &[(String, Embedding)]) -> f64 {
    let of = |run: &Run, id: &str| -> HashSet<String> {
        run.ranking(id).iter().map(|(document, _)| document.to_string()).collect()
    };
    let shared: f64 = queries
        .iter()
        .map(|(id, _)| {
            let (wanted, found) = (of(exact, id), of(run, id));
            wanted.intersection(&found).count() as f64 / wanted.len().max(1) as f64
        })
        .sum();
    shared / queries.len().max(1) as f64
}
