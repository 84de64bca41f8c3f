//! Errors on the wire, in the shape of RFC 9457 (`application/problem+json`). [`Code`] is the one table of
//! what can go wrong; everything that fails, axum's own rejections included, becomes a [`Problem`].

use std::any::Any;
use std::time::Duration;

use alder_engine::{Error, OpenError, QueryError};
use alder_indexer::IngestError;
use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::RETRY_AFTER;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $status:ident, $code:literal, $title:literal;)*) => {
        /// Everything that can go wrong, with its status, its stable name and its title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for the tests and the documentation.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Status, stable name and title.
            pub(crate) fn row(self) -> (StatusCode, &'static str, &'static str) {
                match self { $(Self::$name => (StatusCode::$status, $code, $title),)* }
            }
        }
    };
}

codes! {
    EmptyQuery: BAD_REQUEST, "empty_query", "The query is empty";
    OutOfRange: BAD_REQUEST, "out_of_range", "A value is out of range";
    InvalidFilter: BAD_REQUEST, "invalid_filter", "The filter cannot be understood";
    InvalidField: BAD_REQUEST, "invalid_field", "There is no such field";
    InvalidCursor: BAD_REQUEST, "invalid_cursor", "The cursor does not fit";
    Changed: CONFLICT, "changed", "The collection changed between two pages";
    InvalidSynonyms: BAD_REQUEST, "invalid_synonyms", "A line of synonyms cannot be understood";
    InvalidJson: BAD_REQUEST, "invalid_json", "The body is not the JSON that was expected";
    InvalidParameter: BAD_REQUEST, "invalid_parameter", "A parameter of the URL is wrong";
    NoValidDocument: BAD_REQUEST, "no_valid_document", "None of the documents could be taken";
    BadRequest: BAD_REQUEST, "bad_request", "The request cannot be read";
    Unauthorized: UNAUTHORIZED, "unauthorized", "A key is needed";
    Forbidden: FORBIDDEN, "forbidden", "The key does not allow this";
    HostNotAllowed: FORBIDDEN, "host_not_allowed", "This server is not called by that name";
    CrossSite: FORBIDDEN, "cross_site", "Another site may not change this collection";
    NotFound: NOT_FOUND, "not_found", "There is nothing here";
    DocumentNotFound: NOT_FOUND, "document_not_found", "There is no such document";
    TaskNotFound: NOT_FOUND, "task_not_found", "There is no such task";
    ModelNotFound: NOT_FOUND, "model_not_found", "There is no such model";
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method_not_allowed", "That method does not work here";
    BodyTooLarge: PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    BatchTooLarge: PAYLOAD_TOO_LARGE, "batch_too_large", "Too many texts at once";
    TooManyTokens: PAYLOAD_TOO_LARGE, "too_many_tokens", "A text is too long for the model";
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The content type is not understood";
    RateLimited: TOO_MANY_REQUESTS, "rate_limited", "Too many requests";
    Overloaded: TOO_MANY_REQUESTS, "overloaded", "Too many searches at once";
    Internal: INTERNAL_SERVER_ERROR, "internal", "The server failed";
    MissingHead: NOT_IMPLEMENTED, "missing_head", "The model cannot do that";
    Timeout: SERVICE_UNAVAILABLE, "timeout", "The search had to wait too long";
    QueueFull: SERVICE_UNAVAILABLE, "queue_full", "Too many tasks wait already";
    DiskFull: INSUFFICIENT_STORAGE, "disk_full", "The disk is full";
    Stopping: SERVICE_UNAVAILABLE, "stopping", "The server is stopping";
    Busy: SERVICE_UNAVAILABLE, "busy", "The collection is being written";
}

/// One error, ready to be sent.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// What is wrong and what would be right.
    pub(crate) detail: String,
    /// The field at fault, as the client named it.
    pub(crate) field: Option<String>,
    /// Per-item results, when some were tried.
    pub(crate) items: Vec<crate::wire::ItemResult>,
    /// When to come back, if that is known better than from the code.
    pub(crate) retry_after: Option<Duration>,
}

/// A [`Problem`] as it is written (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<crate::wire::ItemResult>,
}

impl Problem {
    /// A problem that no single field causes.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None, items: Vec::new(), retry_after: None }
    }

    /// A problem with `field`.
    pub(crate) fn of(field: &str, code: Code, detail: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(code, detail) }
    }

    /// A fault of ours: the log has the story, the client a plain sentence.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!("{error}");
        Self::new(Code::Internal, "the request could not be carried out; the server's log says why")
    }

    /// The problem as it is written.
    pub(crate) fn body(self) -> ProblemBody {
        let (status, code, title) = self.code.row();
        ProblemBody {
            r#type: format!("urn:alder:problem:{code}"),
            title,
            status: status.as_u16(),
            code,
            detail: self.detail,
            field: self.field,
            items: self.items,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let (status, ..) = self.code.row();
        let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        self.retry_after.or_else(|| later.contains(&status).then_some(RETRY_AFTER))
    }

    /// The reply with `body` instead of the problem's own, for clients that expect another shape.
    pub(crate) fn with_body(&self, status: StatusCode, body: impl Serialize) -> Response {
        let mut response = (status, Json(body)).into_response();
        if let Some(wait) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after();
        let (status, ..) = self.code.row();
        let mut response = (status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let detail = error.to_string();
        match error {
            QueryError::Empty => Self::of("q", Code::EmptyQuery, detail),
            QueryError::OutOfRange { field: "query", .. } => {
                Self::of("q", Code::OutOfRange, detail)
            }
            QueryError::OutOfRange { field, .. } => Self::of(field, Code::OutOfRange, detail),
            QueryError::Fusion { field: "diversity", .. } => {
                Self::of("diversity", Code::OutOfRange, detail)
            }
            QueryError::Fusion { .. } => Self::of("fusion", Code::OutOfRange, detail),
            QueryError::Synonyms { .. } => Self::of("synonyms", Code::InvalidSynonyms, detail),
            QueryError::Field { parameter, .. } => Self::of(parameter, Code::InvalidField, detail),
            QueryError::Cursor { .. } => Self::of("cursor", Code::InvalidCursor, detail),
            QueryError::Changed { .. } => Self::of("generation", Code::Changed, detail),
            QueryError::Filter { .. } => Self::of("filter", Code::InvalidFilter, detail),
            QueryError::MissingHead { .. } => Self::new(Code::MissingHead, detail),
            _ => Self::new(Code::BadRequest, detail),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Query(error) => error.into(),
            Error::Open(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Engine(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Locked { .. } => Self::new(
                Code::Busy,
                "another program is writing to the collection; try again when it has finished",
            ),
            error => Self::internal(error),
        }
    }
}

/// No route has this path.
pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {}; the page is at /", uri.path()))
}

/// The route exists, but not for this method.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}

/// A handler panicked: a bug of ours that must not take the connection down.
pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let words = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    Problem::internal(format!("a handler panicked: {words}")).into_response()
}
