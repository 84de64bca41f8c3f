//! The web page: files of `alder-ui`, with a tag so that browsers need not fetch them twice.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::{Code, Problem};

/// The search page.
pub(crate) async fn index(headers: HeaderMap) -> Result<Response, Problem> {
    file("index.html", &headers)
}

/// The page that shows one document.
pub(crate) async fn document(headers: HeaderMap) -> Result<Response, Problem> {
    file("document.html", &headers)
}

/// Everything the pages load.
pub(crate) async fn asset(
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    file(&path, &headers)
}

fn file(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(asset) = alder_ui::asset(path) else {
        return Err(Problem::new(Code::NotFound, format!("the page has no file {path}")));
    };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.tag.as_bytes())
    {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::ETAG, asset.tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((headers, Body::from(asset.bytes)).into_response())
}
