//! What happens to one row at a time: layer normalisation, the weights of a softmax, activation.

use super::Activation;
use super::buffer::{Number, Rows};
use super::vector::{Vector, exp2, gelu_erf, gelu_tanh};

/// A LayerNorm's parameters (Ba et al. 2016, eq. 4).
#[derive(Debug)]
pub(super) struct LayerNorm {
    /// γ.
    pub(super) weight: Vec<f32>,
    /// β.
    pub(super) bias: Vec<f32>,
    /// Added to the variance.
    pub(super) epsilon: f32,
}

/// Copies all rows.
pub(super) fn copy<E: Number>(from: &Rows<E>, to: &mut Rows<E>) {
    for row in 0..from.rows {
        to.row_mut(row).copy_from_slice(from.row(row));
    }
}

/// `hidden` ← LayerNorm(`hidden` + `addition`), row by row.
#[inline(always)]
pub(super) fn normalise<V: Vector>(hidden: &mut Rows<f32>, addition: &Rows<f32>, norm: &LayerNorm) {
    for row in 0..hidden.rows {
        normalise_row::<V>(hidden.row_mut(row), addition.row(row), norm);
    }
}

/// One row of [`normalise`]: mean and variance in two passes over what then lies in the first-level cache.
#[inline(always)]
pub(super) fn normalise_row<V: Vector>(hidden: &mut [f32], addition: &[f32], norm: &LayerNorm) {
    let scale = 1.0 / hidden.len() as f32;
    let mut sum = V::splat(0.0);
    let (whole, rest) = hidden.split_at_mut(hidden.len() / V::LANES * V::LANES);
    let (whole_addition, rest_addition) = addition.split_at(whole.len());
    for (h, a) in whole.chunks_exact_mut(V::LANES).zip(whole_addition.chunks_exact(V::LANES)) {
        let x = V::load(h).add(V::load(a));
        sum = sum.add(x);
        x.store(h);
    }
    let x = V::load_up_to(rest, 0.0).add(V::load_up_to(rest_addition, 0.0));
    sum = sum.add(x);
    x.store_up_to(rest);
    let mean = sum.total() * scale;
    let mut squares = V::splat(0.0);
    for h in whole.chunks_exact(V::LANES) {
        let x = V::load(h).sub(V::splat(mean));
        squares = x.mul_add(x, squares);
    }
    // Lanes beyond the row hold the mean, and so add nothing.
    let x = V::load_up_to(rest, mean).sub(V::splat(mean));
    squares = x.mul_add(x, squares);
    let factor = V::splat(1.0 / (squares.total() * scale + norm.epsilon).sqrt());
    let (weight, rest_weight) = norm.weight.split_at(whole.len());
    let (bias, rest_bias) = norm.bias.split_at(whole.len());
    let parameters = weight.chunks_exact(V::LANES).zip(bias.chunks_exact(V::LANES));
    for (h, (weight, bias)) in whole.chunks_exact_mut(V::LANES).zip(parameters) {
        let x = V::load(h).sub(V::splat(mean)).mul(factor);
        x.mul_add(V::load(weight), V::load(bias)).store(h);
    }
    let x = V::load_up_to(rest, 0.0).sub(V::splat(mean)).mul(factor);
    x.mul_add(V::load_up_to(rest_weight, 0.0), V::load_up_to(rest_bias, 0.0)).store_up_to(rest);
}

/// Replaces scores, which are log₂ of weights, by weights relative to the largest, and returns their sum's inverse.
#[inline(always)]
pub(super) fn softmax<V: Vector>(scores: &mut [f32]) -> f32 {
    let mut largest = V::splat(f32::NEG_INFINITY);
    for chunk in scores.chunks(V::LANES) {
        largest = largest.max(V::load_up_to(chunk, f32::NEG_INFINITY));
    }
    let largest = V::splat(largest.largest());
    let mut sum = V::splat(0.0);
    let mut chunks = scores.chunks_exact_mut(V::LANES);
    for chunk in &mut chunks {
        let weight = exp2(V::load(chunk).sub(largest));
        weight.store(chunk);
        sum = sum.add(weight);
    }
    let mut sum = sum.total();
    let rest = chunks.into_remainder();
    if !rest.is_empty() {
        exp2(V::load_up_to(rest, 0.0).sub(largest)).store_up_to(rest);
        sum += rest.iter().sum::<f32>();
    }
    1.0 / sum
}

/// The activation of one vector.
#[inline(always)]
pub(super) fn activate<V: Vector>(x: V, activation: Activation) -> V {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(V::splat(0.0)),
        Activation::GeluTanh => gelu_tanh(x),
        Activation::Gelu => gelu_erf(x),
    }
}
