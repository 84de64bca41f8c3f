//! Prints, as JSON, tokens per second of indexing a folder from end to end, of the encoder alone on the very passages,
//! and the ratio; wall-clock time and processor time (of this process: binary files are read in others). Both sides
//! run in turn.
//!
//! `cargo build --release --workspace --bins && target/release/index-speed FOLDER [ROUNDS]`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alder_engine::{Collection, Device, Model};
use alder_indexer::{CHILD_COMMAND, Indexer, Settings, extract_child};
use anyhow::Context;
use cpu_time::ProcessTime;
use serde_json::json;

/// Texts encoded at once, about as many as the indexer takes.
const BATCH: usize = 64;

/// What one side took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    processor: Duration,
}

fn main() -> anyhow::Result<()> {
    let usage = "usage: index-speed FOLDER [ROUNDS]";
    let mut args = std::env::args().skip(1);
    let first = args.next().context(usage)?;
    if first == CHILD_COMMAND {
        let request = args.next().context(usage)?;
        return extract_child(&request, io::stdin(), io::stdout()).map_err(anyhow::Error::msg);
    }
    let folder = PathBuf::from(first);
    let rounds = args.next().map_or(Ok(3), |rounds| rounds.parse()).context(usage)?;
    let model = Model::embedded(Device::Cpu)?;
    let (mut indexing, mut encoding) = (Vec::new(), Vec::new());
    let (mut tokens, mut documents, mut passages) = (0, 0, 0);
    for _ in 0..rounds {
        let store = tempfile::tempdir()?;
        let (took, texts) = index(&folder, store.path(), &model)?;
        indexing.push(took);
        encoding.push(encode(&model, &texts)?);
        documents = Collection::open(store.path(), model.identity())?.snapshot().stats().documents;
        passages = texts.len();
        tokens = 0;
        for text in &texts {
            // [CLS] and [SEP] are encoded too.
            tokens += (model.token_spans(text)?.len() + 2).min(model.max_length());
        }
    }
    let speed = |times: &[Took], of: fn(&Took) -> Duration| {
        let mut seconds: Vec<f64> = times.iter().map(|took| of(took).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        tokens as f64 / seconds[seconds.len() / 2]
    };
    let side = |of: fn(&Took) -> Duration| {
        let (whole, alone) = (speed(&indexing, of), speed(&encoding, of));
        json!({"indexing": whole.round(), "encoder": alone.round(), "ratio": whole / alone})
    };
    let report = json!({
        "backend": model.backend().to_string(), "documents": documents, "passages": passages, "tokens": tokens,
        "rounds": rounds, "wall_tokens_per_s": side(|took| took.wall),
        "processor_tokens_per_s": side(|took| took.processor),
    });
    writeln!(io::stdout(), "{report:#}")?;
    Ok(())
}

/// Indexes `folder` into a new collection; also returns what the encoder was given.
fn index(folder: &Path, store: &Path, model: &Model) -> anyhow::Result<(Took, Vec<String>)> {
    let (wall, processor) = (Instant::now(), ProcessTime::now());
    let collection = Collection::open_or_create(store, model.identity())?;
    let settings = Settings { extractor: Some(std::env::current_exe()?), ..Settings::default() };
    let mut writer = collection.writer()?;
    let indexer = Indexer::new(&settings, model, &mut writer, Default::default())?;
    let report = indexer.noting_sources(store).index(&[folder.to_owned()])?;
    let took = Took { wall: wall.elapsed(), processor: processor.elapsed() };
    anyhow::ensure!(!report.has_failures(), "{}", report.summary());
    drop(writer);
    let snapshot = collection.snapshot();
    let mut ids: Vec<_> = snapshot.content_hashes()?.into_keys().collect();
    ids.sort();
    let mut texts = Vec::new();
    for id in ids {
        let stored = snapshot.stored(&id)?.context("a document that is listed")?;
        texts.extend(stored.passages.iter().map(|(passage, _)| passage.for_encoder()));
    }
    Ok((took, texts))
}

/// Encodes `texts` and nothing else.
fn encode(model: &Model, texts: &[String]) -> anyhow::Result<Took> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (wall, processor) = (Instant::now(), ProcessTime::now());
    for batch in texts.chunks(BATCH) {
        model.encode(batch)?;
    }
    Ok(Took { wall: wall.elapsed(), processor: processor.elapsed() })
}
