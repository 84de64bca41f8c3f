//! [`SearchRequest`] (JSON body) and [`SearchParameters`] (URL), and the engine query they mean.

use alder_engine::{
    Cursor, Explain, Fusion, Generation, LastWord, Mode, Query, QueryError, Rerank, Sort,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::filter_from_json;

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
    /// `hybrid`, `lexical` or `dense`; by default hybrid, and lexical as you type.
    #[schema(value_type = Option<String>)]
    pub(crate) mode: Option<Mode>,
    /// Whether the last word is still being typed: words that begin with it are found too.
    pub(crate) as_you_type: bool,
    /// Hits wanted.
    pub(crate) limit: Option<usize>,
    /// Hits skipped.
    pub(crate) offset: usize,
    /// `{"must": […], "should": […], "must_not": […]}`, or text such as `lang = en AND year >= 2020`.
    #[schema(value_type = Option<Object>)]
    pub(crate) filter: Option<Value>,
    /// Fields whose values are counted among all hits.
    pub(crate) facets: Vec<String>,
    /// Fields to order by instead of the score: `year`, `year:desc`.
    pub(crate) sort: Vec<String>,
    /// Passages of one document in the list, at most.
    pub(crate) per_document: Option<usize>,
    /// How much passages should differ from those above them, 0 to 1.
    pub(crate) diversity: f32,
    /// Share of shown answers that may be wrong, 0 to 1.
    pub(crate) risk: Option<f32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// The generation that the page before came from.
    pub(crate) generation: Option<u64>,
    /// `{"method": "min_max", "lexical_weight": 0.5}`, `{"method": "dbsf", "lexical_weight": 0.5}` or
    /// `{"method": "rrf", "k": 60}`.
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

/// The same in a URL, where a filter is the short form, or JSON as text.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParameters {
    /// The question or words.
    #[param(example = "What is tea made from?")]
    q: String,
    /// `hybrid`, `lexical` or `dense`; by default hybrid, and lexical as you type.
    #[param(value_type = Option<String>)]
    mode: Option<Mode>,
    /// Whether the last word is still being typed.
    #[param(required = false)]
    as_you_type: bool,
    /// Hits wanted.
    limit: Option<usize>,
    /// Hits skipped.
    #[param(required = false)]
    offset: usize,
    /// A filter in the short form, or JSON as text.
    filter: Option<String>,
    /// Fields whose values are counted, separated by commas.
    facets: Option<String>,
    /// Fields to order by, separated by commas.
    sort: Option<String>,
    /// Passages of one document in the list, at most.
    per_document: Option<usize>,
    /// How much passages should differ from those above them, 0 to 1.
    #[param(required = false)]
    diversity: f32,
    /// Share of shown answers that may be wrong, 0 to 1.
    risk: Option<f32>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// The generation that the page before came from.
    generation: Option<u64>,
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
        // A space says that the word before it is whole.
        let begun = self.as_you_type && !self.q.ends_with(char::is_whitespace);
        let last_word = if begun { LastWord::Begun } else { LastWord::Whole };
        let mode = if self.as_you_type { Mode::Lexical } else { query.mode };
        let query = Query {
            last_word,
            mode: self.mode.unwrap_or(mode),
            limit: self.limit.unwrap_or(query.limit),
            offset: self.offset,
            filter,
            facets: self.facets,
            sort: self.sort.iter().map(|by| by.parse::<Sort>()).collect::<Result<_, _>>()?,
            per_document: self.per_document,
            diversity: self.diversity,
            risk: self.risk,
            generation: self.generation.map(Generation),
            fusion: self.fusion,
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
        let query = match &self.cursor {
            Some(cursor) => cursor.parse::<Cursor>()?.page_of(query)?,
            None => query,
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
        let list = |text: Option<String>| {
            text.map_or(Vec::new(), |text| text.split(',').map(|s| s.trim().to_owned()).collect())
        };
        let filter = self.filter.map(Value::String);
        let request = SearchRequest {
            q: self.q,
            filter,
            facets: list(self.facets),
            sort: list(self.sort),
            per_document: self.per_document,
            diversity: self.diversity,
            risk: self.risk,
            cursor: self.cursor,
            generation: self.generation,
            mode: self.mode,
            as_you_type: self.as_you_type,
            limit: self.limit,
            offset: self.offset,
            rerank: self.rerank,
            answers: self.answers,
            explain: self.explain,
            ..SearchRequest::default()
        };
        request.into_query(purpose)
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
