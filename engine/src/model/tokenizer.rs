//! Text to token ids with byte spans, over the `tokenizers` crate, which is named nowhere else.

use std::path::Path;

use crate::{Error, OpenError, Span};

/// Tokens of a text or a pair, special tokens included; all four of one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// Ids in the vocabulary.
    pub(crate) ids: Vec<u32>,
    /// 0 for the first text, 1 for the second.
    pub(crate) types: Vec<u8>,
    /// Bytes of the text a token comes from; empty for special tokens.
    pub(crate) spans: Vec<Span>,
    /// Which text a token comes from; `None` for special tokens.
    pub(crate) sequence: Vec<Option<u8>>,
}

/// How a `spiece.model` wants its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpieceOptions {
    /// Lower-case first.
    pub(crate) do_lower_case: bool,
    /// Keep accents rather than strip them.
    pub(crate) keep_accents: bool,
}

/// A loaded `tokenizer.json`.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    cls: u32,
    sep: u32,
    mask: Option<u32>,
}

impl Tokenizer {
    /// The tokenizer in `bytes`; `path` is named in errors.
    pub(crate) fn from_json(bytes: &[u8], path: &Path) -> Result<Self, OpenError> {
        let fail = |found: String| OpenError::Unexpected {
            path: path.to_owned(),
            expected: "an ALBERT tokenizer.json".into(),
            found,
            remedy: "use the tokenizer.json that belongs to the weights".into(),
        };
        let mut inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| fail(e.to_string()))?;
        inner.with_truncation(None).map_err(|e| fail(e.to_string()))?;
        inner.with_padding(None);
        let special = |token: &str| {
            inner.token_to_id(token).ok_or_else(|| fail(format!("a vocabulary without {token}")))
        };
        let (cls, sep, mask) = (special("[CLS]")?, special("[SEP]")?, inner.token_to_id("[MASK]"));
        Ok(Self { inner, cls, sep, mask })
    }

    /// Not read here yet.
    pub(crate) fn from_spiece(
        _bytes: &[u8],
        path: &Path,
        _options: SpieceOptions,
    ) -> Result<Self, OpenError> {
        Err(OpenError::Unexpected {
            path: path.to_owned(),
            expected: "tokenizer.json".into(),
            found: "spiece.model alone".into(),
            remedy: "convert it with transformers".into(),
        })
    }

    /// `[CLS] text [SEP]`.
    pub(crate) fn encode(&self, text: &str) -> Result<Encoding, Error> {
        self.inner.encode(text, true).map(|e| encoding(&e)).map_err(failed)
    }

    /// `[CLS] a [SEP] b [SEP]`.
    pub(crate) fn encode_pair(&self, a: &str, b: &str) -> Result<Encoding, Error> {
        self.inner.encode((a, b), true).map(|e| encoding(&e)).map_err(failed)
    }

    /// One more than the largest id.
    pub(crate) fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// `[MASK]`, if there is one.
    pub(crate) fn mask_id(&self) -> Option<u32> {
        self.mask
    }

    /// The piece with this id.
    pub(crate) fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// `[CLS]`.
    pub(crate) fn cls(&self) -> u32 {
        self.cls
    }

    /// `[SEP]`.
    pub(crate) fn sep(&self) -> u32 {
        self.sep
    }
}

fn encoding(e: &tokenizers::Encoding) -> Encoding {
    let special = e.get_special_tokens_mask();
    let sequence: Vec<_> = e
        .get_sequence_ids()
        .into_iter()
        .zip(special)
        .map(|(sequence, special)| sequence.filter(|_| *special == 0).map(|s| s as u8))
        .collect();
    Encoding {
        ids: e.get_ids().to_vec(),
        types: e.get_type_ids().iter().map(|t| *t as u8).collect(),
        spans: e.get_offsets().iter().map(|&(start, end)| Span { start, end }).collect(),
        sequence,
    }
}

fn failed(e: tokenizers::Error) -> Error {
    Error::Model { doing: "splitting text into tokens", reason: e.to_string() }
}
