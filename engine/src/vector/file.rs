//! [`VectorFile`]: the derived vectors of one segment, mapped and checked. Searched by [`super::search`], written by
//! [`super::write`], named by the segment's id; wrong or missing files are made again from the store.
//!
//! Layout, little-endian, sections padded to 64 bytes:
//!
//! | offset | what |
//! |---|---|
//! | 0 | magic `ALDERVEC` |
//! | 8 | version: u32 = 1 |
//! | 12 | format tag: u32 ([`VectorFormat`]) |
//! | 16 | dimensions: u32 |
//! | 20 | rows: u32 |
//! | 24 | bytes of the graph section: u64, 0 without a graph |
//! | 32 | bytes of the file: u64 |
//! | 40 | crc32 of everything from offset 64: u32 |
//! | 44 | crc32 of bytes 0..44: u32 |
//! | 64 | rows: `rows · row_bytes` |
//! | … | scales: `rows · f32` (1 unless int8) |
//! | … | document numbers in the segment, strictly increasing: `rows · u32` |
//! | … | graph ([`super::graph`]), if any |

use std::ops::Range;
use std::path::Path;

use super::VectorFormat;
use super::graph::{Graph, Links};
use super::kernel::{Kernel, Rows};
use crate::mapped::{Mapped, numbers};

pub(super) const MAGIC: &[u8; 8] = b"ALDERVEC";
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER: usize = 64;

/// What a vector file must agree with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Format of the rows.
    pub(crate) format: VectorFormat,
    /// Values in a row.
    pub(crate) dimensions: usize,
}

/// Where the sections of a file lie.
#[derive(Debug, Clone)]
pub(super) struct Sections {
    pub(super) rows: Range<usize>,
    pub(super) scales: Range<usize>,
    pub(super) documents: Range<usize>,
    pub(super) graph: Range<usize>,
}

impl Sections {
    /// The sections of a file with `rows` rows and a graph of `graph` bytes.
    pub(super) fn of(shape: Shape, rows: usize, graph: usize) -> Self {
        let mut at = HEADER;
        let mut section = |len: usize| {
            let range = at..at + len;
            at = range.end.next_multiple_of(64);
            range
        };
        Self {
            rows: section(rows * shape.format.row_bytes(shape.dimensions)),
            scales: section(rows * 4),
            documents: section(rows * 4),
            graph: section(graph),
        }
    }

    /// Bytes of the whole file.
    pub(super) fn file_len(&self) -> usize {
        if self.graph.is_empty() { self.documents.end } else { self.graph.end }
    }
}

/// The vectors of one segment.
#[derive(Debug)]
pub(crate) struct VectorFile {
    map: Mapped,
    shape: Shape,
    sections: Sections,
    rows: usize,
    graph: Option<Graph>,
}

impl VectorFile {
    /// Maps and verifies the file at `path` for a segment of `documents` store documents.
    ///
    /// # Errors
    /// What is wrong with it; the remedy is always to make it again.
    pub(crate) fn open(path: &Path, shape: Shape, documents: u32) -> Result<Self, String> {
        let map = Mapped::open(path).map_err(|e| e.to_string())?;
        Self::check(map, shape, documents)
    }

    /// The same for a file image that could not be written.
    pub(crate) fn in_memory(image: &[u8], shape: Shape, documents: u32) -> Result<Self, String> {
        let map = Mapped::anonymous(image).map_err(|e| e.to_string())?;
        Self::check(map, shape, documents)
    }

    fn check(map: Mapped, shape: Shape, documents: u32) -> Result<Self, String> {
        let bytes = map.bytes();
        let (rows, graph_len) = check_header(bytes, shape)?;
        let sections = Sections::of(shape, rows, graph_len);
        if sections.file_len() > bytes.len() {
            return Err(format!("{} bytes, too few for {rows} rows", bytes.len()));
        }
        let numbers_of_documents = numbers::<u32>(&bytes[sections.documents.clone()]);
        let increasing = numbers_of_documents.windows(2).all(|pair| pair[0] < pair[1]);
        if !increasing || numbers_of_documents.last().is_some_and(|&last| last >= documents) {
            return Err("document numbers that are not those of the segment".into());
        }
        if !numbers::<f32>(&bytes[sections.scales.clone()]).iter().all(|s| s.is_finite()) {
            return Err("a scale that is not finite".into());
        }
        let graph = match graph_len {
            0 => None,
            _ => Some(Graph::parse(&bytes[sections.graph.clone()], rows)?),
        };
        Ok(Self { map, shape, sections, rows, graph })
    }

    /// Number of vectors.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is a graph.
    pub(crate) fn has_graph(&self) -> bool {
        self.graph.is_some()
    }

    /// The graph with its arrays, if there is one.
    pub(super) fn links(&self) -> Option<Links<'_>> {
        let graph = self.graph.as_ref()?;
        Some(graph.links(&self.map.bytes()[self.sections.graph.clone()]))
    }

    /// All rows, when they are in int8.
    pub(super) fn rows_in_int8(&self) -> Option<Rows<'_>> {
        let codes = numbers(&self.map.bytes()[self.sections.rows.clone()]);
        let int8 = self.shape.format == VectorFormat::Int8;
        int8.then(|| Rows::new(codes, self.scales(), self.shape.dimensions))
    }

    /// Cosine of the unit vector `query` and row `row` as stored.
    pub(super) fn score(&self, query: &[f32], row: u32) -> f32 {
        let (bytes, kernel) = (self.row(row), Kernel::best());
        let product = match self.shape.format {
            VectorFormat::Int8 => {
                kernel.dot_codes(query, numbers(bytes)) * self.scales()[row as usize]
            }
            VectorFormat::F16 => kernel.dot_halves(query, numbers(bytes)),
            VectorFormat::F32 => kernel.dot_floats(query, numbers(bytes)),
        };
        product.clamp(-1.0, 1.0)
    }

    /// The bytes of row `row`.
    pub(super) fn row(&self, row: u32) -> &[u8] {
        let len = self.shape.format.row_bytes(self.shape.dimensions);
        &self.map.bytes()[self.sections.rows.clone()][row as usize * len..][..len]
    }

    /// Scale of each row.
    pub(super) fn scales(&self) -> &[f32] {
        numbers(&self.map.bytes()[self.sections.scales.clone()])
    }

    /// Document number of each row.
    pub(super) fn documents(&self) -> &[u32] {
        numbers(&self.map.bytes()[self.sections.documents.clone()])
    }

    /// The vector of a store document, as stored.
    pub(crate) fn vector(&self, document: u32) -> Option<Vec<f32>> {
        let row = self.documents().binary_search(&document).ok()?;
        Some(self.values(row as u32))
    }

    /// The values of row `row`.
    pub(super) fn values(&self, row: u32) -> Vec<f32> {
        let bytes = self.row(row);
        match self.shape.format {
            VectorFormat::Int8 => {
                let scale = self.scales()[row as usize];
                numbers::<i8>(bytes).iter().map(|&v| f32::from(v) * scale).collect()
            }
            VectorFormat::F16 => numbers::<half::f16>(bytes).iter().map(|v| v.to_f32()).collect(),
            VectorFormat::F32 => numbers(bytes).to_vec(),
        }
    }

    /// Everything between the header and the graph.
    pub(super) fn flat_body(&self) -> &[u8] {
        &self.map.bytes()[HEADER..self.sections.documents.end]
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> usize {
        self.map.bytes().len()
    }

    /// Format and dimensions.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }
}

/// Rows and graph length, when the header and the checksum are right.
fn check_header(bytes: &[u8], shape: Shape) -> Result<(usize, usize), String> {
    if bytes.len() < HEADER || &bytes[..8] != MAGIC {
        return Err("not a vector file".into());
    }
    let u32_at = |at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes of the header"))
    };
    let u64_at = |at: usize| {
        u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes of the header"))
    };
    if u32_at(44) != crc32fast::hash(&bytes[..44]) {
        return Err("a header with a wrong checksum".into());
    }
    let expected = [VERSION, u32::from(shape.format.tag()), shape.dimensions as u32];
    let found = [u32_at(8), u32_at(12), u32_at(16)];
    if found != expected {
        return Err(format!("version, format, dimensions {found:?} instead of {expected:?}"));
    }
    if u64_at(32) != bytes.len() as u64 {
        return Err(format!("{} bytes instead of {}", bytes.len(), u64_at(32)));
    }
    if u32_at(40) != crc32fast::hash(&bytes[HEADER..]) {
        return Err("contents with a wrong checksum".into());
    }
    Ok((u32_at(20) as usize, u64_at(24) as usize))
}
