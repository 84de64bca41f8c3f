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
/// Operators of a query (phrases, `+`, `-`, `field:`, `prefix*`): each is a search of its own. More are plain words.
pub const QUERY_OPERATORS: usize = 64;
/// Words of a query that look like `field:value` and are tried as fields of the metadata.
pub const QUERY_FIELDS: usize = 64;
/// Words that one beginning or one mistyped word stands for.
pub const EXPANSIONS: usize = 32;
/// Terms looked at for them in each segment.
pub const EXPANSIONS_SCANNED: usize = 10_000;
/// Unknown words of a query for which similar ones are looked for.
pub const MISTAKES_MENDED: usize = 8;
/// Similar words that are searched for instead of an unknown one.
pub const MISTAKE_ALTERNATIVES: usize = 4;
/// Bytes of a collection's synonyms: they are held in memory and read again with every commit.
pub const SYNONYMS_BYTES: usize = 1 << 20;
/// Words in one line of synonyms.
pub const SYNONYMS_IN_LINE: usize = 64;
/// Fields whose values are counted in one query, and values listed of each.
pub const FACETS: usize = 16;
/// See [`FACETS`].
pub const FACET_VALUES: usize = 100;
/// Fields that a list is ordered by.
pub const SORT_FIELDS: usize = 4;
/// Passages from the top that are compared with each other for diversity: the work grows with its square.
pub const DIVERSITY_DEPTH: usize = 200;
/// Text for which suggestions are made, in bytes: nobody types more before looking.
pub const SUGGEST_BYTES: usize = 1_024;
/// Suggestions of one kind.
pub const SUGGESTIONS_MAX: usize = 50;
/// Titles read in each segment to find the best.
pub const SUGGEST_TITLES_READ: usize = 200;
/// Names of metadata fields that are listed.
pub const FIELD_NAMES: usize = 1_000;
/// Fields whose values are counted, and how far.
pub const FIELDS_COUNTED: usize = 100;
/// See [`FIELDS_COUNTED`].
pub const FIELD_VALUES_COUNTED: usize = 100;
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
