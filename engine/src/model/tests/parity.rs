//! Every head against Hugging Face transformers, on the tiny checkpoints of `tests/fixtures/make_albert.py`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Device as CandleDevice;
use serde_json::Value;

use super::super::albert::Sequence;
use super::super::kernel::Implementation;
use super::super::open::load;
use super::super::package::Files;
use super::super::trunk::Backend;
use super::Model;

const FOLDERS: [&str; 7] =
    ["question-answering", "pretraining", "sequence", "token", "choice", "bare", "pickle"];

/// Where the checkpoints are.
pub(super) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/albert")
}

/// A copy of checkpoint `name` with the tokenizer they share.
pub(super) fn checkpoint(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixtures().join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    for file in fs::read_dir(fixtures().join(name)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(name).join("expected.json")).unwrap()).unwrap()
}

/// A checkpoint in full precision.
fn open(name: &str) -> Model {
    open_on(name, Backend::Candle)
}

fn open_on(name: &str, backend: Backend) -> Model {
    let folder = checkpoint(name);
    load(&Files::Folder(folder.path().to_owned()), (backend, &CandleDevice::Cpu)).unwrap()
}

/// candle, and every kernel this processor has.
pub(super) fn backends() -> Vec<Backend> {
    let (here, missing): (Vec<_>, Vec<_>) =
        Implementation::ALL.into_iter().partition(|kernel| kernel.available());
    if !missing.is_empty() {
        println!("NOT TESTED, this processor lacks them: {missing:?}");
    }
    std::iter::once(Backend::Candle).chain(here.into_iter().map(Backend::Kernel)).collect()
}

/// How far a back end may be off in one hidden number of a tiny model, by the bits it multiplies with.
fn tolerance(backend: Backend) -> f64 {
    match backend {
        Backend::Kernel(kernel) if kernel.is_integer() => 0.1,
        Backend::Kernel(Implementation::Amx) => 0.05,
        _ => 1e-4,
    }
}

/// Fails unless all of `found` is within 1e-4 of `expected`, which may be nested.
fn assert_close(found: &[f32], expected: &Value, what: &str) {
    assert_within(1e-4, found, expected, what);
}

fn assert_within(tolerance: f64, found: &[f32], expected: &Value, what: &str) {
    fn flat(value: &Value, out: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|v| flat(v, out)),
            number => out.push(number.as_f64().unwrap()),
        }
    }
    let mut numbers = Vec::new();
    flat(expected, &mut numbers);
    assert_eq!(found.len(), numbers.len(), "{what}");
    for (found, expected) in found.iter().zip(numbers) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= tolerance, "{what}: {found}, not {expected}");
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

#[test]
fn hidden_states_of_a_padded_batch_of_pairs_equal_the_reference() {
    for name in FOLDERS {
        let expected = expected(name);
        let ids: Vec<Vec<u32>> = serde_json::from_value(expected["ids"].clone()).unwrap();
        let types: Vec<Vec<u8>> = serde_json::from_value(expected["types"].clone()).unwrap();
        let batch: Vec<Sequence> =
            ids.iter().zip(&types).map(|(ids, types)| Sequence { ids, types }).collect();
        for backend in backends() {
            let hidden = open_on(name, backend).encoder.forward(&batch).unwrap();
            for i in 0..batch.len() {
                let (tolerance, what) = (tolerance(backend), format!("{name} {backend:?}"));
                assert_within(tolerance, hidden.sequence(i), &expected["hidden"][i], &what);
            }
        }
    }
}

#[test]
fn embeddings_equal_the_reference() {
    for name in FOLDERS {
        let (model, expected) = (open(name), expected(name));
        let vectors = model.encode(&strings(&expected["texts"])).unwrap();
        for (vector, expected) in vectors.iter().zip(expected["embeddings"].as_array().unwrap()) {
            assert_close(vector.as_slice(), expected, name);
        }
    }
}

#[test]
fn the_span_head_equals_the_reference() {
    let (model, expected) = (open("question-answering"), expected("question-answering"));
    for (i, pair) in expected["pairs"].as_array().unwrap().iter().enumerate() {
        let pair = strings(pair);
        let reading = &model.read(pair[0], &[pair[1]]).unwrap()[0];
        assert_close(&[reading.null_logit], &expected["null_logits"][i], pair[1]);
        assert_close(&[reading.spans[0].logit], &expected["best_logits"][i], pair[1]);
    }
}

#[test]
fn masked_words_equal_the_reference() {
    for name in ["pretraining", "pickle"] {
        let (model, expected) = (open(name), expected(name));
        let guesses = model.fill_mask(expected["masked"].as_str().unwrap(), 5).unwrap();
        assert_eq!(guesses.len(), 5);
        for (guess, expected) in guesses.iter().zip(expected["guesses"].as_array().unwrap()) {
            assert_eq!(guess.token, expected[0].as_str().unwrap().trim_start_matches('\u{2581}'));
            assert_close(&[guess.probability], &expected[1], &guess.token);
        }
        let error = model.fill_mask("no mask at all", 5).unwrap_err().to_string();
        assert!(error.contains("[MASK]") && error.contains("found 0"), "{error}");
    }
}

#[test]
fn classification_heads_equal_the_reference() {
    let (model, expected_order) = (open("pretraining"), expected("pretraining"));
    for (i, pair) in expected_order["pairs"].as_array().unwrap().iter().enumerate() {
        let pair = strings(pair);
        let logits = model.sentence_order(pair[0], pair[1]).unwrap();
        assert_close(&logits, &expected_order["sentence_order"][i], "sentence order");
    }

    let expected_classes = expected("sequence");
    let pairs: Vec<_> = expected_classes["pairs"].as_array().unwrap().iter().map(strings).collect();
    let texts: Vec<_> = pairs.iter().map(|pair| (pair[0], Some(pair[1]))).collect();
    let logits = open("sequence").classify(&texts).unwrap().concat();
    assert_close(&logits, &expected_classes["logits"], "sequence");

    let (model, expected_tokens) = (open("token"), expected("token"));
    for (i, text) in strings(&expected_tokens["texts"]).into_iter().enumerate() {
        let (spans, logits): (Vec<_>, Vec<_>) =
            model.classify_tokens(text).unwrap().into_iter().unzip();
        assert_eq!(spans, model.token_spans(text).unwrap());
        assert_close(&logits.concat(), &expected_tokens["logits"][i], text);
    }

    let choices: Vec<_> = pairs.iter().map(|pair| pair[1]).collect();
    let logits = open("choice").choose(pairs[0][0], &choices).unwrap();
    assert_close(&logits, &expected("choice")["logits"], "choice");
}
