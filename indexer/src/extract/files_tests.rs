//! Tests of the binary formats and containers, on the files of `indexer/tests/formats` (made by real producers'
//! libraries, see `make.py` there): the planted fact is found verbatim, under its heading, on its page.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::report::Fate;
use crate::sandbox::Request;
use crate::{Format, Settings};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

/// Everything a file gives, and how it ended.
pub(super) fn read(name: &str, bytes: &[u8]) -> (Vec<Item>, Result<(), Fate>) {
    let format = Format::detect(name, bytes).unwrap();
    read_as(format, name, bytes)
}

pub(super) fn read_as(format: Format, name: &str, bytes: &[u8]) -> (Vec<Item>, Result<(), Fate>) {
    let request = Request::new(name, format, &Settings::default());
    let mut items = Vec::new();
    let mut emit = |item| {
        items.push(item);
        Ok(())
    };
    let outcome = Files::new(&request, &mut emit).read(&mut Cursor::new(bytes));
    (items, outcome)
}

fn fixture(name: &str) -> (Vec<Item>, Result<(), Fate>) {
    read(name, &fs::read(fixtures().join(name)).unwrap())
}

/// The only document of a fixture.
fn only(name: &str) -> Extracted {
    let (items, outcome) = fixture(name);
    assert_eq!(outcome, Ok(()), "{name}");
    let mut items = items.into_iter();
    match (items.next(), items.any(|item| matches!(item, Item::Document(_)))) {
        (Some(Item::Document(found)), false) => found.extracted,
        other => panic!("{name}: {other:?}"),
    }
}

pub(super) fn notes(items: &[Item]) -> Vec<&str> {
    let notes = items.iter().filter_map(|item| match item {
        Item::Note(note) | Item::Problem(note) => Some(note.as_str()),
        Item::Document(_) => None,
    });
    notes.collect()
}

pub(super) fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[derive(serde::Deserialize)]
struct Fact {
    file: String,
    document: String,
    sentence: String,
    page: Option<u32>,
    heading: Option<String>,
}

#[test]
fn every_format_gives_its_planted_fact_verbatim_under_its_heading_and_on_its_page() {
    let facts = fs::read(fixtures().join("facts.json")).unwrap();
    let facts: Vec<Fact> = serde_json::from_slice(&facts).unwrap();
    assert!(facts.len() >= 40);
    for fact in facts {
        let file = fact.file.as_str();
        let (items, outcome) = fixture(file);
        assert_eq!(outcome, Ok(()), "{file}");
        let is_it = |found: &Found| match &found.id {
            Some(id) => *id == fact.document,
            None => format!("{file}{}", found.suffix) == fact.document,
        };
        let document = items.iter().find_map(|item| match item {
            Item::Document(found) if is_it(found) => Some(&found.extracted),
            _ => None,
        });
        let document = document.unwrap_or_else(|| panic!("no {} in {items:?}", fact.document));
        let at = document.text.find(&fact.sentence).unwrap_or_else(|| {
            panic!("{}: {:?} is not in {:?}", fact.document, fact.sentence, document.text)
        });
        let block = document.blocks.iter().find(|b| b.span.start <= at && at < b.span.end).unwrap();
        assert!(block.span.end >= at + fact.sentence.len(), "{}: the fact is cut", fact.document);
        assert_eq!(block.page, fact.page, "{}", fact.document);
        assert_eq!(block.heading_path.last(), fact.heading.as_ref(), "{}", fact.document);
    }
}

#[test]
fn documents_have_the_titles_and_authors_they_name() {
    let titles = [
        "lighthouse.pdf",
        "history.docx",
        "transport.pptx",
        "tales.epub",
        "meeting.eml",
        "tides.tex",
    ];
    let titles = titles.map(|name| only(name).title);
    let expected = [
        "The lighthouse of Quellmark",
        "History of Quellmark",
        "Transport plan",
        "Tales of Quellmark",
        "Re: Meeting – Größe",
        "On tides",
    ];
    assert_eq!(titles, expected);
    for name in ["lighthouse.pdf", "history.docx", "tales.epub", "tides.tex"] {
        assert_eq!(only(name).metadata["author"], "Ida Renn", "{name}");
    }
    assert_eq!(only("staff.xlsx").title, "staff");
    assert_eq!(only("lighthouse.pdf").metadata["pages"], 3);
}

#[test]
fn tables_and_lists_are_lines() {
    let text = only("history.docx").text;
    assert!(text.contains("Salt\nWool\n\nGood | Duty\nSalt | three pence"), "{text}");
    assert!(only("staff.xlsx").text.starts_with("Staff\n\nName | Post | Since\nTomas Vell"));
    assert!(only("transport.pptx").text.ends_with("Thank the volunteers."));
}

#[test]
fn a_reply_is_read_without_what_it_quotes() {
    let (items, outcome) = fixture("meeting.eml");
    assert_eq!(outcome, Ok(()));
    let Item::Document(found) = &items[0] else { panic!("{items:?}") };
    let mail = &found.extracted;
    assert!(!mail.text.contains("Where does the council meet?"), "{}", mail.text);
    assert!(
        mail.text.starts_with("From: Ida Renn <ida@quellmark.example>\nTo: Tomas Vell"),
        "{}",
        mail.text
    );
    assert_eq!(mail.metadata["date"], "2026-03-03T09:30:00+01:00");
    assert!(notes(&items)[0].starts_with("agenda.pdf: not a readable PDF"), "{items:?}");
}

#[test]
fn a_mailbox_is_cut_only_where_a_message_begins() {
    let (items, _) = fixture("inbox.mbox");
    let Item::Document(first) = &items[0] else { panic!("{items:?}") };
    assert_eq!((items.len(), first.suffix.as_str()), (2, "#m2@quellmark.example"));
    assert!(first.extracted.text.ends_with("It rains.\n\nFrom the sea comes more."));
}

#[test]
fn markup_of_text_formats_goes_and_their_words_stay() {
    let rst = only("bakery.rst").text;
    assert!(rst.contains("See the mill and rye:\n\nrye = 7\n\nClosed in August."), "{rst}");
    assert!(!rst.contains("machines"));
    let tex = only("tides.tex").text;
    assert!(tex.ends_with("It is 100% known , with $h = 6$."), "{tex}");
    assert!(!tex.contains("not text") && !tex.contains("documentclass"));
}

#[test]
fn a_scanned_pdf_is_reported_as_having_no_text_layer() {
    let (items, outcome) = fixture("scanned.pdf");
    assert_eq!(items, []);
    let reason =
        "no text layer: its 3 pages are images; recognise their text (OCR) first".to_owned();
    assert_eq!(outcome, Err(Fate::Failed { reason }));
}

#[test]
fn what_an_archive_holds_is_read_one_level_deep_and_nothing_leads_outside() {
    let (items, outcome) = fixture("parish.zip");
    assert_eq!(outcome, Ok(()));
    let suffixes: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Document(found) => Some(found.suffix.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(suffixes, ["/notes/bells.md", "/people.csv#1", "/papers/staff.xlsx"]);
    assert_eq!(
        notes(&items),
        [
            "inner.zip is not read: an archive within an archive is not opened",
            "\"../outside.txt\" is not read: its name leads outside the archive",
        ]
    );
    let (items, _) = fixture("brewery.tar.gz");
    assert_eq!(notes(&items), ["brewery/link.txt is not read: not a regular file"]);
}

#[test]
fn files_of_an_archive_that_are_nothing_to_index_are_named_or_counted() {
    let pictures: Vec<String> = (0..25).map(|i| format!("{i}.png")).collect();
    let entries: Vec<(&str, &[u8])> =
        pictures.iter().map(|name| (name.as_str(), b"\x89PNG\r\n".as_slice())).collect();
    let (items, _) = read("pictures.zip", &zipped(&entries));
    let notes = notes(&items);
    assert_eq!(notes.len(), 11);
    assert_eq!(notes[0], "0.png is not read: binary content: a PNG image");
    assert_eq!(notes[10], "15 more files in it are not read");
}

#[test]
fn what_unpacks_to_far_more_than_its_size_is_ended() {
    let zeros = vec![b'a'; 30 << 20];
    let (items, _) = read("bomb.zip", &zipped(&[("a.txt", &zeros), ("b.txt", b"fine")]));
    assert_eq!(notes(&items)[0], "a.txt: the file unpacks to more than 200 times its size");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(&zeros).unwrap();
    let (items, outcome) = read("bomb.txt.gz", &gz.finish().unwrap());
    assert_eq!(items, []);
    let reason = "cannot be read: it unpacks to more than 200 times its size".to_owned();
    assert_eq!(outcome, Err(Fate::Failed { reason }));
    let (_, outcome) = read("bomb.docx", &zipped(&[("word/document.xml", &zeros)]));
    assert!(matches!(outcome, Err(Fate::Failed { .. })), "{outcome:?}");
}

#[test]
fn deep_nesting_and_entities_cost_their_file_only() {
    let deep = format!("<w:document>{}", "<w:tbl>".repeat(100_000));
    let (items, _) = read("deep.docx", &zipped(&[("word/document.xml", deep.as_bytes())]));
    assert_eq!(items, [], "nothing readable came before");
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
        <w:document><w:p><w:r><w:t>one &b; &amp; two &#233;</w:t></w:r></w:p></w:document>"#;
    let (items, _) = read("entities.docx", &zipped(&[("word/document.xml", entities.as_bytes())]));
    let Item::Document(found) = &items[0] else { panic!("{items:?}") };
    assert_eq!(found.extracted.text, "one  & two é");
}

/// Blocks and passages hold every word.
fn check(extracted: &Extracted) -> Result<(), TestCaseError> {
    super::tests::check_blocks(extracted)?;
    check_passages(extracted)
}

/// Passages are slices that hold every word below a heading and stand on one page each.
fn check_passages(extracted: &Extracted) -> Result<(), TestCaseError> {
    let words = |text: &str| {
        let at = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        let spans = text.split_whitespace().map(|word| Span::new(at(word), at(word) + word.len()));
        Ok(spans.collect())
    };
    let settings = Settings { passage_tokens: 24, overlap_tokens: 8, ..Settings::default() };
    let chunks = crate::chunk::chunk(extracted, &settings, &words).unwrap();
    prop_assert!(chunks.iter().all(|chunk| chunk.span.slice(&extracted.text).is_some()));
    for block in &extracted.blocks {
        let inside = chunks
            .iter()
            .filter(|c| c.span.start < block.span.end && block.span.start < c.span.end);
        let (pages, spans): (Vec<_>, Vec<_>) = inside.map(|chunk| (chunk.page, chunk.span)).unzip();
        prop_assert!(pages.iter().all(|page| *page == block.page), "a passage crosses pages");
        if matches!(block.kind, BlockKind::Paragraph | BlockKind::Lines) {
            let mut covered = block.span.start;
            for span in spans {
                let between = extracted.text.get(covered..span.start).unwrap_or_default();
                prop_assert!(between.trim().is_empty(), "a word is in no passage");
                covered = covered.max(span.end);
            }
            let rest = extracted.text.get(covered..block.span.end).unwrap_or_default();
            prop_assert!(rest.trim().is_empty(), "a word is in no passage");
        }
    }
    Ok(())
}

#[test]
fn markup_that_is_never_closed_takes_time_in_proportion_to_its_length() {
    let pieces = [
        "\\section{a}",
        "\\cite{",
        "\\cite[",
        "\\emph{",
        "$",
        "{",
        "\\",
        "%",
        "`",
        "``x",
        ":a:`",
        ".. a::\n",
        "==\n",
        "<ref>\n",
        "<!--",
        "{{",
        "[[a|",
        "<a",
        "[http",
        "\n* ",
    ];
    for piece in pieces {
        let begun = std::time::Instant::now();
        let source = piece.repeat((1 << 18) / piece.len());
        for format in [Format::Latex, Format::Restructured] {
            whole(format, "a", source.clone()).unwrap();
        }
        wikitext::extract("a".into(), &source);
        assert!(begun.elapsed().as_secs() < 5, "{piece}: {:?}", begun.elapsed());
    }
}

#[test]
fn every_format_is_cut_into_passages_that_hold_every_word_and_stand_on_one_page() {
    for entry in fs::read_dir(fixtures()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (items, _) = fixture(&name);
        for item in items {
            if let Item::Document(found) = item {
                check(&found.extracted).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}

/// Formats that can be read in this process without fear: ours down to the last parser, or proven.
const OWN: [&str; 8] = [
    "history.docx",
    "transport.pptx",
    "gardens.odt",
    "tales.epub",
    "meeting.eml",
    "inbox.mbox",
    "parish.zip",
    "brewery.tar.gz",
];

/// Pieces of markup that meet all branches.
fn markup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\\section{",
        "\\emph{",
        "}",
        "{",
        "\\",
        "$",
        "%",
        "~",
        "\\begin{verbatim}",
        "\\end{verbatim}",
        "\\cite[",
        "]",
        "\n\n",
        "\n",
        "==",
        "===",
        "---",
        ".. note::",
        ".. ",
        "::",
        "`",
        "``",
        ":ref:`",
        "`_",
        "  ",
        "é",
        "word ",
        "<w:p>",
        "<w:tbl>",
        "</w:tbl>",
        "<w:t>",
        "</w:t>",
        "</w:p>",
        "<w:tc>",
        "<w:tr/>",
        "&amp;",
        "&x;",
        "<!--",
        "text:p>",
        "<text:p>",
        "<text:h>",
        "</text:h>",
        "<text:note-body>",
        "<draw:page>",
        "<text:s c='9'/>",
        "From ",
        "\r\n",
        "> ",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn spans_lie_inside_the_text_whatever_the_markup(source in markup()) {
        for format in [Format::Restructured, Format::Latex, Format::Source] {
            check(&whole(format, "a.x", source.clone()).unwrap())?;
        }
        let parts: [(&str, &str); 3] =
            [("a.docx", "word/document.xml"), ("a.odt", "content.xml"), ("a.pptx", "ppt/presentation.xml")];
        for (name, part) in parts {
            let (items, _) = read(name, &zipped(&[(part, source.as_bytes())]));
            for item in items {
                if let Item::Document(found) = item { check(&found.extracted)?; }
            }
        }
        let (items, _) = read_as(Format::Mbox, "a.mbox", source.as_bytes());
        for item in items {
            if let Item::Document(found) = item { check(&found.extracted)?; }
        }
    }

    #[test]
    fn a_damaged_file_gives_sound_documents_or_a_reason(
        which in 0..OWN.len(),
        cut in 0.0..1.0_f64,
        flips in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..20),
    ) {
        let mut bytes = fs::read(fixtures().join(OWN[which])).unwrap();
        for (at, value) in flips {
            let at = (at * bytes.len() as f64) as usize;
            bytes[at] = value;
        }
        bytes.truncate(1 + (cut.sqrt() * bytes.len() as f64) as usize);
        let Ok(format) = Format::detect(OWN[which], &bytes) else { return Ok(()) };
        let (items, outcome) = read_as(format, OWN[which], &bytes);
        prop_assert!(!items.is_empty() || outcome.is_err() || format.is_container(), "{:?}", OWN[which]);
        for item in items {
            if let Item::Document(found) = item { check(&found.extracted)?; }
        }
    }

    #[test]
    fn no_entry_name_leads_outside(name in "[a./\\\\:C]{0,12}") {
        if let Some(path) = archive::inside(&name) {
            prop_assert!(!path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }
}
