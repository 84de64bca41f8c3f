//! Queries made from a collection itself, for collections that nobody has judged: for each of some passages a few
//! words of one of its sentences, some of them in other words. The passage is what they should find.
//!
//! Words taken as they stand are found by words; people remember a thing by other words than its author's. So a share
//! of the words ([`OTHER_WORDS`]) is replaced by what the masked-LM head of the model guesses in their place.

use std::collections::HashMap;

use alder_datasets::SplitMix64;
use alder_engine::{Model, PassageKey, Snapshot, sentences};

use super::TuneQuery;

/// Words of a query.
const WORDS: std::ops::RangeInclusive<usize> = 3..=8;
/// Of a hundred words so many are replaced. Not fitted to anything. On 1,581 paragraphs of SQuADShifts new_wiki (training
/// data) made queries still lean to words: they choose a lexical weight of 0.9, people's questions 0.5, and neither choice
/// is better beyond chance, so neither is kept.
const OTHER_WORDS: u64 = 50;
/// Letters of a word worth asking for.
const LETTERS: usize = 4;
/// Guesses looked at for another word.
const GUESSES: usize = 5;

/// Up to `count` queries, evenly spread over the passages of `snapshot`; fewer where sentences are too short.
pub(super) fn queries(
    snapshot: &Snapshot,
    model: &Model,
    count: usize,
) -> anyhow::Result<Vec<TuneQuery>> {
    let mut random = SplitMix64(1);
    let mut out = Vec::new();
    for key in snapshot.spread(count) {
        out.extend(query(snapshot, model, key, &mut random)?);
    }
    Ok(out)
}

fn query(
    snapshot: &Snapshot,
    model: &Model,
    key: PassageKey,
    random: &mut SplitMix64,
) -> anyhow::Result<Option<TuneQuery>> {
    let passage = snapshot.passage(key)?;
    let all: Vec<&str> =
        sentences(&passage.text).iter().filter_map(|span| span.slice(&passage.text)).collect();
    let long: Vec<&str> =
        all.into_iter().filter(|sentence| content(sentence).len() >= *WORDS.start()).collect();
    if long.is_empty() {
        return Ok(None);
    }
    let sentence = long[random.below(long.len() as u64) as usize];
    let mut words = content(sentence);
    let spread = (WORDS.end() - WORDS.start() + 1) as u64;
    let wanted = WORDS.start() + random.below(spread) as usize;
    while words.len() > wanted {
        words.remove(random.below(words.len() as u64) as usize);
    }
    let text = words.into_iter().map(|word| {
        let other = random.below(100) < OTHER_WORDS;
        if other { another(model, sentence, word) } else { word.to_owned() }
    });
    let text = text.collect::<Vec<_>>().join(" ");
    let right = HashMap::from([(super::passage_name(&passage.id), 1)]);
    Ok(Some(TuneQuery { text, right }))
}

/// The words of `sentence` that are worth asking for, each once.
fn content(sentence: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in sentence.split(|c: char| !c.is_alphanumeric()) {
        if word.chars().count() >= LETTERS && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// What else could stand for `word` in `sentence`; the word itself where the model has no guess.
fn another(model: &Model, sentence: &str, word: &str) -> String {
    let masked = sentence.replacen(word, "[MASK]", 1);
    let guesses = model.fill_mask(&masked, GUESSES).unwrap_or_default();
    let fits = |guess: &str| guess.chars().count() >= LETTERS && !guess.eq_ignore_ascii_case(word);
    let guess = guesses.into_iter().map(|guess| guess.token).find(|guess| fits(guess));
    guess.unwrap_or_else(|| word.to_owned())
}
