//! Many sequences through a trunk: sorted by length, cut into batches, batches spread over the rayon pool of the
//! caller. candle's own threads belong to the same pool, so nothing is oversubscribed.

use std::ops::Range;

use rayon::prelude::*;

use super::albert::Sequence;
use super::tokenizer::Encoding;
use super::trunk::Trunk;
use crate::Error;

/// Tokens of a batch, padding included: large enough that one pass over the weights serves many rows, small
/// enough that the activations stay in cache and that a few dozen texts already occupy every core.
const BATCH_TOKENS: usize = 1024;

/// Token ids and types of one sequence, special tokens included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// At least `[CLS]` and `[SEP]`.
    pub(crate) ids: Vec<u32>,
    /// As many as `ids`.
    pub(crate) types: Vec<u8>,
}

impl Tokens {
    /// The first `max_length - 1` tokens and `[SEP]` where `encoding` is longer than that.
    pub(crate) fn truncated(mut encoding: Encoding, max_length: usize, sep: u32) -> Self {
        if encoding.ids.len() > max_length {
            encoding.ids.truncate(max_length);
            encoding.types.truncate(max_length);
            encoding.ids[max_length - 1] = sep;
        }
        Self { ids: encoding.ids, types: encoding.types }
    }
}

/// `each` of the hidden states `(T, H)` of every sequence, in the order given.
///
/// # Errors
/// [`Error::Model`] with the words of candle.
pub(crate) fn in_batches<T: Send>(
    trunk: &Trunk,
    sequences: &[Tokens],
    each: impl Fn(&[f32]) -> candle_core::Result<T> + Sync,
) -> Result<Vec<T>, Error> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(sequences[i].ids.len()));
    let run = |range: &Range<usize>| {
        let indices = &order[range.clone()];
        let rows: Vec<Sequence> = indices.iter().map(|&i| borrowed(&sequences[i])).collect();
        let hidden = trunk.forward(&rows)?;
        indices.iter().enumerate().map(|(k, &i)| Ok((i, each(hidden.sequence(k))?))).collect()
    };
    let lengths: Vec<usize> = order.iter().map(|&i| sequences[i].ids.len()).collect();
    let mut done: Vec<(usize, T)> = batches(&lengths, BATCH_TOKENS)
        .par_iter()
        .map(run)
        .collect::<candle_core::Result<Vec<Vec<_>>>>()
        .map_err(failed)?
        .into_iter()
        .flatten()
        .collect();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, value)| value).collect())
}

/// What went wrong in candle, as an error of the engine.
pub(crate) fn failed(error: candle_core::Error) -> Error {
    Error::Model { doing: "running the network", reason: error.to_string() }
}

fn borrowed(tokens: &Tokens) -> Sequence<'_> {
    Sequence { ids: &tokens.ids, types: &tokens.types }
}

/// Ranges of `lengths`, which fall, such that rows times the longest row stays within `budget`; a row longer
/// than the budget is alone.
fn batches(lengths: &[usize], budget: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    while start < lengths.len() {
        let rows = (budget / lengths[start].max(1)).max(1);
        let end = (start + rows).min(lengths.len());
        batches.push(start..end);
        start = end;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_every_row_once_and_keep_the_budget() {
        let lengths = [40, 40, 17, 17, 17, 3, 3, 1];
        let cut = batches(&lengths, 36);
        assert_eq!(cut, [0..1, 1..2, 2..4, 4..6, 6..8]);
        assert!(batches(&[], 36).is_empty());
    }
}
