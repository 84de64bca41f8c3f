//! [`Filter`]: which passages may be retrieved at all, decided inside both retrievers before the top k.

mod text;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{QueryError, date};

/// A boolean combination in the shape `{"must": […], "should": […], "must_not": […]}`; from text, the short form
/// `lang = en AND (year >= 2020 OR NOT EXISTS year)`.
///
/// A passage passes if all of `must`, at least one of `should` (when there are any) and none of `must_not` hold.
///
/// ```
/// use alder_engine::{Condition, Filter, Match};
///
/// let filter: Filter = "lang IN [en, de] AND year >= 2020".parse()?;
/// assert_eq!(filter.must.len(), 2);
/// assert!("lang en".parse::<Filter>().is_err());
/// # Ok::<(), alder_engine::QueryError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// All of these hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must: Vec<Condition>,
    /// At least one of these holds, when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub should: Vec<Condition>,
    /// None of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
        /// `{"value": v}`, `{"any": [v, …]}` or `{"prefix": "text"}`.
        r#match: Match,
    },
    /// The metadata field `key` is a number or a date within the bounds.
    Range {
        /// Metadata field.
        key: String,
        /// The bounds.
        range: Range,
    },
    /// The document has the metadata field.
    Exists {
        /// Metadata field.
        exists: String,
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
    /// A text that begins so.
    Prefix(String),
}

/// Bounds of numbers or of dates; absent means unbounded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Range {
    /// Greater than; after the named period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gt: Option<Bound>,
    /// Greater than or equal to; from the beginning of the named period on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gte: Option<Bound>,
    /// Less than; before the named period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lt: Option<Bound>,
    /// Less than or equal to; up to the end of the named period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lte: Option<Bound>,
}

/// A bound of a [`Range`]: a number, or a date in ISO 8601 (`2020-01-31`, `2020-01-31T15:04:05Z`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// A number.
    Number(f64),
    /// A date as it was written; a day is the whole day.
    Date(String),
}

impl From<f64> for Bound {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl FromStr for Bound {
    type Err = QueryError;

    /// # Errors
    /// [`QueryError::Filter`] for what is neither a finite number nor a date.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Self::Number(number)),
            _ if date::period(text).is_some() => Ok(Self::Date(text.to_owned())),
            _ => Err(QueryError::Filter {
                position: format!("{text:?}"),
                reason: "expected a number or a date such as 2020-01-31".into(),
            }),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(date) => f.write_str(date),
        }
    }
}

impl FromStr for Filter {
    type Err = QueryError;

    /// Reads the short form.
    ///
    /// # Errors
    /// [`QueryError::Filter`] with the byte position and what was expected there.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        text::parse(text)
    }
}
