//! Markdown: CommonMark with tables, footnotes, task lists and front matter → readable text. Markup goes, words
//! stay; code keeps its lines; the front matter's `key: value` lines become metadata.

use alder_engine::Metadata;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{BlockKind, Builder, Extracted, fields, html};

/// Extracts a Markdown text.
pub(super) fn extract(source: &str) -> Extracted {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut page = Page::default();
    for event in Parser::new_ext(source, options) {
        page.event(event);
    }
    page.flush();
    let mut extracted = page.builder.finish();
    extracted.metadata = page.metadata;
    extracted
}

/// The walk over the events of one text.
#[derive(Default)]
struct Page {
    builder: Builder,
    /// Text of the block that is open.
    open: String,
    kind: Option<BlockKind>,
    metadata: Metadata,
    front_matter: bool,
    /// Marker of the list item that begins.
    item: bool,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.front_matter => self.front(&text),
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::Html(text) => self.open.push_str(&text),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
            Event::SoftBreak => self.open.push(' '),
            Event::HardBreak => self.open.push('\n'),
            Event::Rule => self.flush(),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock => self.flush(),
            Tag::CodeBlock(_) | Tag::Table(_) => {
                self.flush();
                self.kind = Some(BlockKind::Lines);
            }
            Tag::Item => {
                self.flush();
                self.item = true;
            }
            Tag::MetadataBlock(_) => self.front_matter = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let heading = std::mem::take(&mut self.open);
                self.builder.heading(depth(level), &heading);
            }
            TagEnd::TableCell => self.open.push_str(" | "),
            TagEnd::TableHead | TagEnd::TableRow => {
                let row = self.open.trim_end_matches([' ', '|']).len();
                self.open.truncate(row);
                self.open.push('\n');
            }
            TagEnd::HtmlBlock => {
                let block = html::fragment_text(&std::mem::take(&mut self.open));
                self.builder.push(BlockKind::Paragraph, &block);
            }
            TagEnd::MetadataBlock(_) => self.front_matter = false,
            TagEnd::Item => {
                self.flush();
                self.item = false;
            }
            TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::Table | TagEnd::BlockQuote(_) => {
                self.flush();
            }
            _ => {}
        }
    }

    /// Closes the block that is open. The first block of a list item follows the line above it.
    fn flush(&mut self) {
        let kind = self.kind.take().unwrap_or(BlockKind::Paragraph);
        let content = std::mem::take(&mut self.open);
        if content.trim().is_empty() {
            return;
        }
        let separator = if std::mem::take(&mut self.item) { "\n" } else { "\n\n" };
        self.builder.push_after(separator, kind, &content);
    }

    fn front(&mut self, text: &str) {
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim().trim_matches(['"', '\'']);
            // Nested values and lists of YAML are indented or begin with a dash: not fields of the document.
            if key.is_empty() || key.starts_with([' ', '-', '#', '\t']) || value.is_empty() {
                continue;
            }
            if key == "title" {
                self.builder.title = value.to_owned();
            } else {
                self.metadata.insert(key.trim().to_owned(), fields::typed(value));
            }
        }
    }
}

fn depth(level: HeadingLevel) -> u8 {
    level as u8
}
