//! The heads of ALBERT: small layers over hidden states. One struct per head, tensors under the names of the
//! checkpoint. Rows go in and come out as plain numbers, so that a head works behind any trunk.

use candle_core::{Device, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module};

use super::albert::{Loaded, layer_norm, linear};
use super::config::{Activation, Config};
use super::weights::Scope;

/// A linear layer over rows: `(N, H)` to `(N, outputs)`.
#[derive(Debug, Clone)]
pub(crate) struct RowHead {
    linear: Linear,
    width: usize,
    device: Device,
}

impl RowHead {
    fn load(vb: &Scope, outputs: usize, config: &Config, device: &Device) -> Loaded<Self> {
        let width = config.hidden_size;
        Ok(Self { linear: linear(vb, width, outputs)?, width, device: device.clone() })
    }

    /// Start and end logit of every token: `qa_outputs`, `(N, 2)`.
    pub(crate) fn span(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        Self::load(&root.pp("qa_outputs"), 2, config, device)
    }

    /// Whether the passage bears on the question, from the `[CLS]` row: `relevance`, `(N, 1)`. Alder's own.
    pub(crate) fn relevance(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        Self::load(&root.pp("relevance"), 1, config, device)
    }

    /// One logit per class for every token: `classifier` of a token classifier, `(N, L)`.
    pub(crate) fn tokens(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        let vb = root.pp("classifier");
        let classes = rows_of(&vb);
        Self::load(&vb, classes, config, device)
    }

    /// `(N, outputs)` for `rows: (N, H)`.
    pub(crate) fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let rows = matrix(rows, self.width, &self.device)?;
        self.linear.forward(&rows)?.flatten_all()?.to_vec1()
    }
}

/// The pooler, tanh(W·`[CLS]` + b), and a linear layer over it: `(N, H)` to `(N, outputs)`.
#[derive(Debug, Clone)]
pub(crate) struct PooledHead {
    pooler: Linear,
    classifier: Linear,
    width: usize,
    device: Device,
}

impl PooledHead {
    fn load(
        root: &Scope,
        classifier: &Scope,
        outputs: usize,
        config: &Config,
        device: &Device,
    ) -> Loaded<Self> {
        let width = config.hidden_size;
        Ok(Self {
            pooler: linear(&root.pp("albert").pp("pooler"), width, width)?,
            classifier: linear(classifier, width, outputs)?,
            width,
            device: device.clone(),
        })
    }

    /// Logits of "in order" and "swapped": `sop_classifier.classifier`, `(N, 2)`.
    pub(crate) fn sentence_order(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        Self::load(root, &root.pp("sop_classifier").pp("classifier"), 2, config, device)
    }

    /// One logit per class of the sequence: `classifier`, `(N, L)`.
    pub(crate) fn sequence(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        let vb = root.pp("classifier");
        Self::load(root, &vb, rows_of(&vb), config, device)
    }

    /// How well a choice continues the prompt: `classifier` of a multiple-choice model, `(N, 1)`.
    pub(crate) fn choice(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        Self::load(root, &root.pp("classifier"), 1, config, device)
    }

    /// `(N, outputs)` for the `[CLS]` rows of N sequences, `(N, H)`.
    pub(crate) fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let rows = matrix(rows, self.width, &self.device)?;
        let pooled = self.pooler.forward(&rows)?.tanh()?;
        self.classifier.forward(&pooled)?.flatten_all()?.to_vec1()
    }
}

/// The masked-LM head, `predictions`: `(N, H)` to `(N, V)`, decoding with the word embeddings themselves.
#[derive(Debug, Clone)]
pub(crate) struct MaskedLm {
    dense: Linear,
    activation: Activation,
    layer_norm: LayerNorm,
    /// `(V, E)`, the tensor of the trunk, and `predictions.bias`.
    decoder: Linear,
    width: usize,
    device: Device,
}

impl MaskedLm {
    /// The head under `predictions.`.
    pub(crate) fn load(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        let (v, e, h) = (config.vocab_size, config.embedding_size, config.hidden_size);
        let vb = root.pp("predictions");
        let words = root.pp("albert").pp("embeddings").pp("word_embeddings");
        Ok(Self {
            dense: linear(&vb.pp("dense"), h, e)?,
            activation: config.hidden_act,
            layer_norm: layer_norm(&vb.pp("LayerNorm"), e, config)?,
            decoder: Linear::new(words.tensor("weight", &[v, e])?, Some(vb.tensor("bias", &[v])?)),
            width: h,
            device: device.clone(),
        })
    }

    /// One logit per piece of the vocabulary, `(N, V)`, for `rows: (N, H)`. Meant for few rows.
    pub(crate) fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let rows = matrix(rows, self.width, &self.device)?;
        let inner = self.activation.forward(&self.dense.forward(&rows)?)?;
        self.decoder.forward(&self.layer_norm.forward(&inner)?)?.flatten_all()?.to_vec1()
    }
}

/// Rows of the stored `weight`, which decide how many classes there are; 1 where it is missing, so that loading
/// it fails with the name.
fn rows_of(vb: &Scope) -> usize {
    vb.shape("weight").and_then(|shape| shape.first().copied()).unwrap_or(1)
}

fn matrix(rows: &[f32], width: usize, device: &Device) -> Result<Tensor> {
    Tensor::from_slice(rows, (rows.len() / width, width), device)
}
