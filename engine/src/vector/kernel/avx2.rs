//! AVX2 (x86 since about 2013): bytes widened to 16 bits, products summed in pairs.

use std::arch::x86_64::{
    __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_shuffle_epi32,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256,
    _mm256_madd_epi16, _mm256_setzero_si256,
};

use super::{AHEAD, Codes, Rows, each_row, float_products, prefetch, scalar};

float_products!("avx2");

const LANES: usize = 16;

/// See [`scalar::products`].
#[target_feature(enable = "avx2")]
pub(super) fn products(query: Codes<'_>, rows: Rows<'_>, which: &[u32], out: &mut [f32]) {
    each_row!(query, rows, which, out, |row: &[i8]| dot(query.codes, row));
}

/// See [`scalar::dot`].
#[target_feature(enable = "avx2")]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    let ((a_chunks, a_tail), (b_chunks, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sum = _mm256_setzero_si256();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widened(a), widened(b)));
    }
    sum_of(sum).wrapping_add(scalar::dot(a_tail, b_tail))
}

#[target_feature(enable = "avx2")]
#[inline]
fn widened(bytes: &[i8; LANES]) -> __m256i {
    // SAFETY: 16 bytes are read, which the array holds.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// The sum of the eight lanes, wrapping.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn sum_of(lanes: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}
