//! Statistics: equal to scipy where it is exact, near theory where it is random, and seeded.

use alder_datasets::{
    SplitMix64, bootstrap_interval, bootstrap_test, expected_calibration_error, randomisation_test,
    risk_coverage, spearman,
};

use crate::{assert_close, fixture_json};

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn spearman_equals_scipy_with_ties() {
    let reference = fixture_json("statistics.json");
    let (a, b) = (numbers(&reference["a"]), numbers(&reference["b"]));
    assert_close(spearman(&a, &b).unwrap(), reference["spearman"].as_f64().unwrap(), "spearman");
    assert_eq!(spearman(&a, &a[1..]), None);
    assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    assert_close(spearman(&[1.0, 2.0, 3.0], &[9.0, 4.0, 1.0]).unwrap(), -1.0, "reversed");
}

#[test]
fn the_randomisation_test_is_exact_for_few_values_and_near_it_for_random_signs() {
    let reference = fixture_json("statistics.json");
    let differences = numbers(&reference["differences"]);
    let expected = reference["randomisation_p"].as_f64().unwrap();
    assert_close(randomisation_test(&differences, 1 << 12, 1), expected, "exact");
    let random = randomisation_test(&differences, 4000, 1);
    assert!((random - expected).abs() < 0.03, "{random}, expected {expected}");
}

#[test]
fn interval_and_tests_are_near_the_t_test_for_many_values() {
    let reference = fixture_json("statistics.json");
    let many = numbers(&reference["many"]);
    let (low, high) = (numbers(&reference["t_interval"])[0], numbers(&reference["t_interval"])[1]);
    let interval = bootstrap_interval(&many, 5000, 3);
    assert!(
        (interval.low - low).abs() < 0.01 && (interval.high - high).abs() < 0.01,
        "{interval:?}"
    );
    let expected = reference["t_test_p"].as_f64().unwrap();
    for p in [bootstrap_test(&many, 5000, 3), randomisation_test(&many, 5000, 3)] {
        assert!((p - expected).abs() < 0.05, "{p}, expected {expected}");
    }
    assert_eq!(interval, bootstrap_interval(&many, 5000, 3), "the same seed repeats exactly");
    assert_ne!(interval, bootstrap_interval(&many, 5000, 4));
}

#[test]
fn a_clear_difference_is_significant_and_none_is_not() {
    let clear: Vec<f64> = (0..50).map(|n| 0.2 + f64::from(n % 5) / 100.0).collect();
    assert!(bootstrap_test(&clear, 2000, 1) < 0.001 && randomisation_test(&clear, 2000, 1) < 0.001);
    assert!(bootstrap_interval(&clear, 2000, 1).low > 0.0);
    let none = vec![0.0; 50];
    assert_eq!((bootstrap_test(&none, 2000, 1), randomisation_test(&none, 2000, 1)), (1.0, 1.0));
    assert_eq!(bootstrap_interval(&[], 2000, 1).mean, 0.0);
}

#[test]
fn calibration_error_is_the_gap_between_confidence_and_success() {
    let certain_and_right = [(1.0, true), (0.0, false)];
    assert_close(expected_calibration_error(&certain_and_right, 10).unwrap(), 0.0, "perfect");
    let certain_and_wrong = [(1.0, false), (0.0, true)];
    assert_close(expected_calibration_error(&certain_and_wrong, 10).unwrap(), 1.0, "worst");
    // Two bins: 0.8 against 2 of 4, 0.25 against 0 of 1.
    let mixed = [(0.8, true), (0.8, true), (0.8, false), (0.8, false), (0.25, false)];
    assert_close(expected_calibration_error(&mixed, 2).unwrap(), (4.0 * 0.3 + 0.25) / 5.0, "mixed");
    assert_eq!(expected_calibration_error(&[], 10), None);
    assert_eq!(expected_calibration_error(&[(1.5, true)], 10), None);
    assert_eq!(expected_calibration_error(&[(f64::NAN, true)], 10), None);
}

#[test]
fn risk_falls_as_only_the_most_confident_answers_are_given() {
    let points = risk_coverage(&[(0.9, true), (0.5, false), (0.9, true), (0.7, true), (0.5, true)]);
    let found: Vec<_> = points.iter().map(|p| (p.confidence, p.coverage, p.risk)).collect();
    assert_eq!(found, [(0.9, 0.4, 0.0), (0.7, 0.6, 0.0), (0.5, 1.0, 0.2)]);
    assert!(risk_coverage(&[]).is_empty());
}

#[test]
fn a_sample_is_seeded_ascending_and_without_repeats() {
    let sample = SplitMix64(5).sample(20, 100);
    assert_eq!(sample, SplitMix64(5).sample(20, 100));
    assert_ne!(sample, SplitMix64(6).sample(20, 100));
    assert!(sample.len() == 20 && sample.windows(2).all(|w| w[0] < w[1]) && sample[19] < 100);
    assert_eq!(SplitMix64(5).sample(9, 3), [0, 1, 2]);
}
