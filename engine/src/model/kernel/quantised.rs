//! Rows rounded to int8 with one scale each, and weights rounded with one scale for each output: what integer
//! products take. `value ≈ number · scale`, numbers in −127..=127.

use super::buffer::{Buffer, Rows};
use super::scalar::Lanes;
use super::vector::Vector;

/// Columns of a panel, and inputs of a step.
pub(super) const COLUMNS: usize = 32;
pub(super) const STEP: usize = 64;
/// Numbers of a panel per step.
pub(super) const PANEL_STEP: usize = COLUMNS * STEP;

/// Rows as operands of an integer product.
#[derive(Debug)]
pub(super) struct Quantised {
    /// Zero from the width to a whole number of steps.
    pub(super) numbers: Rows<i8>,
    /// One for each row.
    pub(super) scales: Vec<f32>,
    /// A few rows before they are rounded.
    pub(super) wide: Rows<f32>,
}

impl Quantised {
    /// No rows.
    pub(super) fn empty() -> Self {
        Self { numbers: Rows::empty(), scales: Vec::new(), wide: Rows::empty() }
    }

    /// Makes room for `rows` rows of `width`.
    pub(super) fn shape(&mut self, rows: usize, width: usize) {
        // A line more than needed: strides of a power of two would crowd the rows of a tile into few cache sets.
        self.numbers.shape(rows, width, width.next_multiple_of(STEP) + 64);
        self.scales.resize(rows.max(self.scales.len()), 0.0);
    }

    /// Rounds `values` into row `row`: to nearest even multiples of the largest magnitude / 127.
    #[inline(always)]
    pub(super) fn set<V: Vector>(&mut self, row: usize, values: &[f32]) {
        self.scales[row] = quantise::<V>(values, self.numbers.whole_row_mut(row));
    }
}

/// Rounds `values` into the start of `out`, zeroes the rest of the last step, and returns the scale.
#[inline(always)]
pub(super) fn quantise<V: Vector>(values: &[f32], out: &mut [i8]) -> f32 {
    let mut largest = V::splat(0.0);
    for chunk in values.chunks(V::LANES) {
        let x = V::load_up_to(chunk, 0.0);
        largest = largest.max(x).max(V::splat(0.0).sub(x));
    }
    let largest = largest.largest();
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    let factor = V::splat(inverse);
    let (numbers, padding) = out[..values.len().next_multiple_of(STEP)].split_at_mut(values.len());
    for (chunk, numbers) in values.chunks(V::LANES).zip(numbers.chunks_mut(V::LANES)) {
        V::load_up_to(chunk, 0.0).mul(factor).round_up_to(numbers);
    }
    padding.fill(0);
    largest / 127.0
}

/// A weight matrix rounded to int8, and its bias.
#[derive(Debug)]
pub(super) struct PackedIntegers {
    /// Panels of [`COLUMNS`] outputs, one after the other. A panel is a pair of tiles for every [`STEP`] inputs, each
    /// 16 fours of inputs × 16 columns: what a tile register or sixteen vector registers hold.
    pub(super) panels: Buffer<i8>,
    /// What is added to every number, for units that take weights without a sign: 0 or 128.
    pub(super) offset: u8,
    /// One for each output, as the bias; zeros up to whole panels.
    pub(super) scales: Vec<f32>,
    /// One for each output.
    pub(super) bias: Vec<f32>,
    /// Numbers of an input row.
    pub(super) inputs: usize,
    /// Numbers of an output row.
    pub(super) outputs: usize,
}

impl PackedIntegers {
    /// Rounds and packs a row-major (outputs, inputs) weight, `offset` added to its numbers.
    pub(super) fn new(weight: &[f32], bias: &[f32], inputs: usize, offset: u8) -> Self {
        let (outputs, depth) = (bias.len(), inputs.next_multiple_of(STEP));
        let padded = outputs.next_multiple_of(COLUMNS);
        let (mut bias, mut scales) = (bias.to_vec(), vec![0.0; padded]);
        bias.resize(padded, 0.0);
        let mut panels = Buffer::zeros(padded * depth);
        let mut numbers = vec![0; depth];
        for (output, row) in weight.chunks_exact(inputs).take(outputs).enumerate() {
            scales[output] = quantise::<Lanes>(row, &mut numbers);
            let (panel, column) = (output / COLUMNS, output % COLUMNS);
            for (input, &number) in numbers.iter().enumerate() {
                let tile = panel * depth / STEP * 2 + input / STEP * 2 + column / 16;
                let place = input % STEP / 4 * 64 + column % 16 * 4 + input % 4;
                panels.as_mut_slice()[tile * 1024 + place] = number.wrapping_add_unsigned(offset);
            }
        }
        Self { panels, offset, scales, bias, inputs, outputs }
    }

    /// Steps of a panel.
    pub(super) fn steps(&self) -> usize {
        self.inputs.div_ceil(STEP)
    }
}
