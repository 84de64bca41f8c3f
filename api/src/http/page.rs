//! The web page: files of `alder-ui`, with a tag so that browsers need not fetch them twice. [`Shell`] is the search
//! page before anything is found, which the scripts and `plain` both fill.

use alder_engine::Mode;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::problem::{Code, Problem};
use super::template::{self, Escaped, fill};

/// What the search page starts with.
#[derive(Debug, Default)]
pub(crate) struct Shell<'a> {
    /// The question in the box.
    pub(crate) question: &'a str,
    /// The way of searching that is chosen.
    pub(crate) mode: Mode,
    /// HTML of the results, when the server writes them.
    pub(crate) main: Option<&'a str>,
    /// The query of the URL, as it came.
    pub(crate) query: &'a str,
}

impl Shell<'_> {
    /// The page. Without results it sends browsers that run no scripts to `/plain`, which has them.
    ///
    /// # Errors
    /// An internal problem when `index.html` lacks a slot.
    pub(crate) fn html(&self) -> Result<String, Problem> {
        let refresh = format!(
            "<noscript><meta http-equiv=\"refresh\" content=\"0; url=/plain?{}\"></noscript>",
            Escaped(self.query)
        );
        let checked = |mode: Mode| if self.mode == mode { "checked" } else { "" };
        fill(
            "index.html",
            &[
                ("refresh", if self.main.is_some() { "" } else { &refresh }),
                ("state", if self.question.is_empty() { "home" } else { "asked" }),
                ("question", &Escaped(self.question).to_string()),
                ("hybrid", checked(Mode::Hybrid)),
                ("lexical", checked(Mode::Lexical)),
                ("dense", checked(Mode::Dense)),
                ("main", self.main.unwrap_or("")),
            ],
        )
    }
}

/// What the search page reads of its URL; the scripts read the rest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
    mode: Mode,
}

/// The search page. A parameter that cannot be understood is left to the scripts to complain about.
pub(crate) async fn index(
    asked: Result<Query<Asked>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Asked { q, mode } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let query = uri.query().unwrap_or("");
    let shell = Shell { question: q.trim(), mode, main: None, query };
    Ok(template::reply(StatusCode::OK, shell.html()?, &headers))
}

/// The page about the collection.
pub(crate) async fn collection(headers: HeaderMap) -> Result<Response, Problem> {
    file("collection.html", &headers)
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
