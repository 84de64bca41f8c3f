//! Loaders and measures against numbers made by other programs (`fixtures/make_metrics.py`), against
//! published figures on real data, and against what every measure must satisfy.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests panic to fail and say what they skip"
)]

mod measures;
mod real_data;
mod sample;
mod statistics;

use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn fixture_json(name: &str) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-6, "{what}: {found}, expected {expected}");
}
