//! `/plain`: the search page for browsers without JavaScript, the same question, answer and passages in HTML. It
//! fills the file that the scripts start from, so that both look alike.

use std::fmt::Write;
use std::sync::Arc;

use alder_engine::{Answer, Hit, Mode, Passage, Query, SearchResult, Span};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::extract::Parameters;
use super::page::Shell;
use super::problem::{Code, Problem};
use super::state::App;
use super::template::{Escaped, encoded, marked, reply};
use crate::wire::{Purpose, SearchParameters};
use crate::{confidence, excerpt};

/// The page; what goes wrong is a page, too.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    parameters: Result<Parameters<SearchParameters>, Problem>,
) -> Result<Response, Problem> {
    let query = parameters.and_then(|found| Ok(found.0.into_query(Purpose::Ask)?));
    let (status, asked, main) = match run(app, query).await {
        Ok((query, result)) => {
            let main = results(&query, &result);
            (StatusCode::OK, Some(query), main)
        }
        Err(Problem { code: Code::EmptyQuery, .. }) => {
            let lead = "<p class=\"lead\">Ask a question in your own words. Alder answers with a sentence from your documents, word for word.</p>";
            (StatusCode::OK, None, lead.to_owned())
        }
        Err(problem) => (problem.code.row().0, None, note("That did not work", &problem.detail)),
    };
    let (question, mode) = asked.as_ref().map_or(("", Mode::default()), |q| (&q.text, q.mode));
    let shell = Shell { question, mode, main: Some(&main), query: uri.query().unwrap_or("") };
    Ok(reply(status, shell.html()?, &headers))
}

/// Asks on one pinned snapshot, on a blocking thread, within the permits.
async fn run(
    app: Arc<App>,
    query: Result<Query, Problem>,
) -> Result<(Query, SearchResult), Problem> {
    let query = query?;
    let permit = app.search_permit().await?;
    let search = move || {
        let _permit = permit;
        let result = alder_engine::search(&app.collection.snapshot(), &app.model, &query)?;
        Ok((query, result))
    };
    tokio::task::spawn_blocking(search).await.map_err(Problem::internal)?
}

fn note(title: &str, text: &str) -> String {
    format!("<section class=\"note\"><h2>{title}</h2><p>{}</p></section>", Escaped(text))
}

fn results(query: &Query, result: &SearchResult) -> String {
    let mut html = result.meant.as_deref().map_or(String::new(), meant);
    if result.hits.is_empty() {
        return html + &note("Nothing found", "Try fewer or other words, or check the spelling.");
    }
    if query.offset == 0 {
        html.push_str(&answer(query, result));
    }
    for line in &result.notes {
        html.push_str(&format!("<p class=\"aside\">{}</p>", Escaped(line)));
    }
    html.push_str(
        "<section class=\"passages\"><h2 class=\"small\">Passages</h2><ol class=\"hits\">",
    );
    result.hits.iter().for_each(|found| html.push_str(&hit(query, found)));
    html.push_str("</ol></section>");
    html.push_str(&pages(query, result));
    html
}

fn meant(question: &str) -> String {
    let (url, words) = (encoded(question), Escaped(question));
    format!("<p class=\"meant\">Did you mean <a href=\"/plain?q={url}\">{words}</a>?</p>")
}

/// The answer, or that the documents do not say; nothing when nothing was read.
fn answer(query: &Query, result: &SearchResult) -> String {
    let Some(verdict) = result.verdict else { return String::new() };
    let confident = verdict.is_confident();
    let Some((best, rest)) = result.answers.split_first().filter(|_| confident) else {
        return format!(
            "<section class=\"answer silent\"><h2>The documents do not say.</h2>\
             <p>No passage answers this with enough certainty. The closest ones are below.</p></section>{}",
            others(query, &result.answers, ("Nearest to an answer", 0.05)),
        );
    };
    let Passage { text, span, .. } = &best.passage;
    let local = best.span.start - span.start..best.span.end - span.start;
    format!(
        "<section class=\"answer\"><p class=\"sure\">Probability {}: {}</p><h2 dir=\"auto\">{}</h2>\
         <blockquote dir=\"auto\">{}</blockquote><p class=\"source\">In {}</p></section>{}",
        confidence::in_percent(best.probability),
        confidence::in_words(best.probability),
        Escaped(&best.text),
        marked(text, &[(local, "class=\"said\"".to_owned())]),
        source(&best.passage, Some(best.span), &query.text),
        others(query, rest, ("Other answers", 0.01)),
    )
}

/// The answers from a probability on, below which a guess is noise, as `results.js` shows them.
fn others(query: &Query, answers: &[Answer], (title, from): (&str, f32)) -> String {
    let mut shown = answers.iter().filter(|answer| answer.probability.0 >= from).peekable();
    if shown.peek().is_none() {
        return String::new();
    }
    let mut html =
        format!("<section class=\"beside\"><h2 class=\"small\">{title}</h2><ul class=\"others\">");
    for answer in shown {
        let _ = write!(
            html,
            "<li><p class=\"head\"><b dir=\"auto\">{}</b> <span class=\"id\">{}</span></p><p class=\"source\">{}</p></li>",
            Escaped(&answer.text),
            confidence::in_percent(answer.probability),
            source(&answer.passage, Some(answer.span), &query.text),
        );
    }
    html + "</ul></section>"
}

fn hit(query: &Query, hit: &Hit) -> String {
    let text = &hit.passage.text;
    let marks: Vec<_> = excerpt::query_terms(text, &query.text)
        .into_iter()
        .map(|range| (range, "class=\"term\"".to_owned()))
        .collect();
    format!(
        "<li><h3 class=\"source\">{}</h3><p class=\"text\" dir=\"auto\">{}</p></li>",
        source(&hit.passage, None, &query.text),
        marked(text, &marks),
    )
}

/// A link to the passage in its document, and to the answer in it, by title and headings.
fn source(passage: &Passage, said: Option<Span>, question: &str) -> String {
    let id = passage.id.document.to_string();
    let mut parts = vec![passage.title.as_str()];
    parts.extend(passage.heading_path.iter().map(String::as_str).filter(|h| *h != passage.title));
    parts.retain(|part| !part.is_empty());
    let trail = if parts.is_empty() { id.clone() } else { parts.join(" › ") };
    let page = passage.page();
    let page_shown = page.map_or(String::new(), |page| format!(", page {page}"));
    let Span { start: from, end: to } = passage.span;
    let mut url = format!("/document?id={}&from={from}&to={to}", encoded(&id));
    if let Some(Span { start, end }) = said {
        let _ = write!(url, "&start={start}&end={end}");
    }
    if let Some(page) = page {
        let _ = write!(url, "&page={page}");
    }
    let anchor = if said.is_some() { "said" } else { "passage" };
    let _ = write!(url, "&q={}#{anchor}", encoded(question));
    format!(
        "<a href=\"{}\" dir=\"auto\">{}</a> <span class=\"id\"><bdi>{}</bdi>{page_shown}</span>",
        Escaped(&url),
        Escaped(&trail),
        Escaped(&id),
    )
}

fn pages(query: &Query, result: &SearchResult) -> String {
    let link = |offset: usize, words: &str| {
        let mode = match query.mode {
            Mode::Hybrid => "hybrid",
            Mode::Lexical => "lexical",
            Mode::Dense => "dense",
        };
        let url = format!("/plain?q={}&mode={mode}&offset={offset}", encoded(&query.text));
        format!("<a href=\"{}\">{words}</a>", Escaped(&url))
    };
    let mut html = String::from("<nav class=\"pages\" aria-label=\"Pages\">");
    if query.offset > 0 {
        html.push_str(&link(query.offset.saturating_sub(query.limit), "← Previous"));
    }
    let (first, last) = (query.offset + 1, query.offset + result.hits.len());
    let _ = write!(html, "<span>{first} to {last}</span>");
    if last < result.total {
        html.push_str(&link(query.offset + query.limit, "Next →"));
    }
    html + "</nav>"
}
