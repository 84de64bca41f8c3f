//! [`Known`]: what the collection holds before a run, by id, by file and by content.

use std::collections::HashMap;

use alder_engine::DocumentId;

use crate::origin::{Origin, Tally, content_of, short};

/// Ids and content hashes of the stored documents, found in three ways. Numbers stand for documents.
#[derive(Debug, Default)]
pub(super) struct Known {
    documents: Vec<(DocumentId, String)>,
    by_id: HashMap<u128, usize>,
    by_file: HashMap<Origin, Vec<usize>>,
    by_content: HashMap<u128, usize>,
}

impl Known {
    pub(super) fn new(hashes: HashMap<DocumentId, String>) -> Self {
        let mut known = Self { documents: hashes.into_iter().collect(), ..Self::default() };
        // What is taken for the source of a copy must not depend on the order of a hash map.
        known.documents.sort();
        for (number, (id, hash)) in known.documents.iter().enumerate() {
            known.by_id.insert(short(id), number);
            if let Some(origin) = Origin::of(hash) {
                known.by_file.entry(origin).or_default().push(number);
            }
            if let Some(content) = content_of(hash) {
                known.by_content.entry(content).or_insert(number);
            }
        }
        known
    }

    /// Whether the document is stored with this content hash.
    pub(super) fn has(&self, id: &DocumentId, content_hash: &str) -> bool {
        self.by_id.get(&short(id)).is_some_and(|&number| self.documents[number].1 == content_hash)
    }

    /// Takes the document for a new one from now on.
    pub(super) fn forget(&mut self, id: &DocumentId) {
        self.by_id.remove(&short(id));
    }

    /// Stored documents that may have passages in common with a new one: the one with its id, and one with its
    /// content.
    pub(super) fn relatives(&self, id: &DocumentId, content_hash: &str) -> Vec<&DocumentId> {
        let own = self.by_id.get(&short(id));
        let same = content_of(content_hash).and_then(|content| self.by_content.get(&content));
        let mut numbers: Vec<usize> = own.into_iter().chain(same).copied().collect();
        numbers.dedup();
        numbers.into_iter().map(|number| &self.documents[number].0).collect()
    }

    /// The stored documents from this file.
    pub(super) fn of_file(&self, origin: Origin) -> impl Iterator<Item = &DocumentId> {
        let numbers = self.by_file.get(&origin).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|&number| &self.documents[number].0)
    }

    /// The tally of the stored documents from this file.
    pub(super) fn tally(&self, origin: Origin) -> Tally {
        let mut tally = Tally::default();
        for &number in self.by_file.get(&origin).into_iter().flatten() {
            let (id, hash) = &self.documents[number];
            tally.add(id, hash);
        }
        tally
    }

    /// The file that this document came from.
    pub(super) fn origin(&self, id: &DocumentId) -> Option<Origin> {
        let number = *self.by_id.get(&short(id))?;
        Origin::of(&self.documents[number].1)
    }

    /// The files below one root that gave documents, in order.
    pub(super) fn files_of(&self, root: u64) -> Vec<Origin> {
        let mut files: Vec<Origin> =
            self.by_file.keys().copied().filter(|origin| origin.root == root).collect();
        files.sort_unstable();
        files
    }
}
