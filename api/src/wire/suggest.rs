//! [`SuggestResponse`]: what `GET /v1/suggest` and `alder suggest --json` return.

use std::time::Duration;

use alder_engine::{Completion, Generation, Suggestions, TitleMatch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The URL of `GET /v1/suggest`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SuggestParameters {
    /// What was typed so far.
    #[param(example = "te")]
    pub(crate) q: String,
    /// Suggestions of each kind, at most.
    pub(crate) limit: Option<usize>,
}

/// Suggestions for a begun query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuggestResponse {
    query: String,
    took_ms: f64,
    generation: u64,
    /// The text with its last word completed.
    #[schema(value_type = Vec<Object>)]
    completions: Vec<Completion>,
    /// Documents with a fitting title.
    #[schema(value_type = Vec<Object>)]
    titles: Vec<TitleMatch>,
    /// The text with probable typing mistakes mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
}

impl SuggestResponse {
    /// The reply to `query`.
    pub(crate) fn new(
        query: &str,
        suggestions: Suggestions,
        generation: Generation,
        took: Duration,
    ) -> Self {
        Self {
            query: query.to_owned(),
            took_ms: (took.as_secs_f64() * 1e5).round() / 100.0,
            generation: generation.0,
            completions: suggestions.completions,
            titles: suggestions.titles,
            did_you_mean: suggestions.meant,
        }
    }
}
