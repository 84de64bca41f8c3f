//! [`Format`]: which extractor reads a file, told by its name and its first bytes. The table here is also what
//! the documentation shows.

use std::fmt::Write as _;

use crate::decode::binary_reason;
use crate::limits;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text, source code.
    Text,
    /// Text whose lines stand for themselves.
    Log,
    /// CommonMark with tables and front matter.
    Markdown,
    /// HTML pages.
    Html,
    /// One JSON object or an array of them.
    Json,
    /// One JSON object per line.
    JsonLines,
    /// Comma, semicolon, tab or bar separated rows.
    Csv,
}

/// A row of the table of formats.
struct Row {
    format: Format,
    name: &'static str,
    extensions: &'static [&'static str],
    /// What becomes a document.
    document: &'static str,
    /// What is taken from it.
    taken: &'static str,
}

const TABLE: &[Row] = &[
    Row {
        format: Format::Text,
        name: "Plain text",
        extensions: &["txt", "text"],
        document: "the file",
        taken: "paragraphs; any other text file is read the same way",
    },
    Row {
        format: Format::Log,
        name: "Logs",
        extensions: &["log"],
        document: "the file",
        taken: "lines, never cut in two",
    },
    Row {
        format: Format::Markdown,
        name: "Markdown",
        extensions: &["md", "markdown", "mdown", "mkd"],
        document: "the file",
        taken: "title, headings, paragraphs, lists, tables, code, front matter fields",
    },
    Row {
        format: Format::Html,
        name: "HTML",
        extensions: &["html", "htm", "xhtml"],
        document: "the file",
        taken: "title, main content with headings, the whole body where there is no main content",
    },
    Row {
        format: Format::Json,
        name: "JSON",
        extensions: &["json"],
        document: "each object",
        taken: "id, title and text fields; the other fields become metadata",
    },
    Row {
        format: Format::JsonLines,
        name: "JSON Lines",
        extensions: &["jsonl", "ndjson"],
        document: "each line",
        taken: "as JSON (BEIR corpora and WikiExtractor output as they are)",
    },
    Row {
        format: Format::Csv,
        name: "CSV, TSV",
        extensions: &["csv", "tsv"],
        document: "each row",
        taken: "as JSON, fields named by the header; the delimiter is found out",
    },
];

impl Format {
    /// The format of a file called `name` that begins with `head`.
    ///
    /// # Errors
    /// The reason in words when the content is not text.
    pub fn detect(name: &str, head: &[u8]) -> Result<Self, String> {
        if let Some(reason) = binary_reason(head) {
            return Err(reason);
        }
        let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
        let by_name =
            TABLE.iter().find(|row| row.extensions.contains(&extension.as_str())).map(|row| row.format);
        Ok(match by_name {
            Some(Self::Json) if is_json_lines(head) => Self::JsonLines,
            Some(format) => format,
            None if is_json_lines(head) => Self::JsonLines,
            None if is_html(head) => Self::Html,
            None => Self::Text,
        })
    }

    /// Whether the file is a list of documents that carry their own ids.
    pub(crate) fn is_records(self) -> bool {
        matches!(self, Self::Json | Self::JsonLines | Self::Csv)
    }
}

/// A Markdown table of the formats that are read, for documentation.
pub fn formats_table() -> String {
    let mut out = String::from("| format | files | a document is | what is taken |\n|---|---|---|---|\n");
    for row in TABLE {
        let files: Vec<String> = row.extensions.iter().map(|e| format!("`.{e}`")).collect();
        let _ = writeln!(out, "| {} | {} | {} | {} |", row.name, files.join(" "), row.document, row.taken);
    }
    out
}

/// The first line is a JSON object and the second begins like one; a first line that goes beyond `head` is
/// taken for one by its first byte.
fn is_json_lines(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if !head.starts_with(b"{") {
        return false;
    }
    let mut lines = head.splitn(3, |b| *b == b'\n');
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        None => head.len() >= limits::SNIFF_BYTES,
        Some(second) => {
            second.starts_with(b"{") && serde_json::from_slice::<serde_json::Map<_, _>>(first).is_ok()
        }
    }
}

fn is_html(head: &[u8]) -> bool {
    let start: Vec<u8> = head
        .iter()
        .copied()
        .skip_while(|b| b.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(b))
        .take(14)
        .map(|b| b.to_ascii_lowercase())
        .collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_extension_and_by_content() {
        let cases: &[(&str, &str, Format)] = &[
            ("a.md", "# A", Format::Markdown),
            ("A.HTM", "x", Format::Html),
            ("page", "\n<!DOCTYPE HTML><p>x", Format::Html),
            ("wiki_00", "{\"id\":1}\n{\"id\":2}\n", Format::JsonLines),
            ("lines.json", "{\"id\":1}\n{\"id\":2}\n", Format::JsonLines),
            ("one.json", "{\n \"id\": 1\n}\n", Format::Json),
            ("main.rs", "fn main() {}", Format::Text),
            ("README", "hello", Format::Text),
            ("t.tsv", "a\tb", Format::Csv),
        ];
        for (name, head, expected) in cases {
            assert_eq!(Format::detect(name, head.as_bytes()), Ok(*expected), "{name}");
        }
    }

    #[test]
    fn a_binary_file_with_a_text_name_is_refused() {
        assert_eq!(Format::detect("a.txt", b"\x89PNG\r\n"), Err("binary content: a PNG image".into()));
    }

    #[test]
    fn the_table_names_every_format_once() {
        let table = formats_table();
        assert_eq!(table.lines().count(), 2 + TABLE.len());
        assert!(table.contains("| JSON Lines | `.jsonl` `.ndjson` | each line |"), "{table}");
    }
}
