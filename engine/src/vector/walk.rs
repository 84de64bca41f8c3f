//! [`Walker`]: the best-first walk of a graph (algorithm 2 of Malkov and Yashunin, 2018), for searching ([`super::graph`])
//! and building ([`super::build`]) alike. Its memory is kept from walk to walk.

use std::cell::RefCell;

/// A graph and a query, as a walk sees them.
pub(super) trait Ground {
    /// The neighbours of `row`.
    fn neighbours(&self, row: u32) -> impl Iterator<Item = u32>;

    /// Scores of `rows`, the greater the nearer to the query.
    fn scores(&self, rows: &[u32], scores: &mut Vec<f32>);

    /// Told that the neighbours of `row` will probably be asked for soon.
    fn announce(&self, row: u32);
}

/// A row and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Its score.
    pub(super) score: f32,
    /// The row.
    pub(super) row: u32,
    /// Whether its neighbours have been looked at.
    expanded: bool,
}

impl Place {
    /// A row whose neighbours have not been looked at.
    pub(super) fn new(score: f32, row: u32) -> Self {
        Self { score, row, expanded: false }
    }

    /// Whether this is the nearer one; of equal scores the smaller row is.
    #[inline]
    fn is_before(&self, other: &Self) -> bool {
        self.score > other.score || (self.score == other.score && self.row < other.row)
    }
}

/// The memory of walks.
#[derive(Debug, Default)]
pub(super) struct Walker {
    /// The number of the walk in which a row was last seen.
    stamps: Vec<u8>,
    walk: u8,
    /// The nearest rows, best first.
    best: Vec<Place>,
    fresh: Vec<u32>,
    scores: Vec<f32>,
}

thread_local! {
    static WALKER: RefCell<Walker> = RefCell::default();
}

impl Walker {
    /// Lends this thread's walker to `work`, which must not ask for it again.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        WALKER.with_borrow_mut(work)
    }

    /// Up to `ef` rows near the query, best first, found from `starts` on a ground of rows below `rows`.
    #[inline]
    pub(super) fn walk(
        &mut self,
        ground: &impl Ground,
        rows: usize,
        starts: &[Place],
        ef: usize,
    ) -> &[Place] {
        self.begin(rows);
        for start in starts {
            if std::mem::replace(&mut self.stamps[start.row as usize], self.walk) != self.walk {
                offer(&mut self.best, ef, Place { expanded: false, ..*start });
            }
        }
        let mut next = 0;
        while let Some(ahead) = self.best[next..].iter().position(|place| !place.expanded) {
            next += ahead;
            let place = &mut self.best[next];
            place.expanded = true;
            let row = place.row;
            self.fresh.clear();
            for neighbour in ground.neighbours(row) {
                let stamp = &mut self.stamps[neighbour as usize];
                if *stamp != self.walk {
                    *stamp = self.walk;
                    self.fresh.push(neighbour);
                }
            }
            if let Some(second) = self.best[next..].iter().find(|place| !place.expanded) {
                ground.announce(second.row);
            }
            ground.scores(&self.fresh, &mut self.scores);
            for (&row, &score) in self.fresh.iter().zip(&self.scores) {
                next = next.min(offer(&mut self.best, ef, Place::new(score, row)));
            }
        }
        &self.best
    }

    fn begin(&mut self, rows: usize) {
        if self.stamps.len() < rows {
            self.stamps.resize(rows, 0);
        }
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.stamps.fill(0);
            self.walk = 1;
        }
        self.best.clear();
    }
}

/// Puts `place` among the best `ef`; returns where, or `ef` if it is not among them.
#[inline]
fn offer(best: &mut Vec<Place>, ef: usize, place: Place) -> usize {
    if best.len() >= ef {
        if !best.last().is_some_and(|worst| place.is_before(worst)) {
            return ef;
        }
        best.pop();
    }
    let at = best.partition_point(|other| other.is_before(&place));
    best.insert(at, place);
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_places_are_those_of_a_full_sort(
            scores in prop::collection::vec(0_u8..9, 0..80), ef in 1_usize..30
        ) {
            let places = (0..).zip(&scores).map(|(row, &s)| Place::new(f32::from(s), row));
            let mut sorted: Vec<Place> = places.clone().collect();
            sorted.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
            sorted.truncate(ef);
            let mut best = Vec::new();
            for place in places {
                let at = offer(&mut best, ef, place);
                prop_assert_eq!(best.get(at).copied().filter(|found| *found == place).is_some(), at < ef);
            }
            prop_assert_eq!(best, sorted);
        }
    }

    /// Rows in a circle, each linked to the next two; the score falls with the distance from `query`.
    struct Circle {
        rows: u32,
        query: u32,
    }

    impl Ground for Circle {
        fn neighbours(&self, row: u32) -> impl Iterator<Item = u32> {
            [(row + 1) % self.rows, (row + 2) % self.rows].into_iter()
        }
        fn scores(&self, rows: &[u32], scores: &mut Vec<f32>) {
            scores.clear();
            scores.extend(rows.iter().map(|&row| -(row.abs_diff(self.query) as f32)));
        }
        fn announce(&self, _: u32) {}
    }

    #[test]
    fn a_walker_forgets_earlier_walks_even_when_its_numbers_begin_anew() {
        let mut walker = Walker::default();
        for turn in 0..600 {
            let ground = Circle { rows: 90, query: turn % 90 };
            let start = Place::new(-(ground.query as f32), 0);
            let found = walker.walk(&ground, 90, &[start], 90);
            assert_eq!(found.len(), 90);
            assert_eq!(found[0].row, ground.query);
        }
    }
}
