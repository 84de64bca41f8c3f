//! Spans for every text, very long words, damaged files, and equality with the reference on real lines.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::super::spiece::tests::{has_sound_table, small_model, spiece_model};
use super::*;

fn small_spiece() -> Tokenizer {
    Tokenizer::from_spiece(&small_model(), Path::new("spiece.model"), SpieceOptions::default())
        .unwrap()
}

/// A `tokenizer.json` as converted from ALBERT models, with a few pieces.
fn small_json() -> String {
    serde_json::json!({
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 4,
            "strategy": "LongestFirst", "stride": 0}, "padding": null,
        "added_tokens": ([(0, "<pad>"), (1, "<unk>"), (2, "[CLS]"), (3, "[SEP]"), (4, "[MASK]")]
            .map(|(id, content)| serde_json::json!({"id": id, "content": content, "special": true,
                "single_word": false, "lstrip": id == 4, "rstrip": false, "normalized": false}))),
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"},
            {"type": "StripAccents"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
        "post_processor": null, "decoder": null,
        "model": {"type": "Unigram", "unk_id": 1, "byte_fallback": false, "vocab": [
            ["<pad>", 0.0], ["<unk>", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0], ["[MASK]", 0.0],
            ["\"", -5.0], ["▁", -3.0], ["▁the", -2.5], ["▁cafe", -4.0], ["s", -4.5], ["a", -7.0]]},
    })
    .to_string()
}

fn both() -> [Tokenizer; 2] {
    let json = Tokenizer::from_json(small_json().as_bytes(), Path::new("tokenizer.json"));
    [small_spiece(), json.unwrap()]
}

#[test]
fn a_pair_has_types_sequences_and_spans_of_its_own_texts() {
    for tokenizer in both() {
        let encoding = tokenizer.encode_pair("the cafés", " the [MASK]").unwrap();
        assert_eq!(encoding.ids, [2, 7, 8, 9, 3, 7, 4, 3]);
        assert_eq!(encoding.types, [0, 0, 0, 0, 0, 1, 1, 1]);
        let (a, b) = (Some(0), Some(1));
        assert_eq!(encoding.sequence, [None, a, a, a, None, b, b, None]);
        let spans = encoding.spans.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>();
        let expected = [(0, 0), (0, 3), (4, 9), (9, 10), (10, 10), (1, 4), (5, 11), (11, 11)];
        assert_eq!(spans, expected);
    }
}

#[test]
fn combining_marks_belong_to_the_token_of_their_letter() {
    for tokenizer in both() {
        let text = "cafe\u{301}s";
        let encoding = tokenizer.encode(text).unwrap();
        assert_eq!(encoding.spans[1].slice(text), Some("cafe\u{301}"));
    }
}

#[test]
fn special_tokens_and_pieces_are_known_by_id() {
    for tokenizer in both() {
        let ids = (tokenizer.cls(), tokenizer.sep(), tokenizer.mask_id());
        assert_eq!(ids, (2, 3, 4));
        assert_eq!(tokenizer.token(8).as_deref(), Some("cafe"));
        assert_eq!(tokenizer.token(4).as_deref(), Some("[MASK]"));
        assert_eq!(tokenizer.token(99), None);
    }
    assert_eq!(both().map(|tokenizer| tokenizer.vocab_size()), [16, 11]);
}

#[test]
fn a_missing_special_token_is_named_with_its_file() {
    let bare = spiece_model(&[("<unk>", 0.0, 2), ("[CLS]", 0.0, 3), ("a", -1.0, 1)]);
    let path = Path::new("folder/spiece.model");
    let error = Tokenizer::from_spiece(&bare, path, SpieceOptions::default()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("folder/spiece.model") && message.contains("[SEP]"), "{message}");
    let json = small_json().replace("[MASK]", "[HIDE]");
    let error = Tokenizer::from_json(json.as_bytes(), Path::new("tokenizer.json")).unwrap_err();
    assert!(error.to_string().contains("[MASK]"), "{error}");
}

#[test]
fn damaged_json_is_an_error_and_never_a_panic() {
    let whole = small_json();
    for end in (0..whole.len()).step_by(7).filter(|&end| whole.is_char_boundary(end)) {
        let error = Tokenizer::from_json(&whole.as_bytes()[..end], Path::new("tokenizer.json"));
        assert!(error.is_err());
    }
    // A table whose first unit points outside: the foreign reader would index out of bounds.
    for table in ["BAAAAP////8AAA==", "/////w==", "BAAAAA==", "!"] {
        let normaliser =
            serde_json::json!({"type": "Precompiled", "precompiled_charsmap": table}).to_string();
        let json = whole.replace(r#"{"type":"NFKD"}"#, &normaliser);
        assert_ne!(json, whole);
        let error = Tokenizer::from_json(json.as_bytes(), Path::new("t.json")).unwrap_err();
        assert!(error.to_string().contains("table"), "{error}");
    }
}

/// One unbroken line made the segmentation allocate hundreds of bytes for each of its bytes at once.
#[test]
fn an_unbroken_line_of_five_megabytes_is_encoded_in_parts() {
    let text = "aé".repeat(5 << 18);
    let encoding = small_spiece().encode(&text).unwrap();
    assert_spans(&encoding, &text);
    assert_eq!(encoding.ids.iter().filter(|&&id| id == 6).count(), 1, "one word start");
    let covered: usize = encoding.spans.iter().map(|span| span.len()).sum();
    assert_eq!(covered, text.len());
    let short = &text[..300_000];
    assert_spans(&both()[1].encode(short).unwrap(), short);
}

#[test]
fn parts_are_cut_before_white_space() {
    let text = "the cafes ".repeat(3000);
    for tokenizer in both() {
        let encoding = tokenizer.encode(text.trim_end()).unwrap();
        let body = &encoding.ids[1..encoding.ids.len() - 1];
        assert!(body.chunks(3).all(|words| words == [7, 8, 9]), "a part changed the tokens");
        assert_eq!(body.len(), 9000);
        let padded = format!("{}the", " ".repeat(PART_BYTES));
        assert_eq!(tokenizer.encode(&padded).unwrap().ids.last_chunk(), Some(&[7, 3]));
    }
}

fn assert_spans(encoding: &Encoding, text: &str) {
    let mut before = Span::new(0, 0);
    for (span, sequence) in encoding.spans.iter().zip(&encoding.sequence) {
        assert!(span.slice(text).is_some(), "{span:?} is no slice of {text:?}");
        assert!(span.start >= before.start && span.end >= before.end, "{before:?} then {span:?}");
        assert!(sequence.is_some() || span.is_empty());
        before = *span;
    }
}

proptest! {
    #[test]
    fn spans_are_slices_in_order_for_every_text(text in any::<String>()) {
        for tokenizer in both() {
            assert_spans(&tokenizer.encode(&text).unwrap(), &text);
        }
    }

    #[test]
    fn spans_are_slices_in_order_for_hard_characters(
        characters in prop::collection::vec(prop::sample::select(
            " \t\n\u{1c}\u{a0}\u{200b}▁`'\",aé½ﬁ\u{301}\u{344}\u{f71}한か\u{3099}İΣσ\u{fdfa}0[MASK]<>😀\u{fe0f}"
                .chars().collect::<Vec<_>>()), 0..40),
        repeats in prop::sample::select(vec![1_usize, 1, 1, 300]),
    ) {
        let text = characters.iter().collect::<String>().repeat(repeats);
        for tokenizer in both() {
            assert_spans(&tokenizer.encode(&text).unwrap(), &text);
        }
    }
}

#[derive(serde::Deserialize)]
struct Fixture {
    block: usize,
    sources: Vec<Lines>,
    blocks: Vec<String>,
    hard: Vec<Hard>,
}

#[derive(serde::Deserialize)]
struct Lines {
    path: String,
    lines: usize,
}

#[derive(serde::Deserialize)]
struct Hard {
    text: String,
    ids: Vec<u32>,
}

/// `shared/data` beside the repository, or `None` with a loud word; in CI it must be there.
fn shared_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let data = std::env::var_os("ALDER_SHARED").map_or(beside, PathBuf::from).join("data");
    if data.join("tokenizer-albert/spiece.model").is_file() {
        return Some(data);
    }
    let message = format!("SKIPPED: no tokenizer-albert/spiece.model in {}", data.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{message}");
    eprintln!("{message} (set ALDER_SHARED)");
    None
}

fn official(data: &Path) -> Tokenizer {
    let path = data.join("tokenizer-albert/spiece.model");
    let bytes = std::fs::read(&path).unwrap();
    assert!(has_sound_table(&bytes), "the check of tables must accept the official one");
    Tokenizer::from_spiece(&bytes, &path, SpieceOptions::default()).unwrap()
}

fn fixture() -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Token ids of `text` without the special tokens around it.
fn body(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let encoding = tokenizer.encode(text).unwrap();
    assert_spans(&encoding, text);
    encoding.ids[1..encoding.ids.len() - 1].to_vec()
}

#[test]
fn the_official_model_equals_sentencepiece_on_hard_lines() {
    let Some(data) = shared_data() else { return };
    let tokenizer = official(&data);
    assert_eq!(tokenizer.vocab_size(), 30_000);
    let differ = fixture().hard.into_iter().filter(|hard| {
        let found = body(&tokenizer, &hard.text);
        let same = found == hard.ids;
        if !same {
            let start = hard.text.chars().take(80).collect::<String>();
            eprintln!("{start:?}\n expected {:?}\n found    {found:?}", hard.ids);
        }
        !same
    });
    assert_eq!(differ.count(), 0, "lines differ");
}

#[test]
fn the_official_model_equals_sentencepiece_on_ten_thousand_real_lines() {
    let Some(data) = shared_data() else { return };
    let (tokenizer, fixture) = (official(&data), fixture());
    let lines = fixture.sources.iter().flat_map(|source| real_lines(&data, source));
    let lines = lines.collect::<Vec<_>>();
    assert_eq!(lines.len(), 10_000);
    let differ = lines.chunks(fixture.block).zip(&fixture.blocks).enumerate().filter(
        |(_, (block, expected))| {
            let mut digest = Sha256::new();
            for line in *block {
                let ids = body(&tokenizer, line);
                digest.update(u32::try_from(ids.len()).unwrap().to_le_bytes());
                ids.iter().for_each(|id| digest.update(id.to_le_bytes()));
            }
            let hash =
                digest.finalize()[..8].iter().map(|b| format!("{b:02x}")).collect::<String>();
            hash != **expected
        },
    );
    let differ = differ.map(|(block, _)| block).collect::<Vec<_>>();
    assert_eq!(differ, [0_usize; 0], "blocks of {} lines that differ", fixture.block);
}

/// The first lines of the texts in one training file, as `make_tokenizer.py` takes them.
fn real_lines(data: &Path, source: &Lines) -> Vec<String> {
    let file = std::fs::File::open(data.join("train").join(&source.path)).unwrap();
    let reader = ruzstd::decoding::StreamingDecoder::new(BufReader::new(file)).unwrap();
    let mut lines = Vec::new();
    for record in BufReader::new(reader).lines() {
        let record: serde_json::Value = serde_json::from_str(&record.unwrap()).unwrap();
        let mut texts = Vec::new();
        match &record["text"] {
            serde_json::Value::String(text) => texts.push(text),
            _ => record["data"].as_array().unwrap().iter().for_each(|document| {
                for paragraph in document["paragraphs"].as_array().unwrap() {
                    let serde_json::Value::String(text) = &paragraph["context"] else { panic!() };
                    texts.push(text);
                }
            }),
        }
        let new = texts.iter().flat_map(|text| text.split('\n')).filter(|line| !line.is_empty());
        lines.extend(new.take(source.lines - lines.len()).map(str::to_owned));
        if lines.len() == source.lines {
            break;
        }
    }
    lines
}
