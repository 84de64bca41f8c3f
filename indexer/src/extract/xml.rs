//! [`Xml`]: an XML text as opened and closed elements and text, for the office formats. Tolerant of what does not
//! fit together; entities other than the predefined ones stand for nothing, so none can grow.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::limits;

/// A piece of XML, names without their prefix.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Open(Element),
    Close(String),
    Text(String),
}

/// An element that opens.
#[derive(Debug, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The values of all attributes.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(_, value)| value.as_str())
    }

    /// The value of the attribute `name` (without its prefix).
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The pieces of an XML text in order.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    /// Why it ended before its end.
    pub(super) damage: Option<String>,
}

impl<'a> Xml<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        let mut reader = Reader::from_str(source);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, depth: 0, damage: None }
    }

    /// Passes over everything up to the end of the element that was opened last.
    pub(super) fn pass_over(&mut self) {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && self.next().is_some() {}
    }

    /// All text up to the end of the element that was opened last.
    pub(super) fn text(&mut self) -> String {
        let outside = self.depth.saturating_sub(1);
        let mut out = String::new();
        while self.depth > outside {
            match self.next() {
                Some(Node::Text(text)) => out.push_str(&text),
                Some(_) => {}
                None => break,
            }
        }
        out
    }

    fn fail(&mut self, reason: String) -> Option<Node> {
        let place = self.reader.buffer_position();
        self.damage = Some(format!("damaged after byte {place} of its XML: {reason}"));
        None
    }
}

impl Iterator for Xml<'_> {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        if self.damage.is_some() {
            return None;
        }
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(start)) => {
                    self.depth += 1;
                    if self.depth > limits::XML_DEPTH {
                        let limit = limits::XML_DEPTH;
                        return self.fail(format!("more than {limit} elements open at once"));
                    }
                    return Some(Node::Open(element(&start)));
                }
                Ok(Event::End(end)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Some(Node::Close(end.local_name().as_ref().to_owned()));
                }
                Ok(Event::Text(content)) => return Some(Node::Text(content.to_string())),
                Ok(Event::CData(content)) => return Some(Node::Text(content.to_string())),
                Ok(Event::GeneralRef(reference)) => {
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(c)) => c.to_string(),
                        _ => predefined(&reference).to_owned(),
                    };
                    return Some(Node::Text(resolved));
                }
                Ok(Event::Eof) if self.depth > 0 => {
                    return self.fail("it ends before its elements are closed".into());
                }
                Ok(Event::Eof) => return None,
                Ok(_) => {}
                Err(error) => return self.fail(error.to_string()),
            }
        }
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false).flatten().map(|attribute| {
        let value = &attribute.value;
        let value = quick_xml::escape::unescape(value).unwrap_or_else(|_| value.clone());
        (attribute.key.local_name().as_ref().to_owned(), value.into_owned())
    });
    Element { name: start.local_name().as_ref().to_owned(), attributes: attributes.collect() }
}

fn predefined(entity: &str) -> &'static str {
    match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => " ",
        _ => "",
    }
}
