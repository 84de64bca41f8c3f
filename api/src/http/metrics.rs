//! `/metrics` in the text format of Prometheus (OpenMetrics): requests, their durations, the stages of searches,
//! and what the collection holds. Each server has its own registry, so that several in one process stay apart.

use std::sync::Arc;
use std::time::Duration;

use alder_engine::SearchResult;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::problem::Problem;
use super::state::App;

/// Seconds, from a cached reply to a question on a slow machine.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// As it is written in the router, so that there are few.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: String,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Durations<RouteLabels>,
    stages: Durations<StageLabels>,
    documents: Gauge,
    passages: Gauge,
    generation: Gauge,
    tasks: Gauge,
}

impl Metrics {
    /// Counters at 0.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("alder");
        let new: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(new),
            stages: Family::new_with_constructor(new),
            documents: Gauge::default(),
            passages: Gauge::default(),
            generation: Gauge::default(),
            tasks: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that were answered", metrics.requests.clone());
        let durations = metrics.durations.clone();
        let help = "From the headers of a request to those of its reply";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations);
        let help = "Time spent in one stage of a search";
        registry.register_with_unit("stage_duration", help, Unit::Seconds, metrics.stages.clone());
        registry.register("documents", "Documents in the collection", metrics.documents.clone());
        registry.register("passages", "Passages in the collection", metrics.passages.clone());
        registry.register(
            "generation",
            "Committed state that is searched",
            metrics.generation.clone(),
        );
        registry.register(
            "tasks_unfinished",
            "Tasks that wait or are under way",
            metrics.tasks.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts one request; `route` as it is written in the router, if it matched one.
    pub(crate) fn request(
        &self,
        method: &axum::http::Method,
        route: Option<&str>,
        status: u16,
        took: Duration,
    ) {
        let method = match method.as_str() {
            "GET" => "GET",
            "POST" => "POST",
            "DELETE" => "DELETE",
            "HEAD" => "HEAD",
            _ => "other",
        };
        let route = route.unwrap_or("none").to_owned();
        self.durations
            .get_or_create(&RouteLabels { route: route.clone() })
            .observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    }

    /// Counts the stages of one search.
    pub(crate) fn search(&self, result: &SearchResult) {
        for (stage, took) in &result.timings {
            let labels = StageLabels { stage: format!("{stage:?}").to_lowercase() };
            self.stages.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }
}

/// All counters.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn show(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let work = move || {
        let metrics = &app.metrics;
        let snapshot = app.collection.snapshot();
        let stats = snapshot.stats();
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        metrics.documents.set(number(stats.documents));
        metrics.passages.set(number(stats.passages));
        metrics.generation.set(number(snapshot.generation().0));
        metrics.tasks.set(number(app.tasks.unfinished() as u64));
        let mut text = String::new();
        encode(&mut text, &metrics.registry).map(|()| text)
    };
    let text = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    let text = text.map_err(Problem::internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
