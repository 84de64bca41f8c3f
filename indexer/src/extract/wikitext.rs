//! Wikitext → readable text: headings, paragraphs and lists; links by their words, templates and tables left out but for
//! the few templates that stand for words of a sentence.

use super::builder::Builder;
use super::{BlockKind, Extracted};

/// Elements that go with their content.
const UNREAD: [&str; 10] = [
    "ref",
    "gallery",
    "timeline",
    "score",
    "imagemap",
    "math",
    "chem",
    "hiero",
    "templatestyles",
    "mapframe",
];
/// Templates whose last argument is the words they stand for.
const LAST_ARGUMENT: &[&str] =
    &["lang", "nowrap", "nobr", "small", "big", "transl", "transliteration", "em", "strong"];
/// Namespaces whose links are no words of the text.
const UNREAD_LINKS: &[&str] = &["file", "image", "category", "media"];
/// Bytes within which the end of a tag is looked for.
const TAG_REACH: usize = 1 << 10;
/// Sections that list what is elsewhere.
const UNREAD_SECTIONS: &[&str] =
    &["references", "external links", "notes", "further reading", "see also", "bibliography"];

/// The article `title` with the text `source`.
pub(super) fn extract(title: String, source: &str) -> Extracted {
    let text = without_elements(source);
    let text = matched(&text, ("{{", "}}"), &template);
    let text = matched(&text, ("{|", "|}"), &|_| String::new());
    let text = matched(&text, ("[[", "]]"), &link);
    let mut builder = Builder::titled(title);
    let mut unread = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some((level, heading)) = heading(line) {
            if unread.is_none_or(|unread| level <= unread) {
                unread =
                    UNREAD_SECTIONS.contains(&heading.to_lowercase().as_str()).then_some(level);
            }
            if unread.is_none() {
                builder.heading(level, &words(heading));
            }
        } else if unread.is_none() {
            let item = line.trim_start_matches(['*', '#', ':', ';']);
            let separator = if item.len() < line.len() { "\n" } else { "\n\n" };
            builder.push_after(separator, BlockKind::Paragraph, &words(item.trim()));
        }
    }
    builder.finish()
}

/// Level and words of a heading, `== so ==` being level 2.
fn heading(line: &str) -> Option<(u8, &str)> {
    let level = line.bytes().take_while(|b| *b == b'=').count().min(6);
    let inner = line.get(level..)?.strip_suffix(&"=".repeat(level))?.trim();
    (level >= 2 && !inner.is_empty()).then_some((level as u8, inner))
}

/// The text without comments and [`UNREAD`] elements.
fn without_elements(source: &str) -> String {
    // Where the last of each ends: behind that, none is looked for.
    let last_comment = source.rfind("-->");
    let last_of = UNREAD.map(|name| source.rfind(&format!("</{name}")));
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(open) = source[at..].find('<').map(|found| at + found) {
        out.push_str(&source[at..open]);
        let rest = &source[open..];
        let length = if rest.starts_with("<!--") {
            let ends = last_comment.is_some_and(|last| last > open + 3);
            ends.then(|| rest.find("-->").map(|end| end + 3)).flatten()
        } else {
            let found = UNREAD.iter().zip(last_of).find(|(name, _)| opens(rest, name));
            found.and_then(|(name, last)| element(rest, name, last.is_some_and(|last| last > open)))
        };
        if length.is_none() {
            out.push('<');
        }
        at = open + length.unwrap_or(1);
    }
    out.push_str(&source[at..]);
    out
}

/// Whether `text` begins with the element `name`.
fn opens(text: &str, name: &str) -> bool {
    let end = 1 + name.len();
    text.get(1..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
        && text[end..].starts_with([' ', '>', '/', '\n'])
}

/// Length of the element `name` that `text` begins with; what is never closed ends with its line.
fn element(text: &str, name: &str, is_closed: bool) -> Option<usize> {
    let open = near(text, TAG_REACH).find('>')?;
    if text[..open].ends_with('/') {
        return Some(open + 1);
    }
    if !is_closed {
        return text.find('\n');
    }
    let close = text.find(&format!("</{name}"))?;
    Some(close + near(&text[close..], TAG_REACH).find('>')? + 1)
}

/// The beginning of `text`, at most `bytes` of it.
fn near(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `text` with every outermost pair of `marks` as `replace` says of what stands between; marks without a partner stay.
fn matched(text: &str, marks: (&str, &str), replace: &dyn Fn(&str) -> String) -> String {
    let mut open = Vec::new();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        let here = &bytes[at..at + 2];
        if here == marks.0.as_bytes() {
            open.push(at);
        } else if here == marks.1.as_bytes() {
            if let Some(start) = open.pop() {
                // Pairs within this one are part of it.
                while pairs.last().is_some_and(|(inner, _)| *inner > start) {
                    pairs.pop();
                }
                pairs.push((start, at));
            }
        } else {
            at += 1;
            continue;
        }
        at += 2;
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in pairs {
        out.push_str(&text[end..from]);
        out.push_str(&replace(&text[from + 2..to]));
        end = to + 2;
    }
    out.push_str(&text[end..]);
    out
}

/// The words a template stands for.
fn template(content: &str) -> String {
    let mut parts = content.split('|').map(str::trim);
    let name = parts.next().unwrap_or_default().to_lowercase();
    let arguments: Vec<&str> = parts.filter(|part| !part.contains('=')).collect();
    match (name.as_str(), arguments.as_slice()) {
        ("convert" | "cvt", [number, unit, ..]) => format!("{number} {unit}"),
        (name, [.., last]) if LAST_ARGUMENT.contains(&name) => (*last).to_owned(),
        _ => String::new(),
    }
}

/// The words of a link.
fn link(content: &str) -> String {
    let target = content.trim_start_matches(':');
    let namespace =
        target.split_once(':').map_or(String::new(), |(name, _)| name.trim().to_lowercase());
    let language =
        matches!(namespace.len(), 2..=3) && namespace.bytes().all(|b| b.is_ascii_lowercase());
    if target.len() == content.len() && (UNREAD_LINKS.contains(&namespace.as_str()) || language) {
        return String::new();
    }
    target.rsplit_once('|').map_or(target, |(_, shown)| shown).to_owned()
}

/// A line without emphasis, tags, outside links and references to characters.
fn words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['\'', '<', '[', '&', '_']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, length) = match rest.as_bytes()[0] {
            b'\'' if rest.starts_with("''") => {
                ("", rest.bytes().take_while(|b| *b == b'\'').count())
            }
            b'<' if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') => {
                ("", near(rest, TAG_REACH).find('>').map_or(1, |end| end + 1))
            }
            b'[' if rest.starts_with("[http") => match near(rest, TAG_REACH).find(']') {
                Some(end) => (rest[1..end].split_once(' ').map_or("", |(_, shown)| shown), end + 1),
                None => ("[", 1),
            },
            b'&' => reference(rest),
            b'_' if rest.starts_with("__") => {
                let name = &rest[2..];
                let end = name.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(name.len());
                if end > 2 && name[end..].starts_with("__") { ("", end + 4) } else { ("__", 2) }
            }
            _ => (&rest[..1], 1),
        };
        out.push_str(shown);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The character that a reference such as `&nbsp;` stands for, and its length.
fn reference(text: &str) -> (&'static str, usize) {
    let known = [
        ("&nbsp;", " "),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&ndash;", "–"),
        ("&mdash;", "—"),
        ("&thinsp;", " "),
        ("&minus;", "−"),
    ];
    let found = known.iter().find(|(name, _)| text.starts_with(name));
    found.map_or(("&", 1), |(name, shown)| (*shown, name.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_of_an_article_stay_and_its_machinery_goes() {
        let source = "{{Infobox river|length={{convert|9|km}}}}\n'''Quell''' is a [[river|small river]] of \
            {{convert|90|km|mi}}.<ref>{{cite web|title=x}}</ref><!-- no --> It&nbsp;flows.\n\
            [[File:Quell.jpg|thumb|The [[Quell]] in May]]\n== Course ==\n* past [[Alden]]\n* to the [http://x.y sea]\n\
            {| class=\"wikitable\"\n| a || b\n|}\nIn 2 < 3 cases.\n== References ==\n<references/>\nnothing\n\
            [[Category:Rivers]] [[fr:Quell]]\n";
        let article = extract("Quell".into(), source);
        assert_eq!(
            article.text,
            "Quell is a small river of 90 km. It flows.\n\nCourse\n\npast Alden\nto the sea\n\nIn 2 < 3 cases."
                .replace("Course\n\npast", "Course\npast")
        );
        assert_eq!(*article.blocks.last().unwrap().heading_path, ["Course".to_owned()]);
    }

    #[test]
    fn marks_without_a_partner_are_text() {
        let open = "{{".repeat(100_000);
        assert_eq!(extract(String::new(), &format!("{open} a [[b")).text.len(), open.len() + 6);
    }

    proptest! {
        #[test]
        fn any_wikitext_gives_text(source in "([\\[\\]{}|=<>'&_!/a-z \n\u{e9}-]|ref|--|http){0,80}") {
            let article = extract("t".into(), &source);
            for block in &article.blocks {
                prop_assert!(block.span.slice(&article.text).is_some());
            }
        }
    }
}
