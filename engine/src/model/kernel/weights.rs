//! From a checkpoint's named tensors to packed layers.

use super::forward::Arithmetic;
use super::rows::LayerNorm;
use super::{Config, KernelError, Tensors};

/// The weights of one layer of a group.
#[derive(Debug)]
pub(super) struct Layer<W> {
    /// Query, key and value projections side by side; the query's gives scores as log₂ of weights.
    pub(super) projection: W,
    /// `attention.dense`.
    pub(super) dense: W,
    /// `attention.LayerNorm`.
    pub(super) attention_norm: LayerNorm,
    /// `ffn`.
    pub(super) ffn: W,
    /// `ffn_output`.
    pub(super) ffn_output: W,
    /// `full_layer_layer_norm`.
    pub(super) norm: LayerNorm,
}

/// The embedding tables and their projection to H.
#[derive(Debug)]
pub(super) struct Embeddings<W> {
    /// (vocabulary, E).
    pub(super) words: Vec<f32>,
    /// (positions, E).
    pub(super) positions: Vec<f32>,
    /// (types, E).
    pub(super) types: Vec<f32>,
    /// `LayerNorm`.
    pub(super) norm: LayerNorm,
    /// `embedding_hidden_mapping_in`.
    pub(super) mapping: W,
}

/// Refuses configurations that cannot be computed.
pub(super) fn check(config: &Config) -> Result<(), KernelError> {
    let sizes = [
        config.vocabulary,
        config.positions,
        config.types,
        config.embedding,
        config.hidden,
        config.heads,
        config.intermediate,
        config.layers,
        config.groups,
        config.inner_groups,
    ];
    if sizes.contains(&0) {
        return Err(KernelError::Config("every size must be at least 1"));
    }
    if !config.hidden.is_multiple_of(config.heads) {
        return Err(KernelError::Config("num_attention_heads must divide hidden_size"));
    }
    if config.groups > config.layers {
        return Err(KernelError::Config("num_hidden_groups must not exceed num_hidden_layers"));
    }
    Ok(())
}

fn tensor(tensors: Tensors<'_, '_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, KernelError> {
    let values = tensors(name, shape).ok_or_else(|| KernelError::Missing(name.to_owned()))?;
    let expected = shape.iter().product();
    if values.len() != expected {
        let (name, found) = (name.to_owned(), values.len());
        return Err(KernelError::Size { name, expected, found });
    }
    Ok(values.into_owned())
}

/// `name.weight` of `shape`, whose first dimension is the outputs, and `name.bias`, every number times `scale`.
fn affine(
    tensors: Tensors<'_, '_>,
    name: &str,
    shape: &[usize],
    scale: f32,
) -> Result<(Vec<f32>, Vec<f32>), KernelError> {
    let mut weight = tensor(tensors, &format!("{name}.weight"), shape)?;
    let mut bias = tensor(tensors, &format!("{name}.bias"), &shape[..1])?;
    weight.iter_mut().chain(&mut bias).for_each(|value| *value *= scale);
    Ok((weight, bias))
}

fn packed<A: Arithmetic>(
    tensors: Tensors<'_, '_>,
    name: &str,
    [outputs, inputs]: [usize; 2],
) -> Result<A::Weight, KernelError> {
    let (weight, bias) = affine(tensors, name, &[outputs, inputs], 1.0)?;
    Ok(A::pack(&weight, &bias, inputs))
}

fn norm(
    tensors: Tensors<'_, '_>,
    name: &str,
    width: usize,
    epsilon: f32,
) -> Result<LayerNorm, KernelError> {
    let (weight, bias) = affine(tensors, name, &[width], 1.0)?;
    Ok(LayerNorm { weight, bias, epsilon })
}

/// Reads and packs the embeddings.
pub(super) fn embeddings<A: Arithmetic>(
    config: &Config,
    tensors: Tensors<'_, '_>,
) -> Result<Embeddings<A::Weight>, KernelError> {
    let width = config.embedding;
    let table = |name: &str, rows: usize| {
        tensor(tensors, &format!("albert.embeddings.{name}_embeddings.weight"), &[rows, width])
    };
    Ok(Embeddings {
        words: table("word", config.vocabulary)?,
        positions: table("position", config.positions)?,
        types: table("token_type", config.types)?,
        norm: norm(tensors, "albert.embeddings.LayerNorm", width, config.epsilon)?,
        mapping: packed::<A>(
            tensors,
            "albert.encoder.embedding_hidden_mapping_in",
            [config.hidden, width],
        )?,
    })
}

/// Reads and packs layer `inner` of group `group`.
pub(super) fn layer<A: Arithmetic>(
    config: &Config,
    tensors: Tensors<'_, '_>,
    [group, inner]: [usize; 2],
) -> Result<Layer<A::Weight>, KernelError> {
    let prefix = format!("albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}");
    let name = |part: &str| format!("{prefix}.{part}");
    let (hidden, intermediate) = (config.hidden, config.intermediate);
    let head_size = (hidden / config.heads) as f32;
    let query_scale = std::f32::consts::LOG2_E / head_size.sqrt();
    let square = [hidden, hidden];
    let (mut weight, mut bias) = affine(tensors, &name("attention.query"), &square, query_scale)?;
    for part in ["attention.key", "attention.value"] {
        let (more_weight, more_bias) = affine(tensors, &name(part), &square, 1.0)?;
        weight.extend(more_weight);
        bias.extend(more_bias);
    }
    Ok(Layer {
        projection: A::pack(&weight, &bias, hidden),
        dense: packed::<A>(tensors, &name("attention.dense"), square)?,
        attention_norm: norm(tensors, &name("attention.LayerNorm"), hidden, config.epsilon)?,
        ffn: packed::<A>(tensors, &name("ffn"), [intermediate, hidden])?,
        ffn_output: packed::<A>(tensors, &name("ffn_output"), [hidden, intermediate])?,
        norm: norm(tensors, &name("full_layer_layer_norm"), hidden, config.epsilon)?,
    })
}
