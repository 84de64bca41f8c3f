//! Attention of one sequence on the tile unit, head by head: as `attention`, with keys and values packed to bf16
//! panels, scores and softmax in f32, and the softmax's weights rounded to bf16 for the second product.

#[allow(clippy::wildcard_imports, reason = "intrinsics, named as in the processor's manual")]
use std::arch::x86_64::*;

use super::amx::{Block, COLUMNS, PANEL_STEP, STEP, product, store_rounded};
use super::attention::Heads;
use super::avx512::Lanes;
use super::buffer::{ROW_BLOCK, Rows};
use super::vector::{Vector, exp2};

/// Writes the context of every position of the sequence into the same rows of `out`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) fn attention(mut heads: Heads<'_, u16>, out: &mut Rows<u16>) {
    let (length, depth) = (heads.length.next_multiple_of(STEP), heads.size.next_multiple_of(STEP));
    let scratch = &mut *heads.scratch;
    scratch.queries.reserve(length * depth);
    scratch.keys.reserve(length * depth);
    scratch.values.reserve(length * depth);
    scratch.scores.reserve(ROW_BLOCK * length);
    scratch.weights.reserve(ROW_BLOCK * length);
    for head in 0..heads.count {
        pack_queries_and_keys(&mut heads, head);
        pack_values(&mut heads, head);
        for first in (0..heads.length).step_by(ROW_BLOCK) {
            attend(&mut heads, head, first, out);
        }
    }
}

/// Up to 32 numbers; zero beyond.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load_line(values: &[u16]) -> __m512i {
    let mask = match values.len() {
        0 => 0,
        count => u32::MAX >> (32 - count.min(32)),
    };
    // SAFETY: the mask keeps the load within `values`.
    unsafe { _mm512_maskz_loadu_epi16(mask, values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_line(line: __m512i, out: &mut [u16]) {
    let out = &mut out[..32];
    // SAFETY: `out` has room for 64 bytes.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), line) };
}

/// Queries to rows of a whole number of steps; keys to panels whose columns are positions. Zero beyond the
/// sequence and beyond the head's dimensions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn pack_queries_and_keys(heads: &mut Heads<'_, u16>, head: usize) {
    let (size, depth) = (heads.size, heads.size.next_multiple_of(STEP));
    let key_offset = heads.count * size;
    let queries = heads.scratch.queries.as_mut_slice();
    let keys = heads.scratch.keys.as_mut_slice();
    for first in (0..heads.length.next_multiple_of(STEP)).step_by(16) {
        for at in (0..depth).step_by(STEP) {
            let mut lines = [_mm512_setzero_si512(); 16];
            for (t, line) in lines.iter_mut().enumerate() {
                let query = &mut queries[(first + t) * depth + at..];
                if first + t < heads.length {
                    let row = &heads.projected.row(heads.start + first + t)[head * size..];
                    store_line(load_line(&row[at..size]), query);
                    *line = load_line(&row[key_offset..][at..size]);
                } else {
                    store_line(*line, query);
                }
            }
            let tile = (first / COLUMNS * (depth / STEP) + at / STEP) * 2 + first / 16 % 2;
            let tile = &mut keys[tile * 512..][..512];
            for (line, out) in transpose(lines).into_iter().zip(tile.chunks_exact_mut(32)) {
                store_line(line, out);
            }
        }
    }
}

/// Swaps rows and columns of 16 × 16 pairs.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let mut fours = rows;
    for (out, four) in fours.chunks_exact_mut(4).zip(rows.chunks_exact(4)) {
        let (low, high) =
            (_mm512_unpacklo_epi32(four[0], four[1]), _mm512_unpackhi_epi32(four[0], four[1]));
        let (low2, high2) =
            (_mm512_unpacklo_epi32(four[2], four[3]), _mm512_unpackhi_epi32(four[2], four[3]));
        out[0] = _mm512_unpacklo_epi64(low, low2);
        out[1] = _mm512_unpackhi_epi64(low, low2);
        out[2] = _mm512_unpacklo_epi64(high, high2);
        out[3] = _mm512_unpackhi_epi64(high, high2);
    }
    // fours[4g + j] now holds, in its 128-bit part p, column 4p + j of rows 4g..4g + 4.
    let mut columns = fours;
    for j in 0..4 {
        let (a, b, c, d) = (fours[j], fours[4 + j], fours[8 + j], fours[12 + j]);
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xDD>(a, b));
        let (even2, odd2) =
            (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xDD>(c, d));
        columns[j] = _mm512_shuffle_i32x4::<0x88>(even, even2);
        columns[4 + j] = _mm512_shuffle_i32x4::<0x88>(odd, odd2);
        columns[8 + j] = _mm512_shuffle_i32x4::<0xDD>(even, even2);
        columns[12 + j] = _mm512_shuffle_i32x4::<0xDD>(odd, odd2);
    }
    columns
}

/// Values to panels whose inputs are positions and whose columns are the head's dimensions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn pack_values(heads: &mut Heads<'_, u16>, head: usize) {
    let (size, length) = (heads.size, heads.length);
    let steps = length.div_ceil(STEP);
    let offset = 2 * heads.count * size + head * size;
    let values = heads.scratch.values.as_mut_slice();
    for t in (0..steps * STEP).step_by(2) {
        let row = |t: usize| match t < length {
            true => &heads.projected.row(heads.start + t)[offset..][..size],
            false => &[],
        };
        let (even, odd) = (row(t), row(t + 1));
        for at in (0..size).step_by(COLUMNS) {
            let even = load_line(even.get(at..).unwrap_or(&[]));
            let odd = load_line(odd.get(at..).unwrap_or(&[]));
            let tiles = (at / COLUMNS * steps + t / STEP) * PANEL_STEP + t % STEP / 2 * 32;
            // Dimension c of the even position beside that of the odd one.
            let low = _mm512_permutex2var_epi16(even, interleave(0), odd);
            let high = _mm512_permutex2var_epi16(even, interleave(16), odd);
            store_line(low, &mut values[tiles..]);
            store_line(high, &mut values[tiles + 512..]);
        }
    }
}

/// Places `from`, `from` of the other, `from` + 1, … for [`_mm512_permutex2var_epi16`].
#[inline]
#[target_feature(enable = "avx512f")]
fn interleave(from: i32) -> __m512i {
    let pairs = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    let low = _mm512_add_epi32(pairs, _mm512_set1_epi32(from));
    // Bit 5 of a place names the second source.
    _mm512_or_si512(low, _mm512_slli_epi32::<16>(_mm512_or_si512(low, _mm512_set1_epi32(32))))
}

/// The context of up to 32 queries from `first` in one head.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn attend(heads: &mut Heads<'_, u16>, head: usize, first: usize, out: &mut Rows<u16>) {
    let (length, size) = (heads.length, heads.size);
    let (padded, depth) = (length.next_multiple_of(STEP), size.next_multiple_of(STEP));
    let count = ROW_BLOCK.min(length - first);
    let row_tiles = count.div_ceil(16);
    let scratch = &mut *heads.scratch;
    let queries = &scratch.queries.as_slice()[first * depth..][..ROW_BLOCK * depth];
    let scores = &mut scratch.scores.as_mut_slice()[..ROW_BLOCK * padded];
    let key_panels = scratch.keys.as_slice().chunks_exact(depth * COLUMNS);
    for (panel, at) in key_panels.zip((0..length).step_by(COLUMNS)) {
        let rows = (queries.as_ptr(), depth * 2, row_tiles);
        // SAFETY: `forward` has called `begin`; 32 rows of queries and of scores and the panel are whole, and
        // `at` + 32 ≤ `padded`.
        unsafe {
            let scores = (scores.as_mut_ptr().add(at), padded * 4);
            product(rows, panel.as_ptr(), depth / STEP, scores);
        }
    }
    let weights = &mut scratch.weights.as_mut_slice()[..ROW_BLOCK * padded];
    let mut inverse = [0.0; ROW_BLOCK];
    let rows = scores.chunks_exact(padded).zip(weights.chunks_exact_mut(padded));
    for ((scores, weights), inverse) in rows.zip(&mut inverse).take(count) {
        *inverse = softmax(&scores[..length], weights);
    }
    let mut block = Block([0.0; ROW_BLOCK * COLUMNS]);
    let value_panels = scratch.values.as_slice().chunks_exact(padded * COLUMNS);
    for (panel, at) in value_panels.zip((0..size).step_by(COLUMNS)) {
        let rows = (weights.as_ptr(), padded * 2, row_tiles);
        // SAFETY: as above; the block has 32 rows of 32 sums.
        unsafe {
            product(rows, panel.as_ptr(), padded / STEP, (block.0.as_mut_ptr(), COLUMNS * 4));
        }
        for (r, sums) in block.0.chunks_exact(COLUMNS).enumerate().take(count) {
            let factor = Lanes::splat(inverse[r]);
            let context = &mut out.row_mut(heads.start + first + r)[head * size..][..size][at..];
            for (sums, context) in sums.chunks_exact(16).zip(context.chunks_mut(16)) {
                store_rounded(Lanes::load(sums).mul(factor), context);
            }
        }
    }
}

/// Writes weights relative to the largest, zero beyond the scores, and returns the inverse of their sum.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn softmax(scores: &[f32], weights: &mut [u16]) -> f32 {
    let mut largest = Lanes::splat(f32::NEG_INFINITY);
    for chunk in scores.chunks(16) {
        largest = largest.max(Lanes::load_up_to(chunk, f32::NEG_INFINITY));
    }
    let largest = Lanes::splat(largest.largest());
    let mut sum = Lanes::splat(0.0);
    weights[scores.len() / 16 * 16..].fill(0);
    let mut chunks = scores.chunks_exact(16);
    let mut written = 0;
    for (chunk, weights) in (&mut chunks).zip(weights.chunks_exact_mut(16)) {
        let weight = exp2(Lanes::load(chunk).sub(largest));
        sum = sum.add(weight);
        store_rounded(weight, weights);
        written += 16;
    }
    let mut sum = sum.total();
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let weight = exp2(Lanes::load_up_to(rest, f32::NEG_INFINITY).sub(largest));
        store_rounded(weight, &mut weights[written..written + rest.len()]);
        let mut lanes = [0.0; 16];
        weight.store(&mut lanes);
        sum += lanes[..rest.len()].iter().sum::<f32>();
    }
    1.0 / sum
}
