//! Products of int8 with whole 32-bit sums, written once over a [`Unit`] that multiplies and the [`Vector`] lanes
//! that finish its sums: scale, bias, activation, and rounding to the next operand. [`integer_arithmetic`] makes an
//! `Arithmetic` of them, with the attention of another one.

use super::Activation;
use super::buffer::{Number, ROW_BLOCK, Rows};
use super::quantised::{COLUMNS, PANEL_STEP, PackedIntegers, Quantised, STEP};
use super::rows::{self, LayerNorm, activate};
use super::vector::{Vector, gelu_tanh};

/// Sums of a block of rows and a panel.
#[repr(align(64))]
pub(super) struct Sums(pub(super) [i32; ROW_BLOCK * COLUMNS]);

/// What multiplies.
pub(super) trait Unit {
    /// What it wants added to the weights: 128 if it takes them without a sign.
    const OFFSET: u8;

    /// Writes the sums of `count` rows (at most [`ROW_BLOCK`]), `stride` bytes apart, times a panel over `steps`
    /// steps; rows of `sums` beyond `count` may hold anything.
    ///
    /// # Safety
    /// The processor has the unit's instructions and the thread is prepared. Readable: [`ROW_BLOCK`] rows of
    /// `steps` · [`STEP`] bytes at `rows`, `steps` · [`PANEL_STEP`] bytes at `panel`.
    unsafe fn product(
        rows: (*const i8, usize, usize),
        panel: *const i8,
        steps: usize,
        sums: &mut Sums,
    );
}

/// The specification of every unit.
pub(super) struct Plain;

impl Unit for Plain {
    const OFFSET: u8 = 0;

    #[inline(always)]
    unsafe fn product(
        (rows, stride, count): (*const i8, usize, usize),
        panel: *const i8,
        steps: usize,
        sums: &mut Sums,
    ) {
        // SAFETY: under the caller's obligation.
        let panel = unsafe { std::slice::from_raw_parts(panel, steps * PANEL_STEP) };
        for (r, sums) in sums.0.chunks_exact_mut(COLUMNS).enumerate().take(count) {
            // SAFETY: as above.
            let row = unsafe { std::slice::from_raw_parts(rows.add(r * stride), steps * STEP) };
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum = 0;
                for (fours, x) in row.chunks_exact(4).enumerate() {
                    let tile = fours / 16 * 2 + column / 16;
                    let weights = &panel[tile * 1024 + fours % 16 * 64 + column % 16 * 4..][..4];
                    let products =
                        x.iter().zip(weights).map(|(&x, &w)| i32::from(x) * i32::from(w));
                    *sum += products.sum::<i32>();
                }
            }
        }
    }
}

/// `write`(row, first column, `x` · weightᵀ + bias) for the rows of a block from `start` and the columns of `panels`.
#[inline(always)]
fn block<V: Vector, U: Unit>(
    x: &Quantised,
    weight: &PackedIntegers,
    start: usize,
    panels: std::ops::Range<usize>,
    mut write: impl FnMut(usize, usize, V),
) {
    debug_assert_eq!(weight.offset, U::OFFSET);
    let steps = weight.steps();
    let count = ROW_BLOCK.min(x.numbers.rows - start);
    let rows = (x.numbers.rows_after(start).as_ptr(), x.numbers.stride, count);
    // What the offset of the weights adds to every sum of a row.
    let mut extra = [0; ROW_BLOCK];
    if U::OFFSET > 0 {
        for (r, extra) in extra.iter_mut().enumerate().take(count) {
            let sum: i32 = x.numbers.row(start + r).iter().map(|&x| i32::from(x)).sum();
            *extra = i32::from(U::OFFSET) * sum;
        }
    }
    let mut sums = Sums([0; ROW_BLOCK * COLUMNS]);
    for panel in panels {
        let first = panel * COLUMNS;
        let packed = &weight.panels.as_slice()[panel * steps * PANEL_STEP..][..steps * PANEL_STEP];
        // SAFETY: an arithmetic is used only where its instructions are, after `begin`; `Rows` keeps a block of rows
        // readable beyond its last, each of `stride` ≥ steps · STEP numbers; the panel is whole.
        unsafe { U::product(rows, packed.as_ptr(), steps, &mut sums) };
        for at in (first..weight.outputs.min(first + COLUMNS)).step_by(V::LANES) {
            let (scale, bias) = (V::load(&weight.scales[at..]), V::load(&weight.bias[at..]));
            for (r, sums) in sums.0.chunks_exact_mut(COLUMNS).enumerate().take(count) {
                let sums = &mut sums[at - first..][..V::LANES];
                if U::OFFSET > 0 {
                    sums.iter_mut().for_each(|sum| *sum -= extra[r]);
                }
                let scale = scale.mul(V::splat(x.scales[start + r]));
                write(r, at, V::from_integers(sums).mul_add(scale, bias));
            }
        }
    }
}

/// Bytes of the panels that rows pass by together: a quarter of the second-level cache of larger processors.
const GROUP: usize = 1 << 19;

/// `out` ← `x` · weightᵀ + bias.
#[inline(always)]
pub(super) fn linear<V: Vector, U: Unit, E: Number>(
    x: &Quantised,
    weight: &PackedIntegers,
    out: &mut Rows<E>,
    store: impl Fn(V, &mut [E]),
) {
    assert_eq!(
        (x.numbers.width, out.width),
        (weight.inputs, weight.outputs),
        "shapes of a product"
    );
    let panels = weight.outputs.div_ceil(COLUMNS);
    let group = (GROUP / (weight.steps() * PANEL_STEP)).max(1);
    for first in (0..panels).step_by(group) {
        for start in (0..x.numbers.rows).step_by(ROW_BLOCK) {
            block::<V, U>(x, weight, start, first..panels.min(first + group), |r, at, sum| {
                let row = out.row_mut(start + r);
                let end = row.len().min(at + V::LANES);
                store(sum, &mut row[at..end]);
            });
        }
    }
}

/// `out` ← activation(`x` · weightᵀ + bias), rounded.
#[inline(always)]
pub(super) fn expand<V: Vector, U: Unit>(
    x: &Quantised,
    weight: &PackedIntegers,
    activation: Activation,
    out: &mut Quantised,
) {
    // A copy of the loop for each, so that the choice is not made for every number; closures, because they take the
    // instruction set of this function.
    #[allow(clippy::redundant_closure)]
    match activation {
        Activation::GeluTanh => expand_with::<V, U>(x, weight, out, |x| gelu_tanh(x)),
        other => expand_with::<V, U>(x, weight, out, |x| activate(x, other)),
    }
}

#[inline(always)]
fn expand_with<V: Vector, U: Unit>(
    x: &Quantised,
    weight: &PackedIntegers,
    out: &mut Quantised,
    finish: impl Fn(V) -> V,
) {
    let shapes = (x.numbers.width, out.numbers.width);
    assert_eq!(shapes, (weight.inputs, weight.outputs), "shapes of a product");
    let (width, panels) = (weight.outputs, weight.outputs.div_ceil(COLUMNS));
    let mut wide = std::mem::replace(&mut out.wide, Rows::empty());
    wide.shape(ROW_BLOCK, width, width);
    for start in (0..x.numbers.rows).step_by(ROW_BLOCK) {
        block::<V, U>(x, weight, start, 0..panels, |r, at, sum| {
            let row = wide.row_mut(r);
            let end = row.len().min(at + V::LANES);
            finish(sum).store_up_to(&mut row[at..end]);
        });
        for r in 0..ROW_BLOCK.min(x.numbers.rows - start) {
            out.set::<V>(start + r, wide.row(r));
        }
    }
    out.wide = wide;
}

/// Rounds rows, each number of them widened first.
#[inline(always)]
pub(super) fn convert<V: Vector, E: Number>(
    from: &Rows<E>,
    to: &mut Quantised,
    widen: impl Fn(E) -> f32,
) {
    let mut wide = std::mem::replace(&mut to.wide, Rows::empty());
    wide.shape(1, from.width, from.width);
    for row in 0..from.rows {
        for (wide, &x) in wide.row_mut(0).iter_mut().zip(from.row(row)) {
            *wide = widen(x);
        }
        to.set::<V>(row, wide.row(0));
    }
    to.wide = wide;
}

/// `hidden` ← LayerNorm(`hidden` + `addition`), and the same rounded.
#[inline(always)]
pub(super) fn normalise<V: Vector>(
    hidden: &mut Rows<f32>,
    addition: &Rows<f32>,
    norm: &LayerNorm,
    operand: &mut Quantised,
) {
    for row in 0..hidden.rows {
        rows::normalise_row::<V>(hidden.row_mut(row), addition.row(row), norm);
        operand.set::<V>(row, hidden.row(row));
    }
}

/// An `Arithmetic` called `$name`: products by `$unit`, everything else over `$lanes`, attention on `$element`s by the
/// arithmetic `$attention`. `$store` writes lanes as elements, `$widen` makes f32 of an element.
macro_rules! integer_arithmetic {
    (
        $(#[$doc:meta])* $name:ident, [$($features:literal)?], $unit:ty, $lanes:ty,
        attention: $attention:ty, $element:ty, $activations:ident, $store:expr, $widen:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name;

        const _: () = {
            use $crate::model::kernel::attention::Heads;
            use $crate::model::kernel::buffer::Rows;
            use $crate::model::kernel::forward::{Activations, Arithmetic, Workspace};
            use $crate::model::kernel::integer::{self, Unit};
            use $crate::model::kernel::quantised::{PackedIntegers, Quantised};
            use $crate::model::kernel::rows::LayerNorm;
            use $crate::model::kernel::{Activation, vector::Vector};

            $(#[target_feature(enable = $features)])?
            fn linear(x: &Quantised, weight: &PackedIntegers, out: &mut Rows<f32>) {
                integer::linear::<$lanes, $unit, f32>(x, weight, out, |sum, out| sum.store_up_to(out));
            }
            $(#[target_feature(enable = $features)])?
            fn project(x: &Quantised, weight: &PackedIntegers, out: &mut Rows<$element>) {
                integer::linear::<$lanes, $unit, $element>(x, weight, out, $store);
            }
            $(#[target_feature(enable = $features)])?
            fn expand(x: &Quantised, weight: &PackedIntegers, activation: Activation, out: &mut Quantised) {
                integer::expand::<$lanes, $unit>(x, weight, activation, out);
            }
            $(#[target_feature(enable = $features)])?
            fn convert(from: &Rows<f32>, to: &mut Quantised) {
                integer::convert::<$lanes, f32>(from, to, |x| x);
            }
            $(#[target_feature(enable = $features)])?
            fn attended(from: &Rows<$element>, to: &mut Quantised) {
                integer::convert::<$lanes, $element>(from, to, $widen);
            }
            $(#[target_feature(enable = $features)])?
            fn normalise(hidden: &mut Rows<f32>, addition: &Rows<f32>, norm: &LayerNorm, operand: &mut Quantised) {
                integer::normalise::<$lanes>(hidden, addition, norm, operand);
            }

            // SAFETY, of every block: a network of this arithmetic is built only after
            // `Implementation::available` found its instructions.
            #[allow(unused_unsafe, reason = "plain Rust asks nothing of the processor")]
            impl Arithmetic for $name {
                type Element = $element;
                type Operand = Quantised;
                type Weight = PackedIntegers;

                fn activations(workspace: &mut Workspace) -> &mut Activations<$element, Quantised> {
                    &mut workspace.$activations
                }
                fn pack(weight: &[f32], bias: &[f32], inputs: usize) -> PackedIntegers {
                    PackedIntegers::new(weight, bias, inputs, <$unit>::OFFSET)
                }
                fn stride(width: usize) -> usize {
                    <$attention>::stride(width)
                }
                fn shape(operand: &mut Quantised, rows: usize, width: usize) {
                    operand.shape(rows, width);
                }
                fn convert(from: &Rows<f32>, to: &mut Quantised) {
                    // SAFETY: see above.
                    unsafe { convert(from, to) }
                }
                fn attended<'a>(context: &'a Rows<$element>, operand: &'a mut Quantised) -> &'a Quantised {
                    // SAFETY: see above.
                    unsafe { attended(context, operand) };
                    operand
                }
                fn linear(x: &Quantised, weight: &PackedIntegers, out: &mut Rows<f32>) {
                    // SAFETY: see above.
                    unsafe { linear(x, weight, out) }
                }
                fn project(x: &Quantised, weight: &PackedIntegers, out: &mut Rows<$element>) {
                    // SAFETY: see above.
                    unsafe { project(x, weight, out) }
                }
                fn expand(x: &Quantised, weight: &PackedIntegers, activation: Activation, out: &mut Quantised) {
                    // SAFETY: see above.
                    unsafe { expand(x, weight, activation, out) }
                }
                fn attention(heads: Heads<'_, $element>, out: &mut Rows<$element>) {
                    <$attention>::attention(heads, out);
                }
                fn normalise(hidden: &mut Rows<f32>, addition: &Rows<f32>, norm: &LayerNorm, operand: &mut Quantised) {
                    // SAFETY: see above.
                    unsafe { normalise(hidden, addition, norm, operand) }
                }
                fn begin() {
                    <$attention>::begin();
                }
                fn end() {
                    <$attention>::end();
                }
            }
        };
    };
}
pub(super) use integer_arithmetic;
