//! HTML: title, fields and the content of a page without what stands around it ([`super::around`]). Block elements
//! become blocks, white space is folded as a browser does, scripts go. Title and fields are found as Mozilla's
//! Readability finds them (dom_smoothie); its choice of the content is not used, since it leaves out paragraphs of
//! one page in two (`benches/folders/pages`).

use dom_query::{Document, NodeRef};
use dom_smoothie::Readability;
use encoding_rs::Encoding;

use super::{BlockKind, Builder, Extracted, around};
use crate::limits;

/// Elements whose content nobody reads.
pub(super) const UNREAD: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "head", "iframe", "object", "select",
    "button", "textarea", "canvas",
];
/// What stands behind a heading to link to it.
const ANCHORS: &[&str] = &["¶", "#", "§", "🔗", "\u{f0c1}"];
/// Elements that do not break a line.
pub(super) const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "q", "ruby", "rp", "rt", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img",
];
/// Formatting elements, which an HTML parser opens again in every block until they are closed.
const FORMATTING: &[&str] = &[
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// Elements that are closed without an end tag.
const SELF_CLOSING: &[&str] = &[
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// Elements of a drawing, where `/>` closes what it ends. Not those whose content is HTML again.
const DRAWING: &[&str] = &[
    "circle",
    "clippath",
    "defs",
    "ellipse",
    "g",
    "image",
    "line",
    "lineargradient",
    "marker",
    "mask",
    "path",
    "pattern",
    "polygon",
    "polyline",
    "radialgradient",
    "rect",
    "stop",
    "svg",
    "symbol",
    "text",
    "tspan",
    "use",
];

/// Extracts a page.
///
/// # Errors
/// The reason in words for a page that a parser could not read within bounds.
pub(super) fn extract(source: &str) -> Result<Extracted, String> {
    check_bounds(source)?;
    let document = Document::from(source);
    let language = document.select_single("html").attr("lang").map(|lang| fold(&lang));
    // No URL is given that could be refused.
    let readability = Readability::with_document(document, None, None);
    let readability = readability.map_err(|error| error.to_string())?;
    let known = readability.get_article_metadata(readability.parse_json_ld());
    let mut builder = Builder::titled(fold(&known.title));
    if let Some(body) = readability.doc.body() {
        let content = around::content(body);
        walk(&mut builder, &content.root, &|node| content.left_out.contains(&node.id));
    }
    let mut extracted = builder.finish();
    for (key, value) in [
        ("author", known.byline),
        ("language", language),
        ("site", known.site_name),
        ("published", known.published_time),
    ] {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            extracted.metadata.insert(key.into(), fold(&value).into());
        }
    }
    Ok(extracted)
}

/// The readable text of a piece of HTML, or nothing if it is out of bounds.
pub(super) fn fragment_text(source: &str) -> String {
    if check_bounds(source).is_err() {
        return String::new();
    }
    let mut builder = Builder::default();
    walk(&mut builder, &Document::from(source).root(), &|_| false);
    builder.finish().text
}

/// Appends the body of a page to `builder`: what stands around a page stands in no chapter.
///
/// # Errors
/// The reason in words for a page that a parser could not read within bounds.
pub(super) fn append(builder: &mut Builder, source: &str) -> Result<(), String> {
    check_bounds(source)?;
    if let Some(body) = Document::from(source).body() {
        walk(builder, &body, &|node| node.has_name("nav"));
    }
    Ok(())
}

/// The encoding a page names in its first kilobyte.
pub(crate) fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let label = head.split_once("charset=")?.1.trim_start_matches(['"', '\'']);
    Encoding::for_label(label.split(['"', '\'', ' ', '>', ';', '/']).next()?.as_bytes())
}

/// Counts elements, their depth and open formatting before parsing: the parser's time and memory grow with
/// the products of these.
fn check_bounds(source: &str) -> Result<(), String> {
    let (mut elements, mut depth, mut formatting, mut deepest, mut most) =
        (0_usize, 0_usize, 0_usize, 0, 0);
    // Shapes of drawings that `/>` closes. Where there is no drawing it closes nothing, so what is gained by them is
    // bounded as well.
    let (mut in_drawing, mut shapes, mut deepest_of_all) = (false, 0_usize, 0);
    for tag in source.split('<').skip(1) {
        let (tag, closing) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) || end > 16 {
            continue;
        }
        let name = tag[..end].to_ascii_lowercase();
        let name = name.as_str();
        let is_formatting = FORMATTING.contains(&name);
        let opens = usize::from(!SELF_CLOSING.contains(&name));
        in_drawing = if name == "svg" { !closing } else { in_drawing && DRAWING.contains(&name) };
        if closing {
            depth = depth.saturating_sub(opens);
            formatting = formatting.saturating_sub(usize::from(is_formatting));
            continue;
        }
        elements += 1;
        if in_drawing && tag.split('>').next().is_some_and(|tag| tag.ends_with('/')) {
            shapes += opens;
        } else {
            depth += opens;
        }
        formatting += usize::from(is_formatting);
        deepest = deepest.max(depth);
        deepest_of_all = deepest_of_all.max(depth + shapes);
        most = most.max(formatting);
    }
    let with_shapes = if shapes > 0 { elements.saturating_mul(deepest_of_all) } else { 0 };
    let bounds = [
        ("bytes", source.len(), limits::HTML_BYTES),
        (
            "bytes times character references",
            source.len().saturating_mul(source.matches('&').count()),
            limits::HTML_REFERENCES,
        ),
        ("elements", elements, limits::HTML_ELEMENTS),
        ("elements open at once", deepest, limits::HTML_DEPTH),
        ("elements times shapes of drawings", with_shapes, limits::HTML_SHAPES),
        ("elements times open formatting", elements * most, limits::HTML_FORMATTING),
    ];
    match bounds.iter().find(|(_, found, limit)| found > limit) {
        Some((what, found, limit)) => Err(format!(
            "the page has {found} {what}, the limit is {limit}; save it as plain text or Markdown"
        )),
        None => Ok(()),
    }
}

enum Step<'a> {
    Enter(NodeRef<'a>),
    Leave(NodeRef<'a>),
}

/// Appends the blocks under `root` without the elements that `skips` names; iterative, so depth costs no stack.
fn walk(builder: &mut Builder, root: &NodeRef<'_>, skips: &dyn Fn(&NodeRef<'_>) -> bool) {
    let mut open = String::new();
    let mut preformatted = 0_usize;
    let mut steps = vec![Step::Enter(*root)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Enter(node) if node.is_text() => {
                let text = node.text();
                if preformatted > 0 { open.push_str(&text) } else { push_folded(&mut open, &text) }
            }
            Step::Enter(node) => {
                let name = node.node_name().unwrap_or_default();
                let name: &str = name.as_ref();
                let unread = UNREAD.contains(&name) || node.is_comment() || is_anchor(&node);
                if unread || skips(&node) {
                    continue;
                }
                if name == "br" {
                    open.push('\n');
                } else if !INLINE.contains(&name) && !is_cell(name) {
                    flush(builder, &mut open, preformatted);
                }
                preformatted += usize::from(name == "pre");
                steps.push(Step::Leave(node));
                steps.extend(node.children_it(true).map(Step::Enter));
            }
            Step::Leave(node) => {
                let name = node.node_name().unwrap_or_default();
                leave(builder, &mut open, name.as_ref(), preformatted);
                preformatted -= usize::from(name.as_ref() as &str == "pre");
            }
        }
    }
    flush(builder, &mut open, preformatted);
}

fn leave(builder: &mut Builder, open: &mut String, name: &str, preformatted: usize) {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => {
            builder.heading(level - b'0', &fold(&std::mem::take(open)));
        }
        _ if is_cell(name) => open.push_str(" | "),
        _ if INLINE.contains(&name) || name == "br" => {}
        _ => flush(builder, open, preformatted),
    }
}

/// Whether a link is only there to be copied.
fn is_anchor(node: &NodeRef<'_>) -> bool {
    let label = node.has_name("a").then(|| node.first_child()).flatten();
    label.is_some_and(|label| {
        label.is_text() && label.next_sibling().is_none() && ANCHORS.contains(&label.text().trim())
    })
}

fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th")
}

fn flush(builder: &mut Builder, open: &mut String, preformatted: usize) {
    let kind = if preformatted > 0 { BlockKind::Lines } else { BlockKind::Paragraph };
    builder.push(kind, open.trim_end_matches([' ', '|']));
    open.clear();
}

/// Appends `text` with every run of white space as one space.
fn push_folded(open: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_whitespace() {
            open.push(c);
        } else if !open.ends_with([' ', '\n']) && !open.is_empty() {
            open.push(' ');
        }
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
