//! [`Rate`]: how many requests a caller may send, by a bucket for each that fills steadily (Turner 1986): a
//! request takes one token, and one that finds none is refused with the time until there is one.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callers that are remembered; beyond that the full buckets, which say nothing, are forgotten.
const CALLERS: usize = 10_000;

/// A bucket for each caller, of as many tokens as come back in a second.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: NonZeroU32,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rate {
    /// At most `per_second` requests a second for each caller; as many may come at once.
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes a token of `caller`, or says how long it has to wait for one.
    ///
    /// # Errors
    /// The wait.
    pub(crate) fn take(&self, caller: u64, now: Instant) -> Result<(), Duration> {
        let rate = f64::from(self.per_second.get());
        let filled = |bucket: &Bucket| {
            (bucket.tokens + now.duration_since(bucket.at).as_secs_f64() * rate).min(rate)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS {
            buckets.retain(|_, bucket| filled(bucket) < rate);
        }
        // Whoever floods with new names finds no room for more of them.
        if buckets.len() >= CALLERS && !buckets.contains_key(&caller) {
            return Err(Duration::from_secs(1));
        }
        let bucket = buckets.entry(caller).or_insert(Bucket { tokens: rate, at: now });
        let tokens = filled(bucket);
        if tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - tokens) / rate));
        }
        *bucket = Bucket { tokens: tokens - 1.0, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(per_second: u32) -> Rate {
        Rate::new(NonZeroU32::new(per_second).unwrap())
    }

    #[test]
    fn a_caller_waits_for_its_own_tokens_and_no_one_elses() {
        let (rate, start) = (rate(2), Instant::now());
        assert_eq!([rate.take(1, start), rate.take(1, start)], [Ok(()), Ok(())]);
        assert_eq!(rate.take(1, start), Err(Duration::from_millis(500)));
        assert_eq!(rate.take(2, start), Ok(()));
        let later = start + Duration::from_millis(500);
        assert_eq!(rate.take(1, later), Ok(()));
        assert!(rate.take(1, later).is_err());
    }

    #[test]
    fn callers_without_end_do_not_take_memory_without_end() {
        let (rate, start) = (rate(1), Instant::now());
        let passed = (0..20_000).filter(|caller| rate.take(*caller, start).is_ok()).count();
        assert_eq!(passed, CALLERS);
        assert_eq!(
            rate.take(50_000, start + Duration::from_secs(2)),
            Ok(()),
            "idle ones make room"
        );
    }

    proptest! {
        #[test]
        fn no_more_pass_than_the_rate_allows(gaps in proptest::collection::vec(0u64..400, 1..200), per_second in 1u32..20) {
            let (rate, start) = (rate(per_second), Instant::now());
            let mut at = Duration::ZERO;
            let mut passed = 0u32;
            for gap in gaps {
                at += Duration::from_millis(gap);
                passed += u32::from(rate.take(7, start + at).is_ok());
            }
            let most = f64::from(per_second) * (1.0 + at.as_secs_f64());
            prop_assert!(f64::from(passed) <= most + 1e-6, "{} > {}", passed, most);
        }
    }
}
