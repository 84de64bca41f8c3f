//! What crosses the wire: requests and replies of the HTTP interface, which `--format json` prints too.
//! Apart from the engine's types, so that either side can change without the other.
//!
//! Units: `start` and `end` count characters (Unicode scalar values) of the text they belong to,
//! `start_byte` and `end_byte` count bytes of the document's text in UTF-8. Times end in `_ms`.

mod batch;
mod bulk;
mod document;
mod export;
mod filter;
mod judgement;
mod request;
mod result;
mod similar;
mod status;
mod suggest;
mod task;

pub(crate) use batch::{BatchItem, BatchRequest, BatchResponse, BatchResult};
pub(crate) use bulk::{BulkAction, BulkError, BulkItem, BulkOperation, BulkResponse, read_bulk};
pub(crate) use document::{
    DeleteResponse, DocumentRequest, DocumentResponse, ItemOutcome, ItemResult, UpsertResponse,
    WaitParameters,
};
pub(crate) use export::{DocumentLine, Header};
pub(crate) use filter::{filter_from_json, filter_from_text};
pub(crate) use judgement::{JudgementCounts, JudgementRequest, JudgementResponse};
pub(crate) use request::{Purpose, SearchParameters, SearchRequest};
pub(crate) use result::SearchResponse;
pub(crate) use similar::{SimilarRequest, SimilarResponse, SimilarWire};
pub(crate) use status::{CollectionStatus, Health, IndexingStatus, ModelStatus, StatusResponse};
pub(crate) use suggest::{SuggestParameters, SuggestResponse};
pub(crate) use task::{Task, TaskKind, TaskList, TaskParameters, TaskStatus};
