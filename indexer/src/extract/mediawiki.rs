//! MediaWiki dumps (`<mediawiki>` XML, as Wikipedia publishes them): each article is a document, read as a stream, however
//! large the dump is. Redirects and pages that are no articles are passed over.

use std::io::{BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::Event;

use super::files::{End, Files, Place, failed};
use super::{Found, Item, finish, wikitext};

/// What is known of the page that is read.
#[derive(Debug, Default)]
struct Page {
    title: String,
    namespace: String,
    id: String,
    text: String,
    redirect: bool,
}

/// Reads a dump; each article is named by the number of its page.
pub(super) fn dump(
    files: &mut Files<'_>,
    place: Place<'_>,
    input: &mut dyn Read,
) -> Result<(), End> {
    let mut reader = Reader::from_reader(BufReader::new(input));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut page = Page::default();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| failed(format!("the dump is damaged: {error}")))?;
        match event {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                match path.last().map(String::as_str) {
                    Some("page") => page = Page::default(),
                    Some("redirect") => page.redirect = true,
                    _ => {}
                }
            }
            Event::End(_) => {
                let closed = path.pop();
                if closed.as_deref() == Some("page") {
                    article(files, place, std::mem::take(&mut page))?;
                }
            }
            Event::Text(text) => page.take(&path, &text),
            Event::CData(text) => page.take(&path, &text),
            Event::GeneralRef(reference) => {
                let resolved = quick_xml::escape::resolve_predefined_entity(&reference);
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                page.take(&path, &resolved.map(str::to_owned).or(character).unwrap_or_default());
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(failed("the dump is cut short")),
            _ => {}
        }
    }
}

impl Page {
    fn take(&mut self, path: &[String], text: &str) {
        let path: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        match path.as_slice() {
            ["page", "title"] => self.title.push_str(text),
            ["page", "ns"] => self.namespace.push_str(text),
            ["page", "id"] => self.id.push_str(text),
            ["page", "revision", "text"] => self.text.push_str(text),
            _ => {}
        }
    }
}

fn article(files: &mut Files<'_>, place: Place<'_>, page: Page) -> Result<(), End> {
    if page.redirect || !matches!(page.namespace.trim(), "" | "0") {
        return Ok(());
    }
    let mut extracted = wikitext::extract(page.title, &page.text);
    if extracted.text.trim().is_empty() {
        return Ok(());
    }
    finish(&mut extracted, place.name);
    let suffix = format!("{}#{}", place.suffix, page.id.trim());
    files.emit(Item::Document(Box::new(Found { id: None, suffix, extracted })))
}
