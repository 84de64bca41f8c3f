//! Extractors whose rejections are [`Problem`]s: [`Body`] (JSON) and [`Parameters`] (URL).

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::<T>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The parameters of the URL.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// A body as bytes, within the route's limit.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Self(Bytes::from_request(request, state).await?))
    }
}

/// The media type of a body, without its parameters, in lower case; empty without one.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or("");
    kind.trim().to_ascii_lowercase()
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let code = match &rejection {
            JsonRejection::MissingJsonContentType(_) => {
                let detail = "send the body as content-type: application/json";
                return Self::new(Code::UnsupportedMediaType, detail);
            }
            JsonRejection::BytesRejection(_) => return body_problem(rejection.status()),
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => {
                Code::InvalidJson
            }
            _ => Code::BadRequest,
        };
        with_cause(code, &rejection)
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        with_cause(Code::InvalidParameter, &rejection)
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        body_problem(rejection.status())
    }
}

fn body_problem(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            Code::BodyTooLarge,
            "the body is larger than this address takes; send less at once",
        )
    } else {
        Problem::new(Code::BadRequest, "the body ended before all of it had arrived")
    }
}

/// The innermost cause says what is wrong ("limit: invalid type: string …"); the outer words say nothing more.
fn with_cause(code: Code, rejection: &dyn std::error::Error) -> Problem {
    let mut cause = rejection;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Problem::new(code, cause.to_string())
}
