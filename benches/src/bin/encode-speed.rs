//! Prints, as JSON, tokens per second of the encoder on batches of texts given as JSON on stdin
//! (`{shape: [[text]]}`): process CPU time, one pass after a warm-up. `benches/compare/encode.py` calls it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use alder_engine::{Device, Model};
use anyhow::Context;
use cpu_time::ProcessTime;

fn main() -> anyhow::Result<()> {
    let shapes: BTreeMap<String, Vec<Vec<String>>> =
        serde_json::from_reader(io::stdin()).context("stdin: expected {shape: [[text]]}")?;
    let model = Model::embedded(Device::Cpu)?;
    let mut speeds = BTreeMap::new();
    for (shape, batches) in &shapes {
        speeds.insert(shape, tokens_per_second(&model, batches)?);
    }
    let name = format!("Alder {}", model.backend());
    writeln!(io::stdout(), "{}", serde_json::json!({ name: speeds }))?;
    Ok(())
}

fn tokens_per_second(model: &Model, batches: &[Vec<String>]) -> anyhow::Result<f64> {
    let mut tokens = 0;
    for text in batches.iter().flatten() {
        // [CLS] and [SEP] are encoded too.
        tokens += (model.token_spans(text)?.len() + 2).min(model.max_length());
    }
    let batches: Vec<Vec<&str>> =
        batches.iter().map(|batch| batch.iter().map(String::as_str).collect()).collect();
    let encode = || batches.iter().try_for_each(|batch| model.encode(batch).map(drop));
    encode()?;
    let start = ProcessTime::now();
    encode()?;
    Ok(tokens as f64 / start.elapsed().as_secs_f64())
}
