//! Products in int8 on the tile unit (AMX-INT8); attention in bf16 as in `amx`, LayerNorm and activations in AVX-512.

use std::arch::asm;

use super::amx::{self, Amx, store_rounded};
use super::avx512::Lanes;
use super::integer::{Sums, Unit, integer_arithmetic};
use super::quantised::COLUMNS;

/// Whether processor and kernel allow tiles of int8, and bf16 for the attention.
pub(super) fn available() -> bool {
    // CPUID leaf 7, EDX: bit 25 AMX-INT8.
    amx::available() && std::arch::x86_64::__cpuid_count(7, 0).edx & (1 << 25) != 0
}

/// The tile unit: two tiles of rows times two of columns.
pub(super) struct Tiles;

impl Unit for Tiles {
    const OFFSET: u8 = 0;

    #[inline(always)]
    unsafe fn product(
        (rows, stride, count): (*const i8, usize, usize),
        panel: *const i8,
        steps: usize,
        sums: &mut Sums,
    ) {
        let out = sums.0.as_mut_ptr();
        if count <= 16 {
            // SAFETY: tiles are 16 × 64 bytes by `begin`; memory is under the caller's obligation.
            unsafe {
                asm!(
                    "tilezero tmm0", "tilezero tmm1",
                    "2:",
                    "tileloadd tmm4, [{a} + {stride}]",
                    "tileloadd tmm6, [{b} + {line}]",
                    "tileloadd tmm7, [{b} + {line} + 1024]",
                    "tdpbssd tmm0, tmm4, tmm6",
                    "tdpbssd tmm1, tmm4, tmm7",
                    "add {a}, 64", "add {b}, 2048",
                    "dec {steps}", "jnz 2b",
                    "tilestored [{c} + {out_stride}], tmm0",
                    "tilestored [{c} + {out_stride} + 64], tmm1",
                    a = inout(reg) rows => _, b = inout(reg) panel => _, steps = inout(reg) steps => _,
                    stride = in(reg) stride, line = in(reg) 64_usize,
                    c = in(reg) out, out_stride = in(reg) COLUMNS * 4,
                    out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
            return;
        }
        // SAFETY: as above.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{a} + {stride}]",
                "tileloadd tmm6, [{b} + {line}]",
                "tileloadd tmm7, [{b} + {line} + 1024]",
                "tileloadd tmm5, [{lower} + {stride}]",
                "tdpbssd tmm0, tmm4, tmm6",
                "tdpbssd tmm1, tmm4, tmm7",
                "tdpbssd tmm2, tmm5, tmm6",
                "tdpbssd tmm3, tmm5, tmm7",
                "add {a}, 64", "add {lower}, 64", "add {b}, 2048",
                "dec {steps}", "jnz 2b",
                "tilestored [{c} + {out_stride}], tmm0",
                "tilestored [{c} + {out_stride} + 64], tmm1",
                "tilestored [{low} + {out_stride}], tmm2",
                "tilestored [{low} + {out_stride} + 64], tmm3",
                a = inout(reg) rows => _, lower = inout(reg) rows.byte_add(16 * stride) => _,
                b = inout(reg) panel => _, steps = inout(reg) steps => _,
                stride = in(reg) stride, line = in(reg) 64_usize,
                c = in(reg) out, low = in(reg) out.add(16 * COLUMNS), out_stride = in(reg) COLUMNS * 4,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

integer_arithmetic! {
    /// int8 on the tile unit.
    AmxInt8, ["avx512f,avx512bw,avx512vl,avx512bf16"], Tiles, Lanes,
    attention: Amx, u16, integer_half,
    |sum, out| store_rounded(sum, out), |x| f32::from_bits(u32::from(x) << 16)
}
