//! Tests of the pipeline on much input: memory stays bounded, real collections are read whole.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use alder_engine::Span;

use super::*;
use crate::IngestReport;

/// Runs `paths` with words as tokens and vectors of one dimension; nothing is kept but what `look` keeps.
fn index(
    settings: &Settings,
    paths: &[PathBuf],
    mut look: impl FnMut(&StoredDocument),
) -> IngestReport {
    let word = |text: &str, word: &str| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        Span::new(start, start + word.len())
    };
    let output = Output {
        settings,
        encode: Box::new(|texts| {
            Ok(texts.iter().map(|_| StoredVector::from_bytes(vec![1])).collect())
        }),
        stored: Box::new(|_| Ok(None)),
        sink: Box::new(move |change| {
            if let Change::Upsert(document) = change {
                look(&document);
            }
            Ok(())
        }),
        progress: Box::new(|_| {}),
        stop: None,
    };
    let token_spans =
        Box::new(move |text: &str| Ok(text.split_whitespace().map(|w| word(text, w)).collect()));
    let (known, ledger) = (Known::default(), Ledger::default());
    Indexer { token_spans, known, ledger, output }.index(paths).unwrap()
}

/// The largest resident size of this process so far, in MiB, where the system tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib >> 10)
}

/// A file of the data kept beside the repository, decompressed into `directory`.
fn shared(file: &str, directory: &Path) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let source =
        std::env::var_os("ALDER_SHARED").map_or(default, PathBuf::from).join("data").join(file);
    let Ok(compressed) = File::open(&source) else {
        let message = format!("{} is missing (set ALDER_SHARED to its place)", source.display());
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("SKIPPED: {message}");
        return None;
    };
    let name = source.file_stem().unwrap();
    let target = directory.join(name);
    let mut text = ruzstd::decoding::StreamingDecoder::new(compressed).unwrap();
    std::io::copy(&mut text, &mut File::create(&target).unwrap()).unwrap();
    Some(target)
}

#[test]
fn a_million_rows_stream_through_and_a_line_of_100_mb_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rows = dir.path().join("rows.jsonl");
    let mut out = BufWriter::new(File::create(&rows).unwrap());
    for i in 0..500_000 {
        writeln!(out, "{{\"id\": {i}, \"text\": \"row {i}\"}}\nbad row").unwrap();
    }
    drop(out);
    let line = dir.path().join("line.jsonl");
    std::io::copy(&mut std::io::repeat(b'x').take(100 << 20), &mut File::create(&line).unwrap())
        .unwrap();
    let before = peak_mib();
    let report = index(&Settings::default(), &[dir.path().to_owned()], |_| {});
    assert_eq!((report.totals.documents, report.totals.bad_records), (500_000, 500_001));
    assert_eq!(report.files[0].problems.len(), 1);
    let reason = &report.files[0].problems[0].reason;
    assert_eq!(
        reason,
        "104857600 bytes long, the limit is 16777216; raise it with --max-line-bytes"
    );
    assert!(report.files[1].problems.len() < 100, "problems are counted, not all kept");
    if let (Some(before), Some(after)) = (before, peak_mib()) {
        assert!(after - before < 256, "resident memory grew from {before} to {after} MiB");
    }
}

#[test]
fn a_text_of_one_line_is_indexed_within_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let text = "wörter ohne Ende ".repeat(1 << 20) + &"z".repeat(4 << 20);
    std::fs::write(dir.path().join("line.txt"), text).unwrap();
    let mut passages = 0;
    let report =
        index(&Settings::default(), &[dir.path().to_owned()], |d| passages = d.passages.len());
    assert_eq!((report.totals.documents, report.totals.passages), (1, passages as u64));
    assert!(passages > 10_000);
    assert!(peak_mib().is_none_or(|mib| mib < 1024), "{:?} MiB", peak_mib());
}

#[test]
fn a_part_of_wikipedia_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_) = shared("train/wikipedia-en/part-0.jsonl.zst", dir.path()) else { return };
    let (mut in_sections, mut words) = (0, 0);
    let started = std::time::Instant::now();
    let report = index(&Settings::default(), &[dir.path().to_owned()], |document| {
        in_sections += document.passages.iter().filter(|(p, _)| !p.heading_path.is_empty()).count();
        words +=
            document.passages.iter().map(|(p, _)| p.text.split_whitespace().count()).sum::<usize>();
    });
    println!(
        "{} in {:?}; {in_sections} under headings, {words} words",
        report.summary(),
        started.elapsed()
    );
    assert!((3_000..3_200).contains(&report.totals.documents));
    assert_eq!((report.totals.bad_records, report.totals.files_failed), (0, 0));
    assert!(
        in_sections as u64 * 2 > report.totals.passages,
        "most passages of articles are in sections"
    );
    assert!(peak_mib().is_none_or(|mib| mib < 1024), "{:?} MiB", peak_mib());
}

#[test]
fn judged_collections_keep_their_ids() {
    for (name, documents) in [("scifact", 5183), ("cranfield", 1400), ("cacm", 3204)] {
        let dir = tempfile::tempdir().unwrap();
        let Some(_) = shared(&format!("eval/{name}/corpus.jsonl.zst"), dir.path()) else { return };
        let mut numeric = 0;
        let report = index(&Settings::default(), &[dir.path().to_owned()], |document| {
            numeric += u64::from(document.document.id.as_str().parse::<u64>().is_ok());
        });
        println!("{name}: {}", report.summary());
        assert_eq!(report.totals.documents + report.totals.bad_records, documents, "{name}");
        assert_eq!(numeric, report.totals.documents);
    }
}
