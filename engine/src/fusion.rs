//! Two ranked lists become one: [`fuse`] is the only place where scores of different kinds meet.

use std::collections::HashMap;

use crate::{Bm25, Candidate, Cosine, Fused, Fusion, PassageKey};

/// A passage after fusion, with what each retriever said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FusedCandidate {
    /// Which passage.
    pub key: PassageKey,
    /// Sum of `parts`.
    pub score: Fused,
    /// Score and rank (from 1) in the lexical list.
    pub lexical: Option<(Bm25, usize)>,
    /// Score and rank (from 1) in the dense list.
    pub dense: Option<(Cosine, usize)>,
    /// What the fusion makes of each list's score, before its weight: lexical, dense.
    pub normalised: [f32; 2],
    /// Weight of each list.
    pub weights: [f32; 2],
    /// Part of each list in `score`: weight times normalised. Their sum is `score`.
    pub parts: [f32; 2],
}

/// The union of both lists, best first; equal scores in order of the key, so that results are stable.
///
/// With [`Fusion::MinMax`] a list's scores are first mapped to 0..=1 by its own minimum and maximum; a passage
/// absent from a list gets 0 from it. When one list is empty the other keeps its order.
pub fn fuse(
    lexical: &[Candidate<Bm25>],
    dense: &[Candidate<Cosine>],
    fusion: Fusion,
) -> Vec<FusedCandidate> {
    let lexical_scores: Vec<f32> = lexical.iter().map(|c| c.score.0).collect();
    let dense_scores: Vec<f32> = dense.iter().map(|c| c.score.0).collect();
    let weights = match fusion {
        Fusion::MinMax { lexical_weight } | Fusion::Dbsf { lexical_weight } => {
            [lexical_weight, 1.0 - lexical_weight]
        }
        Fusion::Rrf { .. } => [1.0, 1.0],
    };
    let mut fused: HashMap<PassageKey, FusedCandidate> = HashMap::new();
    for (i, normalised) in normalised(&lexical_scores, fusion).into_iter().enumerate() {
        let entry = fused.entry(lexical[i].key).or_insert_with(|| absent(lexical[i].key));
        entry.lexical = Some((lexical[i].score, i + 1));
        entry.normalised[0] = normalised;
    }
    for (i, normalised) in normalised(&dense_scores, fusion).into_iter().enumerate() {
        let entry = fused.entry(dense[i].key).or_insert_with(|| absent(dense[i].key));
        entry.dense = Some((dense[i].score, i + 1));
        entry.normalised[1] = normalised;
    }
    let mut fused: Vec<_> = fused.into_values().collect();
    for candidate in &mut fused {
        candidate.weights = weights;
        candidate.parts = [0, 1].map(|i| weights[i] * candidate.normalised[i]);
        candidate.score = Fused(candidate.parts[0] + candidate.parts[1]);
    }
    fused.sort_by(|a, b| b.score.0.total_cmp(&a.score.0).then(a.key.cmp(&b.key)));
    fused
}

fn absent(key: PassageKey) -> FusedCandidate {
    let (normalised, weights, parts) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    FusedCandidate {
        key,
        score: Fused(0.0),
        lexical: None,
        dense: None,
        normalised,
        weights,
        parts,
    }
}

/// What the fusion makes of each entry of one list, best first, before its weight.
fn normalised(scores: &[f32], fusion: Fusion) -> Vec<f32> {
    match fusion {
        Fusion::Rrf { k } => (1..=scores.len()).map(|rank| 1.0 / (k + rank as f32)).collect(),
        Fusion::Dbsf { .. } => {
            let (mean, deviation) = moments(scores);
            let range = 6.0 * deviation;
            let inside = |s: &f32| ((s - mean) / range + 0.5).clamp(0.0, 1.0);
            scores.iter().map(|s| if range > 0.0 { inside(s) } else { 0.5 }).collect()
        }
        Fusion::MinMax { .. } => {
            let max = scores.iter().copied().fold(f32::MIN, f32::max);
            let min = scores.iter().copied().fold(f32::MAX, f32::min);
            let range = max - min;
            scores.iter().map(|s| if range > 0.0 { (s - min) / range } else { 1.0 }).collect()
        }
    }
}

/// Mean and standard deviation.
fn moments(scores: &[f32]) -> (f32, f32) {
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / count;
    let variance = scores.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum::<f64>() / count;
    (mean as f32, variance.sqrt() as f32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list<S>(scores: &[(u32, f32)], kind: impl Fn(f32) -> S) -> Vec<Candidate<S>> {
        let mut sorted = scores.to_vec();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        let candidate =
            |(row, s)| Candidate { key: PassageKey { segment: 0, row }, score: kind(s) };
        sorted.into_iter().map(candidate).collect()
    }

    fn order(fused: &[FusedCandidate]) -> Vec<u32> {
        fused.iter().map(|c| c.key.row).collect()
    }

    #[test]
    fn min_max_weighs_normalised_scores() {
        let lexical = list(&[(1, 10.0), (2, 8.0), (3, 0.0)], Bm25);
        let dense = list(&[(2, 0.9), (3, 0.8), (4, 0.1)], Cosine);
        let fused = fuse(&lexical, &dense, Fusion::MinMax { lexical_weight: 0.5 });
        assert_eq!(order(&fused), [2, 1, 3, 4]);
        assert!((fused[0].score.0 - (0.5 * 0.8 + 0.5)).abs() < 1e-6);
        assert_eq!(fused[0].dense, Some((Cosine(0.9), 1)));
    }

    #[test]
    fn rrf_adds_reciprocal_ranks() {
        let fused = fuse(
            &list(&[(1, 3.0), (2, 2.0)], Bm25),
            &list(&[(2, 0.5)], Cosine),
            Fusion::Rrf { k: 60.0 },
        );
        assert_eq!(order(&fused), [2, 1]);
        assert!((fused[0].score.0 - (1.0 / 62.0 + 1.0 / 61.0)).abs() < 1e-7);
    }

    #[test]
    fn dbsf_places_scores_by_mean_and_deviation() {
        let lexical = list(&[(1, 4.0), (2, 0.0)], Bm25);
        let dense = list(&[(3, 0.5)], Cosine);
        let fused = fuse(&lexical, &dense, Fusion::Dbsf { lexical_weight: 0.6 });
        // Mean 2, deviation 2: 4 is one deviation up, (1 / 6 + 1 / 2) of the way.
        assert_eq!(order(&fused), [1, 2, 3]);
        assert!((fused[0].score.0 - 0.6 * (1.0 / 6.0 + 0.5)).abs() < 1e-6);
        assert!((fused[2].score.0 - 0.4 * 0.5).abs() < 1e-6, "one score alone is the mean");
    }

    fn any_fusion() -> impl Strategy<Value = Fusion> {
        prop_oneof![
            (0.0_f32..=1.0).prop_map(|lexical_weight| Fusion::MinMax { lexical_weight }),
            (0.0_f32..=1.0).prop_map(|lexical_weight| Fusion::Dbsf { lexical_weight }),
            (0.0_f32..100.0).prop_map(|k| Fusion::Rrf { k }),
        ]
    }

    fn any_list() -> impl Strategy<Value = Vec<(u32, f32)>> {
        proptest::collection::btree_map(0u32..40, -1.0f32..30.0, 0..30)
            .prop_map(|m| m.into_iter().collect())
    }

    proptest! {
        #[test]
        fn one_list_alone_keeps_its_order(scores in any_list(), rrf: bool) {
            let fusion = if rrf { Fusion::Rrf { k: 60.0 } } else { Fusion::default() };
            let lexical = list(&scores, Bm25);
            let fused = fuse(&lexical, &[], fusion);
            prop_assert_eq!(fused.len(), lexical.len());
            for (f, l) in fused.iter().zip(&lexical) {
                prop_assert_eq!(f.lexical.map(|(s, _)| s), Some(l.score));
            }
        }

        #[test]
        fn parts_sum_to_the_score_and_every_candidate_appears_once(
            a in any_list(), b in any_list(), fusion in any_fusion(),
        ) {
            let fused = fuse(&list(&a, Bm25), &list(&b, Cosine), fusion);
            let mut rows = order(&fused);
            rows.sort_unstable();
            let mut union: Vec<u32> = a.iter().chain(&b).map(|(r, _)| *r).collect();
            union.sort_unstable();
            union.dedup();
            prop_assert_eq!(rows, union);
            prop_assert!(fused.iter().all(|c| c.score.0 == c.parts[0] + c.parts[1]));
            prop_assert!(fused.is_sorted_by(|a, b| a.score.0 >= b.score.0));
        }
    }
}
