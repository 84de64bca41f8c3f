//! ALBERT and its package: configuration, tokenizer, weights, heads. candle and tokenizers live here and
//! nowhere else; no tensor leaves this folder.

mod albert;
mod batch;
mod classify;
mod config;
mod encode;
mod fill_mask;
mod heads;
mod kernel;
mod open;
mod package;
mod read;
mod rounded;
mod spans;
mod spiece;
mod tokenizer;
mod tokens;
mod trunk;
mod weights;

use crate::{Cosine, QueryError, Span, Verdict};

pub use tokens::Token;

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
pub struct Model {
    identity: ModelIdentity,
    max_length: usize,
    parameters: usize,
    pooling: encode::Pooling,
    calibration: Calibration,
    calibration_given: Calibration,
    tokenizer: tokenizer::Tokenizer,
    encoder: trunk::Trunk,
    reader: Option<read::Reader>,
    masked_lm: Option<heads::MaskedLm>,
    sentence_order: Option<heads::PooledHead>,
    classifier: Option<classify::Classifier>,
}

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
    /// How much a sentence like the question raises its spans' logits (σ), ≥ 0.
    pub sentence_weight: f32,
    /// How much the relevance head's logit for the passage raises the logits of its spans.
    pub relevance_weight: f32,
    /// Weight of the reader's evidence, 0..=1, when hits are reordered; 0 keeps the fused order.
    pub rerank_weight: f32,
    /// From this probability on an answer is shown as the answer.
    pub shown_from: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            null_bias: 0.0,
            temperature: 1.0,
            retrieval_weight: 1.0,
            sentence_weight: 0.0,
            relevance_weight: 0.0,
            rerank_weight: 0.0,
            shown_from: Verdict::SHOWN_FROM,
        }
    }
}

impl Calibration {
    /// The calibrated logit of a span: its margin, the retrieval score (0..=1) of its passage, the similarity of its
    /// sentence to the question, and the relevance logit of its passage (0 without that head), weighed.
    pub(crate) fn z(self, margin: f32, retrieval: f32, similarity: Cosine, relevance: f32) -> f32 {
        (margin - self.null_bias) / self.temperature - self.retrieval_weight * (1.0 - retrieval)
            + self.sentence_weight * similarity.0
            + self.relevance_weight * relevance
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
    /// Name, fingerprint and dimensions.
    pub fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    /// Tokens a text may have, `[CLS]` and `[SEP]` included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The calibration of the reader on what a search found, where most questions have an answer.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// The calibration of the reader on one text that the caller gives, where half of the questions may have none
    /// (SQuAD 2.0); that of a search if the package has no other.
    pub fn calibration_given(&self) -> Calibration {
        self.calibration_given
    }

    /// Weights and biases of the encoder, each counted once however often it is applied; heads, the pooler and
    /// a second trunk of the reader are not in it.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// That the package lacks a head which the caller needs.
    fn missing_head(&self, head: &'static str) -> QueryError {
        QueryError::MissingHead {
            model: self.identity.name.clone(),
            head,
            remedy: "open a checkpoint that was saved with it".into(),
        }
    }
}

#[cfg(test)]
mod tests;
