//! [`RowSet`]: which rows of one segment may be retrieved. The lexical side makes these sets (live passages,
//! filters), both retrievers test them inside their loops.

/// A set of row numbers below a fixed length, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSet {
    words: Vec<u64>,
    count: usize,
}

impl RowSet {
    /// The empty set of rows below `rows`.
    pub(crate) fn empty(rows: u32) -> Self {
        Self { words: vec![0; (rows as usize).div_ceil(64)], count: 0 }
    }

    /// Adds `row`; rows beyond the length are ignored.
    pub(crate) fn insert(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            let bit = 1 << (row % 64);
            self.count += usize::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// Whether `row` is in the set.
    #[inline]
    pub(crate) fn contains(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The rows in the set, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let without_lowest = |rest: &u64| Some(rest & (rest - 1)).filter(|&rest| rest != 0);
            let rests = std::iter::successors(Some(word).filter(|&word| word != 0), without_lowest);
            rests.map(move |rest| at as u32 * 64 + rest.trailing_zeros())
        })
    }

    /// Number of rows in the set.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The rows that `other` lacks.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let words: Vec<u64> = self.words.iter().zip(&other.words).map(|(a, b)| a & !b).collect();
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, count }
    }

    /// The rows in both sets.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let words: Vec<u64> = self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect();
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_each_row_once_and_ignores_rows_beyond_its_length() {
        let mut set = RowSet::empty(70);
        for row in [0, 69, 69, 500] {
            set.insert(row);
        }
        assert_eq!(set.len(), 2);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 69]);
        assert!(set.contains(0) && set.contains(69) && !set.contains(1) && !set.contains(500));
    }

    #[test]
    fn intersection_and_difference_have_the_rows_they_are_named_for() {
        let (mut even, mut third) = (RowSet::empty(200), RowSet::empty(200));
        (0..200).step_by(2).for_each(|row| even.insert(row));
        (0..200).step_by(3).for_each(|row| third.insert(row));
        let both = even.intersection(&third);
        assert_eq!(both.len(), 34);
        assert!(both.contains(6) && !both.contains(2) && !both.contains(3));
        let rest = even.difference(&third);
        assert_eq!(rest.len(), 66);
        assert!(rest.contains(2) && !rest.contains(6) && !rest.contains(3));
    }
}
