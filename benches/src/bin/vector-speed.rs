//! Alder's vector search and that of hnsw_rs for `benches/compare/vectors.py`: builds and searches as told, a JSON object a
//! line on stdin, and answers each with one on stdout.
//!
//! `vector-speed PASSAGES_NPY QUERIES_NPY`, then
//! `{"build": "alder" or "hnsw_rs"}` → seconds of wall clock and of processor time, bytes;
//! `{"search": …, "ef": …, "queries": …, "every": …, "found": FILE}` → processor seconds of all and of the slowest
//! per cent, numbers of the nearest ten of each query as u32 in FILE; only each `every`-th vector may be found.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use alder_benches::npy;
use alder_engine::{Embedding, VectorFormat, VectorSet};
use anyhow::Context;
use cpu_time::{ProcessTime, ThreadTime};
use hnsw_rs::prelude::{Distance, Hnsw};
use serde_json::{Value, json};

const TOP: usize = 10;
/// Links and breadth of construction of hnsw_rs: those of Alder.
const LINKS: usize = 16;
const EF_CONSTRUCTION: usize = 200;

fn main() -> anyhow::Result<()> {
    let usage = "usage: vector-speed PASSAGES_NPY QUERIES_NPY";
    let mut args = std::env::args_os().skip(1);
    let mut read = || npy::rows(Path::new(&args.next().context(usage)?));
    let folder = tempfile::tempdir()?;
    let mut bench = Bench { vectors: read()?, queries: read()?, set: None, peer: None, folder };
    for line in io::stdin().lock().lines() {
        let told: Value = serde_json::from_str(&line?)?;
        let answer = match told["build"].as_str() {
            Some(side) => bench.build(side)?,
            None => bench.search(&told)?,
        };
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}

struct Bench {
    vectors: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    set: Option<VectorSet>,
    peer: Option<Hnsw<'static, f32, Angle>>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn build(&mut self, side: &str) -> anyhow::Result<Value> {
        (self.set, self.peer) = (None, None);
        let before = resident()?;
        let flat = match side {
            "alder" => {
                let embeddings = self.vectors.iter().cloned().map(Embedding::normalised);
                let embeddings: Vec<Embedding> = embeddings.collect();
                let path = self.folder.path().join("vectors");
                Some(VectorSet::create(&path, VectorFormat::Int8, &embeddings)?)
            }
            _ => None,
        };
        let (wall, processor) = (Instant::now(), ProcessTime::now());
        match flat {
            Some(flat) => self.set = Some(flat.with_graph()?),
            None => {
                let peer = Hnsw::new(LINKS, self.vectors.len(), 16, EF_CONSTRUCTION, Angle);
                let rows: Vec<(&Vec<f32>, usize)> = self.vectors.iter().zip(0..).collect();
                peer.parallel_insert(&rows);
                self.peer = Some(peer);
            }
        }
        let (wall, processor) = (wall.elapsed().as_secs_f64(), processor.elapsed().as_secs_f64());
        let bytes = match &self.set {
            Some(set) => set.bytes(),
            None => resident()?.saturating_sub(before),
        };
        Ok(json!({ "wall": wall, "processor": processor, "bytes": bytes }))
    }

    fn search(&self, told: &Value) -> anyhow::Result<Value> {
        let number = |name: &str| told[name].as_u64().with_context(|| format!("no {name:?}"));
        let (ef, every) = (number("ef")? as usize, number("every")? as usize);
        let queries = &self.queries[..self.queries.len().min(number("queries")? as usize)];
        let mut times = Vec::with_capacity(queries.len());
        let mut found: Vec<Vec<u32>> = Vec::with_capacity(queries.len());
        if told["search"] == "alder" {
            let set = self.set.as_ref().context("nothing built")?;
            let allowed = set.allow((0..self.vectors.len() as u32).step_by(every));
            for query in queries {
                let query = Embedding::normalised(query.clone());
                let start = ThreadTime::now();
                let hits = set.nearest(&query, &allowed, TOP, ef);
                times.push(start.elapsed());
                found.push(hits.into_iter().map(|(number, _)| number).collect());
            }
        } else {
            let peer = self.peer.as_ref().context("nothing built")?;
            let allowed = |number: &usize| number.is_multiple_of(every);
            for query in queries {
                let start = ThreadTime::now();
                let hits = match every {
                    1 => peer.search(query, TOP, ef),
                    _ => peer.search_filter(query, TOP, ef, Some(&allowed)),
                };
                times.push(start.elapsed());
                found.push(hits.into_iter().map(|hit| hit.d_id as u32).collect());
            }
        }
        found.iter_mut().for_each(|found| found.resize(TOP, u32::MAX));
        let bytes: Vec<u8> = found.iter().flatten().flat_map(|n| n.to_le_bytes()).collect();
        fs::write(told["found"].as_str().context("no \"found\"")?, bytes)?;
        let seconds = times.iter().sum::<Duration>().as_secs_f64();
        times.sort();
        let slowest = times[(times.len() * 99).div_ceil(100) - 1].as_secs_f64();
        Ok(json!({ "seconds": seconds, "p99": slowest }))
    }
}

/// `1 - cosine` of unit vectors, with Alder's product of floats: the peer shall not lose by its distance.
#[derive(Clone, Copy)]
struct Angle;

impl Distance<f32> for Angle {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        (1.0 - VectorSet::product(a, b)).max(0.0)
    }
}

/// Bytes of this process in memory.
fn resident() -> anyhow::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
