//! [`GrowingLayer`]: the neighbour lists of one layer while [`super::build`] fills them in parallel. Who reads a list
//! needs no lock and may meet it half old and half new: every number in it is a row all the same.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::graph::LayerLists;

/// Ends a list that is not full.
const END: u32 = u32::MAX;
/// Locks of a layer, shared out among its rows.
const LOCKS: usize = 1024;

/// The neighbour lists of one layer.
pub(super) struct GrowingLayer {
    /// Rows of the layer in increasing order; none if it has all.
    members: Vec<u32>,
    capacity: usize,
    /// `capacity` places for each row.
    places: Vec<AtomicU32>,
    locks: Vec<Mutex<()>>,
}

impl GrowingLayer {
    /// Empty lists of a layer with all of `rows` rows.
    pub(super) fn of_all(rows: usize, capacity: usize) -> Self {
        Self::empty(Vec::new(), rows, capacity)
    }

    /// Empty lists of a layer with these rows, which are in increasing order.
    pub(super) fn of(members: Vec<u32>, capacity: usize) -> Self {
        let rows = members.len();
        Self::empty(members, rows, capacity)
    }

    fn empty(members: Vec<u32>, rows: usize, capacity: usize) -> Self {
        let places = (0..rows * capacity).map(|_| AtomicU32::new(END)).collect();
        let locks = (0..LOCKS).map(|_| Mutex::new(())).collect();
        Self { members, capacity, places, locks }
    }

    /// Most neighbours of a row.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The neighbours of `row`; none if it is not on the layer.
    #[inline]
    pub(super) fn read(&self, row: u32) -> impl Iterator<Item = u32> {
        // With the release below: who sees a row in a list sees the lists that were written before it.
        let list = self.list(row).iter().map(|place| place.load(Ordering::Acquire));
        list.take_while(|&row| row != END)
    }

    /// Lets `change` change the list of `row`, at most to the capacity, while no other does.
    pub(super) fn write(&self, row: u32, change: impl FnOnce(&mut Vec<u32>)) {
        let lock = &self.locks[row as usize % LOCKS];
        let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<u32> = self.read(row).collect();
        change(&mut list);
        let ends = std::iter::repeat(END);
        for (place, row) in self.list(row).iter().zip(list.into_iter().chain(ends)) {
            place.store(row, Ordering::Release);
        }
    }

    /// All lists, by row.
    pub(super) fn lists(&self) -> LayerLists {
        let every = 0..(self.places.len() / self.capacity) as u32;
        let rows = if self.members.is_empty() { every.collect() } else { self.members.clone() };
        rows.into_iter().map(|row| (row, self.read(row).collect())).collect()
    }

    /// The memory of the list of `row`.
    #[inline]
    pub(super) fn list(&self, row: u32) -> &[AtomicU32] {
        let at = match &self.members[..] {
            [] => row as usize,
            members => match members.binary_search(&row) {
                Ok(at) => at,
                Err(_) => return &[],
            },
        };
        &self.places[at * self.capacity..][..self.capacity]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::{IntoParallelIterator, ParallelIterator};

    #[test]
    fn no_neighbour_is_lost_when_many_threads_write_the_same_lists() {
        let links = GrowingLayer::of(vec![3, 8], 200);
        (0..400_u32).into_par_iter().for_each(|i| {
            links.write([3, 8][i as usize % 2], |list| list.push(i));
        });
        for (at, (row, mut list)) in links.lists().into_iter().enumerate() {
            list.sort_unstable();
            assert_eq!(row, [3, 8][at]);
            assert_eq!(list, (0..400).filter(|i| i % 2 == at as u32).collect::<Vec<u32>>());
        }
        assert_eq!(links.read(4).count(), 0);
    }
}
