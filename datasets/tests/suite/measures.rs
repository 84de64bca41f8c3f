//! Ranking measures: equal to ir-measures, and what holds for every ranking.

use alder_datasets::{Measure, Qrels, Run};
use proptest::prelude::*;

use crate::{assert_close, fixture, fixture_json};

const MEASURES: [&str; 10] =
    ["nDCG@10", "nDCG", "RR@10", "RR", "R@5", "R@100", "P@5", "AP", "AP@10", "Success@3"];

fn measure(name: &str) -> Measure {
    name.parse().unwrap()
}

#[test]
fn every_measure_equals_ir_measures_for_every_query() {
    let qrels = Qrels::load(&fixture("metrics.qrels")).unwrap();
    let run = Run::load(&fixture("metrics.run")).unwrap();
    let reference = fixture_json("metrics.json");
    for (name, expected) in reference.as_object().unwrap() {
        let measure = measure(name);
        assert_eq!(measure.to_string(), *name);
        assert_close(measure.mean(&qrels, &run), expected["mean"].as_f64().unwrap(), name);
        let found = measure.per_query(&qrels, &run);
        for (query, value) in expected["queries"].as_object().unwrap() {
            assert_close(found[query], value.as_f64().unwrap(), &format!("{name} of {query}"));
        }
    }
}

#[test]
fn known_cases_have_their_textbook_values() {
    let mut qrels = Qrels::default();
    for (document, grade) in [("a", 3), ("b", 2), ("c", 0), ("d", 1)] {
        qrels.insert("q", document, grade);
    }
    let mut run = Run::default();
    run.insert(
        "q",
        [("c", 4.0), ("b", 3.0), ("x", 2.0), ("a", 1.0)].map(|(d, s)| (d.into(), s)).into(),
    );
    let ideal = 3.0 + 2.0 / 3_f64.log2() + 1.0 / 2.0;
    let found = 2.0 / 3_f64.log2() + 3.0 / 5_f64.log2();
    for (name, expected) in [
        ("nDCG@10", found / ideal),
        ("RR@10", 0.5),
        ("RR@1", 0.0),
        ("R@10", 2.0 / 3.0),
        ("P@4", 0.5),
        ("P@10", 0.2),
        ("AP", (0.5 + 0.5) / 3.0),
        ("Success@1", 0.0),
        ("Success@2", 1.0),
    ] {
        assert_close(measure(name).mean(&qrels, &run), expected, name);
    }
}

#[test]
fn a_name_that_is_no_measure_is_refused() {
    for name in ["ndcg@10", "nDCG@0", "nDCG@", "R", "P", "MRR@10", "R@ten", ""] {
        let error = name.parse::<Measure>().unwrap_err().to_string();
        assert!(error.contains("nDCG@10"), "{error}");
    }
}

prop_compose! {
    /// Grades and scores by document; a score of `None` was not retrieved.
    fn case()(rows in prop::collection::vec((-1..4_i32, prop::option::weighted(0.7, 0..6_u8)), 1..40))
        -> (Qrels, Vec<(String, f32)>)
    {
        let mut qrels = Qrels::default();
        let mut ranking = Vec::new();
        for (at, (grade, score)) in rows.into_iter().enumerate() {
            let document = format!("d{at}");
            qrels.insert("q", &document, grade);
            ranking.extend(score.map(|s| (document, f32::from(s))));
        }
        (qrels, ranking)
    }
}

fn run(ranking: Vec<(String, f32)>) -> Run {
    let mut run = Run::default();
    run.insert("q", ranking);
    run
}

proptest! {
    #[test]
    fn measures_lie_between_zero_and_one_whatever_the_order_of_the_rows(
        (qrels, ranking) in case(), seed: u64,
    ) {
        let mut shuffled = ranking.clone();
        let mut random = alder_datasets::SplitMix64(seed);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        let (ranking, shuffled) = (run(ranking), run(shuffled));
        for name in MEASURES {
            let value = measure(name).mean(&qrels, &ranking);
            prop_assert!((0.0..=1.0).contains(&value), "{} = {}", name, value);
            prop_assert_eq!(value, measure(name).mean(&qrels, &shuffled));
        }
    }

    #[test]
    fn a_perfect_ranking_has_one_everywhere((qrels, _) in case()) {
        let judged = qrels.judged("q").unwrap();
        let relevant = judged.values().filter(|g| **g > 0).count();
        prop_assume!(relevant > 0);
        let best = run(judged.iter().map(|(d, g)| (d.clone(), *g as f32)).collect());
        for name in ["nDCG@10", "nDCG", "RR@10", "R@100", "AP", "Success@1", "P@1"] {
            prop_assert!((measure(name).mean(&qrels, &best) - 1.0).abs() < 1e-12, "{}", name);
        }
    }

    #[test]
    fn moving_a_relevant_document_to_the_top_never_lowers_a_measure(
        (qrels, ranking) in case(), pick: prop::sample::Index,
    ) {
        // Of the highest grade, so that graded measures cannot fall either.
        let judged = qrels.judged("q").unwrap();
        let best: Vec<usize> = (0..ranking.len()).filter(|at| judged[&ranking[*at].0] == 3).collect();
        prop_assume!(!best.is_empty());
        let moved = best[pick.index(best.len())];
        let mut better = ranking.clone();
        better[moved].1 = 100.0;
        for name in MEASURES {
            let before = measure(name).mean(&qrels, &run(ranking.clone()));
            let after = measure(name).mean(&qrels, &run(better.clone()));
            prop_assert!(after >= before - 1e-12, "{}: {} then {}", name, before, after);
        }
    }
}
