//! The fuzz targets, replayed on every test run: each parser that runs in the indexing process, and what the parent
//! reads of a child, on damaged forms of good files. Whatever comes in, a parser ends with documents whose blocks are
//! slices of their text, or with a reason; what it must not do is panic or take long.
//!
//! `PROPTEST_CASES=100000 cargo test fuzz_tests` looks for longer. What was found is kept as a seed or a test.

use std::io::Cursor;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::tests::check;
use super::*;
use crate::hostile::{SEEDS, damage, damaged};
use crate::sandbox::Request;
use crate::{Format, Settings, decode};

/// A file of at most a megabyte is read in less, also on a busy machine and without optimisation.
const LONGEST: Duration = Duration::from_secs(20);

/// Reads `bytes` as `format` and checks everything that comes of it.
fn target(name: &str, format: Format, bytes: &[u8]) -> Result<usize, TestCaseError> {
    let settings = Settings { max_line_bytes: 1 << 16, ..Settings::default() };
    let request = Request::new(name, format, &settings);
    let mut items = Vec::new();
    let mut emit = |item| {
        items.push(item);
        Ok(())
    };
    let begun = Instant::now();
    let outcome = Files::new(&request, &mut emit).read(&mut Cursor::new(bytes));
    prop_assert!(begun.elapsed() < LONGEST, "{name} took {:?}", begun.elapsed());
    if let Err(crate::Fate::Failed { reason } | crate::Fate::Skipped { reason }) = &outcome {
        prop_assert!(!reason.is_empty());
    }
    let mut documents = 0;
    for item in &items {
        match item {
            Item::Document(found) => {
                documents += 1;
                // A file without text is no document; a record without text has its title.
                check(&found.extracted)?;
            }
            Item::Problem(reason) | Item::Note(reason) => {
                // What a parser of an entry panics with is caught and told.
                prop_assert!(!reason.contains("its parser failed"), "{reason}");
            }
        }
    }
    Ok(documents)
}

#[test]
fn the_seeds_are_good_files() {
    for (name, format, text) in SEEDS {
        if *format != Format::MediaWiki {
            assert_eq!(Format::detect(name, text.as_bytes()), Ok(*format), "{name}");
        }
        assert!(target(name, *format, text.as_bytes()).unwrap() > 0, "{name}");
    }
}

#[test]
fn nesting_of_any_depth_ends() {
    for (name, format, word) in [
        ("a.html", Format::Html, "<div>"),
        ("a.html", Format::Html, "<table><tr><td>"),
        ("a.md", Format::Markdown, "> "),
        ("a.md", Format::Markdown, "* "),
        ("a.md", Format::Markdown, "["),
        ("a.tex", Format::Latex, "{"),
        ("a.tex", Format::Latex, "\\begin{x}"),
        ("a.rst", Format::Restructured, "* "),
        ("a.json", Format::Json, "["),
        ("a.json", Format::Json, "{\"a\":"),
        ("a.jsonl", Format::JsonLines, "{\"a\":["),
        ("a.csv", Format::Csv, "\""),
        ("a.eml", Format::Mail, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
    ] {
        for times in [100, 20_000] {
            target(name, format, word.repeat(times).as_bytes()).unwrap();
        }
    }
    for word in ["{{", "[[", "{|\n|", "&lt;ref&gt;", "'''"] {
        let page = format!(
            "<mediawiki><page><title>A</title><ns>0</ns><revision><text>{}x</text></revision></page></mediawiki>",
            word.repeat(10_000)
        );
        target("a.xml", Format::MediaWiki, page.as_bytes()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn fuzz_tests_of_every_parser(
        seed in 0..SEEDS.len(),
        damages in prop::collection::vec(damage(), 0..8),
    ) {
        let (name, format, text) = SEEDS[seed];
        let bytes = damaged(text.as_bytes(), &damages);
        target(name, format, &bytes)?;
        // The same as another format: the name may lie.
        let (_, other, _) = SEEDS[(seed + damages.len()) % SEEDS.len()];
        target(name, other, &bytes)?;
        if let Ok(format) = Format::detect(name, &bytes)
            && !format.is_contained()
        {
            target(name, format, &bytes)?;
        }
        if let Ok(decoded) = decode::decode(bytes, None) {
            prop_assert!(!decoded.text.contains(['\0', '\r']), "{:?}", decoded.text);
        }
    }
}
