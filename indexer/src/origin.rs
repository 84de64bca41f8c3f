//! [`Origin`]: the file a document came from, in short hashes, as its content hash tells it:
//! `ROOT.FILE.CONTENT`, hexadecimal.

use alder_engine::DocumentId;

/// Where a document came from: the path that was given, and the file below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) root: u64,
    pub(crate) file: u64,
}

impl Origin {
    /// The origin of documents from `file` below `root`.
    pub(crate) fn new(root: &str, file: &str) -> Self {
        let short = |text: &str| u64::from_be_bytes(first(blake3::hash(text.as_bytes())));
        Self { root: short(root), file: short(file) }
    }

    /// The origin of the document with this content hash, if an indexer made it.
    pub(crate) fn of(content_hash: &str) -> Option<Self> {
        let mut parts = content_hash.split('.');
        let mut part = || {
            let part = parts.next().filter(|part| part.len() == 16)?;
            u64::from_str_radix(part, 16).ok()
        };
        Some(Self { root: part()?, file: part()? })
    }

    /// The content hash of a document from here: hash of its source and of everything else that shapes what is
    /// stored.
    pub(crate) fn content_hash(self, fingerprint: &str, source: &blake3::Hash) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(fingerprint.as_bytes()).update(source.as_bytes());
        format!("{self}.{}", &hasher.finalize().to_hex()[..32])
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}.{:016x}", self.root, self.file)
    }
}

/// The part of a content hash that is the same wherever the content lies.
pub(crate) fn content_of(content_hash: &str) -> Option<u128> {
    let part = content_hash.split('.').nth(2).filter(|part| part.len() == 32)?;
    u128::from_str_radix(part, 16).ok()
}

/// A short hash of an id; a collision in a million documents is less likely than a broken disk.
pub(crate) fn short(id: &DocumentId) -> u128 {
    u128::from_le_bytes(first(blake3::hash(id.as_str().as_bytes())))
}

/// The documents of a file as two numbers: how many, and a sum over their ids and content hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tally {
    pub(crate) documents: u64,
    sum: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, id: &DocumentId, content_hash: &str) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(id.as_str().as_bytes()).update(&[0]).update(content_hash.as_bytes());
        self.documents += 1;
        self.sum = self.sum.wrapping_add(u64::from_le_bytes(first(hasher.finalize())));
    }
}

fn first<const N: usize>(hash: blake3::Hash) -> [u8; N] {
    hash.as_bytes()[..N].try_into().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_hash_tells_where_its_document_came_from() {
        let origin = Origin::new("/notes", "a.md");
        let source = blake3::hash(b"text");
        let hash = origin.content_hash("settings", &source);
        assert_eq!(Origin::of(&hash), Some(origin));
        let moved = Origin::new("/notes", "b.md").content_hash("settings", &source);
        assert_eq!(content_of(&hash), content_of(&moved));
        assert_ne!(content_of(&hash), content_of(&origin.content_hash("other", &source)));
        for foreign in
            ["", "1:1", "a.b.c", "0123456789abcdef", "0123456789abcdeg.0123456789abcdef.0"]
        {
            assert_eq!(Origin::of(foreign), None, "{foreign}");
        }
    }
}
