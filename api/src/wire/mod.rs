//! What crosses the wire: requests and replies of the HTTP interface, which `--format json` prints too.
//! Apart from the engine's types, so that either side can change without the other.
//!
//! Units: `start` and `end` count characters (Unicode scalar values) of the text they belong to,
//! `start_byte` and `end_byte` count bytes of the document's text in UTF-8. Times end in `_ms`.

mod document;
mod filter;
mod request;
mod result;
mod status;
mod suggest;

pub(crate) use document::{
    DocumentRequest, DocumentResponse, ItemOutcome, ItemResult, UpsertResponse,
};
pub(crate) use filter::{filter_from_json, filter_from_text};
pub(crate) use request::{Purpose, SearchParameters, SearchRequest};
pub(crate) use result::SearchResponse;
pub(crate) use status::{CollectionStatus, Health, IndexingStatus, ModelStatus, StatusResponse};
pub(crate) use suggest::{SuggestParameters, SuggestResponse};
