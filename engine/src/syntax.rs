//! What was typed, as parts: words, `"phrases"`, `prefix*`, `field:value`, and a leading `-` or `+`. Nothing typed
//! is an error: signs without meaning, and fields that the collection does not have, are plain text.
//!
//! | typed | means |
//! |---|---|
//! | `danube flow` | words, scored |
//! | `"war and peace"` | these words one after the other |
//! | `danu*` | words that begin so |
//! | `-novel`, `-"two words"` | not in the text |
//! | `+treaty` | in the text |
//! | `title:danube`, `heading:`, `body:`, `exact:` | in that field (`exact:` as written, not its stem) |
//! | `lang:en`, `year:>=1990`, `year:1990..2000` | a field of the metadata, as a filter |
//! | `id:notes/a.md`, `path:notes/` | the document, or all documents whose id begins so |

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use crate::{Bound, Condition, Match, Range, limits};

/// Whether a part must, may or must not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It adds to the score.
    #[default]
    May,
    /// `+`
    Must,
    /// `-`
    MustNot,
}

/// How the text of a part is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it stands.
    Word,
    /// Between quotes.
    Phrase,
    /// Before a star.
    Prefix,
}

/// Where the text of a part is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope<'a> {
    /// Title, headings and body.
    Text,
    /// Title.
    Title,
    /// Headings.
    Headings,
    /// Body, stemmed.
    Body,
    /// Body, not stemmed.
    Exact,
    /// A field of the metadata, `id` or `path`.
    Field(&'a str),
}

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) demand: Demand,
    pub(crate) scope: Scope<'a>,
    pub(crate) form: Form,
    /// Without signs.
    pub(crate) text: &'a str,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed<'a> {
    text: &'a str,
    pub(crate) parts: Vec<Part<'a>>,
}

impl<'a> Typed<'a> {
    /// The parts of `text`; `is_field` knows the metadata fields of the collection.
    pub(crate) fn parse(text: &'a str, is_field: &dyn Fn(&str) -> bool) -> Self {
        let mut rest = text;
        let mut parts = Vec::new();
        let mut tried = HashMap::new();
        while let Some((part, after)) = next_part(rest, &mut |name| {
            let room = tried.len() < limits::QUERY_FIELDS;
            let known = tried.get(name).copied();
            known.unwrap_or_else(|| room && *tried.entry(name.to_owned()).or_insert(is_field(name)))
        }) {
            parts.extend(part);
            rest = after;
        }
        Self { text, parts }
    }

    /// The text for a reader or an encoder: without operators, filters and what is excluded. Text without
    /// operators comes back as it is.
    pub(crate) fn plain(&self) -> Cow<'a, str> {
        let is_plain = |p: &Part<'_>| (p.demand, p.scope, p.form) == PLAIN;
        if self.parts.iter().all(is_plain) {
            return Cow::Borrowed(self.text);
        }
        let said = self.parts.iter().filter(|p| p.is_said()).map(|p| p.text);
        Cow::Owned(said.collect::<Vec<_>>().join(" "))
    }

    /// The conditions on metadata: those that must hold and those that must not.
    pub(crate) fn conditions(&self) -> (Vec<Condition>, Vec<Condition>) {
        let conditions = self.parts.iter().filter_map(|p| Some((p.demand, p.condition()?)));
        let (not, must): (Vec<_>, Vec<_>) =
            conditions.partition(|(demand, _)| *demand == Demand::MustNot);
        let bare = |list: Vec<(Demand, Condition)>| list.into_iter().map(|(_, c)| c).collect();
        (bare(must), bare(not))
    }
}

const PLAIN: (Demand, Scope<'static>, Form) = (Demand::May, Scope::Text, Form::Word);

impl Part<'_> {
    /// Whether the part says what is looked for, rather than where or what not.
    pub(crate) fn is_said(&self) -> bool {
        self.demand != Demand::MustNot && !matches!(self.scope, Scope::Field(_))
    }

    /// The condition of a part on a field of the metadata.
    fn condition(&self) -> Option<Condition> {
        let Scope::Field(field) = self.scope else { return None };
        let matching = |key: &str, r#match| Condition::Match { key: key.to_owned(), r#match };
        Some(match (field, self.form) {
            ("path", Form::Word | Form::Prefix | Form::Phrase) => {
                matching("id", Match::Prefix(self.text.to_owned()))
            }
            (key, Form::Prefix) => matching(key, Match::Prefix(self.text.to_owned())),
            ("id", _) => matching("id", Match::Value(self.text.into())),
            (key, Form::Word) => match range(self.text) {
                Some(range) => Condition::Range { key: key.to_owned(), range },
                None => matching(key, Match::Any(readings(self.text))),
            },
            (key, Form::Phrase) => matching(key, Match::Value(self.text.into())),
        })
    }
}

/// What a bare value may be: a text, a number, true or false.
fn readings(text: &str) -> Vec<Value> {
    let mut values = vec![Value::from(text)];
    if let Ok(value @ (Value::Number(_) | Value::Bool(_))) = serde_json::from_str(text) {
        values.push(value);
    }
    values
}

/// `>=1990`, `<5`, `1990..2000`, `..2000`, with numbers or dates.
fn range(text: &str) -> Option<Range> {
    let bound = |text: &str| text.parse::<Bound>().ok();
    for (sign, set) in [
        (">=", (|b| Range { gte: Some(b), ..Range::default() }) as fn(Bound) -> Range),
        ("<=", |b| Range { lte: Some(b), ..Range::default() }),
        (">", |b| Range { gt: Some(b), ..Range::default() }),
        ("<", |b| Range { lt: Some(b), ..Range::default() }),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return bound(rest).map(set);
        }
    }
    let (from, to) = text.split_once("..")?;
    let range = match (from.is_empty(), to.is_empty()) {
        (true, true) => return None,
        (true, false) => Range { lte: Some(bound(to)?), ..Range::default() },
        (false, true) => Range { gte: Some(bound(from)?), ..Range::default() },
        (false, false) => {
            Range { gte: Some(bound(from)?), lte: Some(bound(to)?), ..Range::default() }
        }
    };
    Some(range)
}

/// The part at the beginning of `rest` (none for signs alone), and what follows it; `None` at the end.
fn next_part<'a>(
    rest: &'a str,
    is_field: &mut dyn FnMut(&str) -> bool,
) -> Option<(Option<Part<'a>>, &'a str)> {
    let rest = rest.trim_start();
    if rest.is_empty() {
        return None;
    }
    let (demand, after_sign) = sign(rest);
    let (scope, value) = match scope(after_sign, is_field) {
        Some(found) => found,
        None => (Scope::Text, after_sign),
    };
    let part = |form, text| Some(Part { demand, scope, form, text });
    if let Some((inside, after)) = quoted(value) {
        let some = inside.chars().any(char::is_alphanumeric);
        return Some((some.then(|| part(Form::Phrase, inside)).flatten(), after));
    }
    let end = word_end(value);
    let (word, after) = value.split_at(end);
    if let Some(stem) = prefix(word) {
        return Some((part(Form::Prefix, stem), after));
    }
    Some((part(Form::Word, word), after))
}

/// A leading `-` or `+` before a letter or a quote.
fn sign(text: &str) -> (Demand, &str) {
    for (sign, demand) in [('-', Demand::MustNot), ('+', Demand::Must)] {
        if let Some(rest) = text.strip_prefix(sign)
            && (rest.starts_with(char::is_alphabetic) || quoted(rest).is_some())
        {
            return (demand, rest);
        }
    }
    (Demand::May, text)
}

/// `name:` before a value, if `name` is a field.
fn scope<'a>(
    text: &'a str,
    is_field: &mut dyn FnMut(&str) -> bool,
) -> Option<(Scope<'a>, &'a str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)))?;
    let (name, rest) = text.split_at(end);
    let value = rest.strip_prefix(':')?;
    // `http://…`, `title: …` and `10::` are plain text.
    let is_value = value.chars().next().is_some_and(|c| !c.is_whitespace() && c != ':');
    let has_text = quoted(value).map_or(&value[..word_end(value)], |(inside, _)| inside);
    if name.is_empty()
        || !is_value
        || value.starts_with("//")
        || !has_text.chars().any(char::is_alphanumeric)
    {
        return None;
    }
    let scope = match name {
        "title" => Scope::Title,
        "heading" | "headings" => Scope::Headings,
        "body" | "text" => Scope::Body,
        "exact" => Scope::Exact,
        "id" | "path" => Scope::Field(name),
        _ if is_field(name) => Scope::Field(name),
        _ => return None,
    };
    Some((scope, value))
}

/// The text between a quote at the beginning and the next one, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}

/// Where a word ends: at white space, or at a quote that has a partner.
fn word_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            return quote.map_or(at, |quote| if closes(text, quote) { quote } else { at });
        }
        if c == '"' && at > 0 && quote.is_none() {
            quote = Some(at);
        }
    }
    quote.filter(|&quote| closes(text, quote)).unwrap_or(text.len())
}

fn closes(text: &str, quote: usize) -> bool {
    text[quote + 1..].contains('"')
}

/// The beginning in `word*`, of two characters or more (one where characters are words).
fn prefix(word: &str) -> Option<&str> {
    let start = word.strip_suffix('*')?;
    let letters = start.chars().filter(|c| c.is_alphanumeric()).count();
    let enough = letters >= 2 || start.chars().any(|c| c.is_alphanumeric() && c > '\u{2e7f}');
    enough.then_some(start)
}

impl fmt::Display for Typed<'_> {
    /// The parts as they could have been typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(match part.demand {
                Demand::May => "",
                Demand::Must => "+",
                Demand::MustNot => "-",
            })?;
            match part.scope {
                Scope::Text => {}
                Scope::Title => f.write_str("title:")?,
                Scope::Headings => f.write_str("heading:")?,
                Scope::Body => f.write_str("body:")?,
                Scope::Exact => f.write_str("exact:")?,
                Scope::Field(name) => write!(f, "{name}:")?,
            }
            match part.form {
                Form::Word => f.write_str(part.text)?,
                Form::Phrase => write!(f, "\"{}\"", part.text)?,
                Form::Prefix => write!(f, "{}*", part.text)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fields(name: &str) -> bool {
        ["lang", "year", "read_by"].contains(&name)
    }

    fn parse(text: &str) -> Typed<'_> {
        Typed::parse(text, &fields)
    }

    fn shown(text: &str) -> Vec<String> {
        let part = |p: &Part<'_>| format!("{:?} {:?} {:?} {}", p.demand, p.scope, p.form, p.text);
        parse(text).parts.iter().map(part).collect()
    }

    #[test]
    fn each_operator_is_understood() {
        assert_eq!(
            shown(r#"treaty "War and Peace" -novel +signed danu* title:rivers -heading:"the end""#),
            [
                "May Text Word treaty",
                "May Text Phrase War and Peace",
                "MustNot Text Word novel",
                "Must Text Word signed",
                "May Text Prefix danu",
                "May Title Word rivers",
                "MustNot Headings Phrase the end",
            ]
        );
        assert_eq!(
            shown(r#"lang:en year:>=1990 read_by:"J. D." path:notes/a"#),
            [
                "May Field(\"lang\") Word en",
                "May Field(\"year\") Word >=1990",
                "May Field(\"read_by\") Phrase J. D.",
                "May Field(\"path\") Word notes/a",
            ]
        );
    }

    #[test]
    fn what_only_looks_like_an_operator_is_text() {
        for text in [
            "Re: your mail at 10:30, see http://lang:80/ and C++ -7 - + T-cell",
            "a* ** what is 3*4 \" an open quote",
            "title: Danube",
            "unknown:field",
            "((((why)",
        ] {
            assert_eq!(parse(text).plain(), text, "{:?}", parse(text));
        }
    }

    #[test]
    fn the_encoder_gets_the_words_without_operators() {
        let plain = parse(r#"who wrote "War and Peace" -film title:tolst* lang:en"#).plain();
        assert_eq!(plain, "who wrote War and Peace tolst");
        assert_eq!(parse("who  wrote it?").plain(), "who  wrote it?");
        assert_eq!(parse("lang:en -film").plain(), "");
    }

    #[test]
    fn values_of_fields_become_conditions() {
        let (must, not) = parse("year:1990..2000 lang:en year:<5 -path:old/ year:7").conditions();
        let json = |value: serde_json::Value| serde_json::from_value::<Condition>(value).unwrap();
        assert_eq!(
            must,
            [
                json(json!({"key": "year", "range": {"gte": 1990.0, "lte": 2000.0}})),
                json(json!({"key": "lang", "match": {"any": ["en"]}})),
                json(json!({"key": "year", "range": {"lt": 5.0}})),
                json(json!({"key": "year", "match": {"any": ["7", 7]}})),
            ]
        );
        assert_eq!(not, [json(json!({"key": "id", "match": {"prefix": "old/"}}))]);
    }

    #[test]
    fn ten_thousand_parentheses_and_a_hundred_thousand_terms_are_read() {
        let deep = format!("{}why{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(parse(&deep).parts.len(), 1);
        let many = "a b:c \"d\" ".repeat(33_334);
        assert_eq!(parse(&many).parts.len(), 100_002);
        let quotes = "\"".repeat(100_001);
        assert!(parse(&quotes).parts.len() <= 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_what_is_shown_of_it_reads_the_same(
            text in r#"([a-c"*:+\-. é中]|lang:|title:|year:>?[0-9.]{1,4}|\PC){0,40}"#,
        ) {
            let typed = parse(&text);
            prop_assert!(typed.parts.iter().all(|p| !p.text.is_empty() && text.contains(p.text)));
            let again = typed.to_string();
            prop_assert_eq!(&parse(&again).parts, &typed.parts, "{}", again);
            let _ = typed.plain();
            let _ = typed.conditions();
        }

        #[test]
        fn a_quoted_text_is_one_phrase(words in "[a-z][a-z :*+-]{0,30}") {
            let text = format!("\"{words}\"");
            let phrase = Part { demand: Demand::May, scope: Scope::Text, form: Form::Phrase, text: &words };
            prop_assert_eq!(parse(&text).parts, [phrase]);
        }
    }
}
