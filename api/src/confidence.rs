//! Probabilities in words, the same in the terminal, on the wire and on the page.

use alder_engine::{Probability, Verdict};

/// Lower bounds and the words from there up. What is possible is shown as the answer.
const WORDS: [(f32, &str); 7] = [
    (0.95, "almost certain"),
    (0.80, "very likely"),
    (0.65, "likely"),
    (0.50, "more likely than not"),
    (Verdict::SHOWN_FROM, "possible"),
    (0.20, "unlikely"),
    (0.00, "very unlikely"),
];

/// How sure `probability` is, in words that fit after "right answer:".
pub(crate) fn in_words(probability: Probability) -> &'static str {
    let (_, words) =
        WORDS.iter().find(|(from, _)| probability.0 >= *from).unwrap_or(&WORDS[WORDS.len() - 1]);
    words
}

/// As a whole percentage that never rounds to a false 0 or 100.
pub(crate) fn in_percent(probability: Probability) -> String {
    match probability.0 * 100.0 {
        p if p > 0.0 && p < 1.0 => "under 1 %".to_owned(),
        p if p > 99.0 && p < 100.0 => "over 99 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_changes_its_words_at_one_half() {
        assert_eq!(in_words(Probability(0.5)), "more likely than not");
        assert_eq!(in_words(Probability(0.499)), "possible");
        assert_eq!(in_words(Probability(0.349)), "unlikely");
        assert_eq!(in_words(Probability(1.0)), "almost certain");
        assert_eq!(in_words(Probability(0.0)), "very unlikely");
    }

    #[test]
    fn a_percentage_never_claims_certainty_it_has_not() {
        assert_eq!(in_percent(Probability(0.998)), "over 99 %");
        assert_eq!(in_percent(Probability(0.002)), "under 1 %");
        assert_eq!(in_percent(Probability(0.934)), "93 %");
    }
}
