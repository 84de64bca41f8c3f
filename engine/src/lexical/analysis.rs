//! What the user typed, as terms: words to score, beginnings of words, and what the text must or must not have.

use std::collections::BTreeMap;

use tantivy::tokenizer::TextAnalyzer;

use super::schema::Analysers;
use super::words::is_unspaced;
use crate::syntax::{Demand, Form, Scope, Typed};
use crate::{LastWord, limits};

/// An analysed query.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Analysed {
    /// Distinct words in order of their stem.
    pub(super) words: Vec<Word>,
    /// The words as typed, in order: stem and form.
    pub(super) sequence: Vec<(String, String)>,
    /// Beginnings of words.
    pub(super) prefixes: Vec<String>,
    /// What the passages must and must not have.
    pub(super) constraints: Vec<Constraint>,
    /// Operators beyond [`limits::QUERY_OPERATORS`].
    pub(super) operators_left_out: usize,
}

/// Words of one stem.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) stem: String,
    /// Each form typed, with how often.
    pub(super) forms: BTreeMap<String, usize>,
}

/// The fields a constraint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Title, headings or body.
    Anywhere,
    Title,
    Headings,
    Body,
    Exact,
}

/// What a passage must or must not have.
#[derive(Debug, PartialEq)]
pub(super) struct Constraint {
    /// Whether it must or must not have it, or (a phrase) should.
    pub(super) demand: Demand,
    pub(super) place: Place,
    pub(super) form: Form,
    /// Unstemmed terms, at least one.
    pub(super) terms: Vec<String>,
    /// Their stems.
    pub(super) stems: Vec<String>,
}

impl Constraint {
    /// Whether it is a phrase anywhere in the text, without a sign.
    pub(super) fn is_quoted(&self) -> bool {
        (self.demand, self.place, self.form) == (Demand::May, Place::Anywhere, Form::Phrase)
    }
}

/// The terms of what was typed.
pub(super) fn analyse(analysers: &Analysers, typed: &Typed<'_>, last: LastWord) -> Analysed {
    let mut analysers = analysers.clone();
    let mut analysed = Analysed::default();
    let mut scored = String::new();
    let mut operators = 0;
    let said = typed.parts.iter().rposition(|part| part.is_said());
    for (index, part) in typed.parts.iter().enumerate() {
        let begun = last == LastWord::Begun && Some(index) == said && part.form == Form::Word;
        let form = if begun { Form::Prefix } else { part.form };
        let place = match part.scope {
            Scope::Field(_) => continue,
            Scope::Text => Place::Anywhere,
            Scope::Title => Place::Title,
            Scope::Headings => Place::Headings,
            Scope::Body => Place::Body,
            Scope::Exact => Place::Exact,
        };
        let constrains =
            part.demand != Demand::May || place != Place::Anywhere || part.form == Form::Phrase;
        operators += usize::from(constrains || form == Form::Prefix);
        if operators > limits::QUERY_OPERATORS {
            analysed.operators_left_out += usize::from(constrains || form == Form::Prefix);
            scored.extend([if part.is_said() { part.text } else { "" }, " "]);
            continue;
        }
        if part.demand != Demand::MustNot {
            match form {
                Form::Prefix => begin(&mut analysed, &mut analysers, part.text, &mut scored),
                Form::Word | Form::Phrase => scored.extend([part.text, " "]),
            }
        }
        if constrains {
            let terms = terms(&mut analysers.exact, part.text);
            let stems = self::terms(&mut analysers.stemmed, part.text);
            let single = part.form == Form::Phrase
                && (part.demand, place) == (Demand::May, Place::Anywhere)
                && terms.len() < 2;
            if !terms.is_empty() && !single {
                let demand = part.demand;
                let constraint = Constraint { demand, place, form, terms, stems };
                if !analysed.constraints.contains(&constraint) {
                    analysed.constraints.push(constraint);
                }
            }
        }
    }
    score(&mut analysed, &mut analysers, &scored);
    analysed
}

/// A beginning: what stands before it in `text` are whole words.
fn begin(analysed: &mut Analysed, analysers: &mut Analysers, text: &str, scored: &mut String) {
    let mut all = terms(&mut analysers.exact, text);
    let Some(last) = all.pop() else { return };
    analysed.prefixes.push(last);
    for word in all {
        scored.extend([word.as_str(), " "]);
    }
}

/// Adds the words of `scored`.
fn score(analysed: &mut Analysed, analysers: &mut Analysers, scored: &str) {
    let exact = terms(&mut analysers.exact, scored);
    let stems = terms(&mut analysers.stemmed, scored);
    let mut words: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    // Both analysers cut the text alike, so terms pair up.
    for (stem, form) in stems.into_iter().zip(exact) {
        *words.entry(stem.clone()).or_default().entry(form.clone()).or_default() += 1;
        // One character is the beginning of the pairs that the index has.
        if form.chars().all(is_unspaced) && form.chars().count() == 1 {
            analysed.prefixes.push(form.clone());
        }
        analysed.sequence.push((stem, form));
    }
    analysed.prefixes.sort();
    analysed.prefixes.dedup();
    analysed.words = words.into_iter().map(|(stem, forms)| Word { stem, forms }).collect();
}

/// The terms that `analyser` makes of `text`.
pub(super) fn terms(analyser: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    analyser.token_stream(text).process(&mut |token| terms.push(token.text.clone()));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::lexical::schema::{Ends, analysers};
    use proptest::prelude::*;

    fn analysed(text: &str) -> Analysed {
        let typed = Typed::parse(text, &|_| false);
        analyse(&analysers(Language::English, Ends::Asked), &typed, LastWord::Whole)
    }

    fn words(analysed: &Analysed) -> Vec<(&str, usize)> {
        analysed.words.iter().map(|w| (w.stem.as_str(), w.forms.values().sum())).collect()
    }

    #[test]
    fn forms_of_one_word_share_a_stem_and_are_counted() {
        let analysed = analysed("Why do cells divide? A cell divides; cells!");
        assert!(words(&analysed).contains(&("cell", 3)), "{analysed:?}");
        assert!(words(&analysed).contains(&("divid", 2)), "{analysed:?}");
    }

    #[test]
    fn quotes_make_phrases_and_a_leading_minus_excludes() {
        let analysed = analysed(r#"treaty "War and Peace" -novel T-cell -7 - "open"#);
        let constraints: Vec<_> =
            analysed.constraints.iter().map(|c| (c.demand, c.terms.join(" "))).collect();
        let expected = [(Demand::May, "war and peace".into()), (Demand::MustNot, "novel".into())];
        assert_eq!(constraints, expected);
        let stems: Vec<_> = words(&analysed).into_iter().map(|(stem, _)| stem).collect();
        assert_eq!(stems, ["7", "and", "cell", "open", "peac", "t", "treati", "war"]);
    }

    #[test]
    fn the_word_being_typed_is_a_beginning() {
        let typed = Typed::parse("blue danu", &|_| false);
        let analysers = analysers(Language::English, Ends::Asked);
        let analysed = analyse(&analysers, &typed, LastWord::Begun);
        assert_eq!(words(&analysed), [("blue", 1)]);
        assert_eq!(analysed.prefixes, ["danu"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_query(text in "[ab \"\\-+*:é\u{4e2d}\\s]{0,40}|.{0,40}") {
            let analysed = analysed(&text);
            prop_assert!(analysed.words.iter().all(|word| !word.forms.is_empty()));
            prop_assert!(analysed.constraints.iter().all(|c| !c.terms.is_empty()));
        }
    }
}
