//! Bytes → [`Extracted`]: a document's readable text, its blocks and what is known about it. One file here per
//! family of formats. Text formats ([`whole`], [`Records`]) were turned into text by [`crate::decode`] before;
//! binary formats and containers ([`Files`]) are read in a child process ([`crate::sandbox`]).

mod archive;
mod around;
mod builder;
mod csv;
mod docx;
mod epub;
mod fields;
mod files;
mod flow;
mod html;
mod json;
mod latex;
mod mail;
mod markdown;
mod mediawiki;
mod opendocument;
mod package;
mod pdf;
mod pdf_layout;
mod pptx;
mod records;
mod restructured;
mod spreadsheet;
mod text;
mod wikitext;
mod xml;

use std::sync::Arc;

use alder_engine::{Metadata, Span};

use crate::limits;

use builder::Builder;
pub(crate) use files::{Files, Found, Item, Stop};
pub(crate) use html::declared_encoding;
pub(crate) use records::{Record, RecordSettings, Records};

/// Grows whenever an extractor or the chunker gives another result for the same bytes.
pub(crate) const VERSION: u32 = 3;

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
    /// Page or slide it stands on, from 1.
    pub(crate) page: Option<u32>,
}

/// What a block is, which decides where it may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
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
        Format::Restructured => restructured::extract(&text),
        Format::Latex => latex::extract(&text),
        Format::Log => text::extract(text, BlockKind::Lines),
        Format::Source => {
            let title = file_name(name).to_owned();
            Extracted { title, ..text::extract(text, BlockKind::Lines) }
        }
        _ => text::extract(text, BlockKind::Paragraph),
    };
    finish(&mut extracted, name);
    Ok(extracted)
}

/// Gives a document of the file `name` a title if it has none, and keeps title and metadata within their limits.
fn finish(extracted: &mut Extracted, name: &str) {
    if extracted.title.trim().is_empty() {
        let file = file_name(name);
        extracted.title = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned();
    }
    shorten_title(extracted);
    let notes = fields::shed(&mut extracted.metadata);
    extracted.notes.extend(notes);
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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

#[cfg(test)]
mod files_tests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod tests;
