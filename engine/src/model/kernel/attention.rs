//! Scaled dot-product attention (Vaswani et al. 2017, eq. 1) of one sequence in f32, head by head.
//!
//! The keys of a head are packed like a weight (columns are positions), the values too (columns are the head's
//! dimensions), and both products use the tile of `matmul`. Scores arrive as log₂ of weights: `weights` folds
//! log₂(e)/√d into the query projection.

use super::buffer::{Buffer, Rows};
use super::matmul::product;
use super::rows::softmax;
use super::vector::Vector;

/// One sequence of a packed block, and memory to work in.
pub(super) struct Heads<'a, E> {
    /// Queries, keys and values side by side: rows of 3H.
    pub(super) projected: &'a Rows<E>,
    /// First row of the sequence.
    pub(super) start: usize,
    /// Rows of the sequence.
    pub(super) length: usize,
    /// Attention heads.
    pub(super) count: usize,
    /// Dimensions of a head; count · size = H.
    pub(super) size: usize,
    /// Reused memory.
    pub(super) scratch: &'a mut Scratch<E>,
}

/// Reused memory of [`attention`].
#[derive(Debug)]
pub(super) struct Scratch<E> {
    /// Queries of one head.
    pub(super) queries: Buffer<E>,
    /// Packed keys of one head.
    pub(super) keys: Buffer<E>,
    /// Packed values of one head.
    pub(super) values: Buffer<E>,
    /// Scores of a few queries against all positions.
    pub(super) scores: Buffer<f32>,
    /// The scores' softmax as operands.
    pub(super) weights: Buffer<E>,
}

impl<E: super::buffer::Number> Scratch<E> {
    /// No memory yet.
    pub(super) fn empty() -> Self {
        Self {
            queries: Buffer::zeros(0),
            keys: Buffer::zeros(0),
            values: Buffer::zeros(0),
            scores: Buffer::zeros(0),
            weights: Buffer::zeros(0),
        }
    }
}

/// Writes the context of every position of the sequence into the same rows of `out`.
#[inline(always)]
pub(super) fn attention<V: Vector, const ROWS: usize, const COLUMNS: usize>(
    mut heads: Heads<'_, f32>,
    out: &mut Rows<f32>,
) {
    let columns = COLUMNS * V::LANES;
    let (length, size) = (heads.length, heads.size);
    heads.scratch.keys.reserve(length.next_multiple_of(columns) * size);
    heads.scratch.values.reserve(length * size.next_multiple_of(columns));
    heads.scratch.scores.reserve(ROWS * length.next_multiple_of(columns));
    for head in 0..heads.count {
        pack_head(&mut heads, head, columns);
        for first in (0..length).step_by(ROWS) {
            attend::<V, ROWS, COLUMNS>(&mut heads, head, first, out);
        }
    }
}

/// Packs the keys and values of one head into panels of `columns`. What lies beyond the sequence and beyond the
/// head's dimensions is left from earlier heads: it only reaches sums that are dropped.
#[inline(always)]
fn pack_head(heads: &mut Heads<'_, f32>, head: usize, columns: usize) {
    let (length, size, hidden) = (heads.length, heads.size, heads.count * heads.size);
    let keys = heads.scratch.keys.as_mut_slice();
    let values = heads.scratch.values.as_mut_slice();
    for t in 0..length {
        let row = heads.projected.row(heads.start + t);
        let panel = &mut keys[t / columns * columns * size + t % columns..];
        for (d, &key) in row[hidden + head * size..][..size].iter().enumerate() {
            panel[d * columns] = key;
        }
        let value = &row[2 * hidden + head * size..][..size];
        for (panel, part) in value.chunks(columns).enumerate() {
            values[(panel * length + t) * columns..][..part.len()].copy_from_slice(part);
        }
    }
}

/// The context of ROWS queries from `first` in one head.
#[inline(always)]
fn attend<V: Vector, const ROWS: usize, const COLUMNS: usize>(
    heads: &mut Heads<'_, f32>,
    head: usize,
    first: usize,
    out: &mut Rows<f32>,
) {
    let columns = COLUMNS * V::LANES;
    let (start, length, size) = (heads.start, heads.length, heads.size);
    let padded = length.next_multiple_of(columns);
    let scores = heads.scratch.scores.as_mut_slice();
    // Queries beyond the sequence are its last again, computed and dropped.
    let mut queries = [std::ptr::null(); ROWS];
    for (r, query) in queries.iter_mut().enumerate() {
        let row = heads.projected.row(start + (first + r).min(length - 1));
        *query = row[head * size..][..size].as_ptr();
    }
    let keys = heads.scratch.keys.as_slice();
    for (panel, at) in keys.chunks_exact(columns * size).zip((0..length).step_by(columns)) {
        // SAFETY: queries hold `size` values, and `panel` is one whole panel of that depth.
        let sums = unsafe { product::<V, ROWS, COLUMNS>(queries, panel.as_ptr(), size) };
        for (r, sums) in sums.into_iter().enumerate() {
            let row = &mut scores[r * padded + at..][..columns];
            for (sum, score) in sums.into_iter().zip(row.chunks_exact_mut(V::LANES)) {
                sum.store(score);
            }
        }
    }
    let mut inverse = [0.0; ROWS];
    let mut weights = [std::ptr::null(); ROWS];
    for (r, (inverse, weights)) in inverse.iter_mut().zip(&mut weights).enumerate() {
        let row = &mut scores[r * padded..][..length];
        *inverse = softmax::<V>(row);
        *weights = row.as_ptr();
    }
    let values = heads.scratch.values.as_slice();
    for (panel, at) in values.chunks_exact(columns * length).zip((0..size).step_by(columns)) {
        // SAFETY: every row of weights holds `length` values, and `panel` is one whole panel of that depth.
        let sums = unsafe { product::<V, ROWS, COLUMNS>(weights, panel.as_ptr(), length) };
        for (r, sums) in sums.into_iter().enumerate().take(length - first) {
            let context = &mut out.row_mut(start + first + r)[head * size..][..size][at..];
            for (sum, context) in sums.into_iter().zip(context.chunks_mut(V::LANES)) {
                sum.mul(V::splat(inverse[r])).store_up_to(context);
            }
        }
    }
}
