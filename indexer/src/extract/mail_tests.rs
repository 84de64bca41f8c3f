//! Tests of attachments: each is a document of its own, one level deep, whatever it is called.

use super::files_tests::{notes, read, read_as, zipped};
use super::*;
use crate::Format;

/// A message with the given attachments: name and text.
fn with_attachments(attachments: &[(&str, &str)]) -> String {
    let mut mail = "Subject: Papers\nMessage-ID: <p@q.example>\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee below.\n"
        .to_owned();
    for (name, text) in attachments {
        mail += &format!(
            "--b\nContent-Type: application/octet-stream\n\
             Content-Disposition: attachment; filename=\"{name}\"\n\n{text}\n"
        );
    }
    mail + "--b--\n"
}

/// Suffix and text of each document.
fn documents(items: &[Item]) -> Vec<(&str, &str)> {
    let documents = items.iter().filter_map(|item| match item {
        Item::Document(found) => Some((found.suffix.as_str(), found.extracted.text.trim())),
        _ => None,
    });
    documents.collect()
}

#[test]
fn attachments_are_documents_of_their_own_one_level_deep() {
    let inner =
        with_attachments(&[("deep.txt", "Too deep.")]).replace("=b", "=c").replace("--b", "--c");
    let mail = with_attachments(&[
        ("minutes.md", "# Minutes\n\nThe bridge is mended."),
        ("../../etc/minutes.md", "Another of this name."),
        ("people.csv", "id,text\nida,Ida Renn keeps the key."),
        ("picture.png", "\u{1}\u{2}\u{3}\u{4}"),
        ("letter.eml", &inner),
    ]);
    let (items, outcome) = read_as(Format::Mail, "papers.eml", mail.as_bytes());
    assert_eq!(outcome, Ok(()), "{items:?}");
    let found = documents(&items);
    let names: Vec<&str> = found.iter().map(|(suffix, _)| *suffix).collect();
    assert_eq!(names, ["", "/minutes.md", "/2/minutes.md", "/people.csv#1", "/letter.eml"]);
    assert!(found[1].1.ends_with("The bridge is mended."), "{found:?}");
    assert!(notes(&items).iter().any(|note| note.starts_with("picture.png is not read")));
    assert!(!found.iter().any(|(_, text)| text.contains("Too deep")));

    let mailbox = format!("From a\n{mail}\nFrom b\n{mail}");
    let (items, _) = read_as(Format::Mbox, "in.mbox", mailbox.as_bytes());
    let names: Vec<&str> = documents(&items).iter().map(|(suffix, _)| *suffix).collect();
    assert_eq!(&names[..2], ["#p@q.example", "#p@q.example/minutes.md"]);
    assert_eq!((names.len(), names[6]), (10, "#2/minutes.md"));
    let (items, _) = read("all.zip", &zipped(&[("papers.eml", mail.as_bytes())]));
    assert_eq!(documents(&items).len(), 1, "an archive is one level already");
}
