//! Which kernels this processor can run, and the choice among them.

use super::KernelError;

/// A set of kernels, named after what it needs of the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Implementation {
    /// Products in bf16 with f32 sums on the tile unit (Intel since Sapphire Rapids), all else in f32 AVX-512.
    Amx,
    /// f32 with AVX-512.
    Avx512,
    /// f32 with AVX2 and FMA.
    Avx2,
    /// f32 in plain Rust.
    Scalar,
}

impl Implementation {
    /// All, the fastest first.
    pub(crate) const ALL: [Self; 4] = [Self::Amx, Self::Avx512, Self::Avx2, Self::Scalar];

    /// The fastest this processor has.
    pub(crate) fn detect() -> Self {
        Self::ALL.into_iter().find(|i| i.available()).unwrap_or(Self::Scalar)
    }

    /// The implementation called `name`.
    ///
    /// # Errors
    /// [`KernelError::Implementation`] if there is none, or this processor cannot run it.
    pub(crate) fn named(name: &str) -> Result<Self, KernelError> {
        let found = Self::ALL.into_iter().find(|i| i.name() == name);
        found.filter(|i| i.available()).ok_or_else(|| KernelError::Implementation(name.to_owned()))
    }

    /// Its name: `amx`, `avx512`, `avx2` or `scalar`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Amx => "amx",
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Scalar => "scalar",
        }
    }

    /// Whether this processor, and for AMX the operating system, can run it.
    pub(crate) fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            #[cfg(target_os = "linux")]
            Self::Amx => super::amx::available(),
            #[cfg(not(target_os = "linux"))]
            Self::Amx => false,
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Scalar => true,
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Self::Scalar;
    }
}
