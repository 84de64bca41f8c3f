//! [`Record`]: one document of a file that holds many, with the line it begins on. The formats are read by
//! [`super::json`] and [`super::csv`]; what is wrong with one record does not stop the rest.

use std::io::BufRead;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::{Extracted, csv, fields, json};
use crate::Format;
use crate::settings::FieldNames;

/// What reading records depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordSettings<'a> {
    pub(crate) fields: &'a FieldNames,
    pub(crate) max_line_bytes: usize,
}

/// One record, good or bad.
#[derive(Debug)]
pub(crate) struct Record {
    /// Line the record begins on, from 1.
    pub(crate) line: u64,
    /// Number of the record in its file, from 1; names records without an id. 0 for the only one.
    pub(crate) number: u64,
    /// The id it carries.
    pub(crate) id: Option<String>,
    /// Bytes of the file read so far.
    pub(crate) position: u64,
    /// Hash of the source of this record.
    pub(crate) hash: blake3::Hash,
    /// The document, or why there is none.
    pub(crate) content: Result<Extracted, String>,
}

/// Reads the records of one file and gives each to `emit`, until it breaks.
pub(crate) struct Records<'a> {
    pub(crate) settings: RecordSettings<'a>,
    pub(crate) emit: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
}

impl Records<'_> {
    /// Reads JSON Lines without holding more than one line.
    ///
    /// # Errors
    /// If reading fails.
    pub(crate) fn lines(&mut self, reader: &mut dyn BufRead) -> std::io::Result<()> {
        json::lines(self, reader)
    }

    /// Reads a JSON or CSV text.
    ///
    /// # Errors
    /// The reason in words when the text as a whole is not what its format says.
    pub(crate) fn text(&mut self, format: Format, text: &str) -> Result<(), String> {
        match format {
            Format::Csv => csv::rows(self, text),
            _ => json::elements(self, text),
        }
    }

    /// Maps the fields of one record and gives it on.
    pub(super) fn record(&mut self, at: At, source: &[u8], parsed: Parsed) -> ControlFlow<()> {
        let mapped = parsed.and_then(|object| fields::map(object, self.settings.fields));
        let (id, content) = match mapped {
            Ok((id, extracted)) => (id, Ok(extracted)),
            Err(reason) => (None, Err(reason)),
        };
        let At { line, number, position } = at;
        (self.emit)(Record { line, number, id, position, hash: blake3::hash(source), content })
    }
}

/// The object of a record, or why there is none.
pub(super) type Parsed = Result<Map<String, Value>, String>;

/// Where a record is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) position: u64,
}
