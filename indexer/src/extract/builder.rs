//! [`Builder`]: puts a text together from blocks, keeping the headings above the current place.

use std::sync::Arc;

use alder_engine::Span;

use super::{Block, BlockKind, Extracted, truncate};
use crate::limits;

/// Puts a text together from blocks, keeping the headings above the current place.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) title: String,
    pub(super) text: String,
    blocks: Vec<Block>,
    pub(super) headings: Vec<(u8, String)>,
    pub(super) path: Arc<[String]>,
    /// Page of what is pushed next.
    pub(super) page: Option<u32>,
}

impl Builder {
    /// A text that has its title already.
    pub(super) fn titled(title: String) -> Self {
        Self { title, ..Self::default() }
    }

    /// Appends a block after an empty line.
    pub(super) fn push(&mut self, kind: BlockKind, content: &str) {
        self.push_after("\n\n", kind, content);
    }

    /// Appends a block after `separator`, without white space around it.
    pub(super) fn push_after(&mut self, separator: &str, kind: BlockKind, content: &str) {
        let content = match kind {
            BlockKind::Lines => content.trim_matches('\n').trim_end(),
            _ => content.trim(),
        };
        if content.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(separator);
        }
        let start = self.text.len();
        self.text.push_str(content);
        let span = Span::new(start, self.text.len());
        self.blocks.push(Block { kind, span, heading_path: self.path.clone(), page: self.page });
    }

    /// Appends a heading of `level` (1 is the highest). The first heading of a document without a title is its
    /// title if it has level 1; a heading that repeats the title adds nothing to the path.
    pub(super) fn heading(&mut self, level: u8, content: &str) {
        let content = content.trim();
        if content.is_empty() {
            return;
        }
        if self.title.is_empty() && level == 1 && self.headings.is_empty() {
            self.title = content.to_owned();
        }
        self.headings.retain(|(above, _)| *above < level);
        self.path = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
        if content == self.title {
            return self.push(BlockKind::Title, content);
        }
        self.push(BlockKind::Heading, content);
        let mut short = content.to_owned();
        truncate(&mut short, limits::HEADING_BYTES);
        self.headings.push((level, short));
        self.path = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
    }

    pub(super) fn finish(self) -> Extracted {
        Extracted {
            title: self.title,
            text: self.text,
            blocks: self.blocks,
            ..Extracted::default()
        }
    }
}
