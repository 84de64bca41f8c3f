//! The default model through the public methods: what a user of the engine sees.

mod damaged;
mod golden;
mod kernels;
mod parity;

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{Device, Model};
use crate::Error;

static ALDER_SMALL: LazyLock<Arc<Model>> =
    LazyLock::new(|| Model::embedded(Device::Cpu).expect("the embedded model loads"));

const TEXTS: [&str; 5] = [
    "The river floods the valley every spring.",
    "Each spring the valley is flooded by the river.",
    "Interest rates were raised by the central bank.",
    "Bees",
    "A telescope gathers light with a lens or a mirror, and the larger its opening is, the fainter the stars \
     are that it can show to the observer.",
];

#[test]
fn similar_sentences_are_closer_than_unrelated_ones() {
    let vectors = ALDER_SMALL.encode(&TEXTS).unwrap();
    let (same, other) = (vectors[0].cosine(&vectors[1]), vectors[0].cosine(&vectors[2]));
    assert!(same > 0.7 && other < 0.4, "paraphrase {same}, unrelated {other}");
}

#[test]
fn a_vector_does_not_depend_on_what_it_is_encoded_with() {
    let together = ALDER_SMALL.encode(&TEXTS).unwrap();
    for (text, among_others) in TEXTS.iter().zip(&together) {
        let alone = &ALDER_SMALL.encode(&[text]).unwrap()[0];
        for (a, b) in alone.as_slice().iter().zip(among_others.as_slice()) {
            assert!((a - b).abs() <= 1e-5, "{text}: {a} alone, {b} in a batch");
        }
    }
}

#[test]
fn a_blank_text_is_the_zero_vector_and_a_long_one_is_cut() {
    let long = ["river"; 2000].join(" ");
    let vectors = ALDER_SMALL.encode(&["", "river", "  \n", &long]).unwrap();
    let norm = |i: usize| vectors[i].as_slice().iter().map(|v| v * v).sum::<f32>();
    assert_eq!((norm(0), norm(2)), (0.0, 0.0));
    assert!((norm(1) - 1.0).abs() < 1e-5 && (norm(3) - 1.0).abs() < 1e-5);
    let cut = vec!["river"; ALDER_SMALL.max_length() - 2].join(" ");
    assert!(vectors[3].cosine(&ALDER_SMALL.encode(&[&cut]).unwrap()[0]) > 0.99999);
}

#[test]
fn tokens_cover_the_words_of_a_text_in_order() {
    let text = "Zürich lies 408 metres high.";
    let spans = ALDER_SMALL.token_spans(text).unwrap();
    assert!(spans.windows(2).all(|w| w[0].end <= w[1].start));
    let covered: String = spans.iter().map(|s| s.slice(text).unwrap()).collect();
    assert_eq!(covered.replace(' ', ""), text.replace(' ', ""));
}

#[test]
fn a_question_that_fills_the_window_is_refused_with_the_bounds() {
    let question = ["why"; 300].join(" ");
    let error = ALDER_SMALL.read(&question, &["Because."]).unwrap_err().to_string();
    assert!(error.contains("the question must be between 1 and 189 tokens, found 300"), "{error}");
    assert!(matches!(ALDER_SMALL.read(" ", &["x"]), Err(Error::Query(crate::QueryError::Empty))));
}

#[test]
fn a_head_the_package_lacks_is_named() {
    let error = ALDER_SMALL.classify(&[("a", None)]).unwrap_err().to_string();
    assert!(error.contains("alder-small") && error.contains("classification"), "{error}");
    assert!(ALDER_SMALL.choose("a", &["b"]).is_err() && ALDER_SMALL.classify_tokens("a").is_err());
}

#[test]
fn a_masked_word_is_guessed_from_both_sides() {
    let text = "He is one of the [MASK] famous writers of his time.";
    let guesses = ALDER_SMALL.fill_mask(text, 5).unwrap();
    assert_eq!(guesses[0].token, "most", "{guesses:?}");
}

#[test]
fn long_passages_are_read_to_their_end() {
    let filler = "The town lies by a lake and has a market on Mondays. ".repeat(60);
    let passage = format!("{filler}The mill was built in 1731 by Anna Keller.");
    let readings = ALDER_SMALL.read("Who built the mill?", &[&passage, "", &filler]).unwrap();
    assert_eq!(readings.len(), 3);
    assert!(readings[1].spans.is_empty() && readings[1].null_logit.is_finite());
    let tail = ALDER_SMALL.read("Who built the mill?", &[&passage[filler.len() - 200..]]).unwrap();
    assert!(readings[0].null_logit <= tail[0].null_logit + 5.0);
    assert_eq!(readings[0].spans.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn answers_are_verbatim_slices_of_their_passage(passage in "(\\PC|[ \n]|[a-z]{1,6} ){0,60}") {
        let reading = &ALDER_SMALL.read("Who built the mill?", &[&passage]).unwrap()[0];
        for (k, read) in reading.spans.iter().enumerate() {
            let answer = read.span.slice(&passage).expect("the span slices the passage");
            prop_assert!(!answer.is_empty() && answer.trim() == answer);
            for better in &reading.spans[..k] {
                prop_assert!(better.logit >= read.logit);
                prop_assert!(better.span.end <= read.span.start || read.span.end <= better.span.start);
            }
        }
    }
}
