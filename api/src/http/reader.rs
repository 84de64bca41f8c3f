//! `/document`: one document as a page, with the place in question and the words of the question marked. Written
//! by the server, so that a link to a passage works in every browser; `document.js` adds going from match to match.

use std::ops::Range;
use std::sync::Arc;

use alder_engine::{Document, DocumentId, Span};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::extract::Parameters;
use super::problem::{Code, Problem};
use super::state::App;
use super::template::{Escaped, encoded, fill, marked, reply};
use crate::excerpt;

/// More words than these are not marked: nobody steps through them.
const MARKS_MAX: usize = 1_000;

/// What to show: a document, the bytes of the answer (`start`, `end`) and of the passage (`from`, `to`) in its text,
/// the question that led there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    id: String,
    start: Option<usize>,
    end: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
    page: Option<u64>,
    q: String,
}

/// The page of one document; what goes wrong is a page, too.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    place: Result<Parameters<Place>, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A document may be large: no more of them at once than searches.
    let turn = app.search_permit().await;
    let write = move || {
        let found = turn.and_then(|turn| {
            let Parameters(place) = place?;
            Ok((find(&app, &place.id)?, place, turn))
        });
        match found {
            Ok((document, place, _turn)) => Ok((StatusCode::OK, page(&document, &place)?)),
            Err(problem) => fault(&problem, ""),
        }
    };
    let written: Result<(StatusCode, String), Problem> =
        tokio::task::spawn_blocking(write).await.map_err(Problem::internal)?;
    let (status, html) = written?;
    Ok(reply(status, html, &headers))
}

/// The page for a caller without a key: its script asks for one and then shows the document.
///
/// # Errors
/// An internal problem when `document.html` lacks a slot.
pub(super) fn locked(problem: &Problem, headers: &HeaderMap) -> Result<Response, Problem> {
    let (status, html) = fault(problem, " id=\"locked\"")?;
    Ok(reply(status, html, headers))
}

/// What went wrong, as a page.
fn fault(problem: &Problem, attributes: &str) -> Result<(StatusCode, String), Problem> {
    let (status, _, title) = problem.code.row();
    let main = format!(
        "<section class=\"note\"{attributes}><h1>{title}</h1><p>{}</p><p><a href=\"/\">Back to the search</a></p></section>",
        Escaped(&problem.detail)
    );
    Ok((status, fill("document.html", &[("title", title), ("back", "/"), ("main", &main)])?))
}

fn find(app: &App, id: &str) -> Result<Document, Problem> {
    let known = DocumentId::new(id)?;
    app.collection.snapshot().document(&known)?.ok_or_else(|| {
        let detail =
            format!("The collection has no document {id}; it may have been removed since.");
        Problem::of("id", Code::DocumentNotFound, detail)
    })
}

fn page(document: &Document, place: &Place) -> Result<String, Problem> {
    let text = &document.text;
    let said = within(text, place.start, place.end);
    let passage = within(text, place.from, place.to);
    let id = document.id.to_string();
    let title = if document.title.is_empty() { &id } else { &document.title };
    let number = place.page.map_or(String::new(), |page| format!(", page {page}"));
    let moved = if said.or(passage).is_none() && place.start.or(place.from).is_some() {
        "<p class=\"aside\" role=\"status\">The document has changed since: the place that was linked is not there any more.</p>"
    } else {
        ""
    };
    let main = format!(
        "<h1 dir=\"auto\">{}</h1><p class=\"source\"><span class=\"id\"><bdi>{}</bdi>{number}</span></p>{moved}\
         <article class=\"document\" dir=\"auto\">{}</article>",
        Escaped(title),
        Escaped(&id),
        body(text, said, passage, &place.q),
    );
    let back = match place.q.as_str() {
        "" => "/".to_owned(),
        question => format!("/?q={}", encoded(question)),
    };
    let title = Escaped(title).to_string();
    fill("document.html", &[("title", &title), ("back", &back), ("main", &main)])
}

/// The linked bytes, if the text has them.
fn within(text: &str, start: Option<usize>, end: Option<usize>) -> Option<Span> {
    let (start, end) = (start?, end?);
    text.get(start..end).filter(|said| !said.is_empty()).map(|_| Span::new(start, end))
}

/// The text with the passage set off, and in all of it the answer and the words of the question marked.
fn body(text: &str, said: Option<Span>, passage: Option<Span>, question: &str) -> String {
    let marks = marks(text, said, question);
    let Some(Span { start, end }) = passage else { return marked(text, &marks) };
    let part = |from: usize, to: usize| {
        let inside = marks.iter().filter(|(range, _)| range.start >= from && range.end <= to);
        let moved = inside.map(|(range, a)| (range.start - from..range.end - from, a.clone()));
        marked(&text[from..to], &moved.collect::<Vec<_>>())
    };
    format!(
        "{}<div class=\"passage\" id=\"passage\" tabindex=\"-1\">{}</div>{}",
        part(0, start),
        part(start, end),
        part(end, text.len()),
    )
}

/// The answer and the words of the question outside of it, in order.
fn marks(text: &str, said: Option<Span>, question: &str) -> Vec<(Range<usize>, String)> {
    let apart = |term: &Range<usize>| {
        said.is_none_or(|said| term.end <= said.start || term.start >= said.end)
    };
    let mut marks: Vec<_> = excerpt::query_terms(text, question)
        .into_iter()
        .filter(apart)
        .take(MARKS_MAX)
        .map(|term| (term, "class=\"term\"".to_owned()))
        .collect();
    if let Some(said) = said {
        let at = marks.partition_point(|(term, _)| term.end <= said.start);
        let attributes = "class=\"said\" id=\"said\" tabindex=\"-1\"".to_owned();
        marks.insert(at, (said.start..said.end, attributes));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_in_order_apart_and_never_inside_a_character() {
        let text = "Tea is tea. Émile drinks tea.";
        let found = |start, end| {
            within(text, Some(start), Some(end)).map(|span| &text[span.start..span.end])
        };
        assert_eq!(found(12, 18), Some("Émile"));
        assert_eq!(found(13, 18), None, "inside É");
        assert_eq!((found(12, 400), found(7, 7), found(9, 3)), (None, None, None));
        assert_eq!(
            body(text, None, Some(Span::new(12, 30)), "tea"),
            "<mark class=\"term\">Tea</mark> is <mark class=\"term\">tea</mark>. \
             <div class=\"passage\" id=\"passage\" tabindex=\"-1\">Émile drinks <mark class=\"term\">tea</mark>.</div>"
        );
        let places: Vec<_> = marks(text, Some(Span::new(0, 10)), "tea émile")
            .into_iter()
            .map(|(range, _)| range)
            .collect();
        assert_eq!(places, [0..10, 12..18, 26..29]);
    }
}
