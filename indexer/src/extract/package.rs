//! [`Package`]: a zip file in memory, read within limits: office documents, books and archives.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::archive::{inside, leads_outside};
use super::files::larger_than;
use crate::{decode, limits};

/// A zip file whose entries together unpack to a bounded size.
pub(super) struct Package {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    /// Bytes that may still be unpacked.
    room: u64,
}

impl Package {
    /// Reads the directory of the zip file in `bytes`.
    ///
    /// # Errors
    /// The reason in words.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let room = limits::EXPANSION_FREE_BYTES + bytes.len() as u64 * limits::EXPANSION;
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| format!("not a whole zip file: {error}"))?;
        if archive.len() as u64 > limits::ARCHIVE_ENTRIES {
            let (entries, limit) = (archive.len(), limits::ARCHIVE_ENTRIES);
            return Err(format!("it has {entries} entries, the limit is {limit}; unpack it"));
        }
        Ok(Self { archive, room })
    }

    /// Whether there is a part of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// The file as it was given, for a parser that unpacks it by itself: its entries say that they are within limits, and
    /// none is longer than it says.
    ///
    /// # Errors
    /// The reason in words.
    pub(super) fn into_bytes(mut self) -> Result<Vec<u8>, String> {
        let mut unpacked = 0_u64;
        for index in 0..self.archive.len() {
            let entry = self.archive.by_index_raw(index);
            unpacked = unpacked.saturating_add(entry.map_or(0, |entry| entry.size()));
        }
        if unpacked > self.room {
            return Err(too_large());
        }
        Ok(self.archive.into_inner().into_inner())
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.archive.len()
    }

    /// The text of the part called `name`, if there is one.
    ///
    /// # Errors
    /// The reason in words when it cannot be unpacked.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(index) = self.archive.index_for_name(name) else { return Ok(None) };
        let bytes = self.unpack(index, u64::MAX)?;
        decode::decode(bytes, None)
            .map(|decoded| Some(decoded.text))
            .map_err(|e| format!("{name}: {e}"))
    }

    /// The text of a part that must be there.
    ///
    /// # Errors
    /// The reason in words.
    pub(super) fn required(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?
            .ok_or_else(|| format!("it has no part {name}: not a document of this kind"))
    }

    /// Path and bytes of the file at `index`; none for a folder.
    ///
    /// # Errors
    /// The reason in words, naming the entry.
    pub(super) fn entry(
        &mut self,
        index: usize,
        most: u64,
    ) -> Result<Option<(String, Vec<u8>)>, String> {
        let named = |error: ZipError| format!("entry {}: {error}", index + 1);
        let entry = self.archive.by_index_raw(index).map_err(named)?;
        let (name, is_file) = (entry.name().map_err(named)?.into_owned(), entry.is_file());
        drop(entry);
        if !is_file {
            return Ok(None);
        }
        let path = inside(&name).ok_or_else(|| leads_outside(&name))?;
        let bytes = self.unpack(index, most).map_err(|reason| format!("{path}: {reason}"))?;
        Ok(Some((path, bytes)))
    }

    fn unpack(&mut self, index: usize, most: u64) -> Result<Vec<u8>, String> {
        let entry = self.archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
                "it is encrypted; remove its password".into()
            }
            error => format!("it cannot be unpacked: {error}"),
        })?;
        let own = entry.compressed_size().saturating_mul(limits::EXPANSION);
        let limit = most.min(self.room).min(limits::EXPANSION_FREE_BYTES.saturating_add(own));
        let mut bytes = Vec::new();
        let read = entry.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        self.room = self.room.saturating_sub(bytes.len() as u64);
        read.map_err(|error| format!("it cannot be unpacked: {error}"))?;
        if bytes.len() as u64 > limit {
            return Err(if limit == most { larger_than(limit) } else { too_large() });
        }
        Ok(bytes)
    }
}

fn too_large() -> String {
    format!("the file unpacks to more than {} times its size", limits::EXPANSION)
}
