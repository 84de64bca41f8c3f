//! Searches a [`VectorFile`]: exact scan or walk along its graph, and the choice between them.

use super::file::VectorFile;
use super::format::quantise;
use super::kernel::{Codes, Kernel, Rows};
use super::walk::Place;
use crate::row_set::RowSet;
use crate::top_k::TopK;

/// Rows whose integer products are computed in one go by a scan.
const BLOCK: usize = 256;

/// How much is asked of a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breadth {
    /// Rows wanted.
    pub(super) k: usize,
    /// Rows a walk keeps open if all rows are allowed (`ef` of the paper); recall grows with it, speed falls.
    pub(super) ef: usize,
}

impl Breadth {
    /// What is served when `k` rows are wanted.
    fn of(k: usize) -> Self {
        Self { k, ef: (2 * k).max(super::EF_SEARCH) }
    }
}

impl VectorFile {
    /// The best `k` of the `allowed` documents for a unit vector `query`, as (document number, cosine), best
    /// first. Exact without a graph, or when few documents are allowed.
    pub(crate) fn search(
        &self,
        query: &[f32],
        allowed: &RowSet,
        k: usize,
        tie: &dyn Fn(u32) -> u64,
    ) -> Vec<(u32, f32)> {
        self.find(query, allowed, Breadth::of(k), tie)
    }

    /// The same with a breadth of the caller's choice.
    pub(super) fn find(
        &self,
        query: &[f32],
        allowed: &RowSet,
        breadth: Breadth,
        tie: &dyn Fn(u32) -> u64,
    ) -> Vec<(u32, f32)> {
        if breadth.k == 0 || allowed.len() == 0 || self.rows() == 0 {
            return Vec::new();
        }
        // A walk looks at about `32 · ef / selectivity` rows in the time a scan needs for all allowed ones.
        let worth_a_walk = allowed.len().saturating_pow(2) > 32 * breadth.ef * self.rows();
        let walked = if worth_a_walk { self.walk(query, allowed, breadth, tie) } else { None };
        walked.unwrap_or_else(|| self.scan(query, allowed, breadth.k, tie))
    }

    /// Exact search. Int8 rows are first compared in integers, and those that cannot be among the best are left out.
    pub(super) fn scan(
        &self,
        query: &[f32],
        allowed: &RowSet,
        k: usize,
        tie: &dyn Fn(u32) -> u64,
    ) -> Vec<(u32, f32)> {
        let documents = self.documents();
        let query = QueryCodes::new(self, query);
        let mut top = TopK::new(k);
        let (mut block, mut scores) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        let mut rows = rows_of(documents, allowed);
        loop {
            block.clear();
            block.extend(rows.by_ref().take(BLOCK));
            if block.is_empty() {
                return top.into_sorted();
            }
            query.scores(&block, &mut scores);
            for (&row, score) in block.iter().zip(&scores) {
                if !top.floor().is_some_and(|floor| score + query.error < floor) {
                    top.push(self.score(query.exact, row), documents[row as usize], tie);
                }
            }
        }
    }

    /// Search along the graph, if there is one: the nearest `ef` rows, or as many more as it takes to find `ef` that are
    /// allowed among them when these lie evenly. `None` if that was too few. What is found is scored exactly.
    pub(super) fn walk(
        &self,
        query: &[f32],
        allowed: &RowSet,
        breadth: Breadth,
        tie: &dyn Fn(u32) -> u64,
    ) -> Option<Vec<(u32, f32)>> {
        let documents = self.documents();
        let query = QueryCodes::new(self, query);
        let ef = breadth.ef * self.rows() / allowed.len().clamp(1, self.rows());
        let rank = |rows: &[Place]| {
            let mut top = TopK::new(breadth.k);
            for place in rows {
                let document = documents[place.row as usize];
                if !allowed.contains(document) {
                    continue;
                }
                if top.floor().is_some_and(|floor| place.score + query.error < floor) {
                    break;
                }
                top.push(self.score(query.exact, place.row), document, tie);
            }
            top.into_sorted()
        };
        let found = self.links()?.search(ef, |rows, scores| query.scores(rows, scores), rank);
        (found.len() >= breadth.k.min(allowed.len())).then_some(found)
    }
}

/// A query, and in int8 too when the rows are.
struct QueryCodes<'a> {
    file: &'a VectorFile,
    exact: &'a [f32],
    in_int8: Option<(f32, Vec<i8>, Rows<'a>)>,
    kernel: Kernel,
    /// Most by which a score of [`Self::scores`] is too small.
    error: f32,
}

impl<'a> QueryCodes<'a> {
    fn new(file: &'a VectorFile, exact: &'a [f32]) -> Self {
        let kernel = Kernel::best();
        let Some(rows) = file.rows_in_int8() else {
            return Self { file, exact, in_int8: None, kernel, error: 0.0 };
        };
        let (scale, codes) = quantise(exact);
        // `q·r ≤ s·(q̂·r) + ‖q - s·q̂‖·‖r‖` (Cauchy and Schwarz), and a stored row is a unit vector whose values moved
        // by at most 1/254.
        let lost = exact.iter().zip(&codes).map(|(q, &c)| (q - scale * f32::from(c)).powi(2));
        let longest_row = 1.0 + (exact.len() as f32).sqrt() / 254.0;
        let error = lost.sum::<f32>().sqrt() * longest_row + 1e-5;
        Self { file, exact, in_int8: Some((scale, codes, rows)), kernel, error }
    }

    /// Scores of `which`: of int8 rows in integers, of others exactly.
    #[inline]
    fn scores(&self, which: &[u32], scores: &mut Vec<f32>) {
        match &self.in_int8 {
            Some((scale, codes, rows)) => {
                let query = Codes { codes, scale: *scale };
                self.kernel.products(query, *rows, which, scores);
            }
            None => {
                scores.clear();
                scores.extend(which.iter().map(|&row| self.file.score(self.exact, row)));
            }
        }
    }
}

/// The rows of those `documents`, which are in order, that are allowed.
fn rows_of<'a>(documents: &'a [u32], allowed: &'a RowSet) -> impl Iterator<Item = u32> {
    let mut at = 0;
    allowed.iter().filter_map(move |document| {
        at += first_from(&documents[at..], document);
        (documents.get(at) == Some(&document)).then_some(at as u32)
    })
}

/// Where the first number that is not below `least` is in `sorted`: at once if it is near the beginning.
fn first_from(sorted: &[u32], least: u32) -> usize {
    let mut end = 1;
    while end < sorted.len() && sorted[end - 1] < least {
        end *= 2;
    }
    let start = end / 2;
    start + sorted[start..end.min(sorted.len())].partition_point(|&number| number < least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn allowed_documents_are_found_whatever_lies_between_them(
            numbers in prop::collection::btree_set(0_u32..300, 0..120),
            wanted in prop::collection::btree_set(0_u32..300, 0..120),
        ) {
            let documents: Vec<u32> = numbers.iter().copied().collect();
            let mut allowed = RowSet::empty(300);
            wanted.iter().for_each(|&document| allowed.insert(document));
            let expected: Vec<u32> = (0..).zip(&documents)
                .filter(|(_, document)| wanted.contains(document)).map(|(row, _)| row).collect();
            prop_assert_eq!(rows_of(&documents, &allowed).collect::<Vec<u32>>(), expected);
        }
    }
}
