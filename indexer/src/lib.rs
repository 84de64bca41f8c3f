//! Files and documents → a searchable collection: sources, extractors, cutting into passages, and the pipeline
//! that encodes and stores, keeps folders in step and reports on every file.
//!
//! - [`Indexer::index`] takes files and folders, [`Indexer::documents`] takes documents as such; both return
//!   what became of each ([`IngestReport`], [`ItemOutcome`]).
//! - Binary formats are read in a child process: a program that indexes names itself as
//!   [`Settings::extractor`] and calls [`extract_child`] in the hidden subcommand [`CHILD_COMMAND`].
//! - [`Remembered`] is what a collection was made of and how, [`Sources`] tells whether a document is still what
//!   its file says.
//! - [`Watch`] tells when to index again.
//! - [`Settings`] are the user's choices, [`limits`] their defaults, [`Format`] what is read.
//!
//! source → decode → extract → chunk → encode → upsert → commit. What is wrong with one document is a line in the
//! report; only a path that does not exist, a failing model or a failing store ends a run.
//!
//! ```
//! assert!(alder_indexer::formats_table().contains("| Markdown |"));
//! assert_eq!(alder_indexer::Format::detect("notes.md", b"# Notes"), Ok(alder_indexer::Format::Markdown));
//! ```

mod chunk;
mod decode;
mod error;
mod extract;
mod format;
#[cfg(test)]
mod hostile;
mod ledger;
pub mod limits;
mod origin;
mod pipeline;
mod remembered;
mod report;
mod sandbox;
mod selection;
mod settings;
mod source;
mod sources;
mod watch;

pub use error::IngestError;
pub use format::{Format, formats_table};
pub use pipeline::{Event, IncomingDocument, Indexer, ItemOutcome};
pub use remembered::{Choices, Remembered};
pub use report::{Fate, FileReport, IngestReport, Novelty, Problem, Totals};
pub use sandbox::{CHILD_COMMAND, extract_child};
pub use settings::{FieldNames, Revisit, Settings};
pub use sources::{Freshness, Sources};
pub use watch::{RESCAN_SECONDS_DEFAULT, Wake, Watch};
