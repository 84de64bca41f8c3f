//! [`Files`]: one file of any format → [`Item`]s, as the child process reads it. Single documents go to their
//! extractors here; containers (archives, mailboxes) come back with each file they hold.

use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    Extracted, Record, RecordSettings, Records, archive, declared_encoding, docx, epub, finish,
    mail, mediawiki, opendocument, pdf, pptx, spreadsheet, whole,
};
use crate::report::Fate;
use crate::sandbox::{Request, panicked};
use crate::{Format, decode};

/// Files of an archive that are nothing to index and are named one by one.
const UNREAD_NAMED: usize = 10;

/// What a file gives.
#[derive(Debug, PartialEq)]
pub(crate) enum Item {
    Document(Box<Found>),
    /// A part of the file that should have been read and was not.
    Problem(String),
    /// What the user should know.
    Note(String),
}

/// A document with what tells it from others of its file.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// The id it carries.
    pub(crate) id: Option<String>,
    /// What names it after its file otherwise; empty for the only one.
    pub(crate) suffix: String,
    pub(crate) extracted: Extracted,
}

/// Nobody listens any more.
#[derive(Debug)]
pub(crate) struct Stop;

/// Why reading ends early.
#[derive(Debug)]
pub(super) enum End {
    Stop,
    Fate(Fate),
}

impl From<Stop> for End {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

/// The file could not be read.
pub(super) fn failed(reason: impl Into<String>) -> End {
    End::Fate(Fate::Failed { reason: reason.into() })
}

/// The file is nothing to index.
pub(super) fn skipped(reason: impl Into<String>) -> End {
    End::Fate(Fate::Skipped { reason: reason.into() })
}

/// Why one file of several is not read.
pub(super) fn larger_than(limit: u64) -> String {
    format!("larger than {limit} bytes, the limit of one file; raise it with --max-file-bytes")
}

/// Reads one file and what it holds.
pub(crate) struct Files<'a> {
    pub(super) request: &'a Request,
    emit: &'a mut dyn FnMut(Item) -> Result<(), Stop>,
    /// Files in an archive that are nothing to index.
    unread: usize,
}

/// A file within the one that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Gives titles.
    pub(super) name: &'a str,
    /// Path in the archive with `/` before it; empty outside one.
    pub(super) suffix: &'a str,
}

impl<'a> Files<'a> {
    /// Reads as `request` says and gives everything to `emit`.
    pub(crate) fn new(
        request: &'a Request,
        emit: &'a mut dyn FnMut(Item) -> Result<(), Stop>,
    ) -> Self {
        Self { request, emit, unread: 0 }
    }

    /// Reads `input`.
    ///
    /// # Errors
    /// Why it was not read to its end.
    pub(crate) fn read(&mut self, input: &mut dyn Read) -> Result<(), Fate> {
        let place = Place { name: &self.request.name, suffix: "" };
        let outcome = match self.request.format {
            Format::Archive => archive::archive(self, input),
            Format::Compressed => archive::compressed(self, input),
            format => self.file(place, format, input),
        };
        let more = self.unread.saturating_sub(UNREAD_NAMED);
        if more > 0 {
            let _ = self.emit(Item::Note(format!("{more} more files in it are not read")));
        }
        match outcome {
            Err(End::Fate(fate)) => Err(fate),
            Ok(()) | Err(End::Stop) => Ok(()),
        }
    }

    /// Tells of a file in an archive that is nothing to index; after a few they are counted.
    pub(super) fn unread(&mut self, path: &str, reason: &str) -> Result<(), End> {
        self.unread += 1;
        if self.unread > UNREAD_NAMED {
            return Ok(());
        }
        self.emit(Item::Note(format!("{path} is not read: {reason}")))
    }

    pub(super) fn emit(&mut self, item: Item) -> Result<(), End> {
        Ok((self.emit)(item)?)
    }

    /// Reads a file of an archive; what is wrong with it is a problem or a note, and the next one follows.
    pub(super) fn entry(
        &mut self,
        place: Place<'_>,
        format: Format,
        input: &mut dyn Read,
    ) -> Result<(), End> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.file(place, format, input)))
            .unwrap_or_else(|panic| Err(failed(panicked(&*panic))));
        let path = place.suffix.trim_start_matches('/');
        match outcome {
            Err(End::Fate(Fate::Failed { reason })) => {
                self.emit(Item::Problem(format!("{path}: {reason}")))
            }
            Err(End::Fate(Fate::Skipped { reason })) => self.unread(path, &reason),
            other => other,
        }
    }

    /// Reads a file that is no archive.
    pub(super) fn file(
        &mut self,
        place: Place<'_>,
        format: Format,
        input: &mut dyn Read,
    ) -> Result<(), End> {
        match format {
            Format::Archive | Format::Compressed => {
                Err(skipped("an archive within an archive is not opened"))
            }
            Format::Mail => mail::mail(self, place, input),
            Format::Mbox => mail::mailbox(self, place, input),
            Format::MediaWiki => mediawiki::dump(self, place, input),
            Format::JsonLines => self.records(place, |records| {
                records
                    .lines(&mut std::io::BufReader::new(input))
                    .map_err(|error| failed(format!("cannot be read: {error}")))
            }),
            _ => {
                let bytes = self.read_whole(input)?;
                self.whole(place, format, bytes)
            }
        }
    }

    /// Reads `input` within the limit of one file.
    pub(super) fn read_whole(&self, input: &mut dyn Read) -> Result<Vec<u8>, End> {
        let limit = self.request.max_file_bytes;
        let mut bytes = Vec::new();
        input
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| failed(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > limit {
            return Err(failed(larger_than(limit)));
        }
        Ok(bytes)
    }

    fn whole(&mut self, place: Place<'_>, format: Format, bytes: Vec<u8>) -> Result<(), End> {
        let extracted = match format {
            Format::Pdf => pdf::extract(&bytes),
            Format::Docx => docx::extract(bytes),
            Format::Pptx => pptx::extract(bytes),
            Format::OpenDocument => opendocument::extract(bytes),
            Format::Spreadsheet => spreadsheet::extract(bytes),
            Format::Epub => epub::extract(bytes),
            _ => return self.text(place, format, bytes),
        };
        let mut extracted = extracted.map_err(failed)?;
        if extracted.text.trim().is_empty() && !extracted.notes.is_empty() {
            return Err(failed(extracted.notes.join("; ")));
        }
        finish(&mut extracted, place.name);
        self.document(place, extracted)
    }

    /// Gives the only document of a file on.
    pub(super) fn document(&mut self, place: Place<'_>, extracted: Extracted) -> Result<(), End> {
        if extracted.text.trim().is_empty() {
            return Err(skipped("no text in it"));
        }
        let suffix = place.suffix.to_owned();
        self.emit(Item::Document(Box::new(Found { id: None, suffix, extracted })))
    }

    fn text(&mut self, place: Place<'_>, format: Format, bytes: Vec<u8>) -> Result<(), End> {
        let declared = (format == Format::Html).then(|| declared_encoding(&bytes)).flatten();
        let decoded = decode::decode(bytes, declared).map_err(skipped)?;
        if format.is_records() {
            return self
                .records(place, |records| records.text(format, &decoded.text).map_err(failed));
        }
        let mut extracted = whole(format, place.name, decoded.text).map_err(failed)?;
        extracted.notes.extend(decoded.notes);
        self.document(place, extracted)
    }

    fn records(
        &mut self,
        place: Place<'_>,
        read: impl FnOnce(&mut Records<'_>) -> Result<(), End>,
    ) -> Result<(), End> {
        let request = self.request;
        let settings =
            RecordSettings { fields: &request.fields, max_line_bytes: request.max_line_bytes };
        let mut stopped = false;
        let mut emit = |record: Record| {
            stopped = self.record(place, record).is_err();
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        read(&mut Records { settings, emit: &mut emit })?;
        if stopped { Err(End::Stop) } else { Ok(()) }
    }

    fn record(&mut self, place: Place<'_>, record: Record) -> Result<(), End> {
        let path = place.suffix.trim_start_matches('/');
        let item = match record.content {
            Err(reason) => Item::Problem(format!("{path}:{}: {reason}", record.line)),
            Ok(extracted) => {
                let suffix = match record.number {
                    0 => place.suffix.to_owned(),
                    number => format!("{}#{number}", place.suffix),
                };
                Item::Document(Box::new(Found { id: record.id, suffix, extracted }))
            }
        };
        self.emit(item)
    }
}
