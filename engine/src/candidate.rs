//! [`Candidate`]: a passage found by one retriever, before fusion; [`PassageKey`] names it in its snapshot.

/// Names a passage inside one snapshot only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassageKey {
    pub(crate) segment: u32,
    pub(crate) row: u32,
}

/// A passage found by one retriever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<S> {
    /// Which passage.
    pub key: PassageKey,
    /// The retriever's score.
    pub score: S,
}
