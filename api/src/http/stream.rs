//! `/v1/ask/stream`: the reply to a question in stages, as server-sent events. `hits` comes after retrieval, in
//! milliseconds; `reranked` and `answer` when the passages were read; `problem` instead, when something fails
//! on the way.
//!
//! Retrieval and reading are two searches of one pinned snapshot: the second repeats the retrieval, which is a few
//! milliseconds of the hundreds that reading takes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alder_engine::{Query, Rerank};
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

use super::extract::{Body, Parameters};
use super::problem::Problem;
use super::state::{App, SearchPermit};
use crate::wire::{Purpose, SearchParameters, SearchRequest, SearchResponse};

/// A comment this often tells proxies and the client that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

type Shared = State<Arc<App>>;
type Events = Sse<axum::response::sse::KeepAliveStream<Stages>>;

/// The events of one request, as they come.
type Stages = std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// Answers for `?q=`, in stages: events `hits`, `reranked`, `answer`.
#[utoipa::path(get, path = "/v1/ask/stream", tag = "search", params(SearchParameters),
    responses((status = 200, content_type = "text/event-stream", body = Object,
        description = "Events `hits`, `reranked` and `answer`; the data of each is a SearchResponse, that of `answer` the reply of `/v1/ask`. `problem` ends the stream with a problem.")))]
pub(crate) async fn ask_get(
    app: Shared,
    request: Parameters<SearchParameters>,
) -> Result<Events, Problem> {
    run(app, request.0.into_query(Purpose::Ask)?).await
}

/// Answers for a JSON request, in stages: events `hits`, `reranked`, `answer`.
#[utoipa::path(post, path = "/v1/ask/stream", tag = "search",
    request_body(content = SearchRequest,
        example = json!({"q": "What is tea made from?"})),
    responses((status = 200, content_type = "text/event-stream", body = Object,
        description = "As for GET.")))]
pub(crate) async fn ask_post(app: Shared, request: Body<SearchRequest>) -> Result<Events, Problem> {
    run(app, request.0.into_query(Purpose::Ask)?).await
}

async fn run(State(app): Shared, query: Query) -> Result<Events, Problem> {
    let permit = app.search_permit().await?;
    let (send, receive): (Sender<Event>, Receiver<Event>) = channel(3);
    tokio::task::spawn_blocking(move || {
        if let Err(problem) = stages(&app, &query, permit, &send) {
            // Nobody listens any more when this fails.
            let _ = tell(&send, "problem", &problem.body());
        }
    });
    let events: Stages = Box::pin(ReceiverStream::new(receive).map(Ok));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Runs the stages for as long as somebody listens.
fn stages(
    app: &App,
    query: &Query,
    _permit: SearchPermit,
    send: &Sender<Event>,
) -> Result<(), Problem> {
    let started = Instant::now();
    let snapshot = app.collection.snapshot();
    let fast = Query { read_depth: 0, rerank: Rerank::Off, answers: 0, ..query.clone() };
    let result = alder_engine::search(&snapshot, &app.model, &fast)?;
    let freshness = app.sources.look(&app.collection, &snapshot, &result)?;
    let hits = SearchResponse::new(&query.text, result, started.elapsed());
    let hits = hits.with_freshness(&freshness);
    if tell(send, "hits", &hits).is_gone() {
        return Ok(());
    }
    let result = alder_engine::search(&snapshot, &app.model, query)?;
    app.metrics.search(&result);
    let freshness = app.sources.look(&app.collection, &snapshot, &result)?;
    let mut reranked = result.clone();
    (reranked.answers, reranked.verdict) = (Vec::new(), None);
    let took = started.elapsed();
    let reply = |result| SearchResponse::new(&query.text, result, took).with_freshness(&freshness);
    if tell(send, "reranked", &reply(reranked)).is_gone() {
        return Ok(());
    }
    let _ = tell(send, "answer", &reply(result));
    Ok(())
}

/// Whether anybody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    There,
    Gone,
}

impl Listener {
    fn is_gone(self) -> bool {
        self == Self::Gone
    }
}

fn tell(send: &Sender<Event>, name: &str, data: &impl Serialize) -> Listener {
    let event = Event::default().event(name).json_data(data);
    let event =
        event.unwrap_or_else(|error| Event::default().event("problem").data(error.to_string()));
    if send.blocking_send(event).is_ok() { Listener::There } else { Listener::Gone }
}
