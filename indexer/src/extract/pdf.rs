//! PDF: the characters of each page, by pdf-extract, laid out by [`super::pdf_layout`]. The parser panics on some files,
//! and then costs the page; that it may hang or take all memory is why it runs in a child process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Dictionary, Document, output_doc_page};

use super::Extracted;
use super::builder::Builder;
use super::pdf_layout::{self, Line, Page};
use crate::sandbox::panicked;

/// Fewer characters a page are a stamp or a page number on a scanned image.
const CHARACTERS_A_PAGE: usize = 20;
/// Pages that could not be read and are named one by one.
const PAGES_NAMED: usize = 5;

/// Extracts a document.
///
/// # Errors
/// The reason in words: not a PDF, encrypted, without text.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, String> {
    let mut document =
        Document::load_mem(bytes).map_err(|error| format!("not a readable PDF: {error}"))?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err("it is protected by a password; remove it".into());
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let mut read = Vec::new();
    let mut failures = Vec::new();
    for number in &pages {
        match lines(&document, *number) {
            Ok(lines) => read.push((*number, lines)),
            Err(reason) => failures.push(format!("page {number} is not read: {reason}")),
        }
    }
    let (title, author) = names(&document);
    let mut builder = Builder::titled(title.unwrap_or_default());
    pdf_layout::push(&mut builder, &read);
    let mut extracted = builder.finish();
    let characters = extracted.text.chars().filter(|c| !c.is_whitespace()).count();
    if characters == 0 {
        return Err(match failures.into_iter().next() {
            Some(failure) => failure,
            None => format!(
                "no text layer: its {} pages are images; recognise their text (OCR) first",
                pages.len()
            ),
        });
    }
    if characters < CHARACTERS_A_PAGE * pages.len() {
        extracted.notes.push(format!(
            "almost no text layer: {characters} characters on {} pages, the others are probably images",
            pages.len()
        ));
    }
    if failures.len() > PAGES_NAMED {
        let more = failures.len() - PAGES_NAMED;
        failures.truncate(PAGES_NAMED);
        failures.push(format!("{more} more pages are not read"));
    }
    extracted.notes.extend(failures);
    if let Some(author) = author {
        extracted.metadata.insert("author".into(), author.into());
    }
    extracted.metadata.insert("pages".into(), pages.len().into());
    Ok(extracted)
}

/// The lines of one page.
fn lines(document: &Document, number: u32) -> Result<Vec<Line>, String> {
    let mut page = Page::default();
    match catch_unwind(AssertUnwindSafe(|| output_doc_page(document, &mut page, number))) {
        Ok(Ok(())) => Ok(page.lines),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(panicked(&*panic)),
    }
}

/// Title and author, where the document names them.
fn names(document: &Document) -> (Option<String>, Option<String>) {
    let info = document.trailer.get(b"Info").ok().and_then(|info| match info.as_reference() {
        Ok(id) => document.get_dictionary(id).ok(),
        Err(_) => info.as_dict().ok(),
    });
    // What word processors write where nobody gave a name.
    let made_up = |name: &String| {
        let name = name.to_ascii_lowercase();
        ["", "untitled", "anonymous"].contains(&name.as_str())
            || name.starts_with("microsoft word - ")
    };
    let field =
        |name: &[u8]| info.and_then(|info| string(info, name)).filter(|value| !made_up(value));
    (field(b"Title"), field(b"Author"))
}

fn string(info: &Dictionary, name: &[u8]) -> Option<String> {
    let value = pdf_extract::decode_text_string(info.get(name).ok()?).ok()?;
    let visible: String = value.chars().filter(|c| !c.is_control()).collect();
    Some(visible.trim().to_owned())
}
