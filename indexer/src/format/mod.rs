//! [`Format`]: which extractor reads a file, told by its name and its first bytes. What there is stands in
//! [`table`].

mod table;

use crate::decode::binary_reason;
use crate::limits;

use table::TABLE;
pub use table::formats_table;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text.
    Text,
    /// Text whose lines stand for themselves.
    Log,
    /// Source code and configuration.
    Source,
    /// CommonMark with tables and front matter.
    Markdown,
    /// reStructuredText.
    Restructured,
    /// LaTeX.
    Latex,
    /// HTML pages.
    Html,
    /// PDF.
    Pdf,
    /// Word's Office Open XML.
    Docx,
    /// PowerPoint's Office Open XML.
    Pptx,
    /// OpenDocument text and slides.
    OpenDocument,
    /// Spreadsheets of Excel and OpenDocument.
    Spreadsheet,
    /// EPUB books.
    Epub,
    /// One mail message.
    Mail,
    /// A mailbox: messages one after another, each after a line `From `.
    Mbox,
    /// One JSON object or an array of them.
    Json,
    /// One JSON object per line.
    JsonLines,
    /// Comma, semicolon, tab or bar separated rows.
    Csv,
    /// A dump of a MediaWiki, such as Wikipedia's.
    MediaWiki,
    /// A zip or tar archive, the latter compressed or not.
    Archive,
    /// One file compressed with gzip or bzip2.
    Compressed,
}

impl Format {
    /// The format of a file called `name` that begins with `head`.
    ///
    /// # Errors
    /// The reason in words when the content is not text.
    pub fn detect(name: &str, head: &[u8]) -> Result<Self, String> {
        let by_name = Self::by_name(name);
        if let Some(format) = by_magic(by_name, name, head) {
            return Ok(format);
        }
        if let Some(reason) = binary_reason(head) {
            // A damaged file of a known kind is one that should be read; its extractor says what is wrong.
            return by_name.filter(|format| format.is_contained()).ok_or(reason);
        }
        Ok(match by_name {
            Some(Self::Json) if is_json_lines(head) => Self::JsonLines,
            // An error page saved under the name of the document it stands for.
            Some(format) if format.is_contained() && is_html(head) => Self::Html,
            Some(format) => format,
            None if is_json_lines(head) => Self::JsonLines,
            None if is_html(head) => Self::Html,
            None => Self::Text,
        })
    }

    fn by_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        let row = TABLE.iter().find(|row| row.extensions.contains(&extension.as_str()))?;
        Some(row.format)
    }

    /// Whether the file is a list of documents that carry their own ids.
    pub(crate) fn is_records(self) -> bool {
        matches!(self, Self::Json | Self::JsonLines | Self::Csv)
    }

    /// Whether its parser runs in a process of its own, because such parsers can crash, hang or exhaust memory.
    pub(crate) fn is_contained(self) -> bool {
        self.is_container()
            || matches!(
                self,
                Self::Pdf
                    | Self::Docx
                    | Self::Pptx
                    | Self::OpenDocument
                    | Self::Spreadsheet
                    | Self::Epub
                    | Self::Mail
            )
    }

    /// Whether one file may hold many documents that are named after it.
    pub(crate) fn is_container(self) -> bool {
        let several = [Self::Archive, Self::Compressed, Self::Mail, Self::Mbox, Self::MediaWiki];
        several.contains(&self)
    }
}

/// The format that the first bytes tell, with the name deciding between formats that begin alike.
fn by_magic(by_name: Option<Format>, name: &str, head: &[u8]) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(zip_kind(by_name, head));
    }
    if head.starts_with(b"\x1f\x8b") || head.starts_with(b"BZh") {
        let tar = [".tar.gz", ".tgz", ".tar.bz2", ".tbz2"].iter().any(|end| name.ends_with(end));
        return Some(if tar { Format::Archive } else { Format::Compressed });
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(Format::Archive);
    }
    if head.starts_with(b"<mediawiki ") {
        return Some(Format::MediaWiki);
    }
    if head[..head.len().min(1024)].windows(5).any(|window| window == b"%PDF-")
        && (head.starts_with(b"%PDF-") || by_name == Some(Format::Pdf))
    {
        return Some(Format::Pdf);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0") && by_name == Some(Format::Spreadsheet) {
        return by_name;
    }
    let mailbox = head.starts_with(b"From ")
        && head.windows(7).any(|window| window == b"\nFrom: " || window == b"\nDate: ");
    // Mail is read by its name even where its body is not text.
    (mailbox && by_name.is_none())
        .then_some(Format::Mbox)
        .or(by_name.filter(|format| matches!(format, Format::Mail | Format::Mbox)))
}

/// What a zip archive is: an office document by its name or by the names of its first parts.
fn zip_kind(by_name: Option<Format>, head: &[u8]) -> Format {
    let has = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    match by_name {
        Some(format) if format.is_contained() && !format.is_container() => format,
        _ if has(b"mimetypeapplication/epub+zip") => Format::Epub,
        _ if has(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") => Format::Spreadsheet,
        _ if has(b"mimetypeapplication/vnd.oasis.opendocument.") => Format::OpenDocument,
        _ if !has(b"[Content_Types].xml") => Format::Archive,
        _ if has(b"word/document.xml") => Format::Docx,
        _ if has(b"ppt/presentation.xml") => Format::Pptx,
        _ if has(b"xl/workbook.xml") => Format::Spreadsheet,
        _ => Format::Archive,
    }
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
            second.starts_with(b"{")
                && serde_json::from_slice::<serde_json::Map<_, _>>(first).is_ok()
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
            ("main.rs", "fn main() {}", Format::Source),
            ("paper.pdf", "junk\n%PDF-1.4", Format::Pdf),
            ("download.pdf", "<!doctype html><p>Not found", Format::Html),
            ("report", "%PDF-1.4", Format::Pdf),
            ("a.zip", "PK\u{3}\u{4}....readme.txt", Format::Archive),
            ("a.bin", "PK\u{3}\u{4}..mimetypeapplication/epub+zip", Format::Epub),
            ("a", "PK\u{3}\u{4}..[Content_Types].xml..word/document.xml", Format::Docx),
            ("a.zip", "PK\u{3}\u{4}..[Content_Types].xml..xl/workbook.xml", Format::Spreadsheet),
            ("a.docx", "PK\u{3}\u{4}....", Format::Docx),
            ("wiki.json.bz2", "BZh91AY", Format::Compressed),
            ("src.tar.bz2", "BZh91AY", Format::Archive),
            ("wiki.xml", "<mediawiki xmlns=\"x\">", Format::MediaWiki),
            ("inbox", "From ada Mon\nDate: x\n", Format::Mbox),
            ("letter.txt", "From the sea\nDate: x\n", Format::Text),
            ("letter.eml", "Subject: x\n", Format::Mail),
            ("README", "hello", Format::Text),
            ("t.tsv", "a\tb", Format::Csv),
        ];
        for (name, head, expected) in cases {
            assert_eq!(Format::detect(name, head.as_bytes()), Ok(*expected), "{name}");
        }
    }

    #[test]
    fn a_binary_file_with_a_text_name_is_refused() {
        assert_eq!(
            Format::detect("a.txt", b"\x89PNG\r\n"),
            Err("binary content: a PNG image".into())
        );
    }

    #[test]
    fn the_readme_shows_the_table() {
        let readme = include_str!("../../../README.md");
        assert!(
            readme.contains(&formats_table()),
            "README.md, What it can read:\n{}",
            formats_table()
        );
    }

    #[test]
    fn the_table_names_every_format_once() {
        let table = formats_table();
        assert_eq!(table.lines().count(), 2 + TABLE.len());
        assert!(table.contains("| JSON Lines | `.jsonl` `.ndjson` | each line |"), "{table}");
    }
}
