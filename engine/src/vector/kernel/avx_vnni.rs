//! AVX-VNNI: 32 products of bytes in one instruction, for processors without AVX-512. As there, the row is made
//! unsigned by flipping the top bit, and `128 · Σ query` is taken off at the end.

use std::arch::x86_64::{
    __m256i, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_xor_si256,
};

use super::avx2::sum_of;
use super::{AHEAD, Codes, Rows, each_row, prefetch, scalar};

const LANES: usize = 32;

/// See [`scalar::products`].
#[target_feature(enable = "avx2,avxvnni")]
pub(super) fn products(query: Codes<'_>, rows: Rows<'_>, which: &[u32], out: &mut [f32]) {
    let (q_chunks, q_tail) = query.codes.as_chunks::<LANES>();
    let flip = _mm256_set1_epi8(i8::MIN);
    let mut sum = _mm256_setzero_si256();
    for q in q_chunks {
        sum = _mm256_dpbusd_avx_epi32(sum, flip, load(q));
    }
    let offset = sum_of(sum);
    each_row!(query, rows, which, out, |row: &[i8]| {
        let (r_chunks, r_tail) = row.as_chunks::<LANES>();
        let mut sum = _mm256_setzero_si256();
        for (q, r) in q_chunks.iter().zip(r_chunks) {
            sum = _mm256_dpbusd_avx_epi32(sum, _mm256_xor_si256(load(r), flip), load(q));
        }
        sum_of(sum).wrapping_sub(offset).wrapping_add(scalar::dot(q_tail, r_tail))
    });
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: &[i8; LANES]) -> __m256i {
    // SAFETY: 32 bytes are read, which the array holds.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}
