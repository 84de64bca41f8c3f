//! Plain Rust, for processors without a path of their own: eight lanes in an array, which the compiler may turn
//! into whatever the target's baseline has (SSE2, NEON). The other lanes are tested against these.

use super::attention::{self, Heads};
use super::forward::{Activations, Arithmetic, Workspace};
use super::matmul::{self, Packed};
use super::rows::{self, LayerNorm};
use super::vector::Vector;
use super::{Activation, buffer::Rows};

/// f32 in plain Rust.
#[derive(Debug)]
pub(super) struct Scalar;

/// Eight lanes.
#[derive(Clone, Copy)]
pub(super) struct Lanes([f32; 8]);

impl Lanes {
    #[inline(always)]
    fn zip(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| operation(self.0[i], other.0[i])))
    }
}

impl Vector for Lanes {
    const LANES: usize = 8;
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 8])
    }
    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let mut lanes = [0.0; 8];
        lanes.copy_from_slice(&values[..8]);
        Self(lanes)
    }
    #[inline(always)]
    fn store(self, values: &mut [f32]) {
        values[..8].copy_from_slice(&self.0);
    }
    #[inline(always)]
    unsafe fn load_from(at: *const f32) -> Self {
        // SAFETY: the caller says eight values are readable; an array of f32 has the alignment of f32.
        Self(unsafe { *at.cast::<[f32; 8]>() })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        // Not f32::mul_add: without the instruction that is a library call per lane.
        self.mul(factor).add(term)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn reciprocal(self) -> Self {
        Self(self.0.map(|a| 1.0 / a))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(self.0.map(|a| f32::from_bits(a.to_bits().wrapping_add(127) << 23)))
    }
    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        Self(std::array::from_fn(|i| values[i] as f32))
    }
    #[inline(always)]
    fn round_up_to(self, out: &mut [i8]) {
        out.iter_mut().zip(self.0).for_each(|(out, x)| *out = x.round_ties_even() as i8);
    }
    #[inline(always)]
    fn total(self) -> f32 {
        self.0.iter().sum()
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        self.0.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// Rows and vectors of one register tile; the panels of [`matmul::pack`] follow from it.
const ROWS: usize = 4;
const COLUMNS: usize = 1;

impl Arithmetic for Scalar {
    type Element = f32;
    type Operand = Rows<f32>;
    type Weight = Packed<f32>;

    fn activations(workspace: &mut Workspace) -> &mut Activations<f32, Rows<f32>> {
        &mut workspace.single
    }

    fn pack(weight: &[f32], bias: &[f32], inputs: usize) -> Packed<f32> {
        matmul::pack(weight, bias, inputs, COLUMNS * Lanes::LANES)
    }
    fn stride(width: usize) -> usize {
        width
    }
    fn shape(operand: &mut Rows<f32>, rows: usize, width: usize) {
        operand.shape(rows, width, Self::stride(width));
    }
    fn attended<'a>(context: &'a Rows<f32>, _: &'a mut Rows<f32>) -> &'a Rows<f32> {
        context
    }
    fn convert(from: &Rows<f32>, to: &mut Rows<f32>) {
        rows::copy(from, to);
    }
    fn linear(x: &Rows<f32>, weight: &Packed<f32>, out: &mut Rows<f32>) {
        matmul::linear::<Lanes, ROWS, COLUMNS>(x, weight, Activation::Identity, out);
    }
    fn project(x: &Rows<f32>, weight: &Packed<f32>, out: &mut Rows<f32>) {
        matmul::linear::<Lanes, ROWS, COLUMNS>(x, weight, Activation::Identity, out);
    }
    fn expand(x: &Rows<f32>, weight: &Packed<f32>, activation: Activation, out: &mut Rows<f32>) {
        matmul::linear::<Lanes, ROWS, COLUMNS>(x, weight, activation, out);
    }
    fn attention(heads: Heads<'_, f32>, out: &mut Rows<f32>) {
        attention::attention::<Lanes, ROWS, COLUMNS>(heads, out);
    }
    fn normalise(
        hidden: &mut Rows<f32>,
        addition: &Rows<f32>,
        norm: &LayerNorm,
        operand: &mut Rows<f32>,
    ) {
        rows::normalise::<Lanes>(hidden, addition, norm);
        rows::copy(hidden, operand);
    }
}

super::integer::integer_arithmetic! {
    /// int8 in plain Rust.
    ScalarInt8, [], super::integer::Plain, super::scalar::Lanes,
    attention: super::scalar::Scalar, f32, integer, |sum, out| sum.store_up_to(out), |x| x
}
