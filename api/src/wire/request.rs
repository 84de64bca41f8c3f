//! [`SearchRequest`] (JSON body) and [`SearchParameters`] (URL), and the engine query they mean.

use alder_engine::{Explain, Fusion, Mode, Query, QueryError, Rerank};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{filter_from_json, filter_from_text};

/// Which of the two questions is asked of the same machinery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Ranked passages; nothing is read unless asked for.
    Search,
    /// Ranked passages and the answers found in the best of them.
    Ask,
}

/// Body of `POST /v1/search` and `POST /v1/ask`; absent fields have the engine's defaults.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SearchRequest {
    /// The question or words.
    pub(crate) q: String,
    /// `hybrid`, `lexical` or `dense`.
    #[schema(value_type = String, example = "hybrid")]
    pub(crate) mode: Mode,
    /// Hits wanted.
    pub(crate) limit: Option<usize>,
    /// Hits skipped.
    pub(crate) offset: usize,
    /// `{"must": […], "should": […], "must_not": […]}`.
    #[schema(value_type = Option<Object>)]
    pub(crate) filter: Option<Value>,
    /// `{"method": "min_max", "lexical_weight": 0.5}` or `{"method": "rrf", "k": 60}`.
    #[schema(value_type = Option<Object>)]
    pub(crate) fusion: Option<Fusion>,
    /// Passages taken from each retriever.
    pub(crate) candidates: Option<usize>,
    /// Passages read for answers and reranking.
    pub(crate) read_depth: Option<usize>,
    /// Whether the passages read are reordered by what was read.
    pub(crate) rerank: Option<bool>,
    /// Answers wanted.
    pub(crate) answers: Option<usize>,
    /// Whether every hit tells how it came to its score.
    pub(crate) explain: bool,
}

/// The same in a URL, where a filter is JSON text.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParameters {
    /// The question or words.
    #[param(example = "What is tea made from?")]
    q: String,
    /// `hybrid`, `lexical` or `dense`.
    #[param(value_type = String, required = false)]
    mode: Mode,
    /// Hits wanted.
    limit: Option<usize>,
    /// Hits skipped.
    #[param(required = false)]
    offset: usize,
    /// A filter as JSON text.
    filter: Option<String>,
    /// Whether the passages read are reordered by what was read.
    rerank: Option<bool>,
    /// Answers wanted.
    answers: Option<usize>,
    /// Whether every hit tells how it came to its score.
    #[param(required = false)]
    explain: bool,
}

impl SearchRequest {
    /// The engine's query, checked.
    ///
    /// # Errors
    /// [`QueryError`] naming the field.
    pub(crate) fn into_query(self, purpose: Purpose) -> Result<Query, QueryError> {
        let filter = self.filter.as_ref().map(filter_from_json).transpose()?;
        let query = Query::new(self.q.trim());
        let reads = purpose == Purpose::Ask || self.rerank == Some(true);
        let query = Query {
            mode: self.mode,
            limit: self.limit.unwrap_or(query.limit),
            offset: self.offset,
            filter,
            fusion: self.fusion.unwrap_or(query.fusion),
            candidates: self.candidates.unwrap_or(query.candidates),
            read_depth: self.read_depth.unwrap_or(if reads { query.read_depth } else { 0 }),
            rerank: if self.rerank.unwrap_or(reads) { Rerank::On } else { Rerank::Off },
            answers: match purpose {
                Purpose::Search => 0,
                Purpose::Ask => self.answers.unwrap_or(query.answers),
            },
            explain: if self.explain { Explain::Yes } else { Explain::No },
            ..query
        };
        query.validate()?;
        Ok(query)
    }
}

impl SearchParameters {
    /// The engine's query, checked.
    ///
    /// # Errors
    /// [`QueryError`] naming the field.
    pub(crate) fn into_query(self, purpose: Purpose) -> Result<Query, QueryError> {
        let filter = self.filter.as_deref().map(filter_from_text).transpose()?;
        let request = SearchRequest {
            q: self.q,
            mode: self.mode,
            limit: self.limit,
            offset: self.offset,
            rerank: self.rerank,
            answers: self.answers,
            explain: self.explain,
            ..SearchRequest::default()
        };
        Ok(Query { filter, ..request.into_query(purpose)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_reads_nothing_unless_it_is_asked_to() {
        let request = |body: &str| serde_json::from_str::<SearchRequest>(body).unwrap();
        let plain = request(r#"{"q": "tea"}"#).into_query(Purpose::Search).unwrap();
        assert_eq!((plain.read_depth, plain.rerank, plain.answers), (0, Rerank::Off, 0));
        let reranked =
            request(r#"{"q": "tea", "rerank": true}"#).into_query(Purpose::Search).unwrap();
        assert_eq!((reranked.rerank, reranked.answers), (Rerank::On, 0));
        assert!(reranked.read_depth > 0);
        let asked = request(r#"{"q": "tea"}"#).into_query(Purpose::Ask).unwrap();
        assert_eq!(asked, Query::new("tea"));
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = serde_json::from_str::<SearchRequest>(r#"{"q": "a", "limt": 3}"#).unwrap_err();
        assert!(error.to_string().contains("`limt`"), "{error}");
    }
}
