//! [`VectorSet`]: vectors outside a collection, in the same file and searched by the same code as those of a segment.
//! Comparisons with other vector indexes measure it.

use std::path::{Path, PathBuf};

use super::file::{Shape, VectorFile};
use super::kernel::Kernel;
use super::search::Breadth;
use super::{VectorFormat, add_graph, write_flat};
use crate::row_set::RowSet;
use crate::{Embedding, Error};

/// Numbered vectors in a file.
#[derive(Debug)]
pub struct VectorSet {
    path: PathBuf,
    shape: Shape,
    file: VectorFile,
}

/// Which vectors of a set may be found.
#[derive(Debug)]
pub struct Allowed(RowSet);

impl VectorSet {
    /// Writes `vectors`, which are equally long, to a new file at `path`. Their numbers are their places.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Store`] if they are not equally long.
    pub fn create(path: &Path, format: VectorFormat, vectors: &[Embedding]) -> Result<Self, Error> {
        let dimensions = vectors.first().map_or(0, |vector| vector.as_slice().len());
        let shape = Shape { format, dimensions };
        write_flat(path, shape, &|each| {
            (0..).zip(vectors).try_for_each(|(number, v)| each(number, &format.encode(v)))
        })?;
        Self::open(path, shape, vectors.len())
    }

    /// Builds the graph and writes it into the file, in parallel on the threads of rayon's pool.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn with_graph(self) -> Result<Self, Error> {
        add_graph(&self.path, &self.file)?;
        Self::open(&self.path, self.shape, self.file.rows())
    }

    fn open(path: &Path, shape: Shape, rows: usize) -> Result<Self, Error> {
        let file = VectorFile::open(path, shape, rows as u32);
        let file = file.map_err(|reason| Error::Store { doing: "reading vectors", reason })?;
        Ok(Self { path: path.to_owned(), shape, file })
    }

    /// Bytes of vectors, scales and graph: all that a search maps.
    pub fn bytes(&self) -> usize {
        self.file.bytes()
    }

    /// The set of the vectors with these numbers.
    pub fn allow(&self, numbers: impl IntoIterator<Item = u32>) -> Allowed {
        let mut set = RowSet::empty(self.file.rows() as u32);
        numbers.into_iter().for_each(|number| set.insert(number));
        Allowed(set)
    }

    /// The `k` vectors nearest to `query`, as (number, cosine), best first: by scan.
    pub fn exact(&self, query: &Embedding, allowed: &Allowed, k: usize) -> Vec<(u32, f32)> {
        self.file.scan(query.as_slice(), &allowed.0, k, &u64::from)
    }

    /// The same as a collection finds them: along the graph, `ef` rows wide, or by scan where that is faster.
    pub fn nearest(
        &self,
        query: &Embedding,
        allowed: &Allowed,
        k: usize,
        ef: usize,
    ) -> Vec<(u32, f32)> {
        self.file.find(query.as_slice(), &allowed.0, Breadth { k, ef }, &u64::from)
    }

    /// `Σ a·b` of equally long vectors with the fastest instructions of this processor: a distance for other indexes
    /// that are compared.
    pub fn product(a: &[f32], b: &[f32]) -> f32 {
        Kernel::best().dot_floats(a, b)
    }
}
