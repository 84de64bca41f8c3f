//! The read path as one page: retrieve (lexical ‖ dense) → fuse → fetch → read and rerank → answers.

use crate::{Error, Model, Query, SearchResult, Snapshot};

/// Runs `query` on one pinned snapshot.
///
/// # Errors
/// [`Error::Query`] for a query that cannot be, anything the stages return otherwise.
pub fn search(_snapshot: &Snapshot, _model: &Model, _query: &Query) -> Result<SearchResult, Error> {
    todo!()
}
