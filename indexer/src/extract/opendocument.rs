//! OpenDocument text and slides: `content.xml` (OpenDocument 1.3 part 3). Comments and tracked deletions are left
//! out; the number of a slide is the page.

use super::Extracted;
use super::flow::{Flow, Style};
use super::package::Package;
use super::xml::{Element, Node, Xml};

/// Elements whose content is not text of the document.
const SKIPPED: &[&str] = &[
    "annotation",
    "tracked-changes",
    "note-citation",
    "forms",
    "automatic-styles",
    "font-face-decls",
];
/// Spaces that one element may stand for.
const SPACES_MOST: usize = 64;

/// Extracts a document.
///
/// # Errors
/// The reason in words.
pub(super) fn extract(bytes: Vec<u8>) -> Result<Extracted, String> {
    let mut package = Package::open(bytes)?;
    let content = package.required("content.xml")?;
    let mut walk = Walk::default();
    let mut xml = Xml::new(&content);
    while let Some(node) = xml.next() {
        match node {
            Node::Text(text) if walk.paragraphs > 0 => walk.flow.folded(&text),
            Node::Text(_) => {}
            Node::Open(element) if SKIPPED.contains(&element.name.as_str()) => xml.pass_over(),
            Node::Open(element) => walk.open(&element),
            Node::Close(name) => walk.close(&name),
        }
    }
    let damage = xml.damage;
    let slides = walk.flow.builder.page;
    let mut extracted = walk.flow.finish().finish();
    extracted.notes.extend(damage);
    if let Some(slides) = slides {
        extracted.metadata.insert("slides".into(), slides.into());
    }
    if let Some(meta) = package.text("meta.xml")? {
        let mut xml = Xml::new(&meta);
        while let Some(node) = xml.next() {
            let Node::Open(element) = node else { continue };
            match element.name.as_str() {
                "title" if extracted.title.is_empty() => extracted.title = xml.text(),
                "creator" | "initial-creator" => {
                    extracted.metadata.insert("author".into(), xml.text().into());
                }
                _ => {}
            }
        }
    }
    Ok(extracted)
}

#[derive(Default)]
struct Walk {
    flow: Flow,
    style: Option<Style>,
    /// Open paragraphs: a footnote stands within one.
    paragraphs: usize,
    lists: usize,
    /// Whether the frame that is open holds a slide's title.
    title: bool,
}

impl Walk {
    fn open(&mut self, element: &Element) {
        match element.name.as_str() {
            "h" => {
                let level = element.attribute("outline-level").and_then(|n| n.parse().ok());
                self.begin(Style::Heading(level.unwrap_or(1)));
            }
            "p" if self.title => self.begin(Style::Heading(1)),
            "p" if element.attribute("style-name") == Some("Title") => self.begin(Style::Title),
            "p" if self.lists > 0 => self.begin(Style::Item),
            "p" => self.begin(Style::Body),
            "s" => {
                let count = element.attribute("c").and_then(|n| n.parse().ok()).unwrap_or(1);
                self.flow.text(&" ".repeat(usize::min(count, SPACES_MOST)));
            }
            "tab" => self.flow.text(" "),
            "line-break" => self.flow.text("\n"),
            // A note interrupts its paragraph; in brackets it can be read there.
            "note-body" => self.flow.text(" ("),
            "list" => self.lists += 1,
            "table" => self.flow.begin_table(),
            "frame" => self.title = element.attribute("class") == Some("title"),
            "page" => {
                let number = self.flow.builder.page.unwrap_or(0);
                self.flow.builder.page = Some(number.saturating_add(1));
            }
            _ => {}
        }
    }

    fn begin(&mut self, style: Style) {
        self.paragraphs += 1;
        if self.paragraphs == 1 {
            self.style = Some(style);
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "h" | "p" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                if self.paragraphs == 0 {
                    self.flow.end_paragraph(self.style.take().unwrap_or(Style::Body));
                }
            }
            "note-body" => self.flow.text(") "),
            "list" => self.lists = self.lists.saturating_sub(1),
            "frame" => self.title = false,
            "table-cell" => self.flow.end_cell(),
            "table-row" => self.flow.end_row(),
            "table" => self.flow.end_table(),
            _ => {}
        }
    }
}
