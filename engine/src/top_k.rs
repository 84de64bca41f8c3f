//! [`TopK`]: the best k rows of one segment, with ties broken the same way whatever order rows arrive in.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Keeps the `k` best `(score, row)`; of equal scores the smaller tie key wins.
#[derive(Debug)]
pub(crate) struct TopK {
    k: usize,
    /// The worst entry kept is on top.
    heap: BinaryHeap<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    score: f32,
    tie: u64,
    row: u32,
}

impl Ord for Entry {
    /// Greater means worse.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.tie.cmp(&other.tie))
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl TopK {
    /// Room for `k` rows.
    pub(crate) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::with_capacity(k.min(4096) + 1) }
    }

    /// Offers a row; `tie` is asked only when the row may be kept.
    #[inline]
    pub(crate) fn push(&mut self, score: f32, row: u32, tie: impl FnOnce(u32) -> u64) {
        if self.floor().is_some_and(|floor| score.total_cmp(&floor).is_lt()) {
            return;
        }
        self.heap.push(Entry { score, tie: tie(row), row });
        if self.heap.len() > self.k {
            self.heap.pop();
        }
    }

    /// The score below which a row is not kept, once there are `k`.
    #[inline]
    pub(crate) fn floor(&self) -> Option<f32> {
        if self.heap.len() < self.k {
            return None;
        }
        self.heap.peek().map(|worst| worst.score)
    }

    /// `(row, score)`, best first.
    pub(crate) fn into_sorted(self) -> Vec<(u32, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|e| (e.row, e.score)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_k_are_those_of_a_full_sort_in_any_order_of_arrival(
            scores in prop::collection::vec(0_u8..6, 0..60), k in 0_usize..20, turn in 0_usize..60,
        ) {
            let mut rows: Vec<(u32, f32)> =
                scores.iter().enumerate().map(|(i, &s)| (i as u32, f32::from(s))).collect();
            let mut top = TopK::new(k);
            let len = rows.len().max(1);
            for i in 0..rows.len() {
                let (row, score) = rows[(i * 7 + turn) % len];
                top.push(score, row, |row| u64::from(row % 10));
            }
            prop_assume!(!len.is_multiple_of(7));
            rows.sort_by(|a, b| b.1.total_cmp(&a.1).then((a.0 % 10, a.0).cmp(&(b.0 % 10, b.0))));
            rows.truncate(k);
            prop_assert_eq!(top.into_sorted(), rows);
        }
    }
}
