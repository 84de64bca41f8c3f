//! Which kernels this processor can run, and the choice among them.

use super::KernelError;

/// A set of kernels, named after what it needs of the processor and, where products are in int8, that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Implementation {
    /// Products in int8 on the tile unit (Intel since Sapphire Rapids), attention in bf16, all else in f32 AVX-512.
    AmxInt8,
    /// Products in bf16 with f32 sums on the tile unit, all else in f32 AVX-512.
    Amx,
    /// Products in int8 with AVX-512 VNNI, all else in f32.
    Avx512Int8,
    /// f32 with AVX-512.
    Avx512,
    /// Products in int8 with AVX-VNNI, all else in f32 with AVX2 and FMA.
    Avx2Int8,
    /// f32 with AVX2 and FMA.
    Avx2,
    /// Products in int8 in plain Rust: the specification of the other integer products.
    ScalarInt8,
    /// f32 in plain Rust.
    Scalar,
}

impl Implementation {
    /// All, the fastest first, but that plain int8 is no faster than plain f32.
    pub(crate) const ALL: [Self; 8] = [
        Self::AmxInt8,
        Self::Amx,
        Self::Avx512Int8,
        Self::Avx512,
        Self::Avx2Int8,
        Self::Avx2,
        Self::ScalarInt8,
        Self::Scalar,
    ];

    /// The fastest this processor has; products in int8 only if the model is `rounded` to it.
    pub(crate) fn detect(rounded: bool) -> Self {
        let fit =
            |i: &Self| i.available() && *i != Self::ScalarInt8 && (rounded || !i.is_integer());
        Self::ALL.into_iter().find(fit).unwrap_or(Self::Scalar)
    }

    /// The implementation called `name`.
    ///
    /// # Errors
    /// [`KernelError::Implementation`] if there is none, or this processor cannot run it.
    pub(crate) fn named(name: &str) -> Result<Self, KernelError> {
        let found = Self::ALL.into_iter().find(|i| i.name() == name);
        found.filter(|i| i.available()).ok_or_else(|| KernelError::Implementation(name.to_owned()))
    }

    /// Its name, as `ALDER_KERNEL` takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AmxInt8 => "amx-int8",
            Self::Amx => "amx",
            Self::Avx512Int8 => "avx512-int8",
            Self::Avx512 => "avx512",
            Self::Avx2Int8 => "avx2-int8",
            Self::Avx2 => "avx2",
            Self::ScalarInt8 => "scalar-int8",
            Self::Scalar => "scalar",
        }
    }

    /// Whether products are in int8.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::AmxInt8 | Self::Avx512Int8 | Self::Avx2Int8 | Self::ScalarInt8)
    }

    /// Whether this processor, and for AMX the operating system, can run it.
    pub(crate) fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            #[cfg(target_os = "linux")]
            Self::AmxInt8 => super::amx_int8::available(),
            #[cfg(target_os = "linux")]
            Self::Amx => super::amx::available(),
            #[cfg(not(target_os = "linux"))]
            Self::AmxInt8 | Self::Amx => false,
            Self::Avx512Int8 => {
                is_x86_feature_detected!("avx512vnni")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && Self::Avx512.available()
            }
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            Self::Avx2Int8 => is_x86_feature_detected!("avxvnni") && Self::Avx2.available(),
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::ScalarInt8 | Self::Scalar => true,
        };
        #[cfg(not(target_arch = "x86_64"))]
        return matches!(self, Self::ScalarInt8 | Self::Scalar);
    }
}
