//! Tests of the sandbox with programs that do what a child must not: whatever they do costs one file and a reason,
//! in bounded time and memory.

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::Format;
use crate::extract::Files;
use crate::hostile::{SEEDS, damage, damaged};

/// Runs `script` in the place of a child; what it found and how it ended.
fn with_child(script: &str, settings: &Settings) -> (Vec<Item>, Result<(), Fate>) {
    until(script, settings, ControlFlow::Continue(()))
}

/// The same, answering `flow` whenever it is asked.
fn until(
    script: &str,
    settings: &Settings,
    flow: ControlFlow<()>,
) -> (Vec<Item>, Result<(), Fate>) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("child");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(b"the file").unwrap();
    input.rewind().unwrap();
    let request = Request::new("a.pdf", Format::Pdf, settings);
    let call = Call { program: &program, request: &request, settings, bytes: 8 };
    let mut items = Vec::new();
    let outcome = run(&call, input, &mut |item| {
        items.extend(item.map(|(item, _)| item));
        flow
    });
    (items, outcome)
}

fn reason(script: &str, settings: &Settings) -> String {
    match with_child(script, settings).1 {
        Err(Fate::Failed { reason }) => reason,
        other => panic!("{script}: {other:?}"),
    }
}

#[test]
fn the_child_gets_the_file_and_the_request() {
    let script = r#"[ "$1" = extract-child ] || exit 1
case "$2" in *'"format":"pdf"'*) ;; *) exit 1 ;; esac
[ "$(cat)" = "the file" ] || exit 1
echo '{"item":{"note":"read"}}'; echo '{"end":{"fate":null}}'"#;
    let (items, outcome) = with_child(script, &Settings::default());
    assert_eq!((items, outcome), (vec![Item::Note("read".into())], Ok(())));
}

#[test]
fn a_crash_a_hang_and_a_flood_cost_the_file_with_their_reason() {
    let settings = Settings { extract_seconds: 1, ..Settings::default() };
    let cases = [
        ("kill -SEGV $$", "its parser crashed (signal: 11"),
        (
            "echo 'memory allocation of 9 bytes failed' >&2; exit 134",
            "takes more than 1024 MiB of memory",
        ),
        ("echo 'thread x has overflowed its stack' >&2; exit 134", "nested deeper"),
        ("exit 0", "its parser crashed (exit status: 0)"),
        ("exec sleep 60", "within 1 s"),
        (r#"exec yes "{\"item\":{\"note\":\"$(printf %9999s x)\"}}""#, "unpacks to more than"),
        ("exec tr '\\0' x </dev/zero", "unpacks to more than"),
        ("echo 'hello'; exec sleep 60", "no valid reply"),
        ("exec yes >&2", "its parser crashed (signal: 9"),
    ];
    for (script, expected) in cases {
        let begun = Instant::now();
        let found = reason(script, &settings);
        assert!(found.contains(expected), "{script}: {found}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{script}");
    }
    let none = Call {
        program: Path::new("/no/such/program"),
        request: &Request::new("a.pdf", Format::Pdf, &settings),
        settings: &settings,
        bytes: 8,
    };
    let outcome = run(&none, tempfile::tempfile().unwrap(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(outcome, Err(Fate::Failed { reason }) if reason.contains("/no/such/program")));
}

#[test]
fn what_was_found_before_a_crash_is_kept() {
    let script = r#"echo '{"item":{"note":"one"}}'; kill -KILL $$"#;
    let (items, outcome) = with_child(script, &Settings::default());
    assert_eq!(items, [Item::Note("one".into())]);
    assert!(outcome.is_err());
}

#[test]
fn a_stopped_run_does_not_wait_for_a_child() {
    let begun = Instant::now();
    let (_, outcome) = until("exec sleep 60", &Settings::default(), ControlFlow::Break(()));
    assert_eq!(outcome, Ok(()));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// What a child writes about `bytes`.
fn written(format: Format, bytes: &[u8]) -> Vec<u8> {
    let request = Request::new("a", format, &Settings::default());
    let mut output = Vec::new();
    child::read(&request, bytes, &mut output);
    output
}

#[test]
fn a_document_comes_through_the_wire_as_it_was() {
    let source = b"# Title\n\nOne \xc3\xa9.\n\n## Part\n\nTwo.\n";
    let request = Request::new("a", Format::Markdown, &Settings::default());
    let mut direct = Vec::new();
    let mut emit = |item| {
        direct.push(item);
        Ok(())
    };
    Files::new(&request, &mut emit).read(&mut source.as_slice()).unwrap();
    let output = written(Format::Markdown, source);
    let mut lines = output.split_inclusive(|b| *b == b'\n');
    let Ok(Reply::Item(item)) = Reply::parse(lines.next().unwrap()) else { panic!() };
    assert_eq!(item.check().unwrap(), direct[0]);
    assert!(matches!(Reply::parse(lines.next().unwrap()), Ok(Reply::End { fate: None })));
}

#[test]
fn a_parser_that_panics_is_a_reason_and_a_last_line() {
    let output = written(Format::Pdf, b"%PDF-1.4 nothing more");
    let Ok(Reply::End { fate: Some(Fate::Failed { reason }) }) = Reply::parse(&output) else {
        panic!("{}", String::from_utf8_lossy(&output))
    };
    assert!(reason.contains("PDF") || reason.contains("parser"), "{reason}");
}

proptest! {
    #[test]
    fn a_reply_that_no_extractor_makes_is_refused(
        blocks in prop::collection::vec((0_usize..12, 0_usize..12, 0_usize..3), 0..4),
    ) {
        let parts: Vec<_> =
            blocks.iter().map(|(start, end, path)| ("paragraph", start, end, (), path)).collect();
        let reply = serde_json::json!({"item": {"document": {
            "id": null, "suffix": "", "title": "", "text": "zwölf é", "paths": [[], ["x"]],
            "blocks": parts, "metadata": {}, "notes": [],
        }}});
        let Ok(Reply::Item(item)) = Reply::parse(reply.to_string().as_bytes()) else {
            return Err(TestCaseError::fail("not parsed"));
        };
        if let Ok(Item::Document(found)) = item.check() {
            let mut before = 0;
            for block in &found.extracted.blocks {
                prop_assert!(block.span.start >= before && !block.span.is_empty());
                prop_assert!(block.span.slice(&found.extracted.text).is_some());
                before = block.span.end;
            }
        }
    }

    #[test]
    fn any_line_is_a_reply_or_a_reason(line: Vec<u8>) {
        let _ = Reply::parse(&line);
    }

    #[test]
    fn damaged_lines_of_a_child_give_documents_that_hold_or_a_reason(
        seed in 0..SEEDS.len(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let (_, format, text) = SEEDS[seed];
        let output = damaged(&written(format, text.as_bytes()), &damages);
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            match Reply::parse(line) {
                Ok(Reply::Item(item)) => {
                    if let Ok(Item::Document(found)) = item.check() {
                        let text = &found.extracted.text;
                        prop_assert!(found.extracted.blocks.iter().all(|b| b.span.slice(text).is_some()));
                    }
                }
                Ok(Reply::End { .. }) => {}
                Err(reason) => prop_assert!(reason.contains("no valid reply"), "{reason}"),
            }
        }
    }

    #[test]
    fn a_damaged_request_is_one_or_none(damages in prop::collection::vec(damage(), 1..6)) {
        let request = Request::new("a.pdf", Format::Pdf, &Settings::default());
        let text = serde_json::to_vec(&request).unwrap();
        let _ = serde_json::from_slice::<Request>(&damaged(&text, &damages));
    }
}
