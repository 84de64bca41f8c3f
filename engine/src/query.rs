//! [`Query`]: one request for hits and answers, validated before any work.

use crate::{Filter, Generation, QueryError, limits};

/// Which retrievers run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Lexical and dense, fused.
    #[default]
    Hybrid,
    /// BM25 alone.
    Lexical,
    /// Embeddings alone.
    Dense,
}

/// How the two candidate lists become one.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Fusion {
    /// `w · minmax(bm25) + (1 - w) · minmax(cosine)`: the convex combination of Bruch, Gai and Ingber 2023, eq. 3.
    MinMax {
        /// Weight of the lexical list, 0..=1.
        lexical_weight: f32,
    },
    /// The same after mapping mean − 3 σ .. mean + 3 σ of each list to 0..=1: distribution-based score fusion (Mazzeschi
    /// 2023), which one outlier does not squeeze.
    Dbsf {
        /// Weight of the lexical list, 0..=1.
        lexical_weight: f32,
    },
    /// Reciprocal rank fusion, `Σ 1 / (k + rank)` (Cormack, Clarke and Büttcher 2009).
    Rrf {
        /// The constant k; 60 in the paper.
        k: f32,
    },
}

impl Default for Fusion {
    fn default() -> Self {
        Self::MinMax { lexical_weight: Self::LEXICAL_WEIGHT }
    }
}

impl Fusion {
    /// The default weight of the lexical list.
    pub const LEXICAL_WEIGHT: f32 = 0.7;

    /// Checks its parameter.
    ///
    /// # Errors
    /// [`QueryError::Fusion`] naming it and its bounds.
    pub fn validate(&self) -> Result<(), QueryError> {
        match *self {
            Self::MinMax { lexical_weight } | Self::Dbsf { lexical_weight } => {
                within("lexical_weight", lexical_weight, 1.0)
            }
            Self::Rrf { k } => within("k", k, 1e6),
        }
    }
}

/// Whether the parameter `field` is in 0..=`max`.
pub(crate) fn within(field: &'static str, found: f32, max: f32) -> Result<(), QueryError> {
    match (0.0..=max).contains(&found) {
        true => Ok(()),
        false => Err(QueryError::Fusion { field, found, min: 0.0, max }),
    }
}

/// A field to order by. Passages without it come last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Metadata field, or `id`.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

impl std::str::FromStr for Sort {
    type Err = QueryError;

    /// `year`, `year:asc` or `year:desc`.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        let (field, order) = text.rsplit_once(':').unwrap_or((text, "asc"));
        match order {
            "asc" | "desc" if !field.is_empty() => {
                Ok(Self { field: field.to_owned(), descending: order == "desc" })
            }
            _ => Err(QueryError::Field {
                parameter: "sort",
                reason: format!(
                    "expected a field, as in year, year:asc or year:desc, found {text:?}"
                ),
            }),
        }
    }
}

/// Whether the last word of a query is whole, or still being typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastWord {
    /// As any other.
    #[default]
    Whole,
    /// The beginning of a word: search as you type.
    Begun,
}

/// Whether each stage tells how it came to its numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Explain {
    /// Only results.
    #[default]
    No,
    /// Every hit carries an [`crate::Explanation`].
    Yes,
}

/// One request. `Query::new(text)` has the defaults; fields are public to change them.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The question or words.
    pub text: String,
    /// Whether the last word is still being typed.
    pub last_word: LastWord,
    /// Which retrievers run.
    pub mode: Mode,
    /// Hits wanted, 1..=[`limits::LIMIT_MAX`].
    pub limit: usize,
    /// Hits skipped.
    pub offset: usize,
    /// Which passages may be retrieved.
    pub filter: Option<Filter>,
    /// Fields whose values are counted among all hits.
    pub facets: Vec<String>,
    /// Fields by which the list is ordered instead of by score; the first decides, then the next.
    pub sort: Vec<Sort>,
    /// Passages of one document in the list, at most; `None` is any number.
    pub per_document: Option<usize>,
    /// How much passages should differ from those above them, 0 (not at all)..=1.
    pub diversity: f32,
    /// Share of shown answers that may be wrong, 0..=1: an answer is shown as the answer from a probability of
    /// 1 − `risk` on; `None` is from [`crate::Verdict::SHOWN_FROM`].
    pub risk: Option<f32>,
    /// The committed state that must be searched, when the page before came from it.
    pub generation: Option<Generation>,
    /// How lists are fused (ignored when one retriever runs); `None` as the collection was tuned, see
    /// [`crate::Ranking`].
    pub fusion: Option<Fusion>,
    /// Candidates taken from each retriever; at least `limit` are taken. Their union is the list that is paged
    /// through, whatever the page.
    pub candidates: usize,
    /// Top fused passages the reader reads, 0 (no answers, no reranking)..=[`limits::READ_DEPTH_MAX`].
    pub read_depth: usize,
    /// Whether the passages read are reordered by what the reader found.
    pub rerank: Rerank,
    /// Answers wanted at most.
    pub answers: usize,
    /// Whether hits are explained.
    pub explain: Explain,
}

/// Whether reader evidence reorders the hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rerank {
    /// Hits stay in fused order.
    Off,
    /// Hits that were read are reordered among themselves.
    #[default]
    On,
}

impl Query {
    /// A hybrid query for 10 hits and up to 3 answers.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            last_word: LastWord::default(),
            mode: Mode::default(),
            limit: 10,
            offset: 0,
            filter: None,
            facets: Vec::new(),
            sort: Vec::new(),
            per_document: None,
            diversity: 0.0,
            risk: None,
            generation: None,
            fusion: None,
            candidates: limits::CANDIDATES_DEFAULT,
            read_depth: limits::READ_DEPTH_DEFAULT,
            rerank: Rerank::default(),
            answers: 3,
            explain: Explain::default(),
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`QueryError`] naming the field, what was found and the bounds.
    pub fn validate(&self) -> Result<(), QueryError> {
        if self.text.trim().is_empty() {
            return Err(QueryError::Empty);
        }
        let bounds = [
            ("query", "bytes", self.text.len(), 1, limits::QUERY_BYTES),
            ("limit", "hits", self.limit, 1, limits::LIMIT_MAX),
            (
                "offset + limit",
                "hits",
                self.offset.saturating_add(self.limit),
                1,
                limits::WINDOW_MAX,
            ),
            ("candidates", "passages", self.candidates, 1, limits::WINDOW_MAX),
            ("read_depth", "passages", self.read_depth, 0, limits::READ_DEPTH_MAX),
            ("answers", "answers", self.answers, 0, limits::READ_DEPTH_MAX),
            ("facets", "fields", self.facets.len(), 0, limits::FACETS),
            ("sort", "fields", self.sort.len(), 0, limits::SORT_FIELDS),
            ("per_document", "passages", self.per_document.unwrap_or(1), 1, limits::LIMIT_MAX),
        ];
        for (field, unit, found, min, max) in bounds {
            if found < min || found > max {
                let (found, min, max) = (found as u64, min as u64, max as u64);
                return Err(QueryError::OutOfRange { field, unit, found, min, max });
            }
        }
        self.fusion.as_ref().map_or(Ok(()), Fusion::validate)?;
        within("risk", self.risk.unwrap_or(0.0), 1.0)?;
        within("diversity", self.diversity, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_checked_and_named() {
        let with = |change: fn(&mut Query)| {
            let mut query = Query::new("who?");
            change(&mut query);
            query.validate().map_err(|e| e.to_string())
        };
        assert_eq!(with(|_| ()), Ok(()));
        let said = |change, part: &str| {
            let message = with(change).unwrap_err();
            assert!(message.contains(part), "{message}");
        };
        said(|q| q.text = " \n".into(), "empty");
        said(|q| q.limit = 0, "limit must be between 1 and 1000 hits, found 0");
        said(|q| q.offset = usize::MAX, "offset + limit");
        said(
            |q| q.fusion = Some(Fusion::MinMax { lexical_weight: 1.5 }),
            "between 0 and 1, found 1.5",
        );
        said(|q| q.fusion = Some(Fusion::Rrf { k: f32::NAN }), "found NaN");
    }
}
