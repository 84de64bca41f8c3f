//! Every limit of the engine in one place, with its unit and its reason. Beyond a limit is an error that
//! names the bounds, never a silent clamp.

/// External ids longer than this are refused: they are terms of the lexical index.
pub const DOCUMENT_ID_BYTES: usize = 512;
/// Extracted text of one document, in bytes: it is held in memory several times while it is indexed.
pub const DOCUMENT_TEXT_BYTES: usize = 64 << 20;
/// A query longer than this is a document; about 10,000 words fit.
pub const QUERY_BYTES: usize = 128 << 10;
/// Distinct terms of a query that the lexical search uses; the most selective are kept and the result says so.
pub const QUERY_TERMS: usize = 64;
/// Hits on one page.
pub const LIMIT_MAX: usize = 1_000;
/// `offset + limit`: deeper paging is what cursors are for.
pub const WINDOW_MAX: usize = 10_000;
/// Passages retrieved by each retriever before fusion.
pub const CANDIDATES_DEFAULT: usize = 100;
/// Passages read for answers and reranking, by default and at most.
pub const READ_DEPTH_DEFAULT: usize = 10;
/// See [`READ_DEPTH_DEFAULT`].
pub const READ_DEPTH_MAX: usize = 100;
/// Conditions in one filter, and how deep they nest.
pub const FILTER_CONDITIONS: usize = 256;
/// See [`FILTER_CONDITIONS`].
pub const FILTER_DEPTH: usize = 8;
/// Alternatives in one `any` condition: each is a term to look up in every segment.
pub const FILTER_VALUES: usize = 1_024;
/// Names of metadata fields, in bytes: they are part of a term of the index.
pub const METADATA_KEY_BYTES: usize = 256;
/// Values of all metadata fields of one document, lists counted by element.
pub const METADATA_VALUES: usize = 1_024;
/// Passages of one document: each is read, encoded and stored before the next commit.
pub const DOCUMENT_PASSAGES: usize = 1 << 20;
/// Memory for postings not yet written to a segment, in bytes; a full heap becomes a segment of its own.
pub const WRITER_HEAP_BYTES: usize = 128 << 20;
/// Bytes of store files whose checksums are verified when a collection is opened, smallest files first
/// (about a quarter of a second); larger files are verified by their header and footer alone.
pub const SCRUB_BYTES: u64 = 512 << 20;
/// Segments of one size class that are merged into one after a commit.
pub const MERGE_SEGMENTS: usize = 8;
/// Passages beyond which a segment is not merged any more: its graph is too dear to build again.
pub const MERGE_PASSAGES: u64 = 1_000_000;
