//! [`Tokenizer`]: text to token ids and byte spans, from a `tokenizer.json` or, through [`super::spiece`],
//! from a `spiece.model`. The `tokenizers` crate is used in these two files only.

#[cfg(test)]
mod tests;

use std::path::Path;

use unicode_normalization::char::canonical_combining_class;

pub(crate) use super::spiece::SpieceOptions;
use super::spiece::{Charsmap, SentencePiece};
use crate::{Error, OpenError, Span};

/// Text goes to the segmentation in parts of at most this many bytes, cut before white space where there is
/// any: the segmentation needs about a hundred bytes of memory for each byte of a part.
const PART_BYTES: usize = 4 << 10;

/// What a text became: one entry per token in each list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// Token ids.
    pub(crate) ids: Vec<u32>,
    /// Token types: 0 for the first sequence and its special tokens, 1 for the second.
    pub(crate) types: Vec<u8>,
    /// Bytes of the text of the token's own sequence, on character boundaries; starts and ends never go
    /// back. Empty for special tokens, and for a token that stands for the space before a word.
    pub(crate) spans: Vec<Span>,
    /// Which text the token came from, or `None` for the special tokens put around the texts.
    pub(crate) sequence: Vec<Option<u8>>,
}

impl Encoding {
    fn push(&mut self, id: u32, kind: u8, span: Span, sequence: Option<u8>) {
        self.ids.push(id);
        self.types.push(kind);
        self.spans.push(span);
        self.sequence.push(sequence);
    }
}

enum Segmenter {
    Json(Box<tokenizers::Tokenizer>),
    Spiece(Box<SentencePiece>),
}

/// The tokenizer of a model, with the ids of its special tokens.
pub(crate) struct Tokenizer {
    segmenter: Segmenter,
    cls: u32,
    sep: u32,
    mask: u32,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocab_size", &self.vocab_size()).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// The tokenizer in `bytes`, a `tokenizer.json`; its truncation and padding are switched off.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] for damaged bytes or a missing special token.
    pub(crate) fn from_json(bytes: &[u8], path: &Path) -> Result<Self, OpenError> {
        let wrong = |found: String| unexpected(path, "a tokenizer.json", found);
        check_charsmaps(bytes).map_err(&wrong)?;
        let mut json =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| wrong(e.to_string()))?;
        json.with_padding(None);
        json.with_truncation(None).map_err(|e| wrong(e.to_string()))?;
        Self::new(Segmenter::Json(Box::new(json)), path)
    }

    /// The tokenizer in `bytes`, a `spiece.model`, with ALBERT's preprocessing.
    ///
    /// # Errors
    /// [`OpenError::Unexpected`] for damaged bytes, another kind of model or a missing special token.
    pub(crate) fn from_spiece(
        bytes: &[u8],
        path: &Path,
        options: SpieceOptions,
    ) -> Result<Self, OpenError> {
        let model = SentencePiece::parse(bytes, path, options)?;
        Self::new(Segmenter::Spiece(Box::new(model)), path)
    }

    fn new(segmenter: Segmenter, path: &Path) -> Result<Self, OpenError> {
        let special = |token: &'static str| {
            let id = match &segmenter {
                Segmenter::Json(json) => json.token_to_id(token),
                Segmenter::Spiece(model) => model.id(token),
            };
            id.ok_or_else(|| {
                unexpected(path, &format!("the special token {token}"), "none".to_owned())
            })
        };
        let (cls, sep) = (special("[CLS]")?, special("[SEP]")?);
        let mask = special("[MASK]")?;
        Ok(Self { segmenter, cls, sep, mask })
    }

    /// `[CLS] text [SEP]`, all of it.
    ///
    /// # Errors
    /// [`Error::Model`] if the segmentation fails.
    pub(crate) fn encode(&self, text: &str) -> Result<Encoding, Error> {
        let mut encoding = Encoding::default();
        encoding.push(self.cls, 0, Span::new(0, 0), None);
        self.append(&mut encoding, text, 0)?;
        Ok(encoding)
    }

    /// `[CLS] a [SEP] b [SEP]`, all of it.
    ///
    /// # Errors
    /// [`Error::Model`] if the segmentation fails.
    pub(crate) fn encode_pair(&self, a: &str, b: &str) -> Result<Encoding, Error> {
        let mut encoding = self.encode(a)?;
        self.append(&mut encoding, b, 1)?;
        Ok(encoding)
    }

    /// Adds the tokens of `text` and a `[SEP]`.
    fn append(&self, encoding: &mut Encoding, text: &str, sequence: u8) -> Result<(), Error> {
        let mut floor = Span::new(0, 0);
        let mut at = 0;
        while at < text.len() {
            let end = part_end(text, at);
            let part = &text[at..end];
            let mut emit = |id, span: Span| {
                floor = tidy(text, span.shifted(at), floor);
                encoding.push(id, sequence, floor, Some(sequence));
            };
            match &self.segmenter {
                Segmenter::Spiece(model) => {
                    let is_space = char::is_whitespace;
                    let within_word =
                        at > 0 && !part.starts_with(is_space) && !text[..at].ends_with(is_space);
                    model.encode(part, within_word, &mut emit)?;
                }
                Segmenter::Json(json) => {
                    let tokens = json
                        .encode(part, false)
                        .map_err(|e| Error::Model { doing: "tokenizing", reason: e.to_string() })?;
                    for (&id, &(start, end)) in tokens.get_ids().iter().zip(tokens.get_offsets()) {
                        emit(id, Span::new(start.min(end), end));
                    }
                }
            }
            at = end;
        }
        encoding.push(self.sep, sequence, Span::new(text.len(), text.len()), None);
        Ok(())
    }

    /// Number of pieces, special tokens included.
    pub(crate) fn vocab_size(&self) -> usize {
        match &self.segmenter {
            Segmenter::Json(json) => json.get_vocab_size(true),
            Segmenter::Spiece(model) => model.vocab_size(),
        }
    }

    /// The piece with `id` as readable text: the mark of a word start becomes a space, and goes at the start.
    pub(crate) fn token(&self, id: u32) -> Option<String> {
        let piece = match &self.segmenter {
            Segmenter::Json(json) => json.id_to_token(id),
            Segmenter::Spiece(model) => model.piece(id).map(str::to_owned),
        }?;
        let text = piece.strip_prefix('▁').filter(|rest| !rest.is_empty()).unwrap_or(&piece);
        Some(text.replace('▁', " "))
    }

    /// Id of `[CLS]`.
    pub(crate) fn cls(&self) -> u32 {
        self.cls
    }

    /// Id of `[SEP]`.
    pub(crate) fn sep(&self) -> u32 {
        self.sep
    }

    /// Id of `[MASK]`.
    pub(crate) fn mask_id(&self) -> u32 {
        self.mask
    }
}

fn unexpected(path: &Path, expected: &str, found: String) -> OpenError {
    OpenError::Unexpected {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found,
        remedy: "download the model's files again, or use the tokenizer it was trained with".into(),
    }
}

/// End of the part of `text` that starts at `start`: everything if it is short, else up to the last white
/// space within [`PART_BYTES`], else [`PART_BYTES`] of an unbroken word.
fn part_end(text: &str, start: usize) -> usize {
    let limit = start + PART_BYTES;
    if text.len() <= limit {
        return text.len();
    }
    let limit = text.floor_char_boundary(limit);
    let part = &text[start..limit];
    // White space starts the next part, as the mark of its first word.
    let last_space = part.rfind(char::is_whitespace).unwrap_or(0);
    match part[..last_space].trim_end().len() {
        0 => limit,
        length => start + length,
    }
}

/// `span` made to keep the promises of [`Encoding::spans`]: whole characters with their combining marks,
/// no white space around, not before `floor`, the span before it.
fn tidy(text: &str, span: Span, floor: Span) -> Span {
    let mut end = text.ceil_char_boundary(span.end.min(text.len()));
    let start = text.floor_char_boundary(span.start.min(end));
    let inner = text[start..end].trim_start();
    let start = (end - inner.len()).max(floor.start);
    end = (end - inner.len() + inner.trim_end().len()).max(start);
    if start < end {
        let marks = text[end..].chars().take_while(|&c| canonical_combining_class(c) != 0);
        end += marks.map(char::len_utf8).sum::<usize>();
    }
    Span::new(start, end.max(floor.end))
}

/// The normaliser for SentencePiece tables indexes them without checks, so a damaged table would end the
/// process: they are checked before it sees them.
fn check_charsmaps(json: &[u8]) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Normaliser {
        normalizer: Option<serde_json::Value>,
    }
    let normaliser: Normaliser = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    let mut open = normaliser.normalizer.into_iter().collect::<Vec<_>>();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Array(values) => open.extend(values),
            serde_json::Value::Object(mut fields) => {
                if let Some(table) = fields.remove("precompiled_charsmap") {
                    let table = table.as_str().and_then(base64).ok_or("a table not in base64")?;
                    let sound = Charsmap::parse(&table)?.is_sound();
                    if !sound {
                        return Err("a damaged normalisation table".to_owned());
                    }
                }
                open.extend(fields.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The bytes that `text` writes in base64 (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [None; 256];
    for (value, &digit) in (0_u32..).zip(DIGITS) {
        values[usize::from(digit)] = Some(value);
    }
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut bits = 0;
        for at in 0..4 {
            bits = bits << 6 | group.get(at).map_or(Some(0), |&d| values[usize::from(d)])?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}
