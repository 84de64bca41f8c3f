//! [`Candidate`]: a passage found by one retriever, before fusion; [`PassageKey`] names it in its snapshot.

/// Names a passage inside one snapshot only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassageKey {
    pub(crate) segment: u32,
    pub(crate) row: u32,
}

impl PassageKey {
    /// The passage in `row` of `segment`.
    pub fn new(segment: u32, row: u32) -> Self {
        Self { segment, row }
    }
}

/// A passage found by one retriever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<S> {
    /// Which passage.
    pub key: PassageKey,
    /// The retriever's score.
    pub score: S,
}
