//! Dot products of a query with rows, in the instruction set chosen at start: one file for each, [`scalar`] is the
//! specification and all others return its results bit for bit. Sums of integers are exact in any order; sums of
//! floats are the same plain loop, with the same sixteen partial sums, compiled for each instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use half::f16;

/// A vector in int8: each value is its code times the scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes<'a> {
    /// A code for each dimension.
    pub(super) codes: &'a [i8],
    /// What they are multiplied with.
    pub(super) scale: f32,
}

/// Vectors in int8, one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    codes: &'a [i8],
    scales: &'a [f32],
    dimensions: usize,
}

impl<'a> Rows<'a> {
    /// A row of `dimensions` codes for each of `scales`.
    pub(super) fn new(codes: &'a [i8], scales: &'a [f32], dimensions: usize) -> Self {
        assert_eq!(codes.len(), scales.len() * dimensions, "a scale for every row");
        Self { codes, scales, dimensions }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    /// Row `row`.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub(super) fn row(&self, row: u32) -> Codes<'a> {
        let codes = &self.codes[row as usize * self.dimensions..][..self.dimensions];
        Codes { codes, scale: self.scales[row as usize] }
    }
}

/// Rows fetched into the cache before the one that is multiplied.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 4;

/// An instruction set with kernels of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Products of bytes with AVX-512 VNNI (Intel since Ice Lake, AMD since Zen 4).
    Avx512Vnni,
    /// Products of bytes with AVX-VNNI (Intel since Alder Lake, AMD since Zen 5).
    AvxVnni,
    /// Products of 16-bit numbers with AVX2.
    Avx2,
    /// Plain Rust.
    Scalar,
}

impl Kernel {
    /// All, the fastest first.
    const ALL: [Self; 4] = [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2, Self::Scalar];

    /// The fastest that this processor has.
    pub(super) fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        let find = || Self::ALL.into_iter().find(|k| k.available()).unwrap_or(Self::Scalar);
        *BEST.get_or_init(find)
    }

    fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vnni")
            }
            Self::AvxVnni => {
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni")
            }
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Scalar => true,
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Self::Scalar;
    }

    /// The products of `query` with each of `which`, in `out`: sums of integers, exact up to 65,536 dimensions, times both
    /// scales. They are cosines when all have length 1.
    ///
    /// # Panics
    /// If a row does not exist or is not as long as `query`.
    #[inline]
    pub(super) fn products(
        self,
        query: Codes<'_>,
        rows: Rows<'_>,
        which: &[u32],
        out: &mut Vec<f32>,
    ) {
        assert_eq!(query.codes.len(), rows.dimensions, "queries are as long as rows");
        out.clear();
        out.resize(which.len(), 0.0);
        match self {
            // SAFETY: the variant is chosen only when `available` has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { avx512::products(query, rows, which, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => unsafe { avx_vnni::products(query, rows, which, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::products(query, rows, which, out) },
            _ => scalar::products(query, rows, which, out),
        }
    }

    /// The product of two vectors of the same length.
    #[inline]
    pub(super) fn product(self, a: Codes<'_>, b: Codes<'_>) -> f32 {
        let sum = match self {
            // SAFETY: the variant is chosen only when `available` has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { avx512::dot(a.codes, b.codes) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni | Self::Avx2 => unsafe { avx2::dot(a.codes, b.codes) },
            _ => scalar::dot(a.codes, b.codes),
        };
        sum as f32 * a.scale * b.scale
    }

    /// `Σ query·row` with a row of int8 codes, summed in f32.
    #[inline]
    pub(super) fn dot_codes(self, query: &[f32], row: &[i8]) -> f32 {
        match self {
            // SAFETY: the variant is chosen only when `available` has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { avx512::dot_codes(query, row) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni | Self::Avx2 => unsafe { avx2::dot_codes(query, row) },
            _ => scalar::dot_codes(query, row),
        }
    }

    /// The same with a row of f16.
    #[inline]
    pub(super) fn dot_halves(self, query: &[f32], row: &[f16]) -> f32 {
        match self {
            // SAFETY: the variant is chosen only when `available` has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { avx512::dot_halves(query, row) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni | Self::Avx2 => unsafe { avx2::dot_halves(query, row) },
            _ => scalar::dot_halves(query, row),
        }
    }

    /// The same with a row of f32.
    #[inline]
    pub(super) fn dot_floats(self, query: &[f32], row: &[f32]) -> f32 {
        match self {
            // SAFETY: the variant is chosen only when `available` has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { avx512::dot_floats(query, row) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni | Self::Avx2 => unsafe { avx2::dot_floats(query, row) },
            _ => scalar::dot_floats(query, row),
        }
    }
}

/// The products with floats of `scalar`, compiled for an instruction set.
#[cfg(target_arch = "x86_64")]
macro_rules! float_products {
    ($features:literal) => {
        #[target_feature(enable = $features)]
        pub(super) fn dot_codes(query: &[f32], row: &[i8]) -> f32 {
            scalar::dot_codes(query, row)
        }

        #[target_feature(enable = $features)]
        pub(super) fn dot_halves(query: &[f32], row: &[half::f16]) -> f32 {
            scalar::dot_halves(query, row)
        }

        #[target_feature(enable = $features)]
        pub(super) fn dot_floats(query: &[f32], row: &[f32]) -> f32 {
            scalar::dot_floats(query, row)
        }
    };
}
#[cfg(target_arch = "x86_64")]
use float_products;

/// Asks for `values` to be brought into the cache; returns at once.
#[inline(always)]
pub(super) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(values)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and it reads nothing that a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().wrapping_add(line)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

/// Puts into `out` the product of `query` with each of `which`, where `dot` says what a row's codes sum up to, with the
/// rows after it on their way into the cache.
#[cfg(target_arch = "x86_64")]
macro_rules! each_row {
    ($query:ident, $rows:ident, $which:ident, $out:ident, $dot:expr) => {
        let dot = $dot;
        for &row in $which.iter().take(AHEAD) {
            prefetch($rows.row(row).codes);
        }
        for (at, (&row, out)) in $which.iter().zip($out.iter_mut()).enumerate() {
            if let Some(&ahead) = $which.get(at + AHEAD) {
                prefetch($rows.row(ahead).codes);
            }
            let row = $rows.row(row);
            *out = dot(row.codes) as f32 * $query.scale * row.scale;
        }
    };
}
#[cfg(target_arch = "x86_64")]
use each_row;
