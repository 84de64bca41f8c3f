//! Plain questions are ranked as they were: passages and scores of the sample questions against a recorded run.
//! `ALDER_RECORD=1` writes `sample.tsv` anew, after a change of ranking that was meant and measured.

mod explained;
mod paging;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alder_datasets::Sample;
use alder_engine::{Collection, Device, Mode, Model, Query, Snapshot, search};
use alder_indexer::{Indexer, Settings};

/// Hits of each question that are compared.
const HITS: usize = 5;
/// The kernels of different processors differ in the third digit of a cosine, which the normalisation widens (0.019
/// between bf16 and 8 bits).
const TOLERANCE: f32 = 0.03;
/// BM25 is the same everywhere.
const TOLERANCE_BM25: f32 = 1e-3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sample articles as `alder index` stores them.
fn sample_collection(folder: &Path, model: &Arc<Model>) -> Arc<Snapshot> {
    let collection = Collection::open_or_create(folder, model.identity()).unwrap();
    let mut writer = collection.writer().unwrap();
    let settings = Settings::default();
    let indexer = Indexer::new(&settings, model, &mut writer, Default::default()).unwrap();
    indexer.index(&[root().join("datasets/sample/articles")]).unwrap();
    collection.snapshot()
}

/// One line per hit: question, mode, rank, passage, score.
fn run(snapshot: &Snapshot, model: &Model) -> String {
    let sample = Sample::load(&root().join("datasets/sample")).unwrap();
    let mut out = String::new();
    // A quote is an operator.
    for question in sample.questions.iter().filter(|q| !q.question.contains('"')) {
        for (name, mode) in [("lexical", Mode::Lexical), ("hybrid", Mode::Hybrid)] {
            let mut query = Query::new(question.question.as_str());
            (query.mode, query.limit, query.read_depth) = (mode, HITS, 0);
            for hit in search(snapshot, model, &query).unwrap().hits {
                // With one list the fused score is normalised; its own is in the explanation.
                let id = &hit.passage.id;
                let (place, score) = (format!("{}#{}", id.document, id.ordinal), hit.score.0);
                writeln!(out, "{}\t{name}\t{}\t{place}\t{score:.6}", question.id, hit.rank)
                    .unwrap();
            }
        }
    }
    out
}

#[test]
fn plain_questions_rank_the_sample_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let found = run(&sample_collection(folder.path(), &model), &model);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ranking/sample.tsv");
    if std::env::var_os("ALDER_RECORD").is_some() {
        fs::write(&recorded, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&recorded).unwrap();
    assert_eq!(found.lines().count(), expected.lines().count(), "other numbers of hits");
    let mut swapped = 0;
    for (found, expected) in found.lines().zip(expected.lines()) {
        let [f, e] = [found, expected].map(|line| line.split('\t').collect::<Vec<_>>());
        assert_eq!(f[..3], e[..3]);
        let apart = (f[4].parse::<f32>().unwrap() - e[4].parse::<f32>().unwrap()).abs();
        let tolerance = if f[1] == "lexical" { TOLERANCE_BM25 } else { TOLERANCE };
        assert!(apart <= tolerance, "found    {found}\nexpected {expected}");
        assert!(f[1] != "lexical" || f[3] == e[3], "found    {found}\nexpected {expected}");
        swapped += usize::from(f[3] != e[3]);
    }
    assert!(swapped * 20 <= expected.lines().count(), "{swapped} hits at other ranks");
}
