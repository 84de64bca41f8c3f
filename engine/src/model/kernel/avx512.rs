//! f32 with AVX-512 (F): sixteen lanes, tiles of 8 rows × 48 columns in twenty-four registers.

#[allow(clippy::wildcard_imports, reason = "intrinsics, named as in the processor's manual")]
use std::arch::x86_64::*;

use super::attention::{self, Heads};
use super::forward::{Activations, Arithmetic, Workspace};
use super::matmul::{self, Packed};
use super::rows::{self, LayerNorm};
use super::vector::Vector;
use super::{Activation, buffer::Rows};

/// f32 with AVX-512.
#[derive(Debug)]
pub(super) struct Avx512;

/// Sixteen lanes in one register.
#[derive(Clone, Copy)]
pub(super) struct Lanes(pub(super) __m512);

macro_rules! with_avx512 {
    ($expression:expr) => {{
        // SAFETY: `Lanes` and `Avx512` are used only after `Implementation::available` found AVX-512F; slices
        // were checked to hold sixteen values, pointers are under the caller's obligation.
        unsafe { $expression }
    }};
}

impl Vector for Lanes {
    const LANES: usize = 16;
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(with_avx512!(_mm512_set1_ps(value)))
    }
    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..16];
        Self(with_avx512!(_mm512_loadu_ps(values.as_ptr())))
    }
    #[inline(always)]
    fn store(self, values: &mut [f32]) {
        let values = &mut values[..16];
        with_avx512!(_mm512_storeu_ps(values.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    unsafe fn load_from(at: *const f32) -> Self {
        Self(with_avx512!(_mm512_loadu_ps(at)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(with_avx512!(_mm512_add_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(with_avx512!(_mm512_sub_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(with_avx512!(_mm512_mul_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(with_avx512!(_mm512_fmadd_ps(self.0, factor.0, term.0)))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(with_avx512!(_mm512_max_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(with_avx512!(_mm512_min_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn reciprocal(self) -> Self {
        Self(with_avx512!({
            // 14 bits, then one Newton step.
            let guess = _mm512_rcp14_ps(self.0);
            let error = _mm512_fnmadd_ps(self.0, guess, _mm512_set1_ps(1.0));
            _mm512_fmadd_ps(guess, error, guess)
        }))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(with_avx512!(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(
            _mm512_castps_si512(self.0),
            _mm512_set1_epi32(127)
        )))))
    }
    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..16];
        Self(with_avx512!(_mm512_cvtepi32_ps(_mm512_loadu_si512(values.as_ptr().cast()))))
    }
    #[inline(always)]
    fn round_up_to(self, out: &mut [i8]) {
        let mask = u16::MAX >> (16 - out.len().min(16));
        // The mask keeps the store within `out`.
        with_avx512!(_mm512_mask_cvtsepi32_storeu_epi8(
            out.as_mut_ptr(),
            mask,
            _mm512_cvtps_epi32(self.0)
        ));
    }
    #[inline(always)]
    fn total(self) -> f32 {
        with_avx512!(_mm512_reduce_add_ps(self.0))
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        with_avx512!(_mm512_reduce_max_ps(self.0))
    }
}

/// Rows and vectors of one register tile.
const ROWS: usize = 8;
const COLUMNS: usize = 3;

#[target_feature(enable = "avx512f")]
fn linear(x: &Rows<f32>, weight: &Packed<f32>, activation: Activation, out: &mut Rows<f32>) {
    matmul::linear::<Lanes, ROWS, COLUMNS>(x, weight, activation, out);
}

#[target_feature(enable = "avx512f")]
fn attend(heads: Heads<'_, f32>, out: &mut Rows<f32>) {
    attention::attention::<Lanes, ROWS, 2>(heads, out);
}

#[target_feature(enable = "avx512f")]
fn normalise(hidden: &mut Rows<f32>, addition: &Rows<f32>, norm: &LayerNorm) {
    rows::normalise::<Lanes>(hidden, addition, norm);
}

impl Arithmetic for Avx512 {
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
        with_avx512!(linear(x, weight, Activation::Identity, out));
    }
    fn project(x: &Rows<f32>, weight: &Packed<f32>, out: &mut Rows<f32>) {
        with_avx512!(linear(x, weight, Activation::Identity, out));
    }
    fn expand(x: &Rows<f32>, weight: &Packed<f32>, activation: Activation, out: &mut Rows<f32>) {
        with_avx512!(linear(x, weight, activation, out));
    }
    fn attention(heads: Heads<'_, f32>, out: &mut Rows<f32>) {
        with_avx512!(attend(heads, out));
    }
    fn normalise(
        hidden: &mut Rows<f32>,
        addition: &Rows<f32>,
        norm: &LayerNorm,
        operand: &mut Rows<f32>,
    ) {
        with_avx512!(normalise(hidden, addition, norm));
        rows::copy(hidden, operand);
    }
}
