//! Typed scores: only fusion combines them and only calibration makes a probability.

use serde::{Deserialize, Serialize};

macro_rules! score {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f32);
    };
}

score!(
    /// BM25 score (Robertson and Zaragoza 2009, eq. 3.15 as Lucene and tantivy compute it), ≥ 0, comparable within one query only.
    Bm25
);
score!(
    /// Cosine similarity of question and passage embeddings, in -1..=1.
    Cosine
);
score!(
    /// What a fusion made of the retrievers' scores, comparable within one query only.
    Fused
);
score!(
    /// A calibrated probability, in 0..=1.
    Probability
);
