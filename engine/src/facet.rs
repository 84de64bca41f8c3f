//! [`Facet`]: how many hits have which value of a metadata field. Counted over the whole ranked list, so the counts are
//! those that paging through it shows.

use serde::Serialize;
use serde_json::Value;

/// The values of one field among the hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// The most frequent values, most hits first, equal counts in order of the value.
    pub values: Vec<FacetValue>,
    /// Hits for values that are not listed (a hit counts once for each of its values).
    pub other: usize,
    /// Hits without the field.
    pub missing: usize,
}

/// A metadata field that documents have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldStats {
    /// Its name.
    pub name: String,
    /// Its different values; those of deleted documents count until segments are merged.
    pub values: usize,
    /// Whether these are all; otherwise counting ended there.
    pub complete: bool,
}

/// One value with its hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FacetValue {
    /// A string, number or boolean.
    pub value: Value,
    /// Hits that have it.
    pub count: usize,
}
