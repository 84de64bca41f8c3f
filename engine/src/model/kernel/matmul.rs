//! Matrix products in f32 over packed weights, written once over [`Vector`] lanes.
//!
//! A weight (outputs, inputs) is packed into panels: for each group of columns (outputs) that fits the register
//! tile, for each input, the weights of those columns side by side. A tile of ROWS × (COLUMNS vectors) is summed
//! in registers over all inputs; the panel is the outer loop, so it stays in the cache while rows pass by.

use super::Activation;
use super::buffer::{Buffer, Number, Rows};
use super::rows::activate;
use super::vector::Vector;

/// A weight matrix in the order its kernel reads it, and the bias.
#[derive(Debug)]
pub(super) struct Packed<E> {
    /// Panels one after the other.
    pub(super) panels: Buffer<E>,
    /// One per output, zeros up to whole panels.
    pub(super) bias: Vec<f32>,
    /// Numbers of an input row.
    pub(super) inputs: usize,
    /// Numbers of an output row.
    pub(super) outputs: usize,
}

/// Packs a row-major (outputs, inputs) weight into panels of `columns`.
pub(super) fn pack(weight: &[f32], bias: &[f32], inputs: usize, columns: usize) -> Packed<f32> {
    let outputs = bias.len();
    let mut packed = Packed::zeros(inputs, bias, columns, inputs);
    let panels = packed.panels.as_mut_slice();
    for (output, row) in weight.chunks_exact(inputs).take(outputs).enumerate() {
        let panel = &mut panels[output / columns * columns * inputs..];
        for (input, &value) in row.iter().enumerate() {
            panel[input * columns + output % columns] = value;
        }
    }
    packed
}

impl<E: Number> Packed<E> {
    /// Zero panels of `columns` × `depth` for every output, and the bias.
    pub(super) fn zeros(inputs: usize, bias: &[f32], columns: usize, depth: usize) -> Self {
        let outputs = bias.len();
        let padded = outputs.next_multiple_of(columns);
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        Self { panels: Buffer::zeros(padded * depth), bias, inputs, outputs }
    }
}

/// ROWS rows times one panel: the sums over `depth` inputs.
///
/// # Safety
/// `depth` values are readable at every pointer of `rows`, and `depth · COLUMNS · LANES` at `panel`.
#[inline(always)]
pub(super) unsafe fn product<V: Vector, const ROWS: usize, const COLUMNS: usize>(
    rows: [*const f32; ROWS],
    panel: *const f32,
    depth: usize,
) -> [[V; COLUMNS]; ROWS] {
    let mut sums = [[V::splat(0.0); COLUMNS]; ROWS];
    for input in 0..depth {
        let mut columns = [V::splat(0.0); COLUMNS];
        for (c, column) in columns.iter_mut().enumerate() {
            // SAFETY: vector c of input `input` lies within the panel.
            *column = unsafe { V::load_from(panel.add((input * COLUMNS + c) * V::LANES)) };
        }
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: `input` < `depth`.
            let value = V::splat(unsafe { *row.add(input) });
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = value.mul_add(column, *sum);
            }
        }
    }
    sums
}

/// `out` ← activation(`x` · weightᵀ + bias).
#[inline(always)]
pub(super) fn linear<V: Vector, const ROWS: usize, const COLUMNS: usize>(
    x: &Rows<f32>,
    weight: &Packed<f32>,
    activation: Activation,
    out: &mut Rows<f32>,
) {
    assert_eq!((x.width, out.width), (weight.inputs, weight.outputs), "shapes of a product");
    let columns = COLUMNS * V::LANES;
    let panels = weight.panels.as_slice().chunks_exact(weight.inputs * columns);
    for (panel, first) in panels.zip((0..weight.outputs).step_by(columns)) {
        let bias = &weight.bias[first..first + columns];
        let end = weight.outputs.min(first + columns);
        for start in (0..x.rows).step_by(ROWS) {
            let last = x.rows - 1;
            // Rows beyond the last are the last again, computed and dropped.
            let mut rows = [std::ptr::null(); ROWS];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = x.row((start + r).min(last)).as_ptr();
            }
            // SAFETY: rows hold `inputs` values, and `panel` is one whole panel.
            let sums = unsafe { product::<V, ROWS, COLUMNS>(rows, panel.as_ptr(), weight.inputs) };
            for (r, sums) in sums.into_iter().enumerate().take(x.rows - start) {
                let out = &mut out.row_mut(start + r)[first..end];
                let chunks = out.chunks_mut(V::LANES).zip(bias.chunks_exact(V::LANES));
                for (sum, (out, bias)) in sums.into_iter().zip(chunks) {
                    activate(sum.add(V::load(bias)), activation).store_up_to(out);
                }
            }
        }
    }
}
