//! Measures of predicted answers: exact match and F1 as the scripts of SQuAD 1.1 and 2.0 compute them, and
//! for 2.0 the split by answerability and the best no-answer thresholds. All values are percentages.

use std::collections::HashMap;

use crate::Squad;

/// Exact match and F1 over a set of questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct SpanScores {
    /// Percentage of predictions equal to an accepted answer after [`normalise_answer`].
    pub exact: f64,
    /// Mean F1 of the words shared with the best accepted answer, times 100.
    pub f1: f64,
    /// Questions that were scored.
    pub questions: usize,
}

/// What the script of SQuAD 2.0 reports.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Squad2Scores {
    /// Over all scored questions.
    pub all: SpanScores,
    /// Over questions that have an answer.
    pub has_answer: SpanScores,
    /// Over questions without one.
    pub no_answer: SpanScores,
    /// What the best thresholds would give, when no-answer scores were given.
    pub best: Option<BestThresholds>,
}

/// The thresholds on the no-answer score that would have been best on these very questions.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BestThresholds {
    /// Best exact match.
    pub exact: f64,
    /// The threshold it is reached at: above it "no answer" is predicted.
    pub exact_threshold: f64,
    /// Best F1.
    pub f1: f64,
    /// The threshold it is reached at.
    pub f1_threshold: f64,
}

/// `text` in the form in which answers are compared: lower case, without ASCII punctuation, without the words
/// a, an and the, words separated by one space.
pub fn normalise_answer(text: &str) -> String {
    let kept: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let mut out = String::with_capacity(kept.len());
    let mut rest = kept.as_str();
    while let Some(first) = rest.chars().next() {
        // Articles are whole runs of word characters, so "a–b" loses its "a" as well.
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if end == 0 { first.len_utf8() } else { end });
        out.push_str(if matches!(piece, "a" | "an" | "the") { " " } else { piece });
        rest = after;
    }
    words(&out).collect::<Vec<_>>().join(" ")
}

/// Words as Python's `split` sees them, which takes four control characters for spaces as well.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
        .filter(|w| !w.is_empty())
}

/// 1 if the two answers are equal after [`normalise_answer`], 0 otherwise.
pub fn exact_match(gold: &str, predicted: &str) -> f64 {
    f64::from(u8::from(normalise_answer(gold) == normalise_answer(predicted)))
}

/// F1 of the words of two normalised answers, in 0..=1: the harmonic mean of the share of predicted words that
/// are right and of right words that were predicted, counted with repeats. Two answers without words are equal.
pub fn answer_f1(gold: &str, predicted: &str) -> f64 {
    let (gold, predicted) = (normalise_answer(gold), normalise_answer(predicted));
    let (gold_count, predicted_count) = (words(&gold).count(), words(&predicted).count());
    if gold_count == 0 || predicted_count == 0 {
        return f64::from(u8::from(gold_count == predicted_count));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    words(&gold).for_each(|word| *left.entry(word).or_default() += 1);
    let shared = words(&predicted)
        .filter(|word| {
            left.get_mut(word).is_some_and(|n| n.checked_sub(1).map(|m| *n = m).is_some())
        })
        .count();
    2.0 * shared as f64 / (gold_count + predicted_count) as f64
}

/// The best exact match and F1 of `predicted` over the accepted answers.
pub fn best_match<'a>(gold: impl Iterator<Item = &'a str>, predicted: &str) -> (f64, f64) {
    gold.fold((0.0, 0.0), |(exact, f1), gold| {
        (f64::max(exact, exact_match(gold, predicted)), f64::max(f1, answer_f1(gold, predicted)))
    })
}

/// Scores as of SQuAD 1.1: a question without prediction counts as wrong.
pub fn evaluate_squad(squad: &Squad, predictions: &HashMap<String, String>) -> SpanScores {
    SpanScores::of(squad.questions().map(|question| {
        predictions.get(&question.id).map_or((0.0, 0.0), |predicted| {
            best_match(question.answers.iter().map(|a| a.text.as_str()), predicted)
        })
    }))
}

/// Scores as of SQuAD 2.0. A prediction counts as "no answer" if it is empty, or if its no-answer score is above
/// `threshold`; a question without prediction is left out, as in the official script (compare
/// [`SpanScores::questions`]). Among equal no-answer scores the threshold search goes by their order in
/// `no_answer_scores`, as the official one does.
pub fn evaluate_squad2(
    squad: &Squad,
    predictions: &HashMap<String, String>,
    no_answer_scores: Option<&[(String, f64)]>,
    threshold: f64,
) -> Squad2Scores {
    let score_of: HashMap<&str, f64> =
        no_answer_scores.unwrap_or_default().iter().map(|(id, s)| (id.as_str(), *s)).collect();
    let raw: HashMap<&str, RawScore> = squad
        .questions()
        .filter_map(|question| {
            let predicted = predictions.get(&question.id)?;
            let golds = question.answers.iter().map(|a| a.text.as_str());
            let golds: Vec<&str> = golds.filter(|a| !normalise_answer(a).is_empty()).collect();
            let golds = if golds.is_empty() { vec![""] } else { golds };
            let (exact, f1) = best_match(golds.into_iter(), predicted);
            let has_answer = !question.answers.is_empty();
            let raw = RawScore { exact, f1, has_answer, empty: predicted.is_empty() };
            Some((question.id.as_str(), raw))
        })
        .collect();
    let scored: Vec<(bool, (f64, f64))> = squad
        .questions()
        .filter_map(|question| {
            let raw = raw.get(question.id.as_str())?;
            let abstained = score_of.get(question.id.as_str()).is_some_and(|s| *s > threshold);
            let right = f64::from(u8::from(!raw.has_answer));
            Some((raw.has_answer, if abstained { (right, right) } else { (raw.exact, raw.f1) }))
        })
        .collect();
    let part = |wanted: bool| {
        SpanScores::of(scored.iter().filter(|(has, _)| *has == wanted).map(|(_, score)| *score))
    };
    Squad2Scores {
        all: SpanScores::of(scored.iter().map(|(_, score)| *score)),
        has_answer: part(true),
        no_answer: part(false),
        best: no_answer_scores.map(|scores| {
            let (exact, exact_threshold) = best_threshold(&raw, scores, |r| r.exact);
            let (f1, f1_threshold) = best_threshold(&raw, scores, |r| r.f1);
            BestThresholds { exact, exact_threshold, f1, f1_threshold }
        }),
    }
}

/// A prediction scored without any threshold.
struct RawScore {
    exact: f64,
    f1: f64,
    has_answer: bool,
    empty: bool,
}

/// Starts from "no answer" everywhere and admits the predictions from the lowest no-answer score upwards:
/// each adds its score if the question has an answer, and takes one away if it does not but something was
/// predicted. The highest sum on the way decides.
fn best_threshold(
    raw: &HashMap<&str, RawScore>,
    no_answer_scores: &[(String, f64)],
    value: impl Fn(&RawScore) -> f64,
) -> (f64, f64) {
    let mut order: Vec<&(String, f64)> = no_answer_scores.iter().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut current = raw.values().filter(|r| !r.has_answer).count() as f64;
    let (mut best, mut threshold) = (current, 0.0);
    for (id, score) in order {
        let Some(prediction) = raw.get(id.as_str()) else { continue };
        current += match (prediction.has_answer, prediction.empty) {
            (true, _) => value(prediction),
            (false, true) => 0.0,
            (false, false) => -1.0,
        };
        if current > best {
            (best, threshold) = (current, *score);
        }
    }
    (100.0 * best / raw.len().max(1) as f64, threshold)
}

impl SpanScores {
    /// The means, as percentages, of (exact, F1) of each question.
    pub fn of(scores: impl Iterator<Item = (f64, f64)>) -> Self {
        let (exact, f1, questions) =
            scores.fold((0.0, 0.0, 0), |(e, f, n), (exact, f1)| (e + exact, f + f1, n + 1));
        let whole = f64::max(questions as f64, 1.0);
        Self { exact: 100.0 * exact / whole, f1: 100.0 * f1 / whole, questions }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_normalised_as_the_official_scripts_do() {
        for (text, expected) in [
            ("The  U.S. Army!", "us army"),
            ("an apple, a day", "apple day"),
            ("theatre", "theatre"),
            ("the-cat", "thecat"),
            ("a–b", "–b"),
            ("A", ""),
            ("snake_case", "snakecase"),
            ("x\u{1f}y\u{a0}z", "x y z"),
            ("ÉCOLE", "école"),
        ] {
            assert_eq!(normalise_answer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn f1_counts_shared_words_with_repeats() {
        assert_eq!(answer_f1("New York City", "York New"), 0.8);
        assert_eq!(answer_f1("no no no", "no"), 0.5);
        assert_eq!(answer_f1("no", "yes"), 0.0);
        assert_eq!(answer_f1("", "the"), 1.0);
        assert_eq!(answer_f1("", "something"), 0.0);
    }

    proptest! {
        #[test]
        fn exact_and_f1_lie_in_bounds_agree_and_do_not_depend_on_sides(
            a in "[ a-cthe.,é]{0,24}", b in "[ a-cthe.,é]{0,24}",
        ) {
            let (exact, f1) = (exact_match(&a, &b), answer_f1(&a, &b));
            prop_assert!((0.0..=1.0).contains(&f1));
            prop_assert!(f1 >= exact);
            prop_assert_eq!(f1, answer_f1(&b, &a));
            prop_assert_eq!(exact_match(&a, &a) + answer_f1(&a, &a), 2.0);
            prop_assert_eq!(normalise_answer(&normalise_answer(&a)), normalise_answer(&a));
        }
    }
}
