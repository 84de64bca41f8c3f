//! The embedded package gives what PyTorch computed with it (`models/recipe/golden.py`): a broken export is noticed.
//! In f32, as the reference; `kernels` holds the kernels to that.

use std::collections::BTreeMap;

use super::super::trunk::Backend;
use super::kernels::small;

#[derive(serde::Deserialize)]
struct Golden {
    answers: BTreeMap<String, String>,
    sentences: Vec<String>,
    cosines: Vec<Vec<f32>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../tests/fixtures/alder-small.json")).unwrap()
}

#[test]
fn cosines_of_sentences_are_those_of_the_reference() {
    let golden = golden();
    let sentences: Vec<&str> = golden.sentences.iter().map(String::as_str).collect();
    let vectors = small(Backend::Candle).encode(&sentences).unwrap();
    for (a, row) in vectors.iter().zip(&golden.cosines) {
        for (b, expected) in vectors.iter().zip(row) {
            assert!((a.cosine(b) - expected).abs() < 1e-3, "{} {expected}", a.cosine(b));
        }
    }
}

#[test]
fn answers_to_sample_questions_are_those_of_the_reference() {
    let squad = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../datasets/sample/squad.json"
    ));
    let squad: serde_json::Value = serde_json::from_str(&squad.unwrap()).unwrap();
    let golden = golden().answers;
    let array = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
    let model = small(Backend::Candle);
    let (mut asked, mut equal) = (0, 0);
    for paragraph in array(&squad, "data").iter().flat_map(|a| array(a, "paragraphs")) {
        let context = paragraph["context"].as_str().unwrap();
        for question in array(&paragraph, "qas") {
            let Some(expected) = golden.get(question["id"].as_str().unwrap()) else { continue };
            let reading =
                &model.read(question["question"].as_str().unwrap(), &[context]).unwrap()[0];
            let found = reading.spans[0].span.slice(context).unwrap();
            asked += 1;
            // The engine ends words and drops commas, which the reference does not.
            equal += usize::from(found.contains(expected.trim_matches(|c| " ,;:".contains(c))));
        }
    }
    assert_eq!(asked, 50);
    assert_eq!(equal, 50);
}
