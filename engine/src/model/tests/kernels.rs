//! The default model on every kernel against candle in f32: what users get must not depend on their processor.

use super::super::kernel::Implementation;
use super::super::open::load;
use super::super::package::ALDER_SMALL;
use super::super::trunk::Backend;
use super::parity::backends;
use super::{Model, TEXTS};

const QUESTION: &str = "What can show fainter stars?";

pub(super) fn small(backend: Backend) -> Model {
    load(&ALDER_SMALL, (backend, &candle_core::Device::Cpu)).unwrap()
}

/// Texts from one word to a full window.
fn texts() -> Vec<String> {
    let long = [TEXTS[4], TEXTS[0], TEXTS[2]].join(" ").repeat(3);
    TEXTS.iter().map(|text| (*text).to_owned()).chain([long]).collect()
}

#[test]
fn every_kernel_gives_the_vectors_of_candle() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = small(Backend::Candle).encode(&texts).unwrap();
    for backend in backends() {
        let least = match backend {
            Backend::Kernel(kernel) if kernel.is_integer() => 0.99,
            Backend::Kernel(Implementation::Amx) => 0.9999,
            _ => 0.999_999,
        };
        for ((text, expected), found) in
            texts.iter().zip(&expected).zip(small(backend).encode(&texts).unwrap())
        {
            let cosine = found.cosine(expected);
            assert!(cosine > least, "{backend:?}: cosine {cosine} for {text:?}");
        }
    }
}

#[test]
fn every_kernel_reads_the_spans_of_candle() {
    let expected = small(Backend::Candle);
    if !expected.has_reader() {
        println!("NOT TESTED: the default model has no reader");
        return;
    }
    let expected = expected.read(QUESTION, &[TEXTS[4], TEXTS[0]]).unwrap();
    for backend in backends() {
        // int8 moves a logit by a few tenths, of the ten that part an answer from none.
        let integer = matches!(backend, Backend::Kernel(kernel) if kernel.is_integer());
        let most = if integer { 1.0 } else { 0.1 };
        let found = small(backend).read(QUESTION, &[TEXTS[4], TEXTS[0]]).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found.null_logit - expected.null_logit).abs();
            assert!(error < most, "{backend:?}: null logit off by {error}");
            let (span, right) = (found.spans[0].span, expected.spans[0].span);
            if integer {
                // A close call between two ends of one answer may turn.
                assert!(span.start < right.end && right.start < span.end, "{backend:?} {span:?}");
            } else {
                assert_eq!(span, right, "{backend:?}");
            }
            let error = (found.spans[0].logit - expected.spans[0].logit).abs();
            assert!(error < most, "{backend:?}: logit off by {error}");
        }
    }
}
