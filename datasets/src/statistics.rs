//! Whether a difference is more than chance, and whether numbers agree: intervals and tests over per-query
//! values, rank correlation, calibration. Everything random is seeded and repeats exactly.

/// A mean with the interval that resampling gives it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// 2.5th percentile of the resampled means.
    pub low: f64,
    /// 97.5th percentile of the resampled means.
    pub high: f64,
}

/// The mean of `values` and its 95 % interval by the percentile bootstrap (Efron and Tibshirani 1993, ch. 13).
/// For a paired comparison give the differences. An empty slice gives zeros.
pub fn bootstrap_interval(values: &[f64], resamples: usize, seed: u64) -> Interval {
    let observed = mean(values);
    let mut means = resampled_means(values, resamples, seed);
    means.sort_by(f64::total_cmp);
    let at = |share: f64| match means.len() {
        0 => observed,
        n => means[(share * (n - 1) as f64).round() as usize],
    };
    Interval { mean: observed, low: at(0.025), high: at(0.975) }
}

/// Two-sided p of the paired bootstrap test that the mean of `differences` is zero: the share of resamples of
/// the centred differences whose mean is at least as far from zero (Efron and Tibshirani 1993, sec. 16.4), with
/// one added above and below so that p is never zero.
pub fn bootstrap_test(differences: &[f64], resamples: usize, seed: u64) -> f64 {
    let observed = mean(differences);
    let centred: Vec<f64> = differences.iter().map(|d| d - observed).collect();
    let means = resampled_means(&centred, resamples, seed);
    p_value(means.into_iter(), observed, resamples)
}

/// Two-sided p of Fisher's randomisation test that the signs of `differences` are chance (Smucker, Allan and
/// Carterette 2007): exact over all sign patterns when there are at most `resamples` of them, otherwise over
/// that many random ones, with one added above and below.
pub fn randomisation_test(differences: &[f64], resamples: usize, seed: u64) -> f64 {
    let observed = mean(differences);
    let signed = |sign: &mut dyn FnMut(usize) -> bool| {
        let flip = |(i, d): (usize, &f64)| if sign(i) { -d } else { *d };
        differences.iter().enumerate().map(flip).sum::<f64>() / differences.len().max(1) as f64
    };
    let patterns = u32::try_from(differences.len()).ok().and_then(|n| 1_usize.checked_shl(n));
    if let Some(patterns) = patterns.filter(|p| *p <= resamples) {
        let far = (0..patterns)
            .filter(|pattern| at_least(signed(&mut |i| pattern >> i & 1 == 1), observed))
            .count();
        return far as f64 / patterns as f64;
    }
    let mut random = SplitMix64(seed);
    let means = (0..resamples).map(|_| signed(&mut |_| random.next() >> 63 == 1));
    p_value(means, observed, resamples)
}

fn resampled_means(values: &[f64], resamples: usize, seed: u64) -> Vec<f64> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut random = SplitMix64(seed);
    let n = values.len() as u64;
    let one = |_| (0..n).map(|_| values[random.below(n) as usize]).sum::<f64>() / n as f64;
    (0..resamples).map(one).collect()
}

fn p_value(means: impl Iterator<Item = f64>, observed: f64, resamples: usize) -> f64 {
    let far = means.filter(|m| at_least(*m, observed)).count();
    (far + 1) as f64 / (resamples + 1) as f64
}

/// Whether `value` is as far from zero as `observed`, up to rounding.
fn at_least(value: f64, observed: f64) -> bool {
    value.abs() >= observed.abs() * (1.0 - 1e-12)
}

/// The mean, 0 for no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Spearman's rank correlation in -1..=1, equal values sharing their mean rank; `None` if the lengths differ,
/// there are fewer than two values, or all values of one side are equal.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (a, b) = (ranks(a), ranks(b));
    let centre = (a.len() as f64 + 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - centre) * (y - centre)).sum()
    };
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| product(&a, &b) / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|x, y| values[*x].total_cmp(&values[*y]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|x, y| values[*x] == values[*y]) {
        let rank = first as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|at| ranks[*at] = rank);
        first += group.len();
    }
    ranks
}

/// Expected calibration error in 0..=1 of (probability, was right): the mean distance between probability and
/// share of right ones over `bins` of equal width, weighted by their size (Guo et al. 2017, eq. 3). `None`
/// without predictions or bins, or if a probability is outside 0..=1.
pub fn expected_calibration_error(predictions: &[(f64, bool)], bins: usize) -> Option<f64> {
    let bad = |(p, _): &(f64, bool)| !(0.0..=1.0).contains(p);
    if predictions.is_empty() || bins == 0 || predictions.iter().any(bad) {
        return None;
    }
    let mut gaps = vec![0.0; bins];
    for (probability, right) in predictions {
        let bin = ((probability * bins as f64) as usize).min(bins - 1);
        gaps[bin] += probability - f64::from(u8::from(*right));
    }
    Some(gaps.iter().map(|gap| gap.abs()).sum::<f64>() / predictions.len() as f64)
}

/// What answering only above a confidence would cost.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RiskPoint {
    /// Answers at least this confident are given.
    pub confidence: f64,
    /// Share of questions answered then.
    pub coverage: f64,
    /// Share of wrong ones among them.
    pub risk: f64,
}

/// One point for each distinct confidence in (confidence, was right), the most confident first
/// (El-Yaniv and Wiener 2010).
pub fn risk_coverage(predictions: &[(f64, bool)]) -> Vec<RiskPoint> {
    let mut sorted = predictions.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut answered, mut wrong) = (0, 0);
    sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| {
            answered += group.len();
            wrong += group.iter().filter(|(_, right)| !right).count();
            let coverage = answered as f64 / predictions.len() as f64;
            RiskPoint { confidence: group[0].0, coverage, risk: wrong as f64 / answered as f64 }
        })
        .collect()
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same on every machine.
#[derive(Debug, Clone)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The next 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless source is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; the bias of at most `bound / 2^64` does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// `count` of the numbers below `of`, all different, in ascending order; all of them if `count >= of`.
    pub fn sample(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..of).collect();
        let count = count.min(of);
        for at in 0..count {
            let other = at + self.below((of - at) as u64) as usize;
            numbers.swap(at, other);
        }
        numbers.truncate(count);
        numbers.sort_unstable();
        numbers
    }
}
