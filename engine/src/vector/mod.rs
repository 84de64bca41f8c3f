//! Derived vectors: for each segment of the store one file ([`file`]) made from the stored vectors, scanned exactly or,
//! when large, walked along its graph ([`graph`], built by [`build`]); [`search`] chooses. [`kernel`] has the products of
//! every instruction set. This folder knows rows and document numbers, nothing of the store or of text.

mod build;
mod file;
mod format;
mod graph;
mod growing;
mod kernel;
mod search;
mod set;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub(crate) use build::add_graph;
pub(crate) use file::{Shape, VectorFile};
pub use format::{StoredVector, VectorFormat};
pub use set::{Allowed, VectorSet};
pub(crate) use write::{flat_image, write_flat};

/// Rows from which a segment gets a graph, unless the collection was created with another number: below it a
/// scan takes under a millisecond.
pub(crate) const GRAPH_ROWS_DEFAULT: usize = 20_000;

/// Rows a walk keeps open at least (`ef` of the paper); recall grows with it, speed falls.
const EF_SEARCH: usize = 256;
