//! [`Cursor`]: where the next page begins, bound to one query and one generation, so that no hit is shown twice or
//! left out when the collection changes between pages.

use std::fmt;
use std::str::FromStr;

use crate::{Generation, Query, QueryError};

/// Where the next page begins. Its text is opaque: give it back as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) generation: Generation,
    pub(crate) offset: usize,
    /// Hash of the query without its page.
    query: u64,
}

impl Cursor {
    /// The cursor to `offset` hits of `query` in `generation`.
    pub(crate) fn new(query: &Query, generation: Generation, offset: usize) -> Self {
        Self { generation, offset, query: fingerprint(query) }
    }

    /// `query` at the page that the cursor points to.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if it came from another query.
    pub fn page_of(self, query: Query) -> Result<Query, QueryError> {
        if fingerprint(&query) != self.query {
            let reason = "it belongs to another query; give back the query it came with";
            return Err(QueryError::Cursor { reason: reason.into() });
        }
        Ok(Query { offset: self.offset, generation: Some(self.generation), ..query })
    }
}

/// A hash of everything but the page and what does not change the list.
fn fingerprint(query: &Query) -> u64 {
    let plain = Query {
        offset: 0,
        generation: None,
        answers: 0,
        explain: crate::Explain::No,
        facets: Vec::new(),
        ..query.clone()
    };
    let hash = blake3::hash(format!("{plain:?}").as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.generation.0, self.offset, self.query)
    }
}

impl FromStr for Cursor {
    type Err = QueryError;

    /// # Errors
    /// [`QueryError::Cursor`] for what no reply ever said.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        let mut parts = text.split('-');
        let mut part = || parts.next().filter(|part| part.len() <= 20);
        let generation = part().and_then(|p| p.parse().ok()).map(Generation);
        let offset = part().and_then(|p| p.parse().ok());
        let query = part().and_then(|p| u64::from_str_radix(p, 16).ok());
        match (generation, offset, query, parts.next()) {
            (Some(generation), Some(offset), Some(query), None) => {
                Ok(Self { generation, offset, query })
            }
            _ => {
                let reason = format!("{text:?} is not one; give back `next` of a reply as it came");
                Err(QueryError::Cursor { reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_fits_its_query_alone() {
        let query = Query::new("tea");
        let cursor = Cursor::new(&query, Generation(7), 20);
        let read: Cursor = cursor.to_string().parse().unwrap();
        assert_eq!(read, cursor);
        let page = read.page_of(query).unwrap();
        assert_eq!((page.offset, page.generation), (20, Some(Generation(7))));
        assert_eq!(cursor.page_of(page.clone()), Ok(page));
        assert!(cursor.page_of(Query::new("coffee")).is_err());
        for text in ["", "1-2", "1-2-3-4", "a-2-3", "1--3", "١-2-3"] {
            assert!(
                text.parse::<Cursor>().unwrap_err().to_string().contains("as it came"),
                "{text}"
            );
        }
    }
}
