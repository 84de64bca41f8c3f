//! Plain text: the text itself, cut into paragraphs. Wrapped lines are one paragraph; a line that ends a
//! sentence or is long ends a paragraph, as does an empty line.

use std::sync::Arc;

use alder_engine::Span;

use super::{Block, BlockKind, Extracted};

/// Lines longer than this are not wrapped prose.
const WRAPPED_LINE_BYTES: usize = 120;

/// `text` as it is, with blocks of `kind`.
pub(super) fn extract(text: String, kind: BlockKind) -> Extracted {
    let path: Arc<[String]> = Arc::default();
    let mut blocks = Vec::new();
    let mut open: Option<Span> = None;
    for (start, line) in lines(&text) {
        let end = start + line.trim_end().len();
        if end == start {
            close(&mut blocks, &mut open, kind, &path);
            continue;
        }
        open = Some(Span::new(open.map_or(start, |span| span.start), end));
        if kind == BlockKind::Paragraph && ends_paragraph(&text[start..end]) {
            close(&mut blocks, &mut open, kind, &path);
        }
    }
    close(&mut blocks, &mut open, kind, &path);
    Extracted { text, blocks, ..Extracted::default() }
}

/// The text of a WikiExtractor record: one paragraph a line, a heading being a short line that ends in a full
/// stop and has no other punctuation. A heading right below a heading is one level deeper.
pub(super) fn extract_wiki(text: &str) -> Extracted {
    let mut builder = super::Builder::default();
    let mut previous_was_heading = false;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (i, line) in lines.iter().enumerate() {
        let heading = i > 0 && i + 1 < lines.len() && is_wiki_heading(line);
        if heading {
            builder.heading(2 + u8::from(previous_was_heading), line);
            if let Some((_, heading)) = builder.headings.last_mut() {
                heading.truncate(heading.trim_end_matches('.').len());
            }
            builder.path = builder.headings.iter().map(|(_, heading)| heading.clone()).collect();
        } else {
            builder.push(BlockKind::Paragraph, line);
        }
        previous_was_heading = heading;
    }
    builder.finish()
}

fn is_wiki_heading(line: &str) -> bool {
    let Some(words) = line.strip_suffix('.') else { return false };
    words.len() <= 80
        && words.split_whitespace().count() <= 8
        && words.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
        && !words.contains(['.', ',', '!', '?', ';', ':', '"', '='])
}

/// Each line with the byte it starts at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

fn close(blocks: &mut Vec<Block>, open: &mut Option<Span>, kind: BlockKind, path: &Arc<[String]>) {
    if let Some(span) = open.take() {
        blocks.push(Block { kind, span, heading_path: path.clone(), page: None });
    }
}

fn ends_paragraph(line: &str) -> bool {
    let last = line.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    line.len() > WRAPPED_LINE_BYTES || last.ends_with(['.', '!', '?', ':', ';', '。', '！', '？'])
}
