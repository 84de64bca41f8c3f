//! The engine of Alder: ALBERT, store, retrieval, fusion, reading and answers. Synchronous, without HTTP,
//! command line or network.
//!
//! - **Write**: a [`Document`] and its [`Passage`]s with [`Embedding`]s → [`Writer::upsert`] →
//!   [`Writer::commit`] → a new [`Snapshot`].
//! - **Read**: [`Query`] → candidates of two retrievers → fused [`Hit`]s → [`Answer`]s, all on one pinned
//!   [`Snapshot`], by [`search()`].

mod answer;
mod arrange;
mod candidate;
mod collection;
mod cursor;
mod date;
mod document;
mod embedding;
mod error;
mod evidence;
mod facet;
mod filter;
mod fusion;
mod given;
mod language;
mod lexical;
pub mod limits;
mod mapped;
mod model;
mod query;
mod result;
mod row_set;
mod score;
mod search;
mod sentence;
mod similar;
mod span;
mod suggest;
mod synonyms;
mod syntax;
mod top_k;
mod vector;
mod why;

pub use candidate::{Candidate, PassageKey};
pub use collection::{
    Collection, CollectionSettings, EncodedDocument, Generation, Ranking, Snapshot, SnapshotStats,
    StoredDocument, Writer,
};
pub use cursor::Cursor;
pub use document::{Document, DocumentId, Metadata, Passage, PassageId};
pub use embedding::Embedding;
pub use error::{Error, OpenError, QueryError};
pub use facet::{Facet, FacetValue, FieldStats};
pub use filter::{Bound, Condition, Filter, Match, Range};
pub use fusion::{FusedCandidate, fuse};
pub use given::{answers_in, relevances};
pub use language::Language;
pub use model::{Calibration, Device, MaskGuess, Model, ModelIdentity, ReadSpan, Reading, Token};
pub use query::{Explain, Fusion, LastWord, Mode, Query, Rerank, Sort};
pub use result::{
    Answer, Explanation, Hit, ReadingScores, SearchResult, Share, Source, Stage, TermScore, Verdict,
};
pub use score::{Bm25, Cosine, Fused, Probability};
pub use search::search;
pub use sentence::sentences;
pub use similar::{Like, SimilarDocument, similar};
pub use span::Span;
pub use suggest::{Completion, Suggestions, TitleMatch};
pub use synonyms::Synonyms;
pub use vector::{Allowed, StoredVector, VectorFormat, VectorSet};
pub use why::{Fate, Reached, Why, why};
