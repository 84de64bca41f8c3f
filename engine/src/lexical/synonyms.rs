//! The synonyms of a collection as its analysers see them: sequences of stems and what they stand for.

use std::collections::HashMap;

use super::analysis::terms;
use super::schema::Analysers;
use crate::Synonyms;

/// A word or several: stem and form of each.
type Sequence = Vec<(String, String)>;

/// Analysed synonyms.
#[derive(Debug, Default)]
pub(super) struct Thesaurus {
    /// By the first stem: the whole sequence, and what it stands for.
    rules: HashMap<String, Vec<(Vec<String>, Vec<Sequence>)>>,
}

impl Thesaurus {
    pub(super) fn new(synonyms: &Synonyms, analysers: &Analysers) -> Self {
        let mut analysers = analysers.clone();
        let mut sequence = |text: &str| -> Sequence {
            let stems = terms(&mut analysers.stemmed, text);
            stems.into_iter().zip(terms(&mut analysers.exact, text)).collect()
        };
        let mut rules: HashMap<_, Vec<_>> = HashMap::new();
        for rule in &synonyms.rules {
            let from: Vec<String> =
                sequence(&rule.from).into_iter().map(|(stem, _)| stem).collect();
            let to: Vec<Sequence> = rule.to.iter().map(|text| sequence(text)).collect();
            if let Some(first) = from.first() {
                rules.entry(first.clone()).or_default().push((from, to));
            }
        }
        Self { rules }
    }

    /// What the `typed` stems stand for besides themselves, each once, at most `most`.
    pub(super) fn of(&self, typed: &[&str], most: usize) -> Vec<&[(String, String)]> {
        let mut found: Vec<&[(String, String)]> = Vec::new();
        if self.rules.is_empty() {
            return found;
        }
        for start in 0..typed.len() {
            for (from, to) in self.rules.get(typed[start]).into_iter().flatten() {
                let matches = typed[start..].len() >= from.len()
                    && from.iter().zip(&typed[start..]).all(|(a, b)| a == b);
                for alternative in to.iter().filter(|_| matches) {
                    let single = |(stem, _): &(String, String)| typed.contains(&stem.as_str());
                    let typed_already = alternative.len() == 1 && alternative.iter().any(single);
                    if found.len() < most
                        && !alternative.is_empty()
                        && !typed_already
                        && !found.contains(&alternative.as_slice())
                    {
                        found.push(alternative);
                    }
                }
            }
        }
        found
    }
}
