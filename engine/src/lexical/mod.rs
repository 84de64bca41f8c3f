//! The store of record and the lexical retriever: the only home of tantivy. [`Store`] opens and verifies the
//! index, [`StoreWriter`] adds, deletes, commits and merges, [`View`] is one committed state that answers
//! text queries, compiles filters and gives records back. Vectors pass through here as opaque bytes.

mod analysis;
mod bm25;
mod check;
mod columns;
mod constraint;
mod documents;
mod expand;
mod facts;
mod filter;
mod names;
mod plan;
mod record;
mod retrieve;
mod schema;
mod stop_words;
mod store;
mod suggest;
mod synonyms;
mod view;
mod words;
mod writer;

pub(crate) use plan::Plan;
pub(crate) use schema::ANALYSER_VERSION;
pub(crate) use store::Store;
pub(crate) use view::View;
pub(crate) use writer::StoreWriter;

use crate::Error;

/// The store's own words about a failure.
fn failed(doing: &'static str) -> impl Fn(tantivy::TantivyError) -> Error {
    move |error| Error::Store { doing, reason: error.to_string() }
}
