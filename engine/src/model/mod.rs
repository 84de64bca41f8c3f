//! ALBERT and its package: configuration, tokenizer, weights, heads. candle and tokenizers live here and
//! nowhere else; no tensor leaves this folder.

#[allow(dead_code)]
mod spiece;
#[allow(dead_code)]
mod tokenizer;

use std::path::Path;
use std::sync::Arc;

use crate::{Embedding, Error, OpenError, Span};

/// Where the model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A CUDA device by ordinal (needs the `cuda` feature).
    Cuda(usize),
}

/// What must be equal for vectors to be comparable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ModelIdentity {
    /// Name of the model, for messages.
    pub name: String,
    /// Hash of everything that changes a vector: encoder weights, tokenizer, pooling, maximum length.
    pub fingerprint: String,
    /// Length of an embedding, H.
    pub dimensions: usize,
}

/// A loaded model package: tokenizer, encoder, and the heads it has.
#[derive(Debug)]
pub struct Model {}

/// One span the reader considers an answer, in one passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadSpan {
    /// Bytes of the passage text given to [`Model::read`].
    pub span: Span,
    /// Start plus end logit.
    pub logit: f32,
}

/// What the reader found in one passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Best spans, best first, none overlapping a better one.
    pub spans: Vec<ReadSpan>,
    /// Start plus end logit of "no answer" (smallest over the windows of the passage).
    pub null_logit: f32,
    /// Relevance logit (largest over the windows), when the model has that head.
    pub relevance_logit: Option<f32>,
}

/// How reader logits become a probability and an order; fitted on held-back data and stored in the package.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// Taken from every margin (span logit minus null logit).
    pub null_bias: f32,
    /// Margins are divided by this; above 0.
    pub temperature: f32,
    /// How much a worse retrieved passage lowers its spans' logits (λ), ≥ 0.
    pub retrieval_weight: f32,
    /// Weight of the reader's evidence, 0..=1, when hits are reordered; 0 keeps the fused order.
    pub rerank_weight: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { null_bias: 0.0, temperature: 1.0, retrieval_weight: 1.0, rerank_weight: 0.0 }
    }
}

impl Calibration {
    /// The calibrated logit of a span from its margin and the retrieval score (0..=1) of its passage.
    pub(crate) fn z(self, margin: f32, retrieval: f32) -> f32 {
        (margin - self.null_bias) / self.temperature - self.retrieval_weight * (1.0 - retrieval)
    }
}

/// One guess for a masked word.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MaskGuess {
    /// The piece, as text.
    pub token: String,
    /// Its probability, 0..=1.
    pub probability: f32,
}

impl Model {
    /// The default model, from bytes inside the binary.
    ///
    /// # Errors
    /// [`OpenError`] if the embedded package is damaged.
    pub fn embedded(_device: Device) -> Result<Arc<Self>, OpenError> {
        todo!()
    }

    /// The model package or Hugging Face ALBERT folder at `path`.
    ///
    /// # Errors
    /// [`OpenError`] naming the file, what was expected and what to do.
    pub fn open(_path: &Path, _device: Device) -> Result<Arc<Self>, OpenError> {
        todo!()
    }

    /// Name, fingerprint and dimensions.
    pub fn identity(&self) -> &ModelIdentity {
        todo!()
    }

    /// Tokens a text may have, `[CLS]` and `[SEP]` included.
    pub fn max_length(&self) -> usize {
        todo!()
    }

    /// Byte span of every token of `text`, without special tokens, without truncation.
    ///
    /// # Errors
    /// [`Error::Model`] if the tokenizer fails.
    pub fn token_spans(&self, _text: &str) -> Result<Vec<Span>, Error> {
        todo!()
    }

    /// One unit vector per text, in the order given; longer texts are cut at [`Model::max_length`] tokens.
    /// Batches by length and uses the rayon pool it is called in.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn encode(&self, _texts: &[&str]) -> Result<Vec<Embedding>, Error> {
        todo!()
    }

    /// Whether the package has a span head.
    pub fn has_reader(&self) -> bool {
        todo!()
    }

    /// One [`Reading`] per passage, in the order given: long passages are read in overlapping windows.
    ///
    /// # Errors
    /// [`crate::QueryError::MissingHead`] without a span head, [`Error::Model`].
    pub fn read(&self, _question: &str, _passages: &[&str]) -> Result<Vec<Reading>, Error> {
        todo!()
    }

    /// The calibration of the reader.
    pub fn calibration(&self) -> Calibration {
        todo!()
    }

    /// The `top` most probable pieces for the one `[MASK]` in `text`.
    ///
    /// # Errors
    /// [`crate::QueryError::MissingHead`] without a masked-LM head.
    pub fn fill_mask(&self, _text: &str, _top: usize) -> Result<Vec<MaskGuess>, Error> {
        todo!()
    }
}
