//! AVX-512 with VNNI: 64 products of bytes in one instruction. It takes one side without a sign: the row, 128 added by
//! flipping the top bit; `128 · Σ query` is taken off at the end.

use std::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_sub_epi32,
    _mm512_xor_si512,
};

use super::{AHEAD, Codes, Rows, each_row, float_products, prefetch, scalar};

float_products!("avx512f,avx512bw,avx512vl,avx512dq");

const LANES: usize = 64;

/// See [`scalar::products`].
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn products(query: Codes<'_>, rows: Rows<'_>, which: &[u32], out: &mut [f32]) {
    let flip = _mm512_set1_epi8(i8::MIN);
    let offset = |sum, query, _| _mm512_dpbusd_epi32(sum, flip, query);
    let offset = fold(query.codes, query.codes, offset);
    each_row!(query, rows, which, out, |row: &[i8]| {
        let add = |sum, query, row| _mm512_dpbusd_epi32(sum, _mm512_xor_si512(row, flip), query);
        _mm512_reduce_add_epi32(_mm512_sub_epi32(fold(query.codes, row, add), offset))
    });
}

/// See [`scalar::dot`].
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    let flip = _mm512_set1_epi8(i8::MIN);
    let offset = fold(a, a, |sum, a, _| _mm512_dpbusd_epi32(sum, flip, a));
    let sum = fold(a, b, |sum, a, b| _mm512_dpbusd_epi32(sum, _mm512_xor_si512(b, flip), a));
    _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, offset))
}

/// Calls `add` with each 64 of `query` and `row`, the last filled up with zeros.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn fold(query: &[i8], row: &[i8], add: impl Fn(__m512i, __m512i, __m512i) -> __m512i) -> __m512i {
    let ((q_chunks, q_tail), (r_chunks, r_tail)) =
        (query.as_chunks::<LANES>(), row.as_chunks::<LANES>());
    let mut sum = _mm512_setzero_si512();
    for (q, r) in q_chunks.iter().zip(r_chunks) {
        // SAFETY: both hold 64 bytes.
        let (q, r) = unsafe {
            (_mm512_loadu_si512(q.as_ptr().cast()), _mm512_loadu_si512(r.as_ptr().cast()))
        };
        sum = add(sum, q, r);
    }
    if q_tail.is_empty() {
        return sum;
    }
    let mask = (1_u64 << q_tail.len().min(r_tail.len())) - 1;
    // SAFETY: the mask has a bit for each byte that both tails hold, and no more is read.
    let (q, r) = unsafe {
        (
            _mm512_maskz_loadu_epi8(mask, q_tail.as_ptr()),
            _mm512_maskz_loadu_epi8(mask, r_tail.as_ptr()),
        )
    };
    add(sum, q, r)
}
