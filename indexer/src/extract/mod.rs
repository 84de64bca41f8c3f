//! Bytes → [`Extracted`]: a document's readable text, its blocks and what is known about it. One file here per
//! family of formats; [`crate::decode`] turned the bytes into text before.

mod csv;
mod fields;
mod html;
mod json;
mod markdown;
mod records;
mod text;

use std::sync::Arc;

use alder_engine::{Metadata, Span};

use crate::limits;

pub(crate) use html::declared_encoding;
pub(crate) use records::{Record, RecordSettings, Records};

/// Grows whenever an extractor or the chunker gives another result for the same bytes.
pub(crate) const VERSION: u32 = 1;

/// A document as its extractor sees it. All spans point into `text`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extracted {
    /// Title, or an empty string.
    pub(crate) title: String,
    /// Readable text.
    pub(crate) text: String,
    /// Parts of the text in order, none overlapping; everything but white space is in one.
    pub(crate) blocks: Vec<Block>,
    /// Fields for filters.
    pub(crate) metadata: Metadata,
    /// What the user should know about the extraction.
    pub(crate) notes: Vec<String>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) kind: BlockKind,
    /// Where it is.
    pub(crate) span: Span,
    /// Headings above it, outermost first, without the title and without itself.
    pub(crate) heading_path: Arc<[String]>,
}

/// What a block is, which decides where it may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// A heading: context for what follows, never a passage of its own.
    Heading,
    /// The heading that is also the title.
    Title,
    /// Prose: may be cut between sentences.
    Paragraph,
    /// Lines that stand for themselves (logs, code, tables): may be cut between lines.
    Lines,
}

/// Extracts a text that is one document as a whole; `name` gives the title where the text has none.
///
/// # Errors
/// The reason in words.
pub(crate) fn whole(format: crate::Format, name: &str, text: String) -> Result<Extracted, String> {
    use crate::Format;
    let mut extracted = match format {
        Format::Markdown => markdown::extract(&text),
        Format::Html => html::extract(&text)?,
        Format::Log => text::extract(text, BlockKind::Lines),
        _ => text::extract(text, BlockKind::Paragraph),
    };
    if extracted.title.is_empty() {
        let file = name.rsplit('/').next().unwrap_or(name);
        extracted.title = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned();
    }
    shorten_title(&mut extracted);
    let notes = fields::shed(&mut extracted.metadata);
    extracted.notes.extend(notes);
    Ok(extracted)
}

/// A document from its title and plain text of `kind`, as the HTTP service and the records give it.
pub(crate) fn plain(title: String, text: String, kind: BlockKind) -> Extracted {
    // A record without a body is still found by its title.
    let text = if text.trim().is_empty() { title.clone() } else { text };
    let mut extracted = Extracted { title, ..text::extract(text, kind) };
    shorten_title(&mut extracted);
    extracted
}

fn shorten_title(extracted: &mut Extracted) {
    if extracted.title.len() > limits::TITLE_BYTES {
        extracted.notes.push(format!(
            "the title of {} bytes was cut at {}",
            extracted.title.len(),
            limits::TITLE_BYTES
        ));
        truncate(&mut extracted.title, limits::TITLE_BYTES);
    }
}

/// Cuts `text` at the last character that ends within `bytes`.
fn truncate(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}

/// Puts a text together from blocks, keeping the headings above the current place.
#[derive(Debug, Default)]
struct Builder {
    title: String,
    text: String,
    blocks: Vec<Block>,
    headings: Vec<(u8, String)>,
    path: Arc<[String]>,
}

impl Builder {
    /// Appends a block after an empty line.
    fn push(&mut self, kind: BlockKind, content: &str) {
        self.push_after("\n\n", kind, content);
    }

    /// Appends a block after `separator`, without white space around it.
    fn push_after(&mut self, separator: &str, kind: BlockKind, content: &str) {
        let content = match kind {
            BlockKind::Lines => content.trim_matches('\n').trim_end(),
            _ => content.trim(),
        };
        if content.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(separator);
        }
        let start = self.text.len();
        self.text.push_str(content);
        let span = Span::new(start, self.text.len());
        self.blocks.push(Block { kind, span, heading_path: self.path.clone() });
    }

    /// Appends a heading of `level` (1 is the highest). The first heading of a document without a title is its
    /// title if it has level 1; a heading that repeats the title adds nothing to the path.
    fn heading(&mut self, level: u8, content: &str) {
        let content = content.trim();
        if content.is_empty() {
            return;
        }
        if self.title.is_empty() && level == 1 && self.headings.is_empty() {
            self.title = content.to_owned();
        }
        self.headings.retain(|(above, _)| *above < level);
        self.path = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
        if content == self.title {
            return self.push(BlockKind::Title, content);
        }
        self.push(BlockKind::Heading, content);
        let mut short = content.to_owned();
        truncate(&mut short, limits::HEADING_BYTES);
        self.headings.push((level, short));
        self.path = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
    }

    fn finish(self) -> Extracted {
        Extracted { title: self.title, text: self.text, blocks: self.blocks, ..Extracted::default() }
    }
}

#[cfg(test)]
mod tests;
