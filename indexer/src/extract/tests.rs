//! Tests of the extractors: what a reader of the original would expect to find, and that no input breaks them.

use std::ops::ControlFlow;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Format, Settings};

fn read(format: Format, text: &str) -> Extracted {
    whole(format, "folder/note.x", text.to_owned()).unwrap()
}

/// Kind, text and headings of each block.
fn outline(extracted: &Extracted) -> Vec<(BlockKind, &str, String)> {
    let blocks = extracted.blocks.iter();
    blocks
        .map(|b| (b.kind, b.span.slice(&extracted.text).unwrap(), b.heading_path.join(" > ")))
        .collect()
}

/// Line, id and title-and-text (or the reason) of each record.
fn records(format: Format, source: &[u8]) -> Vec<(u64, Option<String>, Result<Extracted, String>)> {
    records_within(1 << 20, format, source).unwrap()
}

type Read = Vec<(u64, Option<String>, Result<Extracted, String>)>;

fn records_within(max_line_bytes: usize, format: Format, source: &[u8]) -> Result<Read, String> {
    let fields = Settings::default().fields;
    let mut out = Vec::new();
    let mut emit = |record: Record| {
        out.push((record.line, record.id, record.content));
        ControlFlow::Continue(())
    };
    let settings = RecordSettings { fields: &fields, max_line_bytes };
    let mut records = Records { settings, emit: &mut emit };
    if format == Format::JsonLines {
        records.lines(&mut &source[..]).unwrap();
    } else {
        records.text(format, &String::from_utf8_lossy(source))?;
    }
    Ok(out)
}

/// Blocks are slices in order, and hold every word.
pub(super) fn check_blocks(extracted: &Extracted) -> Result<(), TestCaseError> {
    let mut end = 0;
    for block in &extracted.blocks {
        prop_assert!(block.span.start >= end, "blocks overlap");
        prop_assert!(block.span.slice(&extracted.text).is_some_and(|text| !text.trim().is_empty()));
        prop_assert!(
            extracted.text[end..block.span.start].trim().is_empty(),
            "a word is in no block"
        );
        end = block.span.end;
    }
    prop_assert!(extracted.text[end..].trim().is_empty(), "a word is in no block");
    Ok(())
}

/// The same, and the title is bounded.
pub(crate) fn check(extracted: &Extracted) -> Result<(), TestCaseError> {
    check_blocks(extracted)?;
    prop_assert!(extracted.title.len() <= limits::TITLE_BYTES);
    Ok(())
}

#[test]
fn text_is_kept_verbatim_and_wrapped_lines_are_one_paragraph() {
    let text = "A first line that is\nwrapped here.\nA second paragraph\n\nA third";
    let extracted = read(Format::Text, text);
    assert_eq!(extracted.text, text);
    assert_eq!(extracted.title, "note");
    let texts: Vec<_> = outline(&extracted).into_iter().map(|b| b.1).collect();
    assert_eq!(texts, ["A first line that is\nwrapped here.", "A second paragraph", "A third"]);
}

#[test]
fn markdown_gives_words_without_markup_and_the_headings_above_them() {
    let source = "---\ntags: x\nyear: 2024\n---\n# The *Alder*\n\nIntro with [a link](http://x) and `code`.\n\n\
                  ## Wood\n\n- soft\n- red\n\n### Use\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nlet x;\n  y\n```\n\n\
                  ## Leaf\n\n<div>Round <b>leaves</b></div>\n\nwrapped\nline";
    let extracted = read(Format::Markdown, source);
    assert_eq!(extracted.title, "The Alder");
    assert_eq!(
        extracted.metadata,
        Metadata::from([("tags".into(), json!("x")), ("year".into(), json!(2024))])
    );
    use BlockKind::{Heading, Lines, Paragraph, Title};
    let expected = [
        (Title, "The Alder", ""),
        (Paragraph, "Intro with a link and code.", ""),
        (Heading, "Wood", ""),
        (Paragraph, "soft", "Wood"),
        (Paragraph, "red", "Wood"),
        (Heading, "Use", "Wood"),
        (Lines, "a | b\n1 | 2", "Wood > Use"),
        (Lines, "let x;\n  y", "Wood > Use"),
        (Heading, "Leaf", ""),
        (Paragraph, "Round leaves", "Leaf"),
        (Paragraph, "wrapped line", "Leaf"),
    ];
    let expected: Vec<_> =
        expected.map(|(kind, text, path)| (kind, text, path.to_owned())).to_vec();
    assert_eq!(outline(&extracted), expected);
}

#[test]
fn html_gives_the_main_content_with_its_headings() {
    let paragraph =
        "The alder grows on wet ground, along rivers, and fixes nitrogen with its roots. "
            .repeat(8);
    let source = format!(
        "<html lang=en><head><title>Alder trees</title><style>p{{}}</style></head><body><nav><a href=/>Home</a></nav>\
         <article><h1>Alder trees</h1><p>{paragraph}</p><h2>Wood &amp; use</h2><p>{paragraph}</p>\
         <p>Houses in   Venice<br>stand on it.</p></article><footer>Imprint</footer><script>evil()</script></body>"
    );
    let extracted = read(Format::Html, &source);
    assert_eq!(extracted.title, "Alder trees");
    assert!(
        !extracted.text.contains("evil") && !extracted.text.contains("Imprint"),
        "{}",
        extracted.text
    );
    let blocks = outline(&extracted);
    let last = blocks.last().unwrap();
    assert_eq!(
        last,
        &(BlockKind::Paragraph, "Houses in Venice\nstand on it.", "Wood & use".to_owned())
    );
}

#[test]
fn html_without_main_content_gives_the_whole_body() {
    let extracted = read(
        Format::Html,
        "<title>T</title><p>One<p>Two<table><tr><td>a<td>b</table><pre>x\n  y</pre>",
    );
    let texts: Vec<_> = outline(&extracted).into_iter().map(|b| b.1).collect();
    assert_eq!((extracted.title.as_str(), texts), ("T", vec!["One", "Two", "a | b", "x\n  y"]));
}

#[test]
fn html_that_would_exhaust_a_parser_is_refused_with_a_reason() {
    let deep = "<div>".repeat(100_000);
    let reason = whole(Format::Html, "a.html", deep).unwrap_err();
    assert!(reason.contains("100000 elements open at once, the limit is 512"), "{reason}");
    let drawing = format!("<p>A drawing:<svg>{}</svg>", "<path d='M1'/>".repeat(5_000));
    assert_eq!(whole(Format::Html, "a.html", drawing).unwrap().text, "A drawing:");
    let shapes = "<svg>".to_owned() + &"<path/>".repeat(100_000);
    let reason = whole(Format::Html, "a.html", shapes).unwrap_err();
    assert!(reason.contains("shapes of drawings"), "{reason}");
    let formatting: String = (0..400).map(|i| format!("<font size={i}>")).collect();
    let reason = whole(Format::Html, "a.html", formatting + &"<p>x".repeat(20_000)).unwrap_err();
    assert!(reason.contains("open formatting"), "{reason}");
    let reason = whole(Format::Html, "a.html", "&amp".repeat(500_000)).unwrap_err();
    assert!(reason.contains("character references"), "{reason}");
}

#[test]
fn pages_that_parsers_find_hard_take_seconds_at_most() {
    let hard = [
        (Format::Html, "<div>".repeat(500) + &"<p>some words, and more".repeat(40_000)),
        (Format::Html, "<b><i><u>".repeat(3) + &"<p>some words, and more".repeat(40_000)),
        (Format::Html, "<table>".repeat(400) + &"x<b>y".repeat(400)),
        (Format::Html, "<table>".to_owned() + &"x<br>".repeat(40_000)),
        (Format::Html, "<!--<svg>--><p>".to_owned() + &"<path/>".repeat(19_000)),
        (Format::Html, "<a href=x>link, and</a> ".repeat(45_000)),
        (Format::Html, "<p>".to_owned() + &"many words. ".repeat(300_000)),
        (Format::Html, "<!--".repeat(300_000)),
        (Format::Html, "&amp".repeat(300_000)),
        (Format::Markdown, ">".repeat(20_000)),
        (Format::Markdown, "[".repeat(200_000)),
        (Format::Markdown, "*a_ `".repeat(100_000)),
        (Format::Markdown, "- ".repeat(20_000)),
        (Format::Markdown, "<div>\n\n".repeat(50_000)),
        (Format::Markdown, (0..50_000).map(|i| format!("# {i}\n")).collect()),
    ];
    for (format, page) in hard {
        let start = page[..24.min(page.len())].to_owned();
        let started = std::time::Instant::now();
        let _ = whole(format, "x", page);
        println!("{start:?}: {:?}", started.elapsed());
        assert!(started.elapsed().as_secs() < 10, "{start:?} took {:?}", started.elapsed());
    }
}

#[test]
fn json_lines_give_one_document_each_and_a_bad_line_does_not_stop_the_rest() {
    let source = b"\xef\xbb\xbf{\"_id\": \"4\", \"title\": \"T\", \"text\": \"Body.\", \"metadata\": {\"year\": 1999}}\n\n\
        {\"id\": 7, \"abstract\": [\"One.\", \"Two.\"], \"a\": {\"b\": [1, null]}, \"n\": null}\r\n\
        {\"id\": \n\
        [1]\n\
        \xff\n\
        {\"text\": \"  \"}\n\
        {\"title\": \"Only a title\", \"text\": \"\"}";
    let read = records(Format::JsonLines, source);
    let (line, id, first) = &read[0];
    let first = first.as_ref().unwrap();
    assert_eq!(
        (*line, id.as_deref(), first.title.as_str(), first.text.as_str()),
        (1, Some("4"), "T", "Body.")
    );
    assert_eq!(first.metadata, Metadata::from([("year".into(), json!(1999))]));
    let (line, id, second) = &read[1];
    assert_eq!((*line, id.as_deref()), (3, Some("7")));
    assert_eq!(second.as_ref().unwrap().text, "One. Two.");
    assert_eq!(second.as_ref().unwrap().metadata, Metadata::from([("a.b".into(), json!([1]))]));
    let reasons: Vec<(u64, &str)> = read[2..6]
        .iter()
        .map(|(line, _, content)| (*line, content.as_ref().unwrap_err().as_str()))
        .collect();
    let expected = [
        (4, "not valid JSON: EOF while parsing a value, at line 1 column 6 of the object"),
        (5, "expected a JSON object, found an array"),
        (6, "not valid UTF-8 after byte 0 of the line"),
        (7, "no text: none of the fields text, body, content, abstract has any"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(read[6].2.as_ref().unwrap().text, "Only a title", "found by its title");
}

#[test]
fn a_line_over_the_limit_is_named_and_passed_over() {
    let long = format!("{{\"text\": \"{}\"}}\n{{\"text\": \"short\"}}\n", "x".repeat(5000));
    let read = records_within(1000, Format::JsonLines, long.as_bytes()).unwrap();
    assert_eq!(
        read[0].2.as_ref().unwrap_err(),
        "5013 bytes long, the limit is 1000; raise it with --max-line-bytes"
    );
    assert_eq!((read[1].0, read[1].2.as_ref().unwrap().text.as_str()), (2, "short"));
}

#[test]
fn a_json_array_is_read_element_by_element() {
    let read = records(
        Format::Json,
        b"[\n {\"id\": \"a\", \"text\": \"] , {\\\"\"},\n\n {\"text\": 1},\n 3 ]\n",
    );
    let ids: Vec<_> =
        read.iter().map(|(line, id, content)| (*line, id.as_deref(), content.is_ok())).collect();
    assert_eq!(ids, [(2, Some("a"), true), (4, None, true), (5, None, false)]);
    assert_eq!(read[0].2.as_ref().unwrap().text, "] , {\"");
    assert_eq!(
        read[1].2.as_ref().unwrap().text,
        "text: 1",
        "fields are written out where none is text"
    );
    for (source, reason) in [
        ("[{}", "the array is not closed; its last element begins at byte 1"),
        ("[] x", "unexpected text after the array, at byte 2"),
        ("7", "not JSON: expected an object or an array of objects"),
    ] {
        assert_eq!(records_within(100, Format::Json, source.as_bytes()).unwrap_err(), reason);
    }
}

#[test]
fn wikiextractor_records_keep_their_headings() {
    let text = "Anarchism is a philosophy.\\nEtymology and terminology.\\nThe word is Greek, and it is old.\\nHistory.\\nOrigins.\\nOld.";
    let line =
        format!("{{\"id\": 12, \"url\": \"u\", \"title\": \"Anarchism\", \"text\": \"{text}\"}}");
    let read = records(Format::JsonLines, line.as_bytes());
    assert_eq!(read[0].1.as_deref(), Some("12"));
    let extracted = read[0].2.as_ref().unwrap();
    assert_eq!(extracted.metadata, Metadata::from([("url".into(), json!("u"))]));
    let paths: Vec<_> = outline(extracted).into_iter().map(|b| (b.1, b.2)).collect();
    assert_eq!(
        paths[2],
        ("The word is Greek, and it is old.", "Etymology and terminology".to_owned())
    );
    assert_eq!(paths[5], ("Old.", "History > Origins".to_owned()));
}

#[test]
fn csv_rows_are_documents_with_the_header_as_field_names() {
    let source =
        "id;title;text;price;code\n1;Alder;\"A tree;\nof wet ground\";2.50;007\n2;Oak\n;;;;\n";
    let read = records(Format::Csv, source.as_bytes());
    assert_eq!(read.len(), 2);
    let first = read[0].2.as_ref().unwrap();
    assert_eq!((read[0].0, read[0].1.as_deref()), (2, Some("1")));
    assert_eq!((first.title.as_str(), first.text.as_str()), ("Alder", "A tree;\nof wet ground"));
    assert_eq!(
        first.metadata,
        Metadata::from([("code".into(), json!("007")), ("price".into(), json!(2.5))])
    );
    assert_eq!((read[1].0, read[1].2.as_ref().unwrap().text.as_str()), (4, "Oak"));
}

#[test]
fn csv_without_a_header_or_text_column_is_written_out() {
    let read = records(Format::Csv, b"A plane lands.,A jet lands.,4.5\nA dog.,A cat.,1.0\n");
    assert_eq!(read[0].0, 1);
    assert_eq!(
        read[0].2.as_ref().unwrap().text,
        "column_1: A plane lands.\ncolumn_2: A jet lands.\ncolumn_3: 4.5"
    );
}

#[test]
fn metadata_that_is_too_large_is_left_out_and_said_so() {
    let line = format!("{{\"text\": \"x\", \"big\": \"{}\", \"small\": 1}}", "y".repeat(20_000));
    let read = records(Format::JsonLines, line.as_bytes());
    let extracted = read[0].2.as_ref().unwrap();
    assert_eq!(extracted.metadata.keys().collect::<Vec<_>>(), ["small"]);
    assert_eq!(
        extracted.notes,
        ["field big (20005 bytes) is not kept: metadata is limited to 16384 bytes"]
    );
}

proptest! {
    #[test]
    fn text_extractors_survive_any_text(text in "(\\PC|[\n #*`|<>&;\\-]){0,400}") {
        for format in [Format::Text, Format::Log, Format::Markdown, Format::Html] {
            if let Ok(extracted) = whole(format, "x", text.clone()) {
                check(&extracted)?;
            }
        }
        check(&text::extract_wiki(&text))?;
    }

    #[test]
    fn html_extractor_survives_any_tags(
        tags in proptest::collection::vec((0..TAGS.len(), any::<bool>(), "[a-z <&;]{0,12}"), 0..120)
    ) {
        let page: String = tags
            .iter()
            .map(|(tag, open, text)| format!("<{}{}>{text}", if *open { "" } else { "/" }, TAGS[*tag]))
            .collect();
        if let Ok(extracted) = whole(Format::Html, "x", page) {
            check(&extracted)?;
        }
    }

    #[test]
    fn extractors_survive_any_bytes(bytes: Vec<u8>) {
        for read in [Format::JsonLines, Format::Json, Format::Csv] {
            for (_, _, content) in records_within(64, read, &bytes).unwrap_or_default() {
                if let Ok(extracted) = content {
                    check(&extracted)?;
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for format in [Format::Text, Format::Log, Format::Markdown, Format::Html] {
            if let Ok(extracted) = whole(format, "x", text.clone()) {
                check(&extracted)?;
            }
        }
        let _ = declared_encoding(&bytes);
    }

    #[test]
    fn json_extractor_finds_every_element(values in proptest::collection::vec("\\PC{0,20}", 0..20)) {
        let array = serde_json::Value::from_iter(values.iter().map(|text| json!({"title": "t", "text": text})));
        let read = records_within(1 << 20, Format::Json, array.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.len(), values.len());
        prop_assert!(read.iter().all(|(_, _, content)| content.is_ok()));
    }
}

const TAGS: &[&str] = &[
    "p",
    "div",
    "h1",
    "h2",
    "h6",
    "table",
    "tr",
    "td",
    "pre",
    "ul",
    "li",
    "b",
    "a",
    "font",
    "script",
    "title",
    "body",
    "html",
    "article",
    "br",
    "svg",
    "template",
    "select",
    "form",
    "!--",
    "?x",
    "plaintext",
    "textarea",
];
