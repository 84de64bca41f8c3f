//! The trunk of ALBERT (Lan et al. 2020, <https://arxiv.org/abs/1909.11942>): factorised embeddings (E), a
//! projection to the hidden width (H), and layer groups applied again and again. One struct per block, fields
//! under the names of the checkpoint.
//!
//! [`Albert::forward`] is one of the back ends of [`super::trunk`]: packed token ids in, packed hidden states out
//! as plain numbers. candle pads, masks and computes behind it.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, ops::softmax_last_dim};

use super::config::{Activation, Config};
use super::weights::Scope;
use crate::OpenError;

/// One token sequence, special tokens included: `ids` and `types` of the same length, at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sequence<'a> {
    /// Token ids, below the vocabulary size.
    pub(crate) ids: &'a [u32],
    /// Token types, below the type vocabulary size.
    pub(crate) types: &'a [u8],
}

/// Hidden states of several sequences, one after the other without padding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hidden {
    /// `(ΣT, H)`, row by row.
    values: Vec<f32>,
    /// First value of each sequence, and the end of the last.
    offsets: Vec<usize>,
}

impl Hidden {
    /// The rows of several sequences, which have `lengths` values each.
    pub(crate) fn new(values: Vec<f32>, lengths: impl Iterator<Item = usize>) -> Self {
        let ends = lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Self { values, offsets: std::iter::once(0).chain(ends).collect() }
    }

    /// Hidden states of sequence `index`, `(T, H)`.
    pub(crate) fn sequence(&self, index: usize) -> &[f32] {
        &self.values[self.offsets[index]..self.offsets[index + 1]]
    }
}

/// The trunk: token ids to hidden states.
#[derive(Debug, Clone)]
pub(crate) struct Albert {
    embeddings: Embeddings,
    encoder: Encoder,
    device: Device,
}

impl Albert {
    /// The trunk under `albert.`.
    pub(crate) fn load(root: &Scope, config: &Config, device: &Device) -> Loaded<Self> {
        let vb = root.pp("albert");
        Ok(Self {
            embeddings: Embeddings::load(&vb.pp("embeddings"), config)?,
            encoder: Encoder::load(&vb.pp("encoder"), config)?,
            device: device.clone(),
        })
    }

    /// Hidden states of `sequences`, which the caller has sorted and cut so that padding them to the longest
    /// is bearable.
    pub(crate) fn forward(&self, sequences: &[Sequence]) -> Result<Hidden> {
        let longest = sequences.iter().map(|s| s.ids.len()).max().unwrap_or(0);
        if longest == 0 {
            return Ok(Hidden { values: Vec::new(), offsets: vec![0; sequences.len() + 1] });
        }
        let padded = Padded::new(sequences, longest, &self.device)?;
        let hidden = self.embeddings.forward(&padded)?;
        let hidden = self.encoder.forward(&hidden, padded.mask.as_ref())?;
        let width = hidden.dim(D::Minus1)?;
        let all = hidden.flatten_all()?.to_vec1::<f32>()?;
        let mut packed = Hidden { values: Vec::with_capacity(all.len()), offsets: vec![0] };
        for (sequence, rows) in sequences.iter().zip(all.chunks_exact(longest * width)) {
            packed.values.extend_from_slice(&rows[..sequence.ids.len() * width]);
            packed.offsets.push(packed.values.len());
        }
        Ok(packed)
    }
}

/// A block, or the tensor that kept it from being loaded.
pub(crate) type Loaded<T> = std::result::Result<T, OpenError>;

/// Sequences as a rectangle.
struct Padded {
    /// `(B, T)` u32.
    ids: Tensor,
    /// `(B, T)` u32.
    types: Tensor,
    /// `(B, 1, 1, T)`: 0 for tokens, −∞ for padding; `None` without padding.
    mask: Option<Tensor>,
}

impl Padded {
    fn new(sequences: &[Sequence], longest: usize, device: &Device) -> Result<Self> {
        let shape = (sequences.len(), longest);
        let mut ids = vec![0u32; shape.0 * shape.1];
        let mut types = vec![0u32; shape.0 * shape.1];
        let mut mask = vec![f32::NEG_INFINITY; shape.0 * shape.1];
        for (row, sequence) in sequences.iter().enumerate() {
            let start = row * longest;
            let row = start..start + sequence.ids.len();
            ids[row.clone()].copy_from_slice(sequence.ids);
            mask[row.clone()].fill(0.0);
            for (to, from) in types[row].iter_mut().zip(sequence.types) {
                *to = (*from).into();
            }
        }
        let padded = sequences.iter().any(|s| s.ids.len() < longest);
        Ok(Self {
            ids: Tensor::from_vec(ids, shape, device)?,
            types: Tensor::from_vec(types, shape, device)?,
            mask: if padded {
                Some(Tensor::from_vec(mask, (shape.0, 1, 1, shape.1), device)?)
            } else {
                None
            },
        })
    }
}

/// Word, position and type embeddings, summed and normalised: `(B, T)` to `(B, T, E)`.
#[derive(Debug, Clone)]
struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    token_type_embeddings: Tensor,
    layer_norm: LayerNorm,
}

impl Embeddings {
    fn load(vb: &Scope, config: &Config) -> Loaded<Self> {
        let e = config.embedding_size;
        let table = |name: &str, rows: usize| vb.pp(name).tensor("weight", &[rows, e]);
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", config.type_vocab_size)?,
            layer_norm: layer_norm(&vb.pp("LayerNorm"), e, config)?,
        })
    }

    fn forward(&self, input: &Padded) -> Result<Tensor> {
        let (_, length) = input.ids.dims2()?;
        let look_up = |table: &Tensor, ids: &Tensor| {
            table.index_select(&ids.flatten_all()?, 0)?.reshape((ids.dim(0)?, length, ()))
        };
        let words = look_up(&self.word_embeddings, &input.ids)?;
        let types = look_up(&self.token_type_embeddings, &input.types)?;
        let positions = self.position_embeddings.narrow(0, 0, length)?;
        self.layer_norm.forward(&(words + types)?.broadcast_add(&positions)?)
    }
}

/// The projection to H and the passes over the layer groups: `(B, T, E)` to `(B, T, H)`.
#[derive(Debug, Clone)]
struct Encoder {
    embedding_hidden_mapping_in: Linear,
    albert_layer_groups: Vec<Vec<Layer>>,
    /// Group of each pass.
    passes: Vec<usize>,
}

impl Encoder {
    fn load(vb: &Scope, config: &Config) -> Loaded<Self> {
        let (e, h) = (config.embedding_size, config.hidden_size);
        let group = |g: usize| {
            let vb = vb.pp("albert_layer_groups").pp(g).pp("albert_layers");
            (0..config.inner_group_num).map(|i| Layer::load(&vb.pp(i), config)).collect()
        };
        Ok(Self {
            embedding_hidden_mapping_in: linear(&vb.pp("embedding_hidden_mapping_in"), e, h)?,
            albert_layer_groups: (0..config.num_hidden_groups).map(group).collect::<Loaded<_>>()?,
            passes: (0..config.num_hidden_layers).map(|pass| config.group_of(pass)).collect(),
        })
    }

    fn forward(&self, embedded: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let mut hidden = self.embedding_hidden_mapping_in.forward(embedded)?;
        for &group in &self.passes {
            for layer in &self.albert_layer_groups[group] {
                hidden = layer.forward(&hidden, mask)?;
            }
        }
        Ok(hidden)
    }
}

/// One post-norm transformer layer, `(B, T, H)` to `(B, T, H)`.
#[derive(Debug, Clone)]
struct Layer {
    attention: Attention,
    ffn: Linear,
    activation: Activation,
    ffn_output: Linear,
    full_layer_layer_norm: LayerNorm,
}

impl Layer {
    fn load(vb: &Scope, config: &Config) -> Loaded<Self> {
        let (h, f) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attention: Attention::load(&vb.pp("attention"), config)?,
            ffn: linear(&vb.pp("ffn"), h, f)?,
            activation: config.hidden_act,
            ffn_output: linear(&vb.pp("ffn_output"), f, h)?,
            full_layer_layer_norm: layer_norm(&vb.pp("full_layer_layer_norm"), h, config)?,
        })
    }

    fn forward(&self, hidden: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let attended = self.attention.forward(hidden, mask)?;
        let inner = self.activation.forward(&self.ffn.forward(&attended)?)?;
        self.full_layer_layer_norm.forward(&(self.ffn_output.forward(&inner)? + attended)?)
    }
}

/// Multi-head self-attention with its residual and norm, `(B, T, H)` to `(B, T, H)`.
#[derive(Debug, Clone)]
struct Attention {
    /// query, key and value in one matrix, `(3H, H)`.
    query_key_value: Linear,
    dense: Linear,
    layer_norm: LayerNorm,
    heads: usize,
    head_size: usize,
}

impl Attention {
    fn load(vb: &Scope, config: &Config) -> Loaded<Self> {
        let h = config.hidden_size;
        let [query, key, value] = ["query", "key", "value"].map(|name| linear(&vb.pp(name), h, h));
        Ok(Self {
            query_key_value: stacked([&query?, &key?, &value?])
                .expect("the three matrices have one shape and one device"),
            dense: linear(&vb.pp("dense"), h, h)?,
            layer_norm: layer_norm(&vb.pp("LayerNorm"), h, config)?,
            heads: config.num_attention_heads,
            head_size: config.head_size(),
        })
    }

    fn forward(&self, hidden: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (batch, length, width) = hidden.dims3()?;
        let parts = self
            .query_key_value
            .forward(hidden)?
            .reshape((batch, length, 3, self.heads, self.head_size))?
            .permute((2, 0, 3, 1, 4))?
            .contiguous()?; // (3, B, heads, T, head size)
        let query = (parts.get(0)? * (self.head_size as f64).sqrt().recip())?;
        let scores = query.matmul(&parts.get(1)?.t()?)?; // (B, heads, T, T)
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let context = softmax_last_dim(&scores)?.matmul(&parts.get(2)?)?;
        let context = context.transpose(1, 2)?.reshape((batch, length, width))?;
        self.layer_norm.forward(&(self.dense.forward(&context)? + hidden)?)
    }
}

impl Activation {
    /// The activation of every value.
    pub(crate) fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluNew => x.gelu(), // candle's `gelu` is the tanh form
            Self::Relu => x.relu(),
        }
    }
}

/// `weight: (to, from)`, `bias: (to)`.
pub(crate) fn linear(vb: &Scope, from: usize, to: usize) -> Loaded<Linear> {
    Ok(Linear::new(vb.tensor("weight", &[to, from])?, Some(vb.tensor("bias", &[to])?)))
}

/// `weight` and `bias`: `(width)`.
pub(crate) fn layer_norm(vb: &Scope, width: usize, config: &Config) -> Loaded<LayerNorm> {
    let (weight, bias) = (vb.tensor("weight", &[width])?, vb.tensor("bias", &[width])?);
    Ok(LayerNorm::new(weight, bias, config.layer_norm_eps))
}

/// One layer that computes what the three do, side by side.
fn stacked(layers: [&Linear; 3]) -> Result<Linear> {
    let weights: Vec<_> = layers.iter().map(|l| l.weight()).collect();
    let biases: Vec<_> = layers.iter().filter_map(|l| l.bias()).collect();
    Ok(Linear::new(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?)))
}
