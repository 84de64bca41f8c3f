//! PPTX: slides in the order of the presentation, each with its title, text, tables and the speaker's notes
//! (PresentationML, ECMA-376 part 1, section 19). The number of the slide is the page.

use std::collections::HashMap;

use super::Extracted;
use super::docx::properties;
use super::flow::{Flow, Style};
use super::package::Package;
use super::xml::{Node, Xml};

const PRESENTATION: &str = "ppt/presentation.xml";

/// Extracts a presentation.
///
/// # Errors
/// The reason in words.
pub(super) fn extract(bytes: Vec<u8>) -> Result<Extracted, String> {
    let mut package = Package::open(bytes)?;
    let presentation = package.required(PRESENTATION)?;
    let parts = relations(&mut package, PRESENTATION)?;
    let slides = Xml::new(&presentation).filter_map(|node| match node {
        Node::Open(element) if element.name == "sldId" => {
            // Both `id` and `r:id` are there; the relation is the one that is known.
            element.values().find_map(|id| parts.get(id)).map(|(_, part)| part.clone())
        }
        _ => None,
    });
    let slides: Vec<String> = slides.collect();
    let mut flow = Flow::default();
    let mut notes = Vec::new();
    for (number, slide) in (1..).zip(&slides) {
        flow.builder.page = Some(number);
        let Some(source) = package.text(slide)? else {
            notes.push(format!("slide {number} is not in the file"));
            continue;
        };
        notes.extend(walk(&source, &mut flow).map(|damage| format!("slide {number}: {damage}")));
        let related = relations(&mut package, slide)?;
        let speaker = related.into_values().find(|(kind, _)| kind.ends_with("/notesSlide"));
        if let Some((_, part)) = speaker
            && let Some(source) = package.text(&part)?
        {
            notes
                .extend(walk(&source, &mut flow).map(|damage| format!("slide {number}: {damage}")));
        }
    }
    let mut extracted = flow.finish().finish();
    extracted.notes = notes;
    extracted.metadata.insert("slides".into(), slides.len().into());
    properties(&mut package, &mut extracted)?;
    Ok(extracted)
}

/// Kind and part of each relation of `part`, by its id.
fn relations(
    package: &mut Package,
    part: &str,
) -> Result<HashMap<String, (String, String)>, String> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let Some(source) = package.text(&format!("{folder}/_rels/{name}.rels"))? else {
        return Ok(HashMap::new());
    };
    let relations = Xml::new(&source).filter_map(|node| {
        let Node::Open(element) = node else { return None };
        let target = element.attribute("Target")?;
        let kind = element.attribute("Type")?.to_owned();
        Some((element.attribute("Id")?.to_owned(), (kind, resolve(folder, target))))
    });
    Ok(relations.collect())
}

/// A target relative to a folder of the package, as the name of a part.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if target.starts_with('/') { "" } else { folder };
    for part in base.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Adds the text of one slide; returns what was wrong with it.
fn walk(source: &str, flow: &mut Flow) -> Option<String> {
    let mut xml = Xml::new(source);
    let mut style = Style::Body;
    let mut field = false;
    let mut in_text = false;
    while let Some(node) = xml.next() {
        match node {
            Node::Text(text) if in_text && !field => flow.text(&text),
            Node::Text(_) => {}
            Node::Open(element) => match element.name.as_str() {
                "sp" => style = Style::Body,
                "ph" => match element.attribute("type") {
                    Some("title" | "ctrTitle") => style = Style::Heading(1),
                    // What every slide repeats.
                    Some("sldNum" | "dt" | "ftr" | "hdr") => field = true,
                    _ => {}
                },
                "t" => in_text = true,
                "br" => flow.text("\n"),
                "tbl" => flow.begin_table(),
                "Fallback" => xml.pass_over(),
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "sp" => (style, field) = (Style::Body, false),
                "p" => {
                    flow.end_paragraph(style);
                    // The paragraphs of one shape are lines of one thought.
                    style = if style == Style::Body { Style::Item } else { style };
                }
                "tc" => flow.end_cell(),
                "tr" => flow.end_row(),
                "tbl" => flow.end_table(),
                _ => {}
            },
        }
    }
    flow.end_paragraph(Style::Body);
    xml.damage
}
