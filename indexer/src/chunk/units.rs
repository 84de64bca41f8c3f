//! What passages are packed from: blocks, and their pieces (sentences, lines, words) when a block is too long.

use std::sync::Arc;

use alder_engine::{Span, sentences};

use super::tokens::TokenTable;
use crate::extract::{BlockKind, Extracted};

/// A block that has to be in a passage.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) kind: BlockKind,
    pub(super) span: Span,
    pub(super) heading_path: Arc<[String]>,
    pub(super) page: Option<u32>,
}

impl Unit {
    /// A heading without text below it: it goes with its neighbours, whatever their headings.
    pub(super) fn is_bare_heading(&self) -> bool {
        matches!(self.kind, BlockKind::Heading | BlockKind::Title)
    }
}

/// The blocks of a document without the headings that are in the path of what follows, and without the title
/// unless there is nothing else.
pub(super) fn units(extracted: &Extracted) -> Vec<Unit> {
    let blocks = &extracted.blocks;
    let only_title = blocks.iter().all(|block| block.kind == BlockKind::Title);
    blocks
        .iter()
        .enumerate()
        .filter(|(i, block)| match block.kind {
            BlockKind::Title => only_title,
            BlockKind::Heading => blocks
                .get(i + 1)
                .is_none_or(|next| next.heading_path.len() <= block.heading_path.len()),
            _ => true,
        })
        .map(|(_, block)| Unit {
            kind: block.kind,
            span: block.span,
            heading_path: block.heading_path.clone(),
            page: block.page,
        })
        .collect()
}

/// The unit in pieces of at most `room` tokens: sentences or lines, and words where these are too long.
pub(super) fn pieces(text: &str, unit: &Unit, table: &TokenTable, room: usize) -> Vec<Span> {
    let body = &text[unit.span.start..unit.span.end];
    let parts = match unit.kind {
        BlockKind::Lines => lines(body),
        _ => sentences(body),
    };
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        let whole = part.shifted(unit.span.start);
        if table.count(whole) <= room {
            out.push(whole);
        } else {
            words(text, whole, table, room, &mut out);
        }
    }
    out
}

/// The lines of `body` that hold more than white space.
fn lines(body: &str) -> Vec<Span> {
    let start = |line: &str| line.as_ptr() as usize - body.as_ptr() as usize;
    let lines = body.lines().map(|line| Span::new(start(line), start(line) + line.len()));
    lines.map(|line| trimmed(body, line)).filter(|line| !line.is_empty()).collect()
}

/// Cuts `span` into the fewest pieces of at most `room` tokens: before a word that would not fit, or before the
/// token that would not fit where a word alone is too long.
fn words(text: &str, span: Span, table: &TokenTable, room: usize, out: &mut Vec<Span>) {
    let starts: Vec<usize> = table.starts(span).collect();
    let mut start = span.start;
    let mut first = 0;
    while starts.len() - first > room {
        let limit = text.floor_char_boundary(starts[first + room]);
        let between = text[limit..].starts_with(char::is_whitespace)
            || text[..limit].ends_with(char::is_whitespace);
        let cut = match text[start..limit].rfind(char::is_whitespace).map(|i| start + i) {
            _ if between => limit,
            Some(space) if space > starts[first] => space,
            _ => limit,
        };
        if cut <= start {
            // One character of more tokens than fit: it stays whole.
            break;
        }
        out.push(trimmed(text, Span::new(start, cut)));
        start = cut;
        first += starts[first..].partition_point(|s| *s < cut);
    }
    out.push(trimmed(text, Span::new(start, span.end)));
    out.retain(|piece| !piece.is_empty());
}

/// `span` without white space around it.
fn trimmed(text: &str, span: Span) -> Span {
    let slice = &text[span.start..span.end];
    let start = span.start + (slice.len() - slice.trim_start().len());
    Span::new(start, start + slice.trim().len())
}
