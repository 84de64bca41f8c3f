//! DOCX: the paragraphs, headings, tables and notes of WordprocessingML (ECMA-376 part 1, section 17). Elements that
//! are not known are walked through; deleted text, field codes and the second form of drawings are left out.

use std::collections::HashMap;

use super::Extracted;
use super::flow::{Flow, Style};
use super::package::Package;
use super::xml::{Node, Xml};

/// Elements whose content is not text of the document.
const SKIPPED: &[&str] = &["del", "moveFrom", "delText", "instrText", "Fallback", "sectPr", "rPr"];

/// Extracts a document.
///
/// # Errors
/// The reason in words.
pub(super) fn extract(bytes: Vec<u8>) -> Result<Extracted, String> {
    let mut package = Package::open(bytes)?;
    let body = package.required("word/document.xml")?;
    let styles = package.text("word/styles.xml")?.map(|xml| styles(&xml)).unwrap_or_default();
    let mut flow = Flow::default();
    let mut notes = Vec::new();
    notes.extend(walk(&body, &styles, &mut flow));
    for part in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(xml) = package.text(part)? {
            notes.extend(walk(&xml, &styles, &mut flow));
        }
    }
    let mut extracted = flow.finish().finish();
    extracted.notes = notes;
    properties(&mut package, &mut extracted)?;
    Ok(extracted)
}

/// Title and author from the properties of an Office Open XML document, where the document itself names none.
///
/// # Errors
/// The reason in words.
pub(super) fn properties(package: &mut Package, extracted: &mut Extracted) -> Result<(), String> {
    let Some(core) = package.text("docProps/core.xml")? else { return Ok(()) };
    let mut xml = Xml::new(&core);
    while let Some(node) = xml.next() {
        let Node::Open(element) = node else { continue };
        match element.name.as_str() {
            "title" if extracted.title.is_empty() => extracted.title = xml.text().trim().to_owned(),
            "creator" => {
                let author = xml.text().trim().to_owned();
                if !author.is_empty() {
                    extracted.metadata.insert("author".into(), author.into());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the styles of a document mean, by their ids; the names are the same in every language of Word.
fn styles(source: &str) -> HashMap<String, Style> {
    let mut styles = HashMap::new();
    let mut id = String::new();
    for node in Xml::new(source) {
        let Node::Open(element) = node else { continue };
        let value = element.attribute("val").unwrap_or_default();
        match element.name.as_str() {
            "style" => id = element.attribute("styleId").unwrap_or_default().to_owned(),
            "name" => {
                let name = value.to_ascii_lowercase();
                if name == "title" {
                    styles.insert(id.clone(), Style::Title);
                } else if let Some(level) =
                    name.strip_prefix("heading ").and_then(|n| n.parse().ok())
                {
                    styles.insert(id.clone(), Style::Heading(level));
                }
            }
            "outlineLvl" => {
                if let Some(level) = level(value) {
                    styles.entry(id.clone()).or_insert(level);
                }
            }
            "numPr" => _ = styles.entry(id.clone()).or_insert(Style::Item),
            _ => {}
        }
    }
    styles
}

/// Outline levels count from 0; 9 is body text.
fn level(value: &str) -> Option<Style> {
    value.parse().ok().filter(|level| *level < 9).map(|level: u8| Style::Heading(level + 1))
}

/// Adds the text of one part; returns what was wrong with it.
fn walk(source: &str, styles: &HashMap<String, Style>, flow: &mut Flow) -> Option<String> {
    let mut xml = Xml::new(source);
    let mut style = Style::Body;
    let mut in_text = 0_usize;
    while let Some(node) = xml.next() {
        match node {
            Node::Text(text) if in_text > 0 => flow.text(&text),
            Node::Text(_) => {}
            Node::Open(element) => match element.name.as_str() {
                name if SKIPPED.contains(&name) => xml.pass_over(),
                "t" => in_text += 1,
                "p" => {
                    // A paragraph within one: a text box.
                    flow.end_paragraph(style);
                    style = Style::Body;
                }
                "pPr" => style = paragraph_style(&mut xml, styles),
                "tab" => flow.text(" "),
                "br" | "cr" => flow.text("\n"),
                "noBreakHyphen" => flow.text("-"),
                "tbl" => flow.begin_table(),
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "t" => in_text = in_text.saturating_sub(1),
                "p" => {
                    flow.end_paragraph(style);
                    style = Style::Body;
                }
                "tc" => flow.end_cell(),
                "tr" => flow.end_row(),
                "tbl" => flow.end_table(),
                _ => {}
            },
        }
    }
    flow.end_paragraph(style);
    xml.damage
}

/// Reads the properties of a paragraph up to their end.
fn paragraph_style(xml: &mut Xml<'_>, styles: &HashMap<String, Style>) -> Style {
    let mut style = Style::Body;
    for node in xml.by_ref() {
        match node {
            Node::Open(element) => {
                let value = element.attribute("val").unwrap_or_default();
                match element.name.as_str() {
                    "pStyle" => style = styles.get(value).copied().unwrap_or(style),
                    "outlineLvl" => style = level(value).unwrap_or(style),
                    "numPr" if style == Style::Body => style = Style::Item,
                    _ => {}
                }
            }
            Node::Close(name) if name == "pPr" => break,
            _ => {}
        }
    }
    style
}
