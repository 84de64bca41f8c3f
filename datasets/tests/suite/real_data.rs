//! Real, public data kept outside the repository, in `../shared` (or `ALDER_SHARED`). Without it these tests
//! say so and pass, except under `CI=true`.

use std::path::{Path, PathBuf};

use alder_datasets::{
    Beir, SpanScores, Squad, evaluate_squad, evaluate_squad2, load_no_answer_scores,
    load_open_questions, load_predictions, load_sentence_pairs,
};

use crate::{assert_close, fixture_json};

/// `data/eval/NAME` in the shared folder, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ALDER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = root.join("data/eval").join(name);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{} is missing; CI needs it", path.display());
    eprintln!("SKIPPED: {} is missing; set ALDER_SHARED to the shared folder", path.display());
    None
}

#[test]
fn albert_base_has_its_published_scores_on_half_of_squad() {
    let Some(folder) = shared("squad-v1.1") else { return };
    let squad = Squad::load(&folder.join("dev-v1.1-A.json.zst")).unwrap();
    let predictions = load_predictions(&folder.join("albert-base-predictions-A.json.zst")).unwrap();
    let scores = evaluate_squad(&squad, &predictions);
    assert_eq!((squad.paragraphs().count(), scores.questions), (880, 4152));
    assert!(!squad.has_unanswerable());
    assert!((scores.exact - 79.697).abs() < 5e-4, "{scores:?}");
    assert!((scores.f1 - 88.179).abs() < 5e-4, "{scores:?}");
}

fn assert_scores(found: SpanScores, expected: &serde_json::Value, what: &str) {
    assert_close(found.exact, expected["exact"].as_f64().unwrap(), &format!("{what} exact"));
    assert_close(found.f1, expected["f1"].as_f64().unwrap(), &format!("{what} F1"));
    assert_eq!(found.questions as u64, expected["questions"].as_u64().unwrap(), "{what}");
}

#[test]
fn squad2_scores_equal_the_published_definition() {
    let Some(folder) = shared("squad-v2.0") else { return };
    let reference = fixture_json("squad2.json");
    let squad = Squad::load(&folder.join("dev-v2.0-A.json.zst")).unwrap();
    let predictions = load_predictions(&folder.join("bert-single-predictions-A.json.zst")).unwrap();
    // The same pseudo-random scores as in make_metrics.py, by way of a file.
    let scores: Vec<String> = squad
        .questions()
        .map(|q| {
            let random = u32::from_str_radix(&q.id[q.id.len() - 6..], 16).unwrap() % 1000;
            let no_answer = if q.answers.is_empty() { 600 } else { 0 };
            format!("{:?}: {:?}", q.id, f64::from(random + no_answer) / 1600.0)
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{{{}}}", scores.join(","))).unwrap();
    let scores = load_no_answer_scores(file.path()).unwrap();

    let raw = evaluate_squad2(&squad, &predictions, None, 1.0);
    assert_eq!(raw.best, None);
    let with = evaluate_squad2(&squad, &predictions, Some(&scores), 0.4);
    for (name, found) in [("raw", raw), ("threshold_0.4", with)] {
        assert_scores(found.all, &reference[name]["all"], name);
        assert_scores(found.has_answer, &reference[name]["has_answer"], name);
        assert_scores(found.no_answer, &reference[name]["no_answer"], name);
    }
    let best = with.best.unwrap();
    let expected = |name: &str, at: usize| reference[name][at].as_f64().unwrap();
    assert_close(best.exact, expected("best_exact", 0), "best exact");
    assert_close(best.exact_threshold, expected("best_exact", 1), "threshold of best exact");
    assert_close(best.f1, expected("best_f1", 0), "best F1");
    assert_close(best.f1_threshold, expected("best_f1", 1), "threshold of best F1");
}

#[test]
fn beir_folders_have_their_published_sizes() {
    for (name, documents, queries, judgements) in
        [("scifact", 5183, 1109, 339), ("cranfield", 1400, 225, 1612), ("cacm", 3204, 64, 796)]
    {
        let Some(folder) = shared(name) else { return };
        let beir = Beir::open(&folder).unwrap();
        let ids: std::collections::HashSet<_> =
            beir.documents().unwrap().map(|d| d.unwrap().id).collect();
        assert_eq!((ids.len(), beir.queries().unwrap().len()), (documents, queries), "{name}");
        let qrels = beir.qrels("test").unwrap();
        let judged: Vec<_> =
            qrels.queries().flat_map(|q| qrels.judged(q).unwrap().keys()).collect();
        assert_eq!(judged.len(), judgements, "{name}");
        assert!(judged.iter().all(|d| ids.contains(*d)), "{name}");
    }
}

#[test]
fn sentence_pairs_and_open_questions_have_their_published_sizes() {
    let (Some(stsb), Some(nq)) = (shared("stsb"), shared("nq-open")) else { return };
    assert_eq!(load_sentence_pairs(&stsb.join("stsb-en-test.csv")).unwrap().len(), 1379);
    assert_eq!(load_open_questions(&nq.join("NQ-open.dev.jsonl.gz")).unwrap().len(), 3610);
}
