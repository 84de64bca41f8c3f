//! The order in which a ranked list is shown, and which of it: at most n passages of one document, passages that
//! differ, or sorted by a field. Works on the whole list, so it does not depend on the page.

use std::collections::HashMap;

use crate::fusion::FusedCandidate;
use crate::{Error, Query, Snapshot, Sort, limits};

/// `fused`, best first, as `query` wants it grouped and diversified.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn arrange(
    snapshot: &Snapshot,
    query: &Query,
    fused: Vec<FusedCandidate>,
) -> Result<Vec<FusedCandidate>, Error> {
    let kept = match query.per_document {
        Some(most) => group(snapshot, fused, most)?,
        None => fused,
    };
    if query.diversity == 0.0 { Ok(kept) } else { diversify(snapshot, kept, query.diversity) }
}

/// The best `most` passages of each document, in the order they had.
fn group(
    snapshot: &Snapshot,
    fused: Vec<FusedCandidate>,
    most: usize,
) -> Result<Vec<FusedCandidate>, Error> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut kept = Vec::with_capacity(fused.len());
    for candidate in fused {
        let count = seen.entry(snapshot.document_of(candidate.key)?).or_default();
        *count += 1;
        if *count <= most {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

/// The first [`limits::DIVERSITY_DEPTH`] candidates in the order of maximal marginal relevance (Carbonell and
/// Goldstein 1998): each next one maximises `(1 - d) · score − d · cosine to the most similar one before it`, with
/// scores divided by the best.
fn diversify(
    snapshot: &Snapshot,
    mut rest: Vec<FusedCandidate>,
    diversity: f32,
) -> Result<Vec<FusedCandidate>, Error> {
    let tail = rest.split_off(rest.len().min(limits::DIVERSITY_DEPTH));
    let best = rest.iter().map(|c| c.score.0).fold(f32::MIN_POSITIVE, f32::max);
    let mut waiting: Vec<(FusedCandidate, Vec<f32>, f32)> = Vec::with_capacity(rest.len());
    for candidate in rest {
        let vector = snapshot.vector(candidate.key)?;
        waiting.push((candidate, vector, 0.0));
    }
    let mut chosen = Vec::with_capacity(waiting.len() + tail.len());
    while !waiting.is_empty() {
        let worth = |(candidate, _, nearest): &(FusedCandidate, Vec<f32>, f32)| {
            (1.0 - diversity) * candidate.score.0 / best - diversity * nearest
        };
        // Of equal ones the first: it ranked higher.
        let mut next = 0;
        for i in 1..waiting.len() {
            if worth(&waiting[i]) > worth(&waiting[next]) {
                next = i;
            }
        }
        let (candidate, vector, _) = waiting.remove(next);
        for (_, other, nearest) in &mut waiting {
            let cosine: f32 = vector.iter().zip(other.iter()).map(|(a, b)| a * b).sum();
            *nearest = nearest.max(cosine);
        }
        chosen.push(candidate);
    }
    chosen.extend(tail);
    Ok(chosen)
}

/// The order of `list` by the fields in `sort`: positions in it. Passages without a field come last, equal ones stay
/// in their order.
///
/// # Errors
/// [`Error::Query`] for a field that no document has, [`Error::Store`].
pub(crate) fn sorted(
    snapshot: &Snapshot,
    list: &[FusedCandidate],
    sort: &[Sort],
) -> Result<Vec<usize>, Error> {
    let mut keys = vec![Vec::with_capacity(sort.len()); list.len()];
    for by in sort {
        let values = snapshot.sort_keys(list.iter().map(|c| c.key), by)?;
        keys.iter_mut().zip(values).for_each(|(key, value)| key.push(value));
    }
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&a, &b| {
        let compared =
            sort.iter().zip(keys[a].iter().zip(&keys[b])).map(|(by, (a, b))| match (a, b) {
                (Some(a), Some(b)) if by.descending => b.cmp(a),
                (Some(a), Some(b)) => a.cmp(b),
                (None, None) => std::cmp::Ordering::Equal,
                (None, _) => std::cmp::Ordering::Greater,
                (_, None) => std::cmp::Ordering::Less,
            });
        compared.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    Ok(order)
}
