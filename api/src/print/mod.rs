//! Results for people: [`Page`] wraps and styles text for the terminal it writes to; `hits`, `answers` and
//! `report` say what goes on it.
//!
//! Colours follow the terminal and `NO_COLOR`; without them an answer is marked `**so**`. Into a pipe a
//! paragraph is one line, however long. Control characters in documents never reach the terminal.

mod answers;
mod facets;
mod hits;
mod report;

use std::io::{self, Write};
use std::ops::Range;

use alder_engine::Passage;
use console::Style;

use crate::freshness::{self, FreshnessOf};

pub(crate) use answers::answers;
pub(crate) use facets::facets;
pub(crate) use hits::hits;
pub(crate) use report::{report, rows};

/// Widest text that is still read easily.
const WIDTH_MAX: usize = 96;
const WIDTH_MIN: usize = 24;

/// Text output of a known width.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
    freshness: Option<&'a FreshnessOf>,
}

/// Why a range of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The answer.
    Answer,
    /// A word of the query.
    Term,
}

impl<'a> Page<'a> {
    /// A page on `out`, as wide as the terminal on stdout, or endless into a pipe.
    pub(crate) fn for_stdout(out: &'a mut dyn Write) -> Self {
        let width = match console::Term::stdout().size_checked() {
            Some((_, columns)) => usize::from(columns).clamp(WIDTH_MIN, WIDTH_MAX),
            None => usize::MAX,
        };
        Self { out, width, freshness: None }
    }

    /// The same, which says so where the file of a document is not as it was.
    pub(crate) fn with_freshness(self, freshness: &'a FreshnessOf) -> Self {
        Self { freshness: Some(freshness), ..self }
    }

    /// The document and page of a passage, and what there is to say of its file.
    pub(crate) fn place(&self, passage: &Passage) -> String {
        let place = place(passage);
        let known = self.freshness.and_then(|of| of.get(&passage.id.document));
        match known.and_then(|freshness| freshness::in_words(*freshness)) {
            Some(words) => format!("{place} ({words})"),
            None => place,
        }
    }

    /// One line in `style`, cut to the width.
    pub(crate) fn line(&mut self, indent: usize, style: &Style, text: &str) -> io::Result<()> {
        let text = clean(text);
        let room = self.width.saturating_sub(indent);
        let text = console::truncate_str(&text, room, "…");
        writeln!(self.out, "{:indent$}{}", "", style.apply_to(text))
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// `text` in lines, with `marks` (sorted byte ranges that do not overlap) standing out.
    pub(crate) fn paragraph(
        &mut self,
        indent: usize,
        text: &str,
        marks: &[(Range<usize>, Mark)],
    ) -> io::Result<()> {
        let room = self.width.saturating_sub(indent);
        let mut used = 0;
        for word in words(text) {
            let shown = marked(text, word.clone(), marks);
            let width = console::measure_text_width(&shown);
            if used == 0 {
                write!(self.out, "{:indent$}", "")?;
            } else if used + 1 + width > room {
                write!(self.out, "\n{:indent$}", "")?;
                used = 0;
            } else {
                write!(self.out, " ")?;
                used += 1;
            }
            write!(self.out, "{shown}")?;
            used += width;
        }
        writeln!(self.out)
    }
}

/// Byte ranges between white space.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// One word with the parts of it that are marked.
fn marked(text: &str, word: Range<usize>, marks: &[(Range<usize>, Mark)]) -> String {
    let mut out = String::new();
    let mut at = word.start;
    for (range, mark) in marks {
        let start = range.start.max(at);
        let end = range.end.min(word.end);
        if start >= end {
            continue;
        }
        out.push_str(&clean(&text[at..start]));
        out.push_str(&stand_out(text, start..end, range, *mark));
        at = end;
    }
    out.push_str(&clean(&text[at..word.end]));
    out
}

fn stand_out(text: &str, part: Range<usize>, whole: &Range<usize>, mark: Mark) -> String {
    let shown = clean(&text[part.clone()]);
    match mark {
        Mark::Answer if console::colors_enabled() => {
            Style::new().green().bold().underlined().apply_to(shown).to_string()
        }
        Mark::Answer => {
            let before = if part.start == whole.start { "**" } else { "" };
            let after = if part.end == whole.end { "**" } else { "" };
            format!("{before}{shown}{after}")
        }
        Mark::Term => Style::new().bold().apply_to(shown).to_string(),
    }
}

/// `text` without control characters: a document must not steer the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            // Overrides of the writing direction can make text read as what it is not.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// `Title › Heading › Heading`, or the document's id when it has neither.
pub(crate) fn trail(title: &str, heading_path: &[String], document: &str) -> String {
    let mut parts: Vec<&str> = Vec::with_capacity(1 + heading_path.len());
    parts.extend(Some(title).filter(|title| !title.is_empty()));
    parts.extend(heading_path.iter().map(String::as_str).filter(|heading| *heading != title));
    if parts.is_empty() { document.to_owned() } else { parts.join(" › ") }
}

/// The id of a passage's document, with the page where it has pages.
fn place(passage: &Passage) -> String {
    let document = passage.id.document.as_str();
    passage.page().map_or(document.to_owned(), |page| format!("{document}, page {page}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(width: usize, text: &str, marks: &[(Range<usize>, Mark)]) -> String {
        console::set_colors_enabled(false);
        let mut out = Vec::new();
        Page { out: &mut out, width, freshness: None }.paragraph(2, text, marks).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_answer_is_marked_without_colours_across_lines() {
        let text = "It was  Robert Boyle, in 1662.";
        let marks = [(8..20, Mark::Answer)];
        assert_eq!(paragraph(80, text, &marks), "  It was **Robert Boyle**, in 1662.\n");
        assert_eq!(paragraph(20, text, &marks), "  It was **Robert\n  Boyle**, in 1662.\n");
    }

    #[test]
    fn a_document_cannot_send_escape_sequences_to_the_terminal() {
        let shown = paragraph(80, "a\u{1b}[31mred\u{7} \u{202e}txt", &[]);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}') && !shown.contains('\u{202e}')
        );
    }

    #[test]
    fn a_trail_leaves_out_what_is_empty_or_said_twice() {
        assert_eq!(trail("Tea", &["Tea".into(), "History".into()], "tea.md"), "Tea › History");
        assert_eq!(trail("", &[], "tea.md"), "tea.md");
    }
}
