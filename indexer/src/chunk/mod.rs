//! [`Extracted`] → passages: along the structure of the text (heading, paragraph, sentence, word), within a
//! budget of tokens that includes the title and the headings above.
//!
//! The tokenizer is asked once for every block; all decisions are then made on the table of token starts.
//! A passage never crosses a heading that has text below it. What is too long is cut at the next finer
//! boundary; within one paragraph the last sentence of a passage may be repeated at the start of the next.

mod tokens;
mod units;

use std::collections::HashMap;
use std::sync::Arc;

use alder_engine::{Error, Span};

use crate::extract::Extracted;
use crate::settings::Settings;
use tokens::TokenTable;
use units::Unit;

/// Byte span of each token of a text, in order, as the model's tokenizer sees it.
pub(crate) type TokenSpans<'a> = dyn Fn(&str) -> Result<Vec<Span>, Error> + Sync + 'a;

/// Where a passage is, and what is above it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) span: Span,
    pub(crate) heading_path: Arc<[String]>,
    /// Page it stands on; a passage never crosses pages.
    pub(crate) page: Option<u32>,
    /// Tokens of the passage with its title and headings, as far as the table tells.
    pub(crate) tokens: usize,
}

/// Cuts a document into passages, in order. Every word of the text is in one, in the title or in a heading path.
///
/// # Errors
/// If the tokenizer fails.
pub(crate) fn chunk(
    extracted: &Extracted,
    settings: &Settings,
    token_spans: &TokenSpans<'_>,
) -> Result<Vec<Chunk>, Error> {
    let table = TokenTable::new(&extracted.text, &extracted.blocks, token_spans)?;
    let mut packer = Packer {
        text: &extracted.text,
        table: &table,
        rooms: Rooms::new(extracted, settings, token_spans)?,
        overlap_tokens: settings.overlap_tokens,
        open: None,
        out: Vec::new(),
    };
    packer.rooms.measure(&Arc::default())?;
    for unit in units::units(extracted) {
        packer.rooms.measure(&unit.heading_path)?;
        packer.add(&unit);
    }
    packer.close();
    Ok(packer.out)
}

type HeadingPath = Arc<[String]>;

/// Tokens that remain for the body beside title and headings.
struct Rooms<'a> {
    budget: usize,
    title: usize,
    token_spans: &'a TokenSpans<'a>,
    /// For each heading path: what is kept of it, and the tokens left for the body.
    measured: HashMap<HeadingPath, (HeadingPath, usize)>,
}

impl<'a> Rooms<'a> {
    fn new(
        extracted: &Extracted,
        settings: &Settings,
        token_spans: &'a TokenSpans<'a>,
    ) -> Result<Self, Error> {
        let title = token_spans(&extracted.title)?.len();
        Ok(Self { budget: settings.passage_tokens, title, token_spans, measured: HashMap::new() })
    }

    /// Headings are dropped from the outside while they and the title take more than half the budget; a title
    /// that takes more than half by itself counts as half.
    fn measure(&mut self, path: &Arc<[String]>) -> Result<(), Error> {
        if self.measured.contains_key(path) {
            return Ok(());
        }
        let half = self.budget / 2;
        let mut prefix = self.title;
        let mut kept = path.len();
        for heading in path.iter().rev() {
            let tokens = (self.token_spans)(heading)?.len();
            if prefix + tokens > half {
                break;
            }
            prefix += tokens;
            kept -= 1;
        }
        let shortened = if kept == 0 { path.clone() } else { path[kept..].into() };
        self.measured.insert(path.clone(), (shortened, self.budget - prefix.min(half)));
        Ok(())
    }

    fn of(&self, path: &Arc<[String]>) -> &(Arc<[String]>, usize) {
        self.measured.get(path).expect("every unit's path is measured before it is packed")
    }
}

/// The passage being filled.
#[derive(Debug, Clone)]
struct Open {
    span: Span,
    /// None while it holds only headings that have no text below them.
    heading_path: Option<Arc<[String]>>,
    page: Option<u32>,
}

/// Fills passages with units, greedily and in order.
struct Packer<'a> {
    text: &'a str,
    table: &'a TokenTable,
    rooms: Rooms<'a>,
    overlap_tokens: usize,
    open: Option<Open>,
    out: Vec<Chunk>,
}

impl Packer<'_> {
    fn add(&mut self, unit: &Unit) {
        if self.join(unit, unit.span) {
            return;
        }
        let room = self.rooms.of(&unit.heading_path).1;
        let fits = self.table.count(unit.span) <= room;
        // A passage that is hardly begun takes the first sentences of what does not fit whole.
        let small = self.open.as_ref().is_some_and(|open| self.table.count(open.span) < room / 2);
        if fits && !small {
            return self.begin(unit, unit.span);
        }
        let mut before: Option<Span> = None;
        for piece in units::pieces(self.text, unit, self.table, room) {
            if !self.join(unit, piece) {
                self.begin(unit, piece);
                self.repeat(before, piece, room);
            }
            before = Some(piece);
        }
    }

    /// Extends the open passage to the end of `span` if it belongs there and fits.
    fn join(&mut self, unit: &Unit, span: Span) -> bool {
        let Some(open) = &mut self.open else { return false };
        let path = match &open.heading_path {
            _ if unit.is_bare_heading() => open.heading_path.clone(),
            Some(path) if *path != unit.heading_path => return false,
            _ => Some(unit.heading_path.clone()),
        };
        if open.page != unit.page {
            return false;
        }
        let room = self.rooms.of(path.as_ref().unwrap_or(&unit.heading_path)).1;
        let joined = Span::new(open.span.start, span.end);
        if self.table.count(joined) > room {
            return false;
        }
        *open = Open { span: joined, heading_path: path, page: unit.page };
        true
    }

    fn begin(&mut self, unit: &Unit, span: Span) {
        self.close();
        let heading_path = (!unit.is_bare_heading()).then(|| unit.heading_path.clone());
        self.open = Some(Open { span, heading_path, page: unit.page });
    }

    /// Lets the passage that begins with `piece` begin with the sentence before it, if that is short and both fit.
    fn repeat(&mut self, before: Option<Span>, piece: Span, room: usize) {
        if let (Some(before), Some(open)) = (before, &mut self.open)
            && (1..=self.overlap_tokens).contains(&self.table.count(before))
            && self.table.count(Span::new(before.start, piece.end)) <= room
        {
            open.span.start = before.start;
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let page = open.page;
        let (heading_path, room) = self.rooms.of(&open.heading_path.unwrap_or_default()).clone();
        let tokens = self.rooms.budget - room + self.table.count(open.span);
        self.out.push(Chunk { span: open.span, heading_path, page, tokens });
    }
}

#[cfg(test)]
mod tests;
