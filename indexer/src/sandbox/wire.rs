//! What parent and child say to each other: one [`Request`] as an argument, [`Reply`]s as JSON lines.
//!
//! The child may have been taken over by the file it reads, so the parent believes nothing: [`Reply::parse`] and
//! [`ItemWire::check`] refuse whatever an extractor of Alder would not make.

use std::sync::Arc;

use alder_engine::{Metadata, Span};
use serde::{Deserialize, Serialize};

use crate::Format;
use crate::extract::{Block, BlockKind, Extracted, Found, Item};
use crate::report::Fate;
use crate::settings::{FieldNames, Settings};

/// What the child is to do with its standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Name of the file, which gives titles and formats.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) max_file_bytes: u64,
    pub(crate) max_line_bytes: usize,
    /// Limit of the child's address space.
    pub(crate) memory_bytes: u64,
    /// Limit of its time on the processor, if one file should take no longer; for a child without a parent.
    pub(crate) processor_seconds: Option<u64>,
    pub(crate) fields: FieldNames,
}

impl Request {
    pub(crate) fn new(name: &str, format: Format, settings: &Settings) -> Self {
        Self {
            name: name.to_owned(),
            format,
            max_file_bytes: settings.max_file_bytes,
            max_line_bytes: settings.max_line_bytes,
            memory_bytes: settings.extract_memory_bytes,
            processor_seconds: (!format.is_container()).then_some(settings.extract_seconds),
            fields: settings.fields.clone(),
        }
    }
}

/// One line of the child's output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    Item(ItemWire),
    /// Nothing follows; `fate` says why the file was not read to its end.
    End {
        fate: Option<Fate>,
    },
}

/// [`Item`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ItemWire {
    Document(Box<DocumentWire>),
    Problem { reason: String },
    Note(String),
}

/// A [`Found`] document on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentWire {
    id: Option<String>,
    suffix: String,
    title: String,
    text: String,
    /// Heading paths, each once.
    paths: Vec<Vec<String>>,
    /// Kind, start, end, page and number of the heading path of each block.
    blocks: Vec<(BlockKind, usize, usize, Option<u32>, usize)>,
    metadata: Metadata,
    notes: Vec<String>,
}

impl Reply {
    /// Reads a line.
    ///
    /// # Errors
    /// The reason in words when it is none of the replies.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| {
            format!("its reader gave no valid reply ({error}); please report the file")
        })
    }
}

impl ItemWire {
    pub(super) fn new(item: Item) -> Self {
        match item {
            Item::Document(found) => Self::Document(Box::new(DocumentWire::new(*found))),
            Item::Problem(reason) => Self::Problem { reason },
            Item::Note(note) => Self::Note(note),
        }
    }

    /// The item, if its blocks are slices of its text in order.
    ///
    /// # Errors
    /// The reason in words.
    pub(super) fn check(self) -> Result<Item, String> {
        Ok(match self {
            Self::Document(document) => Item::Document(Box::new(document.check().ok_or(
                "its reader gave a document whose parts lie outside its text; please report the file",
            )?)),
            Self::Problem { reason } => Item::Problem(reason),
            Self::Note(note) => Item::Note(note),
        })
    }
}

impl DocumentWire {
    fn new(found: Found) -> Self {
        let Extracted { title, text, blocks: parts, metadata, notes } = found.extracted;
        let mut paths: Vec<Vec<String>> = Vec::new();
        let mut blocks = Vec::with_capacity(parts.len());
        for block in parts {
            if paths.last().is_none_or(|last| **last != *block.heading_path) {
                paths.push(block.heading_path.to_vec());
            }
            let Span { start, end } = block.span;
            blocks.push((block.kind, start, end, block.page, paths.len() - 1));
        }
        Self { id: found.id, suffix: found.suffix, title, text, paths, blocks, metadata, notes }
    }

    fn check(self) -> Option<Found> {
        let paths: Vec<Arc<[String]>> = self.paths.into_iter().map(Arc::from).collect();
        let mut blocks = Vec::with_capacity(self.blocks.len());
        let mut before = 0;
        for (kind, start, end, page, path) in self.blocks {
            let inside = before <= start && start < end && self.text.get(start..end).is_some();
            if !inside {
                return None;
            }
            before = end;
            let heading_path = paths.get(path)?.clone();
            blocks.push(Block { kind, span: Span::new(start, end), heading_path, page });
        }
        let Self { id, suffix, title, text, metadata, notes, .. } = self;
        Some(Found { id, suffix, extracted: Extracted { title, text, blocks, metadata, notes } })
    }
}
