//! Products in int8 with the dot-product instructions of AVX-512 VNNI (Intel since Ice Lake, AMD since Zen 4), and of
//! AVX-VNNI (Intel since Alder Lake) for processors without AVX-512. They take one side without a sign: the weights, 128
//! added. Everything else in f32.

#[allow(clippy::wildcard_imports, reason = "intrinsics, named as in the processor's manual")]
use std::arch::x86_64::*;

use super::avx2::{self, Avx2};
use super::avx512::{self, Avx512};
use super::integer::{Sums, Unit, integer_arithmetic};
use super::quantised::{COLUMNS, PANEL_STEP, STEP};

/// The four inputs of a row from `at`.
///
/// # Safety
/// Four bytes are readable there.
#[inline(always)]
unsafe fn four(at: *const i8) -> i32 {
    // SAFETY: under the caller's obligation; an unaligned read.
    unsafe { at.cast::<i32>().read_unaligned() }
}

/// Eight rows times two registers of 16 columns.
pub(super) struct Wide;

impl Unit for Wide {
    const OFFSET: u8 = 128;

    #[inline(always)]
    unsafe fn product(
        (rows, stride, count): (*const i8, usize, usize),
        panel: *const i8,
        steps: usize,
        sums: &mut Sums,
    ) {
        const ROWS: usize = 8;
        for first in (0..count).step_by(ROWS) {
            // SAFETY: the processor and the memory are under the caller's obligation; a block holds a whole number
            // of eight rows.
            unsafe {
                let mut acc = [[_mm512_setzero_si512(); 2]; ROWS];
                for fours in 0..steps * STEP / 4 {
                    let weights = panel.add(fours / 16 * PANEL_STEP + fours % 16 * 64);
                    let left = _mm512_loadu_si512(weights.cast());
                    let right = _mm512_loadu_si512(weights.add(PANEL_STEP / 2).cast());
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let x = _mm512_set1_epi32(four(rows.add((first + r) * stride + fours * 4)));
                        acc[0] = _mm512_dpbusd_epi32(acc[0], left, x);
                        acc[1] = _mm512_dpbusd_epi32(acc[1], right, x);
                    }
                }
                for (r, acc) in acc.into_iter().enumerate() {
                    let out = sums.0[(first + r) * COLUMNS..][..COLUMNS].as_mut_ptr();
                    _mm512_storeu_si512(out.cast(), acc[0]);
                    _mm512_storeu_si512(out.add(16).cast(), acc[1]);
                }
            }
        }
    }
}

/// Four rows times two registers of 8 columns, twice.
pub(super) struct Narrow;

impl Unit for Narrow {
    const OFFSET: u8 = 128;

    #[inline(always)]
    unsafe fn product(
        (rows, stride, count): (*const i8, usize, usize),
        panel: *const i8,
        steps: usize,
        sums: &mut Sums,
    ) {
        const ROWS: usize = 4;
        for first in (0..count).step_by(ROWS) {
            for half in 0..2 {
                // SAFETY: as above, with rows by fours.
                unsafe {
                    let mut acc = [[_mm256_setzero_si256(); 2]; ROWS];
                    for fours in 0..steps * STEP / 4 {
                        let tile = fours / 16 * PANEL_STEP + half * PANEL_STEP / 2;
                        let weights = panel.add(tile + fours % 16 * 64);
                        let left = _mm256_loadu_si256(weights.cast());
                        let right = _mm256_loadu_si256(weights.add(32).cast());
                        for (r, acc) in acc.iter_mut().enumerate() {
                            let x =
                                _mm256_set1_epi32(four(rows.add((first + r) * stride + fours * 4)));
                            acc[0] = _mm256_dpbusd_avx_epi32(acc[0], left, x);
                            acc[1] = _mm256_dpbusd_avx_epi32(acc[1], right, x);
                        }
                    }
                    for (r, acc) in acc.into_iter().enumerate() {
                        let out = sums.0[(first + r) * COLUMNS + half * 16..][..16].as_mut_ptr();
                        _mm256_storeu_si256(out.cast(), acc[0]);
                        _mm256_storeu_si256(out.add(8).cast(), acc[1]);
                    }
                }
            }
        }
    }
}

integer_arithmetic! {
    /// int8 with AVX-512 VNNI.
    Avx512Vnni, ["avx512f,avx512bw,avx512vl,avx512vnni"], Wide, avx512::Lanes,
    attention: Avx512, f32, integer, |sum, out| sum.store_up_to(out), |x| x
}

integer_arithmetic! {
    /// int8 with AVX-VNNI.
    Avx2Vnni, ["avx2,fma,avxvnni"], Narrow, avx2::Lanes,
    attention: Avx2, f32, integer, |sum, out| sum.store_up_to(out), |x| x
}
