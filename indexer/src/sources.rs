//! [`Sources`]: the files that documents came from, for those who show documents: whether a file is still as it was
//! when it was read, and which documents came from below a path. Reads the [`crate::ledger`] without the rest of
//! the indexer.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;

use alder_engine::DocumentId;

use crate::ledger::{self, Entry, Seen};
use crate::origin::Origin;

/// Whether a document is what its file says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// The file has the size and the time it had when it was read.
    Fresh,
    /// The file is another than then.
    Stale,
    /// There is no such file any more.
    Gone,
}

impl Freshness {
    /// Its name in replies: `fresh`, `stale` or `gone`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Gone => "gone",
        }
    }
}

/// The files of a collection as they were when they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The ledger, lines ordered by origin.
    lines: Vec<u8>,
    /// What the ledger itself looks like.
    seen: Option<Seen>,
}

impl Sources {
    /// The sources of the collection in `folder`, as far as they are known.
    pub fn open(folder: &Path) -> Self {
        let seen = look(folder);
        let lines = std::fs::read(folder.join(ledger::FILE)).unwrap_or_default();
        Self { lines, seen }
    }

    /// Whether this is still what lies in `folder`.
    pub fn is_current(&self, folder: &Path) -> bool {
        self.seen == look(folder)
    }

    /// Whether the document with this content hash is what its file says now, by size and time of the file; none for
    /// a document that came from no file that is known here, or whose file cannot be looked at.
    pub fn freshness(&self, content_hash: &str) -> Option<Freshness> {
        let entry = self.entry(Origin::of(content_hash)?)?;
        match std::fs::symlink_metadata(&entry.path) {
            Ok(now) if now.is_file() && Seen::new(&now) == Some(entry.seen) => {
                Some(Freshness::Fresh)
            }
            Ok(_) => Some(Freshness::Stale),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Some(Freshness::Gone),
                _ => None,
            },
        }
    }

    /// The documents among `hashes` (id and content hash) that came from `path`, an absolute path, or from below it,
    /// in order.
    pub fn documents_below(
        &self,
        path: &Path,
        hashes: &HashMap<DocumentId, String>,
    ) -> Vec<DocumentId> {
        let text = String::from_utf8_lossy(&self.lines);
        let below: HashSet<Origin> = text
            .lines()
            .filter_map(ledger::line)
            .filter(|(_, entry)| Path::new(&entry.path).starts_with(path))
            .map(|(origin, _)| origin)
            .collect();
        let from_there = |hash: &str| Origin::of(hash).is_some_and(|o| below.contains(&o));
        let found = hashes.iter().filter(|(_, hash)| from_there(hash));
        let mut ids: Vec<DocumentId> = found.map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// The entry of a file, by halving.
    fn entry(&self, origin: Origin) -> Option<Entry> {
        let key = origin.to_string();
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self.lines[low..middle].iter().rposition(|b| *b == b'\n');
            let start = before.map_or(low, |at| low + at + 1);
            let after = self.lines[middle..high].iter().position(|b| *b == b'\n');
            let end = after.map_or(high, |at| middle + at);
            let line = &self.lines[start..end];
            match line.get(..key.len()).unwrap_or(line).cmp(key.as_bytes()) {
                Ordering::Less => low = end + 1,
                Ordering::Greater => high = start,
                Ordering::Equal => {
                    return ledger::line(std::str::from_utf8(line).ok()?).map(|(_, entry)| entry);
                }
            }
        }
        None
    }
}

fn look(folder: &Path) -> Option<Seen> {
    Seen::new(&std::fs::metadata(folder.join(ledger::FILE)).ok()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ledger::Ledger;
    use crate::origin::Tally;

    #[test]
    fn each_of_many_files_is_found_and_told_fresh_stale_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path());
        let root = folder.path().to_str().unwrap();
        let hash = |n: usize| {
            let origin = Origin::new(root, &n.to_string());
            origin.content_hash("", &blake3::hash(b"text"))
        };
        for number in 0..100 {
            let path = folder.path().join(number.to_string());
            fs::write(&path, "x").unwrap();
            let entry = Entry {
                path: path.to_str().unwrap().into(),
                file: number.to_string(),
                seen: Seen::new(&fs::metadata(&path).unwrap()).unwrap(),
                tally: Tally::default(),
                settled: true,
                skipped: None,
                bad_records: 0,
                problems: Vec::new(),
                failed: None,
                settings: 0,
            };
            ledger.set(Origin::new(root, &number.to_string()), entry);
        }
        assert_eq!(Sources::open(folder.path()).freshness(&hash(1)), None, "nothing noted yet");
        ledger.save().unwrap();
        let sources = Sources::open(folder.path());
        assert!(sources.is_current(folder.path()));
        fs::write(folder.path().join("5"), "longer").unwrap();
        fs::remove_file(folder.path().join("6")).unwrap();
        for number in 0..100 {
            let expected = match number {
                5 => Freshness::Stale,
                6 => Freshness::Gone,
                _ => Freshness::Fresh,
            };
            assert_eq!(sources.freshness(&hash(number)), Some(expected), "{number}");
        }
        assert_eq!((sources.freshness(&hash(100)), sources.freshness("1:1")), (None, None));

        let id = |n: usize| DocumentId::new(n.to_string()).unwrap();
        let hashes = [(id(3), hash(3)), (id(7), hash(7)), (id(200), "other".into())].into();
        let below = |path: &str| sources.documents_below(&folder.path().join(path), &hashes);
        assert_eq!((below(""), below("7")), (vec![id(3), id(7)], vec![id(7)]));
        assert_eq!(below("70"), []);
        ledger.remove(Origin::new(root, "3"));
        ledger.save().unwrap();
        assert!(!sources.is_current(folder.path()));
    }
}
