//! Every limit of the indexer in one place, with its unit and its reason. What goes beyond one is a line in
//! the report that names it, never a silent cut. The engine's own limits apply as well.

/// Files larger than this are not read whole unless the user raises it (`--max-file-bytes`).
pub const FILE_BYTES_DEFAULT: u64 = 64 << 20;
/// One line of a JSON Lines file, one element of a JSON array, one CSV row (`--max-line-bytes`).
pub const LINE_BYTES_DEFAULT: usize = 16 << 20;
/// Tokens of a passage with its title and headings: what the encoder was trained on and reads in one window.
pub const PASSAGE_TOKENS_DEFAULT: usize = 224;
/// Fewer tokens than this leave no room for a sentence beside a title.
pub const PASSAGE_TOKENS_MIN: usize = 16;
/// A sentence longer than this many tokens is not repeated at the start of the next passage.
pub const OVERLAP_TOKENS_DEFAULT: usize = 32;
/// Documents between two commits, and seconds: what an interruption can cost.
pub const COMMIT_DOCUMENTS_DEFAULT: u64 = 5_000;
/// See [`COMMIT_DOCUMENTS_DEFAULT`].
pub const COMMIT_SECONDS_DEFAULT: u64 = 30;

/// Seconds without a result after which the process that reads a binary file is ended.
pub const EXTRACT_SECONDS_DEFAULT: u64 = 60;
/// Address space of the process that reads a binary file, in bytes (on Linux).
pub const EXTRACT_MEMORY_BYTES_DEFAULT: u64 = 1 << 30;
/// The least of it: program, stacks and the parsers' own tables.
pub const EXTRACT_MEMORY_BYTES_MIN: u64 = 128 << 20;

/// Tokens encoded at once: enough to fill the processor, small enough to stop soon.
pub(crate) const BATCH_TOKENS: usize = 8_192;
/// Text waiting to be encoded and stored: documents whose vectors are kept wait behind one that has none yet.
pub(crate) const QUEUE_BYTES: usize = 8 << 20;
/// Text that one message from the extracting thread may carry before it is sent.
pub(crate) const MESSAGE_BYTES: usize = 1 << 20;
/// Documents that one message may carry.
pub(crate) const MESSAGE_DOCUMENTS: usize = 256;
/// Messages waiting between extracting and encoding.
pub(crate) const MESSAGES_WAITING: usize = 2;
/// Metadata of one document: it is stored with every passage.
pub(crate) const METADATA_BYTES: usize = 16 << 10;
/// Title, headings and metadata of a document times its passages: they are held until it is stored.
pub(crate) const REPEATED_BYTES: usize = 256 << 20;
/// Titles are stored with every passage.
pub(crate) const TITLE_BYTES: usize = 1 << 10;
/// A heading is longer than this only by mistake of its author; its whole text stays in the document.
pub(crate) const HEADING_BYTES: usize = 256;
/// Text without a space is given to the tokenizer in pieces of this size: its memory grows with the
/// longest unbroken piece (32 bytes a byte).
pub(crate) const UNBROKEN_BYTES: usize = 4 << 10;
/// Text with spaces is given to the tokenizer in pieces of this size.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
/// Problems kept in the report for each file; the rest are counted.
pub(crate) const PROBLEMS_PER_FILE: usize = 20;
/// Open HTML elements; browsers stop at 512 as well.
pub(crate) const HTML_DEPTH: usize = 512;
/// An HTML page, in bytes: its tree takes many times as much.
pub(crate) const HTML_BYTES: usize = 16 << 20;
/// Bytes of an HTML page times its character references: with these the time to parse it grew (5 s measured
/// for 300,000 in 1.2 MB).
pub(crate) const HTML_REFERENCES: usize = 400_000_000_000;
/// HTML elements times those that would be open if no shape of a drawing were closed (1 s at most).
pub(crate) const HTML_SHAPES: usize = 400_000_000;
/// HTML elements in one file.
pub(crate) const HTML_ELEMENTS: usize = 1_000_000;
/// HTML elements times open formatting elements, which the parser repeats in every paragraph.
pub(crate) const HTML_FORMATTING: usize = 4_000_000;
/// Bytes looked at to tell what a file is.
pub(crate) const SNIFF_BYTES: usize = 64 << 10;
/// Files of an archive.
pub(crate) const ARCHIVE_ENTRIES: u64 = 100_000;
/// How many times its size a file may unpack to: text compresses to a tenth, a bomb to a thousandth.
pub(crate) const EXPANSION: u64 = 200;
/// What every file may unpack to, however small it is.
pub(crate) const EXPANSION_FREE_BYTES: u64 = 4 << 20;
/// Open elements of an XML part.
pub(crate) const XML_DEPTH: usize = 512;
/// Replies of the child process beyond [`EXPANSION`] times the size of its file.
pub(crate) const CHILD_OUTPUT_BYTES: u64 = 64 << 20;
/// One reply: the text of a document in JSON with its blocks.
pub(crate) const CHILD_LINE_BYTES: u64 = 256 << 20;
/// Stack of the extracting thread: parsers recurse within the depths above.
pub(crate) const EXTRACT_STACK_BYTES: usize = 16 << 20;
