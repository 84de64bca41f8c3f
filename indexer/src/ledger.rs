//! [`Ledger`]: what each file looked like when it was read and what it gave, so that a file with the same size and
//! time need not be opened again. Lies beside the collection as `sources.jsonl`: lines of origin, tab, JSON, ordered
//! by origin ([`crate::Sources`] looks them up). Derived: a missing ledger costs one reading of all files, and an
//! entry counts only while the collection holds just the documents it tells of.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::origin::{Origin, Tally};
use crate::report::Problem;

/// The file in the collection's folder.
pub(crate) const FILE: &str = "sources.jsonl";

/// A file that was changed this shortly before it was read may be changed again within the same tick of its clock
/// (2 s on FAT).
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its absolute path.
    pub(crate) path: String,
    /// Its name in reports: the path below the folder that was given.
    pub(crate) file: String,
    pub(crate) seen: Seen,
    /// The documents it gave.
    pub(crate) tally: Tally,
    /// Whether a change since then would show, so that it need not be read again.
    pub(crate) settled: bool,
    /// Why it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    /// Records that could not be stored, and the first of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) bad_records: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
    /// What came of it since then, if that was nothing; the rest is of the time before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<Failure>,
    /// Hash of the settings it was read with.
    pub(crate) settings: u64,
}

/// A file that could be opened and not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) seen: Seen,
    pub(crate) settings: u64,
    pub(crate) reason: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is compared to see whether a file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
}

impl Seen {
    /// Size and time of a file; none where the system tells no time.
    pub(crate) fn new(metadata: &std::fs::Metadata) -> Option<Self> {
        let modified = metadata.modified().ok()?;
        let nanoseconds = match modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).ok()?,
            Err(before) => -i64::try_from(before.duration().as_nanos()).ok()?,
        };
        Some(Self { bytes: metadata.len(), modified: nanoseconds })
    }

    /// Whether a change after `read` would show.
    pub(crate) fn is_settled(self, read: SystemTime) -> bool {
        let Ok(read) = read.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let age = read.as_nanos() as i128 - i128::from(self.modified);
        age >= CLOCK_TICK.as_nanos() as i128
    }
}

/// The entries of a collection.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// None for one that is not kept.
    path: Option<PathBuf>,
    entries: BTreeMap<Origin, Entry>,
    changed: bool,
}

impl Ledger {
    /// The ledger in `folder`; empty when there is none or it cannot be understood.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let entries = std::fs::read_to_string(&path).ok().and_then(|text| read(&text));
        Self { path: Some(path), entries: entries.unwrap_or_default(), changed: false }
    }

    pub(crate) fn entry(&self, origin: Origin) -> Option<&Entry> {
        self.entries.get(&origin)
    }

    pub(crate) fn set(&mut self, origin: Origin, entry: Entry) {
        if self.entries.get(&origin) != Some(&entry) {
            self.entries.insert(origin, entry);
            self.changed = true;
        }
    }

    pub(crate) fn remove(&mut self, origin: Origin) {
        self.changed |= self.entries.remove(&origin).is_some();
    }

    /// The origins below one root.
    pub(crate) fn of_root(&self, root: u64) -> Vec<Origin> {
        let range = Origin { root, file: 0 }..=Origin { root, file: u64::MAX };
        self.entries.range(range).map(|(origin, _)| *origin).collect()
    }

    /// Writes what changed, at once or not at all.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| self.changed) else { return Ok(()) };
        let temporary = path.with_extension("tmp");
        let mut out = BufWriter::new(File::create(&temporary)?);
        for (origin, entry) in &self.entries {
            write!(out, "{origin}\t")?;
            serde_json::to_writer(&mut out, entry)?;
            out.write_all(b"\n")?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&temporary, path)?;
        self.changed = false;
        Ok(())
    }
}

fn read(text: &str) -> Option<BTreeMap<Origin, Entry>> {
    text.lines().map(line).collect()
}

/// Origin and entry of a line.
pub(crate) fn line(line: &str) -> Option<(Origin, Entry)> {
    let (origin, entry) = line.split_once('\t')?;
    Some((Origin::of(origin)?, serde_json::from_str(entry).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> Entry {
        Entry {
            path: format!("/notes/{file}"),
            file: file.into(),
            seen: Seen { bytes: 7, modified: -5 },
            tally: Tally::default(),
            settled: true,
            skipped: Some("empty".into()),
            bad_records: 0,
            problems: Vec::new(),
            failed: None,
            settings: 1,
        }
    }

    #[test]
    fn entries_are_kept_and_a_damaged_ledger_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path());
        let names = ["a.md", "tab\tand\nline.md"];
        let origins = names.map(|name| Origin::new("/notes", name));
        names.iter().zip(origins).for_each(|(name, origin)| ledger.set(origin, entry(name)));
        ledger.set(Origin::new("/other", "a.md"), entry("a.md"));
        ledger.save().unwrap();
        let mut again = Ledger::open(folder.path());
        assert_eq!(again.entry(origins[1]), Some(&entry(names[1])));
        assert_eq!(again.of_root(origins[0].root).len(), 2);
        again.remove(origins[0]);
        again.save().unwrap();
        assert_eq!(Ledger::open(folder.path()).entries.len(), 2);

        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert!(Ledger::open(folder.path()).entries.is_empty());
        std::fs::write(&path, b"\xff").unwrap();
        assert!(Ledger::open(folder.path()).entries.is_empty());
    }

    #[test]
    fn a_file_changed_just_before_it_was_read_is_not_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let seen = Seen::new(&std::fs::metadata(&path).unwrap()).unwrap();
        let now = SystemTime::now();
        assert!(!seen.is_settled(now) && seen.is_settled(now + Duration::from_secs(3)));
    }
}
