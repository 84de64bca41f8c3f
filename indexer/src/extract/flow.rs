//! [`Flow`]: paragraphs and tables in the order an office document gives them → blocks. What DOCX, PPTX and
//! OpenDocument share.

use super::BlockKind;
use super::builder::Builder;

/// What a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Body,
    /// An item of a list: follows the line above it.
    Item,
    /// A heading; 1 is the highest.
    Heading(u8),
    /// The title of the document.
    Title,
}

/// A table that is open.
#[derive(Debug, Default)]
struct Table {
    rows: String,
    row: Vec<String>,
    cell: String,
}

/// The walk through a document.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) builder: Builder,
    open: String,
    tables: Vec<Table>,
}

impl Flow {
    /// Adds to the paragraph that is open.
    pub(super) fn text(&mut self, text: &str) {
        self.open.push_str(text);
    }

    /// Adds text in which every run of white space is one space.
    pub(super) fn folded(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_whitespace() {
                self.open.push(c);
            } else if !self.open.is_empty() && !self.open.ends_with(char::is_whitespace) {
                self.open.push(' ');
            }
        }
    }

    /// Ends the paragraph that is open; in a table it becomes part of the cell.
    pub(super) fn end_paragraph(&mut self, style: Style) {
        let content = std::mem::take(&mut self.open);
        if let Some(table) = self.tables.last_mut() {
            append(&mut table.cell, &content);
            return;
        }
        match style {
            Style::Heading(level) => self.builder.heading(level, &one_line(&content)),
            Style::Title => self.builder.heading(1, &one_line(&content)),
            Style::Item => self.builder.push_after("\n", BlockKind::Paragraph, &content),
            Style::Body => self.builder.push(BlockKind::Paragraph, &content),
        }
    }

    pub(super) fn begin_table(&mut self) {
        self.end_paragraph(Style::Body);
        self.tables.push(Table::default());
    }

    pub(super) fn end_cell(&mut self) {
        self.end_paragraph(Style::Body);
        if let Some(table) = self.tables.last_mut() {
            table.row.push(std::mem::take(&mut table.cell));
        }
    }

    pub(super) fn end_row(&mut self) {
        if let Some(table) = self.tables.last_mut() {
            let row = table.row.join(" | ");
            table.row.clear();
            let row = row.trim_end_matches([' ', '|']);
            if !row.is_empty() {
                table.rows.push_str(row);
                table.rows.push('\n');
            }
        }
    }

    /// Ends a table; one within another is text of its cell.
    pub(super) fn end_table(&mut self) {
        let Some(table) = self.tables.pop() else { return };
        match self.tables.last_mut() {
            Some(outer) => append(&mut outer.cell, &table.rows),
            None => self.builder.push(BlockKind::Lines, &table.rows),
        }
    }

    /// Ends whatever is open.
    pub(super) fn finish(mut self) -> Builder {
        while !self.tables.is_empty() {
            self.end_cell();
            self.end_row();
            self.end_table();
        }
        self.end_paragraph(Style::Body);
        self.builder
    }
}

/// Adds a line of its own to a cell, which is one line.
fn append(cell: &mut String, content: &str) {
    let content = one_line(content);
    if !content.is_empty() {
        if !cell.is_empty() {
            cell.push(' ');
        }
        cell.push_str(&content);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
