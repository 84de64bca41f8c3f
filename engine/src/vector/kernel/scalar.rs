//! The specification of the kernels: plain loops over fixed chunks, which the compiler turns into vector code.

use half::f16;

use super::{Codes, Rows};

/// Partial sums of a product with floats. Part of the specification: it fixes the order of additions.
const LANES: usize = 16;

/// The products of `query` with each of `which`.
pub(super) fn products(query: Codes<'_>, rows: Rows<'_>, which: &[u32], out: &mut [f32]) {
    for (&row, out) in which.iter().zip(out) {
        let row = rows.row(row);
        *out = dot(query.codes, row.codes) as f32 * query.scale * row.scale;
    }
}

/// `Σ a·b` of equally long rows; exact, since 128² · 65,536 fits.
#[inline(always)]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    let ((a_chunks, a_tail), (b_chunks, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0_i32; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((sum, &x), &y) in sums.iter_mut().zip(a).zip(b) {
            *sum += i32::from(i16::from(x) * i16::from(y));
        }
    }
    let tail = a_tail.iter().zip(b_tail).map(|(&x, &y)| i32::from(x) * i32::from(y));
    sums.iter().sum::<i32>() + tail.sum::<i32>()
}

/// `Σ query·row` of a query and a row of another type, summed in f32.
#[inline(always)]
fn dot_with<T: Copy>(query: &[f32], row: &[T], value: impl Fn(T) -> f32) -> f32 {
    let ((q_chunks, q_tail), (r_chunks, r_tail)) =
        (query.as_chunks::<LANES>(), row.as_chunks::<LANES>());
    let mut sums = [0_f32; LANES];
    for (q, r) in q_chunks.iter().zip(r_chunks) {
        for ((sum, &q), &r) in sums.iter_mut().zip(q).zip(r) {
            *sum += q * value(r);
        }
    }
    let tail = q_tail.iter().zip(r_tail).map(|(&q, &r)| q * value(r));
    sums.iter().sum::<f32>() + tail.sum::<f32>()
}

/// `Σ query·row` with int8 codes.
#[inline(always)]
pub(super) fn dot_codes(query: &[f32], row: &[i8]) -> f32 {
    dot_with(query, row, f32::from)
}

/// `Σ query·row` with f16.
#[inline(always)]
pub(super) fn dot_halves(query: &[f32], row: &[f16]) -> f32 {
    dot_with(query, row, widen)
}

/// `Σ query·row` with f32.
#[inline(always)]
pub(super) fn dot_floats(query: &[f32], row: &[f32]) -> f32 {
    dot_with(query, row, |r| r)
}

/// `half` as f32 in steps that vectorise: the exponent is moved up by a multiplication, which is exact and also right
/// for subnormal numbers.
#[inline(always)]
pub(super) fn widen(half: f16) -> f32 {
    let bits = u32::from(half.to_bits());
    let moved = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let special = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(moved.to_bits() | special | (bits & 0x8000) << 16)
}
