//! The table of formats: names, extensions, what becomes a document and what is taken from it. [`super::Format`]
//! finds formats by it, and the documentation shows it.

use std::fmt::Write as _;

use super::Format;

/// A row of the table of formats.
pub(super) struct Row {
    pub(super) format: Format,
    name: &'static str,
    pub(super) extensions: &'static [&'static str],
    /// What becomes a document.
    document: &'static str,
    /// What is taken from it.
    taken: &'static str,
}

const fn row(
    format: Format,
    name: &'static str,
    extensions: &'static [&'static str],
    document: &'static str,
    taken: &'static str,
) -> Row {
    Row { format, name, extensions, document, taken }
}

pub(super) const TABLE: &[Row] = &[
    row(
        Format::Text,
        "Plain text",
        &["txt", "text"],
        "the file",
        "paragraphs; any other text file is read the same way",
    ),
    row(Format::Log, "Logs", &["log"], "the file", "lines, never cut in two"),
    row(
        Format::Source,
        "Source code",
        &[
            "rs", "py", "js", "mjs", "ts", "tsx", "jsx", "c", "h", "cc", "cpp", "hpp", "cs",
            "java", "kt", "go", "rb", "php", "swift", "scala", "lua", "pl", "r", "jl", "hs", "ml",
            "ex", "erl", "clj", "sh", "bash", "ps1", "sql", "css", "scss", "vue", "toml", "yaml",
            "yml", "ini", "cfg",
        ],
        "the file",
        "lines, cut at empty lines where it can be; the title is the file's name",
    ),
    row(
        Format::Markdown,
        "Markdown",
        &["md", "markdown", "mdown", "mkd"],
        "the file",
        "title, headings, paragraphs, lists, tables, code, front matter fields",
    ),
    row(
        Format::Restructured,
        "reStructuredText",
        &["rst", "rest"],
        "the file",
        "title, headings, paragraphs, literal blocks; comments go",
    ),
    row(
        Format::Latex,
        "LaTeX",
        &["tex", "latex", "ltx"],
        "the file",
        "title, author, sections, paragraphs; preamble and comments go, formulas stay as written",
    ),
    row(
        Format::Html,
        "HTML",
        &["html", "htm", "xhtml"],
        "the file",
        "title, author, language, headings, text; navigation, banners and footers go",
    ),
    row(
        Format::Pdf,
        "PDF",
        &["pdf"],
        "the file",
        "text with page numbers, title, author; a file of scanned pages without text is reported",
    ),
    row(
        Format::Docx,
        "Word",
        &["docx", "docm", "dotx"],
        "the file",
        "title, headings, paragraphs, tables, notes; deleted text goes",
    ),
    row(
        Format::Pptx,
        "PowerPoint",
        &["pptx", "pptm", "ppsx"],
        "the file",
        "slides with their numbers, titles, text, tables, speaker's notes",
    ),
    row(
        Format::OpenDocument,
        "OpenDocument text, slides",
        &["odt", "ott", "odp"],
        "the file",
        "title, headings, paragraphs, lists, tables, notes; slides with their numbers",
    ),
    row(
        Format::Spreadsheet,
        "Spreadsheets",
        &["xlsx", "xlsm", "xlsb", "xls", "ods"],
        "the file",
        "each sheet's name and rows, the values of formulas",
    ),
    row(
        Format::Epub,
        "EPUB",
        &["epub"],
        "the file",
        "title, author, language, chapters in reading order with their headings",
    ),
    row(
        Format::Mail,
        "Mail",
        &["eml"],
        "the message, each attachment",
        "subject, people, date, text without the quoted tail; what the format of the attachment gives",
    ),
    row(Format::Mbox, "Mailboxes", &["mbox", "mbx"], "each message, each attachment", "as mail"),
    row(
        Format::Json,
        "JSON",
        &["json"],
        "each object",
        "id, title and text fields; the other fields become metadata",
    ),
    row(
        Format::JsonLines,
        "JSON Lines",
        &["jsonl", "ndjson"],
        "each line",
        "as JSON (BEIR corpora and WikiExtractor output as they are)",
    ),
    row(
        Format::Csv,
        "CSV, TSV",
        &["csv", "tsv"],
        "each row",
        "as JSON, fields named by the header; the delimiter is found out",
    ),
    row(
        Format::MediaWiki,
        "MediaWiki dumps",
        // Told by their content: other XML is text.
        &["xml.bz2"],
        "each article",
        "title, headings, paragraphs, lists; templates, tables and references go",
    ),
    row(
        Format::Archive,
        "Archives",
        &["zip", "tar", "tgz", "tbz2"],
        "each file in it",
        "what its format gives; archives within archives are not opened",
    ),
    row(
        Format::Compressed,
        "Compressed files",
        &["gz", "bz2"],
        "what is in it",
        "as the file without this extension would be",
    ),
];

/// A Markdown table of the formats that are read, for documentation.
pub fn formats_table() -> String {
    let mut out =
        String::from("| format | files | a document is | what is taken |\n|---|---|---|---|\n");
    for row in TABLE {
        let files: Vec<String> = row.extensions.iter().map(|e| format!("`.{e}`")).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.name,
            files.join(" "),
            row.document,
            row.taken
        );
    }
    out
}
