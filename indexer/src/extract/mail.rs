//! Mail, by mail-parser: subject, people, date and text of a message, and mailboxes in mbox form (RFC 4155).
//! What a reply quotes at its end is left out, since the message it answers says it. Attachments are documents of
//! their own, one level deep: what is attached to a mail in an archive or to an attached mail is only named.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Cursor, Read};

use mail_parser::{Address, Message, MessageParser, PartType};

use super::builder::Builder;
use super::files::{End, Files, Place, failed, larger_than};
use super::{BlockKind, Extracted, Found, Item, finish, html, text, truncate};
use crate::{Format, limits};

/// Attachments of one message that are read.
const ATTACHMENTS: usize = 100;
/// Attachments named in the metadata of a message.
const ATTACHMENTS_NAMED: usize = 20;
/// The name of an attachment is part of an id.
const NAME_BYTES: usize = 100;
/// People named in the text of a message.
const PEOPLE_NAMED: usize = 5;
/// A message id longer than this names nothing.
const MESSAGE_ID_BYTES: usize = 200;

/// Reads one message.
pub(super) fn mail(
    files: &mut Files<'_>,
    place: Place<'_>,
    input: &mut dyn Read,
) -> Result<(), End> {
    let bytes = files.read_whole(input)?;
    let Parsed { mut extracted, attachments, .. } =
        parse(&bytes, place.suffix.is_empty()).map_err(failed)?;
    finish(&mut extracted, place.name);
    let own = files.document(place, extracted);
    if matches!(own, Err(End::Stop)) {
        return own;
    }
    let any = !attachments.is_empty();
    attached(files, place.suffix, attachments)?;
    // A mail of attachments alone is not empty.
    if any { Ok(()) } else { own }
}

/// Reads the attachments of the message that `suffix` names.
fn attached(
    files: &mut Files<'_>,
    suffix: &str,
    attachments: Vec<(String, Vec<u8>)>,
) -> Result<(), End> {
    let mut seen = HashSet::new();
    for (number, (name, bytes)) in (1..).zip(attachments) {
        let unique =
            if seen.insert(name.clone()) { name.clone() } else { format!("{number}/{name}") };
        let suffix = format!("{suffix}/{unique}");
        let head = &bytes[..bytes.len().min(limits::SNIFF_BYTES)];
        match Format::detect(&name, head) {
            _ if bytes.is_empty() => {}
            Ok(format) => {
                let place = Place { name: &name, suffix: &suffix };
                files.entry(place, format, &mut Cursor::new(&bytes))?;
            }
            Err(reason) => files.unread(&unique, &reason)?,
        }
    }
    Ok(())
}

/// Reads a mailbox message by message; each is named after its message id, or its number where it has none.
pub(super) fn mailbox(
    files: &mut Files<'_>,
    place: Place<'_>,
    input: &mut dyn Read,
) -> Result<(), End> {
    let mut mailbox = Mailbox { input: BufReader::new(input), most: files.request.max_file_bytes };
    let mut seen = HashSet::new();
    let mut number = 0;
    while let Some(message) = mailbox.next().map_err(|e| failed(format!("cannot be read: {e}")))? {
        number += 1;
        let parsed = if message.len() as u64 > mailbox.most {
            Err(larger_than(mailbox.most))
        } else {
            parse(&message, place.suffix.is_empty())
        };
        match parsed {
            Err(reason) => files.emit(Item::Problem(format!("message {number}: {reason}")))?,
            Ok(Parsed { mut extracted, id, attachments }) => {
                finish(&mut extracted, &format!("Message {number}"));
                let id = id.filter(|id| id.len() <= MESSAGE_ID_BYTES && seen.insert(id.clone()));
                let suffix =
                    format!("{}#{}", place.suffix, id.unwrap_or_else(|| number.to_string()));
                let found = Found { id: None, suffix: suffix.clone(), extracted };
                files.emit(Item::Document(Box::new(found)))?;
                attached(files, &suffix, attachments)?;
            }
        }
    }
    Ok(())
}

/// The messages of a mailbox: each begins after a line `From ` that follows an empty line.
struct Mailbox<R> {
    input: BufReader<R>,
    most: u64,
}

impl<R: Read> Mailbox<R> {
    /// The next message, cut one byte after the limit; none at the end.
    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut line = Vec::new();
        let mut after_empty = false;
        let mut any = false;
        loop {
            if after_empty && self.input.fill_buf()?.starts_with(b"From ") {
                return Ok(Some(message));
            }
            line.clear();
            // A line longer than the limit comes in pieces.
            if (&mut self.input).take(self.most.max(1)).read_until(b'\n', &mut line)? == 0 {
                return Ok(any.then_some(message));
            }
            if !any && line.starts_with(b"From ") {
                any = true;
                continue;
            }
            any = true;
            after_empty = matches!(line.as_slice(), b"\n" | b"\r\n");
            let quoted = line.strip_prefix(b">").is_some_and(|rest| {
                rest.iter()
                    .position(|b| *b != b'>')
                    .is_some_and(|i| rest[i..].starts_with(b"From "))
            });
            if message.len() as u64 <= self.most {
                message.extend_from_slice(if quoted { &line[1..] } else { &line });
            }
        }
    }
}

/// What there is in a message.
struct Parsed {
    extracted: Extracted,
    /// Its message id.
    id: Option<String>,
    /// Name and content of each attachment that is to be read.
    attachments: Vec<(String, Vec<u8>)>,
}

/// Parses a message; the attachments are only named unless `open`.
fn parse(bytes: &[u8], open: bool) -> Result<Parsed, String> {
    let message = MessageParser::default()
        .parse(bytes)
        .filter(|message| !message.headers().is_empty())
        .ok_or("not a mail message: it has no headers")?;
    let mut builder = Builder::titled(message.subject().unwrap_or_default().trim().to_owned());
    let date = message.date().map(|date| date.to_rfc3339());
    let mut head = String::new();
    let mut fields = Vec::new();
    for (key, label, people) in [("from", "From", message.from()), ("to", "To", message.to())] {
        let people = people.map(names).unwrap_or_default();
        if !people.is_empty() {
            let shown = &people[..people.len().min(PEOPLE_NAMED)];
            head.push_str(&format!("{label}: {}\n", shown.join(", ")));
            fields.push((key, people.into()));
        }
    }
    if let Some(date) = date {
        head.push_str(&format!("Date: {date}\n"));
        fields.push(("date", date.into()));
    }
    builder.push(BlockKind::Lines, &head);
    bodies(&message, &mut builder);
    let mut attachments: Vec<(String, Vec<u8>)> = attachments(&message);
    let mut extracted = builder.finish();
    if !attachments.is_empty() {
        let names: Vec<&str> = attachments.iter().map(|(name, _)| name.as_str()).collect();
        let named = &names[..names.len().min(ATTACHMENTS_NAMED)];
        if !open {
            extracted.notes.push(format!("attachments are not read: {}", named.join(", ")));
        }
        fields.push(("attachments", named.into()));
    }
    if !open {
        attachments.clear();
    }
    extracted.metadata.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Ok(Parsed { extracted, id: message.message_id().map(str::to_owned), attachments })
}

/// Adds the text of a message: plain where there is such a form of it, otherwise what its HTML says.
fn bodies(message: &Message<'_>, builder: &mut Builder) {
    for part in message.text_bodies() {
        let body = match &part.body {
            PartType::Text(body) => without_quoted_tail(body),
            PartType::Html(body) => html::fragment_text(body),
            _ => continue,
        };
        let body = text::extract(
            body.replace("\r\n", "\n").replace(['\r', '\0'], "\n"),
            BlockKind::Paragraph,
        );
        for block in &body.blocks {
            if let Some(paragraph) = block.span.slice(&body.text) {
                builder.push(BlockKind::Paragraph, paragraph);
            }
        }
    }
}

/// The text without quoted lines at its end and the line that introduces them.
fn without_quoted_tail(body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let is_tail = |line: &&&str| line.trim().is_empty() || line.trim_start().starts_with('>');
    let tail = lines.iter().rev().take_while(is_tail).count();
    let mut end = lines.len() - tail;
    let quotes = lines[end..].iter().any(|line| line.trim_start().starts_with('>'));
    if quotes && end > 1 && lines[end - 1].trim_end().ends_with(':') {
        end -= 1;
    }
    // A message of nothing but quotes is kept.
    if lines[..end].iter().all(|line| line.trim().is_empty()) {
        body.to_owned()
    } else {
        lines[..end].join("\n")
    }
}

fn names(address: &Address<'_>) -> Vec<String> {
    let person = |name: Option<&str>, address: Option<&str>| match (name, address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    };
    let people = address.iter().map(|addr| person(addr.name(), addr.address()));
    people.filter(|person| !person.is_empty()).collect()
}

/// Name and content of each attachment; the name is the last part of the one it was given.
fn attachments(message: &Message<'_>) -> Vec<(String, Vec<u8>)> {
    use mail_parser::MimeHeaders;
    let attachments = message.attachments().enumerate().map(|(number, part)| {
        let given = part.attachment_name().unwrap_or_default().replace('\\', "/");
        let last = given.rsplit('/').find(|part| !matches!(*part, "" | "." | ".."));
        let message = matches!(part.body, PartType::Message(_));
        let mut name = match last {
            Some(name) => name.replace('\0', ""),
            None => format!("attachment-{}{}", number + 1, if message { ".eml" } else { "" }),
        };
        truncate(&mut name, NAME_BYTES);
        (name, part.contents().to_vec())
    });
    attachments.take(ATTACHMENTS).collect()
}
