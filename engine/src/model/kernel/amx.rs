//! Products in bf16 with f32 sums on the tile unit of Intel processors since Sapphire Rapids (AMX-BF16), and
//! LayerNorm, activations and conversions in AVX-512.
//!
//! A tile is 16 rows of 64 bytes. An operand is a plain row-major matrix of bf16, so a tile of it is 16 rows ×
//! 32 inputs; a weight's panel is 32 columns as two tiles per 32 inputs, each 16 pairs of inputs × 16 columns
//! (Intel's "VNNI" order). Four tiles of sums make a block of 32 × 32. See the Intel SDM, volume 1, chapter 18.

use std::arch::asm;
#[allow(clippy::wildcard_imports, reason = "intrinsics, named as in the processor's manual")]
use std::arch::x86_64::*;

use super::attention::Heads;
use super::avx512::Lanes;
use super::buffer::{Number, ROW_BLOCK, Rows};
use super::forward::{Activations, Arithmetic, Workspace};
use super::matmul::Packed;
use super::rows::{self, LayerNorm, activate};
use super::vector::{Vector, gelu_tanh};
use super::{Activation, amx_attention};

/// bf16 on the tile unit.
#[derive(Debug)]
pub(super) struct Amx;

/// Columns of a panel, and inputs of a tile.
pub(super) const COLUMNS: usize = 32;
pub(super) const STEP: usize = 32;
/// Numbers of a panel per step: two tiles.
pub(super) const PANEL_STEP: usize = COLUMNS * STEP;

/// Numbers of the panels that rows pass by together: half a megabyte, a quarter of the second-level cache.
const GROUP: usize = 1 << 18;

/// A block of sums.
#[repr(align(64))]
pub(super) struct Block(pub(super) [f32; ROW_BLOCK * COLUMNS]);

/// Whether processor and kernel allow tiles; asks Linux for the permission a process needs once.
pub(super) fn available() -> bool {
    static AVAILABLE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let vectors = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bf16");
        // CPUID leaf 7, EDX: bit 22 AMX-BF16, bit 24 AMX-TILE.
        const TILES: u32 = 1 << 22 | 1 << 24;
        vectors && __cpuid_count(7, 0).edx & TILES == TILES && tile_permission()
    })
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`.
fn tile_permission() -> bool {
    let result: i64;
    // SAFETY: the system call takes two numbers, touches no memory of ours, and clobbers rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") 158_i64 => result, in("rdi") 0x1023, in("rsi") 18,
            out("rcx") _, out("r11") _, options(nostack));
    }
    result == 0
}

/// Sums of `16 · row_tiles` rows (1 or 2 tiles) times a panel of 32 columns over `steps` · 32 inputs.
///
/// # Safety
/// The thread has run [`Amx::begin`]. Readable: 16 · `row_tiles` rows of `steps` · 64 bytes, `stride` bytes
/// apart, at `rows`; `steps` · 2048 bytes at `panel`. Writable: as many rows of 128 bytes, `out_stride` bytes
/// apart, at `out`.
#[inline(always)]
pub(super) unsafe fn product(
    (rows, stride, row_tiles): (*const u16, usize, usize),
    panel: *const u16,
    steps: usize,
    (out, out_stride): (*mut f32, usize),
) {
    if row_tiles == 1 {
        // SAFETY: tiles 0, 1 and 4 to 7 are 16 × 64 bytes by `begin`; memory is under the caller's obligation.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1",
                "2:",
                "tileloadd tmm4, [{a} + {stride}]",
                "tileloadd tmm6, [{b} + {line}]",
                "tileloadd tmm7, [{b} + {line} + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "add {a}, 64", "add {b}, 2048",
                "dec {steps}", "jnz 2b",
                "tilestored [{c} + {out_stride}], tmm0",
                "tilestored [{c} + {out_stride} + 64], tmm1",
                a = inout(reg) rows => _, b = inout(reg) panel => _, steps = inout(reg) steps => _,
                stride = in(reg) stride, line = in(reg) 64_usize,
                c = in(reg) out, out_stride = in(reg) out_stride,
                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
        return;
    }
    // SAFETY: all eight tiles are 16 × 64 bytes by `begin`; memory is under the caller's obligation.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{a} + {stride}]",
            "tileloadd tmm6, [{b} + {line}]",
            "tileloadd tmm7, [{b} + {line} + 1024]",
            "tileloadd tmm5, [{lower} + {stride}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 64", "add {lower}, 64", "add {b}, 2048",
            "dec {steps}", "jnz 2b",
            "tilestored [{c} + {out_stride}], tmm0",
            "tilestored [{c} + {out_stride} + 64], tmm1",
            "tilestored [{low} + {out_stride}], tmm2",
            "tilestored [{low} + {out_stride} + 64], tmm3",
            a = inout(reg) rows => _, lower = inout(reg) rows.byte_add(16 * stride) => _,
            b = inout(reg) panel => _, steps = inout(reg) steps => _,
            stride = in(reg) stride, line = in(reg) 64_usize,
            c = in(reg) out, low = in(reg) out.byte_add(16 * out_stride), out_stride = in(reg) out_stride,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// Sixteen lanes rounded to bf16, to nearest even; as many are written as `out` has room for, at most 16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) fn store_rounded(lanes: Lanes, out: &mut [u16]) {
    let mask = u16::MAX >> (16 - out.len().min(16));
    // SAFETY: __m256bh and __m256i are the same 32 bytes; the mask keeps the store within `out`.
    unsafe {
        let rounded: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(lanes.0));
        _mm256_mask_storeu_epi16(out.as_mut_ptr().cast(), mask, rounded);
    }
}

/// Thirty-two lanes, rounded and written as in [`store_rounded`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn store_pair_rounded(left: Lanes, right: Lanes, out: &mut [u16]) {
    let mask = u32::MAX >> (32 - out.len().min(32));
    // SAFETY: __m512bh and __m512i are the same 64 bytes; the mask keeps the store within `out`.
    unsafe {
        let rounded: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(right.0, left.0));
        _mm512_mask_storeu_epi16(out.as_mut_ptr().cast(), mask, rounded);
    }
}

/// Thirty-two lanes; as many are written as `out` has room for.
#[inline(always)]
fn store_pair(left: Lanes, right: Lanes, out: &mut [f32]) {
    let (out_left, out_right) = out.split_at_mut(out.len().min(16));
    left.store_up_to(out_left);
    if !out_right.is_empty() {
        right.store_up_to(out_right);
    }
}

/// `write`(`finish`(`x` · weightᵀ + bias)), 32 columns of a row at a time.
#[inline(always)]
fn linear_into<E: Number>(
    x: &Rows<u16>,
    weight: &Packed<u16>,
    out: &mut Rows<E>,
    finish: impl Fn(Lanes) -> Lanes,
    write: impl Fn(Lanes, Lanes, &mut [E]),
) {
    assert_eq!((x.width, out.width), (weight.inputs, weight.outputs), "shapes of a product");
    let steps = weight.inputs.div_ceil(STEP);
    let panels = weight.panels.as_slice();
    let mut block = Block([0.0; ROW_BLOCK * COLUMNS]);
    let group = (GROUP / (steps * PANEL_STEP)).max(1) * COLUMNS;
    for group_start in (0..weight.outputs).step_by(group) {
        let group_end = weight.outputs.min(group_start + group);
        for start in (0..x.rows).step_by(ROW_BLOCK) {
            let count = ROW_BLOCK.min(x.rows - start);
            let rows = (x.rows_after(start).as_ptr(), x.stride * 2, count.div_ceil(16));
            for first in (group_start..group_end).step_by(COLUMNS) {
                let panel = &panels[first / COLUMNS * steps * PANEL_STEP..][..steps * PANEL_STEP];
                let bias = &weight.bias[first..first + COLUMNS];
                let (left, right) = (Lanes::load(bias), Lanes::load(&bias[16..]));
                let end = weight.outputs.min(first + COLUMNS);
                let sums = (block.0.as_mut_ptr(), COLUMNS * 4);
                // SAFETY: `forward` has called `begin`; `Rows` keeps a block of rows readable beyond its last,
                // each of `stride` ≥ steps · 32 numbers; the panel and the block are whole.
                unsafe { product(rows, panel.as_ptr(), steps, sums) };
                for (r, sums) in block.0.chunks_exact(COLUMNS).enumerate().take(count) {
                    let sums = (Lanes::load(sums).add(left), Lanes::load(&sums[16..]).add(right));
                    let out = &mut out.row_mut(start + r)[first..end];
                    write(finish(sums.0), finish(sums.1), out);
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn linear(x: &Rows<u16>, weight: &Packed<u16>, activation: Activation, out: &mut Rows<f32>) {
    let write = |left: Lanes, right: Lanes, out: &mut [f32]| store_pair(left, right, out);
    match activation {
        Activation::Identity => linear_into(x, weight, out, |x| x, write),
        other => linear_into(x, weight, out, |x| activate(x, other), write),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn project(x: &Rows<u16>, weight: &Packed<u16>, activation: Activation, out: &mut Rows<u16>) {
    let write = |left: Lanes, right: Lanes, out: &mut [u16]| store_pair_rounded(left, right, out);
    // A copy of the loop for each, so that the choice is not made for every number.
    match activation {
        Activation::Identity => linear_into(x, weight, out, |x| x, write),
        // A closure has the target features of this function and takes the intrinsics in; the function itself,
        // passed as a value, has not, and every intrinsic in it would be a call.
        #[allow(clippy::redundant_closure)]
        Activation::GeluTanh => linear_into(x, weight, out, |x| gelu_tanh(x), write),
        other => linear_into(x, weight, out, |x| activate(x, other), write),
    }
    clear_padding(out);
}

/// Zeroes what a product reads beyond the width of its operand.
fn clear_padding(rows: &mut Rows<u16>) {
    let (width, end) = (rows.width, rows.width.next_multiple_of(STEP));
    if width < end {
        (0..rows.rows).for_each(|row| rows.whole_row_mut(row)[width..end].fill(0));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn convert_row(from: &[f32], to: &mut [u16]) {
    for (from, to) in from.chunks(16).zip(to.chunks_mut(16)) {
        store_rounded(Lanes::load_up_to(from, 0.0), to);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn convert(from: &Rows<f32>, to: &mut Rows<u16>) {
    (0..from.rows).for_each(|row| convert_row(from.row(row), to.row_mut(row)));
    clear_padding(to);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn normalise(
    hidden: &mut Rows<f32>,
    addition: &Rows<f32>,
    norm: &LayerNorm,
    operand: &mut Rows<u16>,
) {
    for row in 0..hidden.rows {
        rows::normalise_row::<Lanes>(hidden.row_mut(row), addition.row(row), norm);
        convert_row(hidden.row(row), operand.row_mut(row));
    }
    clear_padding(operand);
}

macro_rules! with_amx {
    ($expression:expr) => {{
        // SAFETY: `Amx` is used only after `available` found the instructions.
        unsafe { $expression }
    }};
}

impl Arithmetic for Amx {
    type Element = u16;
    type Operand = Rows<u16>;
    type Weight = Packed<u16>;

    fn activations(workspace: &mut Workspace) -> &mut Activations<u16, Rows<u16>> {
        &mut workspace.half
    }

    fn pack(weight: &[f32], bias: &[f32], inputs: usize) -> Packed<u16> {
        let depth = inputs.next_multiple_of(STEP);
        let mut packed = Packed::zeros(inputs, bias, COLUMNS, depth);
        let panels = packed.panels.as_mut_slice();
        for (output, row) in weight.chunks_exact(inputs).take(bias.len()).enumerate() {
            let (panel, column) = (output / COLUMNS, output % COLUMNS);
            for (input, &value) in row.iter().enumerate() {
                let tile = panel * depth / STEP * 2 + input / STEP * 2 + column / 16;
                let place = (input % STEP / 2 * 16 + column % 16) * 2 + input % 2;
                panels[tile * 512 + place] = round(value);
            }
        }
        packed
    }
    fn stride(width: usize) -> usize {
        // A line more than needed: strides of a power of two would crowd the rows of a tile into few cache sets.
        width.next_multiple_of(STEP) + STEP
    }
    fn shape(operand: &mut Rows<u16>, rows: usize, width: usize) {
        operand.shape(rows, width, Self::stride(width));
    }
    fn attended<'a>(context: &'a Rows<u16>, _: &'a mut Rows<u16>) -> &'a Rows<u16> {
        context
    }
    fn convert(from: &Rows<f32>, to: &mut Rows<u16>) {
        with_amx!(convert(from, to));
    }
    fn linear(x: &Rows<u16>, weight: &Packed<u16>, out: &mut Rows<f32>) {
        with_amx!(linear(x, weight, Activation::Identity, out));
    }
    fn project(x: &Rows<u16>, weight: &Packed<u16>, out: &mut Rows<u16>) {
        with_amx!(project(x, weight, Activation::Identity, out));
    }
    fn expand(x: &Rows<u16>, weight: &Packed<u16>, activation: Activation, out: &mut Rows<u16>) {
        with_amx!(project(x, weight, activation, out));
    }
    fn attention(heads: Heads<'_, u16>, out: &mut Rows<u16>) {
        with_amx!(amx_attention::attention(heads, out));
        // The context's padding is cleared once per sequence; it is nothing where 32 divides H.
        clear_padding(out);
    }
    fn normalise(
        hidden: &mut Rows<f32>,
        addition: &Rows<f32>,
        norm: &LayerNorm,
        operand: &mut Rows<u16>,
    ) {
        with_amx!(normalise(hidden, addition, norm, operand));
    }
    fn begin() {
        // Palette 1, then from byte 16 the bytes of a row (u16) and from byte 48 the rows, for eight tiles.
        let mut configuration = Block([0.0; ROW_BLOCK * COLUMNS]);
        let bytes = configuration.0.as_mut_ptr().cast::<u8>();
        // SAFETY: the block is larger than the 64 bytes written and read; `available` has asked for permission.
        unsafe {
            bytes.write(1);
            for tile in 0..8 {
                bytes.add(16 + 2 * tile).write(64);
                bytes.add(48 + tile).write(16);
            }
            asm!("ldtilecfg [{}]", in(reg) bytes, options(nostack, readonly));
        }
    }
    fn end() {
        // SAFETY: takes nothing; the tiles hold nothing between calls.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// To bf16, to nearest even; for finite values.
fn round(value: f32) -> u16 {
    let bits = value.to_bits();
    ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16) as u16
}
