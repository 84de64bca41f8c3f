//! JSON Lines, read line by line, and JSON texts of one object or an array of objects.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::records::{At, Parsed, Records};

/// Reads one record per line; a longer line than allowed is passed over without being held.
pub(super) fn lines(records: &mut Records<'_>, reader: &mut dyn BufRead) -> std::io::Result<()> {
    let limit = records.settings.max_line_bytes;
    let mut at = At { line: 0, number: 0, position: 0 };
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = read_line(reader, &mut line, limit)?;
        if length == 0 {
            return Ok(());
        }
        at.line += 1;
        at.position += length;
        let content =
            if at.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        let content = content.trim_ascii();
        if content.is_empty() {
            continue;
        }
        at.number = at.line;
        let parsed =
            if line.len() > limit { Err(too_long(length, limit)) } else { object(content) };
        if records.record(at, content, parsed).is_break() {
            return Ok(());
        }
    }
}

/// Reads up to and with the next line end, keeps at most `limit + 1` bytes, returns the length of the line.
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>, limit: usize) -> std::io::Result<u64> {
    let mut length = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (piece, ended) = match buffer.iter().position(|b| *b == b'\n') {
            Some(end) => (&buffer[..end], true),
            None => (buffer, buffer.is_empty()),
        };
        line.extend_from_slice(&piece[..piece.len().min((limit + 1).saturating_sub(line.len()))]);
        let consumed = piece.len() + usize::from(ended && !buffer.is_empty());
        length += consumed as u64;
        reader.consume(consumed);
        if ended {
            return Ok(length);
        }
    }
}

/// Reads a text that is one object or an array of objects.
///
/// # Errors
/// The reason in words when the text is neither.
pub(super) fn elements(records: &mut Records<'_>, text: &str) -> Result<(), String> {
    let start = text.len() - text.trim_start().len();
    let mut at = At { line: 1 + newlines(&text[..start]), number: 0, position: text.len() as u64 };
    match text.as_bytes().get(start) {
        Some(b'{') => {
            let source = text.trim().as_bytes();
            let parsed = match object(source) {
                Err(reason) if reason.contains("trailing characters") => {
                    return Err(format!("{reason}; a file of one object per line is named .jsonl"));
                }
                parsed => parsed,
            };
            let _ = records.record(at, source, parsed);
            Ok(())
        }
        Some(b'[') => {
            let limit = records.settings.max_line_bytes;
            let mut scan = Scan { text, at: start + 1 };
            let mut seen = start;
            while let Some((from, to)) = scan.element()? {
                let source = text[from..to].trim();
                at.line += newlines(&text[seen..from]);
                at.position = to as u64;
                at.number += 1;
                seen = from;
                let parsed = if source.len() > limit {
                    Err(too_long(source.len() as u64, limit))
                } else {
                    object(source.as_bytes())
                };
                if records.record(at, source.as_bytes(), parsed) == ControlFlow::Break(()) {
                    break;
                }
            }
            Ok(())
        }
        _ => Err("not JSON: expected an object or an array of objects".into()),
    }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|b| *b == b'\n').count() as u64
}

/// Finds the ends of the elements of an array, without judging what is inside them.
struct Scan<'a> {
    text: &'a str,
    /// Where the next element begins.
    at: usize,
}

impl Scan<'_> {
    /// Byte range of the next element, or none after the last.
    fn element(&mut self) -> Result<Option<(usize, usize)>, String> {
        let bytes = self.text.as_bytes();
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        let start =
            self.at + (self.text[self.at..].len() - self.text[self.at..].trim_start().len());
        for (i, byte) in bytes.iter().enumerate().skip(start) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 0 => depth -= 1,
                b']' => return self.last(start, i),
                b',' if depth == 0 => {
                    self.at = i + 1;
                    return Ok(Some((start, i)));
                }
                _ => {}
            }
        }
        if start >= bytes.len() && self.at >= bytes.len() {
            return Ok(None);
        }
        Err(format!("the array is not closed; its last element begins at byte {start}"))
    }

    /// The element before the closing bracket at `end`; only white space may follow that.
    fn last(&mut self, start: usize, end: usize) -> Result<Option<(usize, usize)>, String> {
        if !self.text[end + 1..].trim().is_empty() {
            return Err(format!("unexpected text after the array, at byte {}", end + 1));
        }
        self.at = self.text.len();
        Ok((start < end).then_some((start, end)))
    }
}

fn object(source: &[u8]) -> Parsed {
    let text = std::str::from_utf8(source).map_err(|error| {
        format!("not valid UTF-8 after byte {} of the line", error.valid_up_to())
    })?;
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(object)) => Ok(object),
        Ok(other) => Err(format!("expected a JSON object, found {}", kind(&other))),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            Err(format!(
                "not valid JSON: {reason}, at line {} column {} of the object",
                error.line(),
                error.column()
            ))
        }
    }
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

fn too_long(found: u64, limit: usize) -> String {
    format!("{found} bytes long, the limit is {limit}; raise it with --max-line-bytes")
}
