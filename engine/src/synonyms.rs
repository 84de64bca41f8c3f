//! [`Synonyms`]: words that a collection takes for each other, read from a small text file.
//!
//! ```text
//! # Words in one line mean the same.
//! car, automobile, motor car
//! # An arrow goes one way: who types the left finds the right as well.
//! nyc => new york city, new york
//! ```

use crate::{QueryError, limits};

/// Groups of words that mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synonyms {
    text: String,
    pub(crate) rules: Vec<Rule>,
}

/// Who types `from` finds each of `to` as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

impl Synonyms {
    /// The synonyms written in `text`.
    ///
    /// # Errors
    /// [`QueryError::Synonyms`] with the line, [`QueryError::OutOfRange`] beyond [`limits::SYNONYMS_BYTES`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > limits::SYNONYMS_BYTES {
            return Err(QueryError::OutOfRange {
                field: "synonyms",
                unit: "bytes",
                found: text.len() as u64,
                min: 0,
                max: limits::SYNONYMS_BYTES as u64,
            });
        }
        let mut rules = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                add(&mut rules, line)
                    .map_err(|reason| QueryError::Synonyms { line: number, reason })?;
            }
        }
        Ok(Self { text: text.to_owned(), rules })
    }

    /// The text they were read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of words that have synonyms.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn add(rules: &mut Vec<Rule>, line: &str) -> Result<(), String> {
    match line.split_once("=>") {
        Some((_, right)) if right.contains("=>") => {
            Err("expected one arrow, as in nyc => new york".into())
        }
        Some((left, right)) => {
            let (left, right) = (words(left)?, words(right)?);
            rules.extend(left.into_iter().map(|from| Rule { from, to: right.clone() }));
            Ok(())
        }
        None => {
            let all = words(line)?;
            if all.len() < 2 {
                return Err("expected words that mean the same, as in car, automobile".into());
            }
            for from in &all {
                let to = all.iter().filter(|word| *word != from).cloned().collect();
                rules.push(Rule { from: from.clone(), to });
            }
            Ok(())
        }
    }
}

/// The words between commas.
fn words(list: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = list.split(',').map(|word| word.trim().to_owned()).collect();
    if words.len() > limits::SYNONYMS_IN_LINE {
        let max = limits::SYNONYMS_IN_LINE;
        return Err(format!("expected at most {max} words, found {}", words.len()));
    }
    match words.iter().any(|word| !word.contains(char::is_alphanumeric)) {
        true => Err("expected words between commas, found none".into()),
        false => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_the_same_and_arrows_go_one_way() {
        let read =
            Synonyms::parse("# cars\ncar, motor car,auto\n\n tv,telly => television ").unwrap();
        let rules: Vec<String> =
            read.rules.iter().map(|r| format!("{} > {}", r.from, r.to.join("|"))).collect();
        assert_eq!(
            rules,
            [
                "car > motor car|auto",
                "motor car > car|auto",
                "auto > car|motor car",
                "tv > television",
                "telly > television"
            ]
        );
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line, words) in [
            ("a, b\nlonely", 2, "mean the same"),
            ("a, , b", 1, "found none"),
            ("a => b => c", 1, "one arrow"),
            ("\n\n=> b", 3, "found none"),
            (&vec!["w"; 65].join(","), 1, "at most 64"),
        ] {
            match Synonyms::parse(text) {
                Err(QueryError::Synonyms { line: found, reason }) => {
                    assert_eq!(found, line, "{text}");
                    assert!(reason.contains(words), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(Synonyms::parse(&"a".repeat(2 << 20)).is_err());
    }
}
