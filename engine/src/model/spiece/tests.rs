//! Damaged models never panic, and the small model that other tests use.

use proptest::prelude::*;

use super::proto::read;
use super::*;

/// A `spiece.model` with these pieces (text, score, type) and no normalisation table.
pub(in crate::model) fn spiece_model(pieces: &[(&str, f32, u8)]) -> Vec<u8> {
    let mut model = Vec::new();
    for (text, score, kind) in pieces {
        let mut piece = vec![0x0a, u8::try_from(text.len()).unwrap()];
        piece.extend_from_slice(text.as_bytes());
        piece.push(0x15);
        piece.extend_from_slice(&score.to_le_bytes());
        piece.extend_from_slice(&[0x18, *kind]);
        model.extend_from_slice(&[0x0a, u8::try_from(piece.len()).unwrap()]);
        model.extend_from_slice(&piece);
    }
    model.extend_from_slice(&[0x12, 2, 0x18, 1]);
    model
}

/// Special tokens as in the official model, and enough pieces for a few words.
pub(in crate::model) fn small_model() -> Vec<u8> {
    spiece_model(&[
        ("<pad>", 0.0, 3),
        ("<unk>", 0.0, 2),
        ("[CLS]", 0.0, 3),
        ("[SEP]", 0.0, 3),
        ("[MASK]", 0.0, 3),
        ("\"", 0.0, 4),
        ("▁", -3.0, 1),
        ("▁the", -2.5, 1),
        ("▁cafe", -4.0, 1),
        ("s", -4.5, 1),
        ("▁2000,", -5.0, 1),
        ("▁2000", -6.0, 1),
        (",", -3.0, 1),
        ("0,", -4.0, 1),
        ("0", -6.0, 1),
        ("a", -7.0, 1),
    ])
}

/// Whether the normalisation table of a model passes the check made for readers that do not check.
pub(in crate::model) fn has_sound_table(model: &[u8]) -> bool {
    parse(model).unwrap().charsmap.unwrap().is_sound()
}

fn parse(bytes: &[u8]) -> Result<SentencePiece, OpenError> {
    SentencePiece::parse(bytes, Path::new("spiece.model"), SpieceOptions::default())
}

fn ids(text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    let model = parse(&small_model()).unwrap();
    model.encode(text, false, &mut |id, _| ids.push(id)).unwrap();
    ids
}

#[test]
fn accents_case_and_quotes_are_normalised_before_segmentation() {
    assert_eq!(ids("The CAFÉS"), [7, 8, 9]);
    assert_eq!(ids("``the''"), [6, 5, 1, 5]);
    assert_eq!(ids("''  the"), [6, 5, 7]);
}

#[test]
fn a_number_and_its_comma_are_two_tokens() {
    assert_eq!(ids("2000, the"), [11, 12, 7]);
    assert_eq!(ids("a0,"), [6, 15, 14, 12]);
}

#[test]
fn control_pieces_come_only_from_their_exact_spelling() {
    assert_eq!(ids("the [MASK] the"), [7, 4, 7]);
    assert!(!ids("[mask] <PAD>").contains(&4));
    assert!(!ids("[mask] <PAD>").contains(&0));
}

#[test]
fn other_kinds_of_models_are_refused_by_name() {
    let mut bpe = small_model();
    bpe.extend_from_slice(&[0x12, 2, 0x18, 2]);
    let message = parse(&bpe).err().unwrap().to_string();
    assert!(message.contains("spiece.model") && message.contains("Unigram"), "{message}");
    let twice = spiece_model(&[("<unk>", 0.0, 2), ("a", -1.0, 1), ("a", -1.0, 1)]);
    assert!(parse(&twice).err().unwrap().to_string().contains("twice"));
    assert!(parse(&[]).err().unwrap().to_string().contains("unknown"));
}

#[test]
fn every_truncation_of_a_model_is_an_error_or_a_smaller_model() {
    let model = small_model();
    for end in 0..model.len() {
        if let Ok(file) = read(&model[..end]) {
            assert!(file.pieces.len() <= 16);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        _ = parse(&bytes);
        if let Ok(map) = Charsmap::parse(&bytes) {
            _ = map.is_sound();
            _ = map.longest_prefix("any text");
        }
    }

    #[test]
    fn a_model_with_changed_bytes_never_panics(
        changes in prop::collection::vec((0_usize..200, any::<u8>()), 1..4),
        text in "\\PC{0,20}",
    ) {
        let mut bytes = small_model();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(model) = parse(&bytes) {
            _ = model.encode(&text, false, &mut |_, _| ());
        }
    }

    /// A table of random units with a valid size: lookups stay inside, and what `is_sound` accepts can be
    /// walked without checks.
    #[test]
    fn lookups_stay_inside_any_table(
        units in prop::collection::vec(any::<u32>(), 1..600),
        text in "\\PC{0,20}",
    ) {
        let mut bytes = u32::try_from(units.len() * 4).unwrap().to_le_bytes().to_vec();
        units.iter().for_each(|unit| bytes.extend_from_slice(&unit.to_le_bytes()));
        bytes.extend_from_slice("a\0bé\0".as_bytes());
        let map = Charsmap::parse(&bytes).unwrap();
        if let Some((length, _)) = map.longest_prefix(&text) {
            prop_assert!(text.is_char_boundary(length));
        }
    }
}
