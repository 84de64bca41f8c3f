//! f32 with AVX2 and FMA (x86 since about 2013): eight lanes, tiles of 4 rows × 24 columns in twelve registers.

#[allow(clippy::wildcard_imports, reason = "intrinsics, named as in the processor's manual")]
use std::arch::x86_64::*;

use super::attention::{self, Heads};
use super::forward::{Activations, Arithmetic, Workspace};
use super::matmul::{self, Packed};
use super::rows::{self, LayerNorm};
use super::vector::Vector;
use super::{Activation, buffer::Rows};

/// f32 with AVX2 and FMA.
#[derive(Debug)]
pub(super) struct Avx2;

/// Eight lanes in one register.
#[derive(Clone, Copy)]
pub(super) struct Lanes(__m256);

macro_rules! with_avx2 {
    ($expression:expr) => {{
        // SAFETY: `Lanes` and `Avx2` are used only after `Implementation::available` found AVX2 and FMA; slices
        // were checked to hold eight values, pointers are under the caller's obligation.
        unsafe { $expression }
    }};
}

impl Vector for Lanes {
    const LANES: usize = 8;
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(with_avx2!(_mm256_set1_ps(value)))
    }
    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..8];
        Self(with_avx2!(_mm256_loadu_ps(values.as_ptr())))
    }
    #[inline(always)]
    fn store(self, values: &mut [f32]) {
        let values = &mut values[..8];
        with_avx2!(_mm256_storeu_ps(values.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    unsafe fn load_from(at: *const f32) -> Self {
        Self(with_avx2!(_mm256_loadu_ps(at)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(with_avx2!(_mm256_add_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(with_avx2!(_mm256_sub_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(with_avx2!(_mm256_mul_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(with_avx2!(_mm256_fmadd_ps(self.0, factor.0, term.0)))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(with_avx2!(_mm256_max_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(with_avx2!(_mm256_min_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn reciprocal(self) -> Self {
        Self(with_avx2!(_mm256_div_ps(_mm256_set1_ps(1.0), self.0)))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(with_avx2!(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(
            _mm256_castps_si256(self.0),
            _mm256_set1_epi32(127)
        )))))
    }
    #[inline(always)]
    fn from_integers(values: &[i32]) -> Self {
        let values = &values[..8];
        Self(with_avx2!(_mm256_cvtepi32_ps(_mm256_loadu_si256(values.as_ptr().cast()))))
    }
    #[inline(always)]
    fn round_up_to(self, out: &mut [i8]) {
        let mut lanes = [0_i32; 8];
        with_avx2!(_mm256_storeu_si256(lanes.as_mut_ptr().cast(), _mm256_cvtps_epi32(self.0)));
        out.iter_mut().zip(lanes).for_each(|(out, lane)| *out = lane as i8);
    }
    #[inline(always)]
    fn total(self) -> f32 {
        with_avx2!({
            let halves =
                _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
            _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        })
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        with_avx2!({
            let halves =
                _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let pairs = _mm_max_ps(halves, _mm_movehl_ps(halves, halves));
            _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        })
    }
}

/// Rows and vectors of one register tile.
const ROWS: usize = 4;
const COLUMNS: usize = 3;

#[target_feature(enable = "avx2,fma")]
fn linear(x: &Rows<f32>, weight: &Packed<f32>, activation: Activation, out: &mut Rows<f32>) {
    matmul::linear::<Lanes, ROWS, COLUMNS>(x, weight, activation, out);
}

#[target_feature(enable = "avx2,fma")]
fn attend(heads: Heads<'_, f32>, out: &mut Rows<f32>) {
    attention::attention::<Lanes, ROWS, 2>(heads, out);
}

#[target_feature(enable = "avx2,fma")]
fn normalise(hidden: &mut Rows<f32>, addition: &Rows<f32>, norm: &LayerNorm) {
    rows::normalise::<Lanes>(hidden, addition, norm);
}

impl Arithmetic for Avx2 {
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
        with_avx2!(linear(x, weight, Activation::Identity, out));
    }
    fn project(x: &Rows<f32>, weight: &Packed<f32>, out: &mut Rows<f32>) {
        with_avx2!(linear(x, weight, Activation::Identity, out));
    }
    fn expand(x: &Rows<f32>, weight: &Packed<f32>, activation: Activation, out: &mut Rows<f32>) {
        with_avx2!(linear(x, weight, activation, out));
    }
    fn attention(heads: Heads<'_, f32>, out: &mut Rows<f32>) {
        with_avx2!(attend(heads, out));
    }
    fn normalise(
        hidden: &mut Rows<f32>,
        addition: &Rows<f32>,
        norm: &LayerNorm,
        operand: &mut Rows<f32>,
    ) {
        with_avx2!(normalise(hidden, addition, norm));
        rows::copy(hidden, operand);
    }
}
