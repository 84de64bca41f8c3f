//! What the user typed, as terms: words to score, phrases that must be there, words that must not.
//! Nothing typed is an error; signs without meaning are skipped.

use std::collections::BTreeMap;

use tantivy::tokenizer::TextAnalyzer;

use super::schema::Analysers;

/// An analysed query.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Analysed {
    /// Distinct words in order of their stem.
    pub(super) words: Vec<Word>,
    /// `"…"`: the terms follow each other in the text.
    pub(super) phrases: Vec<Vec<String>>,
    /// `-word`: the text does not contain it (several terms: not in this order).
    pub(super) excluded: Vec<Vec<String>>,
}

/// Words of one stem.
#[derive(Debug, PartialEq)]
pub(super) struct Word {
    pub(super) stem: String,
    /// Each form typed, with how often.
    pub(super) forms: BTreeMap<String, usize>,
}

impl Word {
    /// How often any form was typed.
    pub(super) fn count(&self) -> usize {
        self.forms.values().sum()
    }
}

/// The terms of `text`.
pub(super) fn analyse(analysers: &Analysers, text: &str) -> Analysed {
    let mut analysers = analysers.clone();
    let mut analysed = Analysed::default();
    let mut scored = String::with_capacity(text.len());
    for (index, part) in split_quoted(text).into_iter().enumerate() {
        if index % 2 == 1 {
            let phrase = terms(&mut analysers.exact, part);
            analysed.phrases.extend((phrase.len() > 1).then_some(phrase));
            scored.push_str(part);
        } else {
            for word in part.split_inclusive(char::is_whitespace) {
                match word.strip_prefix('-') {
                    Some(rest) if rest.starts_with(char::is_alphabetic) => {
                        analysed.excluded.push(terms(&mut analysers.exact, rest));
                    }
                    _ => scored.push_str(word),
                }
            }
        }
        scored.push(' ');
    }
    let exact = terms(&mut analysers.exact, &scored);
    let stems = terms(&mut analysers.stemmed, &scored);
    let mut words: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    // Both analysers cut the text alike, so terms pair up.
    for (stem, form) in stems.into_iter().zip(exact) {
        *words.entry(stem).or_default().entry(form).or_default() += 1;
    }
    analysed.excluded.retain(|terms| !terms.is_empty());
    analysed.words = words.into_iter().map(|(stem, forms)| Word { stem, forms }).collect();
    analysed
}

/// `text` cut at its quotes: parts at odd places were quoted. A quote without a partner is plain text.
fn split_quoted(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split('"').collect();
    if parts.len().is_multiple_of(2) {
        let whole_tail = parts[..parts.len() - 2].iter().map(|part| part.len() + 1).sum::<usize>();
        parts.truncate(parts.len() - 2);
        parts.push(&text[whole_tail..]);
    }
    parts
}

fn terms(analyser: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    analyser.token_stream(text).process(&mut |token| terms.push(token.text.clone()));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::schema::analysers;
    use proptest::prelude::*;

    fn words(analysed: &Analysed) -> Vec<(&str, usize)> {
        analysed.words.iter().map(|word| (word.stem.as_str(), word.count())).collect()
    }

    #[test]
    fn forms_of_one_word_share_a_stem_and_are_counted() {
        let analysed = analyse(&analysers(), "Why do cells divide? A cell divides; cells!");
        assert!(words(&analysed).contains(&("cell", 3)), "{analysed:?}");
        assert!(words(&analysed).contains(&("divid", 2)), "{analysed:?}");
    }

    #[test]
    fn quotes_make_phrases_and_a_leading_minus_excludes() {
        let analysed = analyse(&analysers(), r#"treaty "War and Peace" -novel T-cell -7 - "open"#);
        assert_eq!(analysed.phrases, [["war", "and", "peace"].map(String::from).to_vec()]);
        assert_eq!(analysed.excluded, [["novel".to_string()].to_vec()]);
        let stems: Vec<_> = words(&analysed).into_iter().map(|(stem, _)| stem).collect();
        assert_eq!(stems, ["7", "and", "cell", "open", "peac", "t", "treati", "war"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_query(text in "[ab \"\\-é\u{4e2d}\\s]{0,40}|.{0,40}") {
            let analysed = analyse(&analysers(), &text);
            prop_assert!(analysed.words.iter().all(|word| word.count() > 0));
        }
    }
}
