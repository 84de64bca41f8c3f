//! [`Filter`]: which passages may be retrieved at all, decided inside both retrievers before the top k.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A boolean combination in the shape `{"must": […], "should": […], "must_not": […]}`.
///
/// A passage passes if all of `must`, at least one of `should` (when there are any) and none of `must_not` hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// All of these hold.
    pub must: Vec<Condition>,
    /// At least one of these holds, when there are any.
    pub should: Vec<Condition>,
    /// None of these holds.
    pub must_not: Vec<Condition>,
}

/// One condition, or a nested filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// The metadata field `key` equals the value (for a list: contains it).
    Match {
        /// Metadata field; `id` means the document id.
        key: String,
        /// `{"value": v}` or `{"any": [v, …]}`.
        r#match: Match,
    },
    /// The metadata field `key` is a number within the bounds.
    Range {
        /// Metadata field.
        key: String,
        /// The bounds.
        range: Range,
    },
    /// A nested filter.
    Nested(Filter),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Match {
    /// Equal to this value.
    Value(Value),
    /// Equal to one of these values.
    Any(Vec<Value>),
}

/// Numeric bounds; absent means unbounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Range {
    /// Greater than.
    pub gt: Option<f64>,
    /// Greater than or equal to.
    pub gte: Option<f64>,
    /// Less than.
    pub lt: Option<f64>,
    /// Less than or equal to.
    pub lte: Option<f64>,
}
