//! Prints the recall@10 of dense search in a collection, as it is served, against the exact scan of the same stored
//! vectors, and milliseconds per query of both.
//!
//! `cargo build --release --workspace --bins && target/release/graph-recall COLLECTION QUERIES_JSONL [COUNT]`

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use alder_engine::{Collection, CollectionSettings, Device, Embedding, Model, Snapshot};
use anyhow::Context;

const TOP: usize = 10;

fn main() -> anyhow::Result<()> {
    let usage = "usage: graph-recall COLLECTION QUERIES_JSONL [COUNT]";
    let mut args = std::env::args().skip(1);
    let (folder, file) = (args.next().context(usage)?, args.next().context(usage)?);
    let count = args.next().map_or(Ok(usize::MAX), |count| count.parse()).context(usage)?;
    let model = Model::embedded(Device::Cpu)?;
    let texts = texts(Path::new(&file), count)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let queries = model.encode(&texts)?;

    let (folder, copy) = (Path::new(&folder), tempfile::tempdir()?);
    let served = Collection::open(folder, model.identity())?.snapshot();
    let exact = without_graphs(folder, &model, copy.path())?;
    let (served, served_ms) = found(&served, &queries)?;
    let (exact, exact_ms) = found(&exact, &queries)?;
    let shared: usize = served
        .iter()
        .zip(&exact)
        .map(|(served, exact)| exact.iter().filter(|hit| served.contains(hit)).count())
        .sum();
    let recall = shared as f64 / exact.iter().map(Vec::len).sum::<usize>().max(1) as f64;
    let mut out = io::stdout().lock();
    writeln!(out, "{} queries: recall@{TOP} {recall:.4}", queries.len())?;
    writeln!(out, "served {served_ms:.3} ms, exact {exact_ms:.3} ms a query")?;
    Ok(())
}

/// The `text` of up to `count` lines.
fn texts(file: &Path, count: usize) -> anyhow::Result<Vec<String>> {
    let content =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = |line: &str| -> anyhow::Result<String> {
        let value: serde_json::Value = serde_json::from_str(line)?;
        Ok(value["text"].as_str().context("a line without a text")?.to_owned())
    };
    content.lines().take(count).map(text).collect()
}

/// A collection with the store of `folder` and without its graphs: vector files are derived and are made again as
/// the settings of the copy say.
fn without_graphs(folder: &Path, model: &Model, copy: &Path) -> anyhow::Result<Arc<Snapshot>> {
    let settings = CollectionSettings { graph_rows: usize::MAX, ..CollectionSettings::default() };
    drop(Collection::open_or_create_with(copy, model.identity(), &settings)?);
    fs::remove_dir_all(copy.join("store"))?;
    fs::create_dir(copy.join("store"))?;
    let from = folder.join("store");
    for entry in fs::read_dir(&from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), copy.join("store").join(entry.file_name()))?;
    }
    Ok(Collection::open(copy, model.identity())?.snapshot())
}

/// The best passages of every query, and milliseconds per query.
fn found(snapshot: &Snapshot, queries: &[Embedding]) -> anyhow::Result<(Vec<Vec<String>>, f64)> {
    let start = Instant::now();
    let hits = queries.iter().map(|query| snapshot.dense(query, None, TOP));
    let hits = hits.collect::<Result<Vec<_>, _>>()?;
    let milliseconds = 1000.0 * start.elapsed().as_secs_f64() / queries.len().max(1) as f64;
    let id = |key| Ok(format!("{:?}", snapshot.passage(key)?.id));
    let names = hits.iter().map(|hits| hits.iter().map(|hit| id(hit.key)).collect());
    Ok((names.collect::<Result<_, alder_engine::Error>>()?, milliseconds))
}
