//! Archives (zip, tar) and compressed files (gzip, bzip2): each file in them, one level deep. Nothing is written to
//! disk; what unpacks to far more than its size is ended, entries whose names lead elsewhere are not read.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;

use super::Item;
use super::files::{End, Files, Place, failed, skipped};
use super::package::Package;
use crate::{Format, limits};

const GZIP: &[u8] = b"\x1f\x8b";
const BZIP2: &[u8] = b"BZh";

/// Reads a zip archive, or a tar archive that may be compressed.
pub(super) fn archive(files: &mut Files<'_>, input: &mut dyn Read) -> Result<(), End> {
    let (head, mut input) = peek(input)?;
    if head.starts_with(b"PK") {
        let bytes = files.read_whole(&mut input)?;
        return zip(files, bytes);
    }
    tar(files, &mut *expanding(&head, &mut input))
}

/// Reads the file that is compressed in `input`; a tar archive in it is read as one.
pub(super) fn compressed(files: &mut Files<'_>, input: &mut dyn Read) -> Result<(), End> {
    let (head, mut input) = peek(input)?;
    if !head.starts_with(GZIP) && !head.starts_with(BZIP2) {
        return Err(failed("not a gzip or bzip2 file"));
    }
    let mut unpacked = expanding(&head, &mut input);
    let (head, mut unpacked) = peek(&mut *unpacked)?;
    let name = &files.request.name;
    let name = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    match Format::detect(name, &head).map_err(skipped)? {
        Format::Archive if !head.starts_with(b"PK") => tar(files, &mut unpacked),
        format => files.file(Place { name, suffix: "" }, format, &mut unpacked),
    }
}

fn zip(files: &mut Files<'_>, bytes: Vec<u8>) -> Result<(), End> {
    let mut package = Package::open(bytes).map_err(failed)?;
    let mut hidden = 0;
    for index in 0..package.len() {
        match package.entry(index, files.request.max_file_bytes) {
            Ok(None) => {}
            Ok(Some((path, _))) if is_hidden(&path) => hidden += 1,
            Ok(Some((path, bytes))) => member(files, &path, &mut Cursor::new(bytes))?,
            Err(reason) => files.emit(Item::Problem(reason))?,
        }
    }
    tell_hidden(files, hidden)
}

fn tar(files: &mut Files<'_>, input: &mut dyn Read) -> Result<(), End> {
    let mut archive = tar::Archive::new(input);
    let damaged = |error: io::Error| failed(format!("the archive is damaged: {error}"));
    let (mut hidden, mut entries) = (0, 0);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        entries += 1;
        if entries > limits::ARCHIVE_ENTRIES {
            let limit = limits::ARCHIVE_ENTRIES;
            return Err(failed(format!("it has more than {limit} entries; unpack it")));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_dir() {
            continue;
        }
        if !entry.header().entry_type().is_file() {
            files.unread(&path, "not a regular file")?;
            continue;
        }
        match inside(&path) {
            None => files.emit(Item::Problem(leads_outside(&path)))?,
            Some(path) if is_hidden(&path) => hidden += 1,
            Some(path) => member(files, &path, &mut entry)?,
        }
    }
    tell_hidden(files, hidden)
}

/// Reads the file `path` of an archive.
fn member(files: &mut Files<'_>, path: &str, input: &mut dyn Read) -> Result<(), End> {
    let (head, mut input) = match peek(input) {
        Ok(peeked) => peeked,
        Err(_) => return files.emit(Item::Problem(format!("{path}: it cannot be unpacked"))),
    };
    if head.is_empty() {
        return Ok(());
    }
    let suffix = format!("/{path}");
    match Format::detect(path, &head) {
        Ok(format) => files.entry(Place { name: path, suffix: &suffix }, format, &mut input),
        Err(reason) => files.unread(path, &reason),
    }
}

/// The path of an entry with `/` between its parts, if it leads nowhere else.
pub(super) fn inside(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let absolute = path.starts_with('/') || path.get(1..2) == Some(":");
    let fine = !absolute && !parts.is_empty() && !parts.contains(&"..") && !path.contains('\0');
    fine.then(|| parts.join("/"))
}

pub(super) fn leads_outside(path: &str) -> String {
    format!("{path:?} is not read: its name leads outside the archive")
}

/// Whether an entry is passed over as hidden files of a folder are.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
}

fn tell_hidden(files: &mut Files<'_>, hidden: u64) -> Result<(), End> {
    match hidden {
        0 => Ok(()),
        _ => files.emit(Item::Note(format!("{hidden} hidden files in it are passed over"))),
    }
}

/// The first bytes, and a reader that begins with them.
fn peek<'r>(input: &'r mut dyn Read) -> Result<(Vec<u8>, impl Read + 'r), End> {
    let mut head = Vec::new();
    let result = input.take(limits::SNIFF_BYTES as u64).read_to_end(&mut head);
    // Damage behind the beginning shows when it is read.
    match result {
        Err(error) if head.is_empty() => Err(failed(format!("cannot be unpacked: {error}"))),
        Err(_) | Ok(_) => Ok((head.clone(), Cursor::new(head).chain(input))),
    }
}

/// What `input`, which begins with `head`, unpacks to; itself if it is neither gzip nor bzip2.
fn expanding<'r>(head: &[u8], input: &'r mut dyn Read) -> Box<dyn Read + 'r> {
    if !head.starts_with(GZIP) && !head.starts_with(BZIP2) {
        return Box::new(input);
    }
    let taken = Rc::new(Cell::new(0));
    let counted = BufReader::new(Counted { input, taken: taken.clone() });
    let unpacked: Box<dyn Read + 'r> = if head.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(counted))
    } else {
        Box::new(MultiBzDecoder::new(counted))
    };
    Box::new(Expanding { unpacked, taken, given: 0 })
}

/// Counts what is taken from a reader.
struct Counted<'r> {
    input: &'r mut dyn Read,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.taken.set(self.taken.get() + length as u64);
        Ok(length)
    }
}

/// Fails once far more was given than taken.
struct Expanding<'r> {
    unpacked: Box<dyn Read + 'r>,
    taken: Rc<Cell<u64>>,
    given: u64,
}

impl Read for Expanding<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.unpacked.read(buffer)?;
        self.given += length as u64;
        let most = limits::EXPANSION_FREE_BYTES + self.taken.get() * limits::EXPANSION;
        if self.given > most {
            let times = limits::EXPANSION;
            return Err(io::Error::other(format!(
                "it unpacks to more than {times} times its size"
            )));
        }
        Ok(length)
    }
}
