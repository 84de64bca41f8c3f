//! HTML: title and main content (Mozilla's Readability algorithm, by dom_smoothie), the whole body where that
//! finds little. Block elements become blocks, white space is folded as a browser does, scripts go.

use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};
use encoding_rs::Encoding;

use super::{BlockKind, Builder, Extracted};
use crate::limits;

/// Elements whose content nobody reads.
const UNREAD: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "head", "iframe", "object", "select",
    "button", "textarea", "canvas",
];
/// Elements around the content of a page, left out when the whole body is taken.
const AROUND: &[&str] = &["nav", "header", "footer", "aside"];
/// Elements that do not break a line.
const INLINE: &[&str] = &[
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

/// Extracts a page.
///
/// # Errors
/// The reason in words for a page that a parser could not read within bounds.
pub(super) fn extract(source: &str) -> Result<Extracted, String> {
    let elements = check_bounds(source)?;
    let document = Document::from(source);
    let page_title = fold(&document.select("title").text());
    let body = document.body().map(|body| blocks(&body, "", AROUND)).unwrap_or_default();
    let main = (elements <= limits::HTML_MAIN_CONTENT_ELEMENTS)
        .then(|| main_content(document))
        .flatten()
        // A page of many short parts has no main content: the algorithm then picks one part.
        .filter(|main| main.text.len() * 3 >= body.text.len());
    let mut extracted = main.unwrap_or(body);
    if extracted.title.is_empty() {
        extracted.title = page_title;
    }
    Ok(extracted)
}

/// The readable text of a piece of HTML, or nothing if it is out of bounds.
pub(super) fn fragment_text(source: &str) -> String {
    if check_bounds(source).is_err() {
        return String::new();
    }
    blocks(&Document::from(source).root(), "", &[]).text
}

/// Appends the body of a page to `builder`: what stands around a page stands in no chapter.
///
/// # Errors
/// The reason in words for a page that a parser could not read within bounds.
pub(super) fn append(builder: &mut Builder, source: &str) -> Result<(), String> {
    check_bounds(source)?;
    if let Some(body) = Document::from(source).body() {
        walk(builder, &body, &["nav"]);
    }
    Ok(())
}

/// The encoding a page names in its first kilobyte.
pub(crate) fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let label = head.split_once("charset=")?.1.trim_start_matches(['"', '\'']);
    Encoding::for_label(label.split(['"', '\'', ' ', '>', ';', '/']).next()?.as_bytes())
}

fn main_content(document: Document) -> Option<Extracted> {
    let config =
        Config { max_elements_to_parse: limits::HTML_MAIN_CONTENT_ELEMENTS, ..Config::default() };
    let article = Readability::with_document(document, None, Some(config)).ok()?.parse().ok()?;
    let content = Document::from(article.content.as_ref());
    let mut extracted = blocks(&content.root(), &fold(&article.title), &[]);
    for (key, value) in
        [("author", article.byline), ("language", article.lang), ("site", article.site_name)]
    {
        if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
            extracted.metadata.insert(key.into(), fold(&value).into());
        }
    }
    if let Some(time) = article.published_time {
        extracted.metadata.insert("published".into(), time.into());
    }
    Some(extracted)
}

/// Counts elements, their depth and open formatting before parsing: the parser's time and memory grow with
/// the products of these.
fn check_bounds(source: &str) -> Result<usize, String> {
    let (mut elements, mut depth, mut formatting, mut deepest, mut most) =
        (0_usize, 0_usize, 0_usize, 0, 0);
    for tag in source.split('<').skip(1) {
        let (tag, closing) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) || end > 16 {
            continue;
        }
        let name = tag[..end].to_ascii_lowercase();
        let name = name.as_str();
        let is_formatting = FORMATTING.contains(&name);
        if closing {
            depth = depth.saturating_sub(usize::from(!SELF_CLOSING.contains(&name)));
            formatting = formatting.saturating_sub(usize::from(is_formatting));
            continue;
        }
        elements += 1;
        depth += usize::from(!SELF_CLOSING.contains(&name));
        formatting += usize::from(is_formatting);
        deepest = deepest.max(depth);
        most = most.max(formatting);
    }
    let bounds = [
        ("bytes", source.len(), limits::HTML_BYTES),
        (
            "bytes times character references",
            source.len().saturating_mul(source.matches('&').count()),
            limits::HTML_REFERENCES,
        ),
        ("elements", elements, limits::HTML_ELEMENTS),
        ("elements open at once", deepest, limits::HTML_DEPTH),
        ("elements times open formatting", elements * most, limits::HTML_FORMATTING),
    ];
    match bounds.iter().find(|(_, found, limit)| found > limit) {
        Some((what, found, limit)) => Err(format!(
            "the page has {found} {what}, the limit is {limit}; save it as plain text or Markdown"
        )),
        None => Ok(elements),
    }
}

enum Step<'a> {
    Enter(NodeRef<'a>),
    Leave(NodeRef<'a>),
}

/// The blocks under `root`, without the elements in `skipped`.
fn blocks(root: &NodeRef<'_>, title: &str, skipped: &[&str]) -> Extracted {
    let mut builder = Builder::titled(title.to_owned());
    walk(&mut builder, root, skipped);
    builder.finish()
}

/// Appends the blocks under `root`; iterative, so depth costs no stack.
fn walk(builder: &mut Builder, root: &NodeRef<'_>, skipped: &[&str]) {
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
                if UNREAD.contains(&name) || skipped.contains(&name) || node.is_comment() {
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
