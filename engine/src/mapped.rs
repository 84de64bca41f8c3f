//! Read-only memory for vector files and weights: a mapped file, or anonymous pages when no file can be
//! written. Beside the kernels the only place with `unsafe`: the mapping, and reading plain numbers out of it.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::{Mmap, MmapMut};

#[cfg(target_endian = "big")]
compile_error!("vector files are little-endian and are read in place");

/// Page-aligned bytes that do not change.
#[derive(Debug)]
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Maps the file at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: vector files are written under another name, renamed into place and never changed after,
        // in a folder that belongs to the collection, as its documentation demands. Weights are mapped only
        // while they are loaded, and every tensor is copied out; a package that another process truncates
        // in those milliseconds would end this one, as with any map.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(map))
    }

    /// A copy of `bytes` in anonymous pages.
    pub(crate) fn anonymous(bytes: &[u8]) -> io::Result<Self> {
        let mut map = MmapMut::map_anon(bytes.len().max(1))?;
        map[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(map.make_read_only()?))
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Numbers whose every bit pattern is a value.
///
/// # Safety
/// The type has no padding and no invalid bit patterns.
pub(crate) unsafe trait Plain: Copy {}
// SAFETY: integers and floats have neither padding nor invalid bit patterns.
unsafe impl Plain for i8 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: `f16` is a transparent `u16`.
unsafe impl Plain for half::f16 {}

/// `bytes` as numbers, without copying.
///
/// # Panics
/// If `bytes` is not aligned for, or not a whole number of, `T`.
pub(crate) fn numbers<T: Plain>(bytes: &[u8]) -> &[T] {
    // SAFETY: every bit pattern is a `T` (`Plain`), and `align_to` splits off what is not aligned.
    let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
    assert!(before.is_empty() && after.is_empty(), "sections of a vector file are aligned");
    numbers
}
