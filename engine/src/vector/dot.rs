//! Dot products over rows: plain loops over fixed chunks that the compiler turns into vector code.
//! Kernels with intrinsics belong beside this file and must equal these bit for bit where integers are summed.

use half::f16;

const LANES: usize = 16;

/// `Σ a·b` of equally long rows; exact, since 127² · 65,536 fits.
#[inline]
pub(super) fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
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

/// `Σ a·b` of a query and a row of another type, summed in f32.
#[inline]
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

/// `Σ query·row` with an int8 row.
#[inline]
pub(super) fn dot_f32_i8(query: &[f32], row: &[i8]) -> f32 {
    dot_with(query, row, f32::from)
}

/// `Σ query·row` with an f16 row.
#[inline]
pub(super) fn dot_f32_f16(query: &[f32], row: &[f16]) -> f32 {
    dot_with(query, row, f16::to_f32)
}

/// `Σ query·row` in f32.
#[inline]
pub(super) fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
    dot_with(query, row, |r| r)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn int8_rows_sum_exactly(pairs in prop::collection::vec(any::<(i8, i8)>(), 0..200)) {
            let (a, b): (Vec<i8>, Vec<i8>) = pairs.iter().copied().unzip();
            let exact: i64 = pairs.iter().map(|&(x, y)| i64::from(x) * i64::from(y)).sum();
            prop_assert_eq!(i64::from(dot_i8(&a, &b)), exact);
        }

        #[test]
        fn float_rows_agree_with_a_sum_in_f64(
            pairs in prop::collection::vec((-1.0_f32..1.0, any::<i8>()), 0..200)
        ) {
            let (query, row): (Vec<f32>, Vec<i8>) = pairs.iter().copied().unzip();
            let exact: f64 = pairs.iter().map(|&(q, r)| f64::from(q) * f64::from(r)).sum();
            prop_assert!((f64::from(dot_f32_i8(&query, &row)) - exact).abs() < 1e-2);
            let halves: Vec<f16> = row.iter().map(|&r| f16::from_f32(f32::from(r))).collect();
            let floats: Vec<f32> = row.iter().map(|&r| f32::from(r)).collect();
            prop_assert_eq!(dot_f32_f16(&query, &halves), dot_f32_i8(&query, &row));
            prop_assert_eq!(dot_f32(&query, &floats), dot_f32_i8(&query, &row));
        }
    }
}
