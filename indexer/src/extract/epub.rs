//! EPUB 2 and 3: the chapters of the spine in reading order, read as HTML, with what the package says of the book
//! (EPUB 3.3, sections 4 and 5).

use std::collections::HashMap;

use super::builder::Builder;
use super::package::Package;
use super::xml::{Node, Xml};
use super::{Extracted, html};

/// Extracts a book.
///
/// # Errors
/// The reason in words.
pub(super) fn extract(bytes: Vec<u8>) -> Result<Extracted, String> {
    let mut package = Package::open(bytes)?;
    let container = package.required("META-INF/container.xml")?;
    let root = Xml::new(&container)
        .find_map(|node| match node {
            Node::Open(element) if element.name == "rootfile" => {
                element.attribute("full-path").map(str::to_owned)
            }
            _ => None,
        })
        .ok_or("its container names no book")?;
    let book = Book::read(&package.required(&root)?);
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut builder = Builder::titled(book.title.clone());
    let mut notes: Vec<String> = book.damage.into_iter().collect();
    for id in &book.spine {
        let Some(href) = book.manifest.get(id) else { continue };
        let part = unescaped(href);
        let part = if folder.is_empty() { part } else { format!("{folder}/{part}") };
        match package.text(&part) {
            Ok(Some(page)) => {
                if let Err(reason) = html::append(&mut builder, &page) {
                    notes.push(format!("{part} is not read: {reason}"));
                }
            }
            Ok(None) => notes.push(format!("{part} is not in the file")),
            Err(reason) => notes.push(format!("{part} is not read: {reason}")),
        }
    }
    let mut extracted = builder.finish();
    extracted.notes = notes;
    for (key, value) in [("author", book.author), ("language", book.language)] {
        if !value.is_empty() {
            extracted.metadata.insert(key.into(), value.into());
        }
    }
    Ok(extracted)
}

/// What the package document says.
#[derive(Debug, Default)]
struct Book {
    title: String,
    author: String,
    language: String,
    /// Path of each page by its id; the table of contents is not among them.
    manifest: HashMap<String, String>,
    /// Ids in reading order.
    spine: Vec<String>,
    damage: Option<String>,
}

impl Book {
    fn read(source: &str) -> Self {
        let mut book = Self::default();
        let mut xml = Xml::new(source);
        while let Some(node) = xml.next() {
            let Node::Open(element) = node else { continue };
            let attribute = |name| element.attribute(name).unwrap_or_default().to_owned();
            match element.name.as_str() {
                "title" if book.title.is_empty() => book.title = xml.text().trim().to_owned(),
                "creator" if book.author.is_empty() => book.author = xml.text().trim().to_owned(),
                "language" if book.language.is_empty() => {
                    book.language = xml.text().trim().to_owned()
                }
                "item" if !attribute("properties").split(' ').any(|p| p == "nav") => {
                    book.manifest.insert(attribute("id"), attribute("href"));
                }
                "itemref" => book.spine.push(attribute("idref")),
                _ => {}
            }
        }
        book.damage = xml.damage;
        book
    }
}

/// A relative URL as a path: `%20` and its like are characters.
fn unescaped(href: &str) -> String {
    let mut out = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
