//! The short form of a filter, `lang = en AND (year >= 2020 OR NOT EXISTS year)`, read into a [`Filter`].
//!
//! ```text
//! or    := and (OR and)*
//! and   := not (AND not)*
//! not   := NOT not | '(' or ')' | EXISTS field | field (= != < <= > >=) value
//!        | field [NOT] IN '[' value, … ']'
//! value := number | true | false | date | word | word* | "text" | 'text'
//! ```
//!
//! Words in capitals may be written in small letters. A mistake is named by its byte and by what would be right.

use serde_json::Value;

use super::{Bound, Condition, Filter, Match, Range};
use crate::{QueryError, limits};

/// The filter written in `text`.
///
/// # Errors
/// [`QueryError::Filter`] with the byte position and what was expected there.
pub(super) fn parse(text: &str) -> Result<Filter, QueryError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), conditions: 0 };
    let condition = parser.or(1)?;
    match parser.peek() {
        None => Ok(match condition {
            Condition::Nested(filter) => filter,
            one => Filter { must: vec![one], ..Filter::default() },
        }),
        Some(_) => Err(parser.expected("AND, OR or the end of the filter")),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    /// A name, number, date, keyword or `prefix*`.
    Word(&'a str),
    Quoted(String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`, `[`, `]`, `,`
    Sign(&'a str),
}

const SIGNS: [&str; 11] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ","];

fn wrong(at: usize, reason: impl Into<String>) -> QueryError {
    QueryError::Filter { position: format!("byte {at}"), reason: reason.into() }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, QueryError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((at, Token::Sign(&rest[..sign.len()])));
            at += sign.len();
        } else if c == '"' || c == '\'' {
            let (value, len) = quoted(rest, c)
                .ok_or_else(|| wrong(at, format!("the text that begins with {c} has no end")))?;
            tokens.push((at, Token::Quoted(value)));
            at += len;
        } else {
            let ends = |c: char| c.is_whitespace() || "=<>!()[],\"'".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            if end == 0 {
                return Err(wrong(at, "expected !=, found a lone !"));
            }
            tokens.push((at, Token::Word(&rest[..end])));
            at += end;
        }
    }
    Ok(tokens)
}

/// The text between quotes at the beginning of `rest`, and how many bytes it takes; a backslash keeps the next
/// character.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            c if c == quote => return Some((value, at + 1)),
            c => value.push(c),
        }
    }
    None
}

struct Parser<'a> {
    tokens: &'a [(usize, Token<'a>)],
    next: usize,
    end: usize,
    conditions: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn expected(&self, what: &str) -> QueryError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Word(word)) => word.to_string(),
            Some(Token::Quoted(text)) => format!("{text:?}"),
            Some(Token::Sign(sign)) => sign.to_string(),
        };
        wrong(self.at(), format!("expected {what}, found {found}"))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(keyword));
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn or(&mut self, depth: usize) -> Result<Condition, QueryError> {
        let mut list = vec![self.and(depth)?];
        while self.keyword("or") {
            list.push(self.and(depth)?);
        }
        Ok(joined(list, |should| Filter { should, ..Filter::default() }))
    }

    fn and(&mut self, depth: usize) -> Result<Condition, QueryError> {
        let mut list = vec![self.not(depth)?];
        while self.keyword("and") {
            list.push(self.not(depth)?);
        }
        Ok(joined(list, |must| Filter { must, ..Filter::default() }))
    }

    fn not(&mut self, depth: usize) -> Result<Condition, QueryError> {
        let mut negated = false;
        while self.keyword("not") {
            negated = !negated;
        }
        let condition = self.primary(depth)?;
        Ok(if negated { not(condition) } else { condition })
    }

    fn primary(&mut self, depth: usize) -> Result<Condition, QueryError> {
        if self.sign("(") {
            if depth >= limits::FILTER_DEPTH {
                let max = limits::FILTER_DEPTH;
                return Err(wrong(self.at(), format!("filters nest at most {max} deep")));
            }
            let inside = self.or(depth + 1)?;
            return match self.sign(")") {
                true => Ok(inside),
                false => Err(self.expected("AND, OR or )")),
            };
        }
        self.conditions += 1;
        if self.conditions > limits::FILTER_CONDITIONS {
            let max = limits::FILTER_CONDITIONS;
            return Err(wrong(self.at(), format!("a filter has at most {max} conditions")));
        }
        if self.keyword("exists") {
            return Ok(Condition::Exists { exists: self.field()? });
        }
        let key = self.field()?;
        self.comparison(key)
    }

    fn field(&mut self) -> Result<String, QueryError> {
        const FIELD: &str = "a field, as in lang = en, EXISTS lang or lang IN [en, de]";
        let name = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.to_string(),
            Some(Token::Quoted(text)) => text.clone(),
            _ => return Err(self.expected(FIELD)),
        };
        self.next += 1;
        Ok(name)
    }

    fn comparison(&mut self, key: String) -> Result<Condition, QueryError> {
        for (sign, negated) in [("!=", true), ("=", false)] {
            if self.sign(sign) {
                let r#match = self.equal()?;
                let condition = Condition::Match { key, r#match };
                return Ok(if negated { not(condition) } else { condition });
            }
        }
        for sign in ["<=", ">=", "<", ">"] {
            if self.sign(sign) {
                let bound = Some(self.bound()?);
                let range = match sign {
                    "<=" => Range { lte: bound, ..Range::default() },
                    ">=" => Range { gte: bound, ..Range::default() },
                    "<" => Range { lt: bound, ..Range::default() },
                    _ => Range { gt: bound, ..Range::default() },
                };
                return Ok(Condition::Range { key, range });
            }
        }
        let negated = self.keyword("not");
        if !self.keyword("in") {
            return Err(self.expected("=, !=, <, <=, >, >= or IN"));
        }
        let condition = Condition::Match { key, r#match: Match::Any(self.list()?) };
        Ok(if negated { not(condition) } else { condition })
    }

    fn equal(&mut self) -> Result<Match, QueryError> {
        if let Some(Token::Word(word)) = self.peek()
            && let Some(start) = word.strip_suffix('*').filter(|start| !start.is_empty())
        {
            self.next += 1;
            return Ok(Match::Prefix(start.to_owned()));
        }
        self.value().map(Match::Value)
    }

    fn value(&mut self) -> Result<Value, QueryError> {
        let value = match self.peek() {
            Some(Token::Quoted(text)) => Value::from(text.as_str()),
            Some(Token::Word(word)) => match serde_json::from_str(word) {
                Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
                _ => Value::from(*word),
            },
            _ => return Err(self.expected("a value")),
        };
        self.next += 1;
        Ok(value)
    }

    fn bound(&mut self) -> Result<Bound, QueryError> {
        let text = match self.peek() {
            Some(Token::Word(word)) => *word,
            Some(Token::Quoted(text)) => text.as_str(),
            _ => "",
        };
        let bound =
            text.parse().map_err(|_| self.expected("a number or a date such as 2020-01-31"))?;
        self.next += 1;
        Ok(bound)
    }

    fn list(&mut self) -> Result<Vec<Value>, QueryError> {
        if !self.sign("[") {
            return Err(self.expected("[ and values, as in IN [en, de]"));
        }
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        match self.sign("]") {
            true => Ok(values),
            false => Err(self.expected(", or ]")),
        }
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in", "exists"].iter().any(|k| word.eq_ignore_ascii_case(k))
}

/// One condition as it is, several as a filter.
fn joined(mut list: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Filter) -> Condition {
    match list.len() {
        1 => list.remove(0),
        _ => Condition::Nested(join(list)),
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Nested(Filter { must_not: vec![condition], ..Filter::default() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn is(text: &str, expected: Value) {
        let expected: Filter = serde_json::from_value(expected).unwrap();
        assert_eq!(parse(text), Ok(expected), "{text}");
    }

    #[test]
    fn the_short_form_is_the_long_form() {
        is("lang = en", json!({"must": [{"key": "lang", "match": {"value": "en"}}]}));
        is(
            "lang = en AND year >= 2020",
            json!({"must": [
                {"key": "lang", "match": {"value": "en"}},
                {"key": "year", "range": {"gte": 2020.0}},
            ]}),
        );
        is(
            "a IN [en, 'de', 3, true] or not exists \"b c\"",
            json!({"should": [
                {"key": "a", "match": {"any": ["en", "de", 3, true]}},
                {"must_not": [{"exists": "b c"}]},
            ]}),
        );
        is(
            "(a = 1 OR b = 2) AND c NOT IN [x] AND d = notes/*",
            json!({"must": [
                {"should": [{"key": "a", "match": {"value": 1}}, {"key": "b", "match": {"value": 2}}]},
                {"must_not": [{"key": "c", "match": {"any": ["x"]}}]},
                {"key": "d", "match": {"prefix": "notes/"}},
            ]}),
        );
        is(
            "date < 2020-01-31T10:00 AND date>='2019-01-01'",
            json!({"must": [
                {"key": "date", "range": {"lt": "2020-01-31T10:00"}},
                {"key": "date", "range": {"gte": "2019-01-01"}},
            ]}),
        );
        is(
            "x != \"say \\\"so\\\"\"",
            json!({"must_not": [{"key": "x", "match": {"value": "say \"so\""}}]}),
        );
    }

    #[test]
    fn a_mistake_is_named_by_its_byte_and_what_would_be_right() {
        let deep = format!("{}a = 1{}", "(".repeat(10_000), ")".repeat(10_000));
        let many = vec!["a = 1"; 300].join(" OR ");
        let nots = format!("{}a", "not ".repeat(100_001));
        for (text, place, words) in [
            ("", "byte 0", "expected a field"),
            ("lang", "byte 4", "expected =, !=, <"),
            ("lang = ", "byte 7", "expected a value, found the end"),
            ("lang = en year = 3", "byte 10", "AND, OR or the end"),
            ("lang = en AND", "byte 13", "expected a field"),
            ("(a = 1", "byte 6", "expected AND, OR or )"),
            ("a IN en", "byte 5", "IN [en, de]"),
            ("a IN [en", "byte 8", ", or ]"),
            ("a > tall", "byte 4", "a number or a date"),
            ("a = \"open", "byte 4", "no end"),
            ("a ! 3", "byte 2", "lone !"),
            ("and = 3", "byte 0", "expected a field"),
            (&deep, "byte 8", "at most 8 deep"),
            (&many, "byte 2304", "at most 256"),
            (&nots, "byte 400005", "expected ="),
        ] {
            match parse(text) {
                Err(QueryError::Filter { position, reason }) => {
                    assert_eq!(position, place, "{}", &text[..text.len().min(40)]);
                    assert!(reason.contains(words), "{reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    /// A filter in the short form.
    fn written(condition: &Condition) -> String {
        let value = |value: &Value| match value {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        match condition {
            Condition::Match { key, r#match: Match::Value(v) } => format!("{key} = {}", value(v)),
            Condition::Match { key, r#match: Match::Any(list) } => {
                format!("{key} IN [{}]", list.iter().map(value).collect::<Vec<_>>().join(", "))
            }
            Condition::Match { key, r#match: Match::Prefix(start) } => format!("{key} = {start}*"),
            Condition::Range { key, range } => match range.gte {
                Some(Bound::Number(n)) => format!("{key} >= {n}"),
                _ => format!("{key} < {}", range.lt.as_ref().unwrap()),
            },
            Condition::Exists { exists } => format!("EXISTS {exists}"),
            Condition::Nested(filter) => {
                let all = |list: &[Condition], join: &str| {
                    let parts: Vec<_> = list.iter().map(|c| format!("({})", written(c))).collect();
                    parts.join(join)
                };
                match filter {
                    Filter { must, .. } if !must.is_empty() => all(must, " AND "),
                    Filter { should, .. } if !should.is_empty() => all(should, " or "),
                    Filter { must_not, .. } => format!("NOT {}", all(must_not, "")),
                }
            }
        }
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let key = "[a-z_]{3,6}x".prop_map(String::from);
        let value = prop_oneof![
            any::<i32>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            "[a-zA-Z0-9 é-]{0,8}".prop_map(Value::from),
        ];
        let leaf = prop_oneof![
            (key.clone(), value.clone())
                .prop_map(|(key, v)| Condition::Match { key, r#match: Match::Value(v) }),
            (key.clone(), prop::collection::vec(value, 1..4))
                .prop_map(|(key, v)| Condition::Match { key, r#match: Match::Any(v) }),
            (key.clone(), "[a-z/]{1,5}")
                .prop_map(|(key, v)| Condition::Match { key, r#match: Match::Prefix(v) }),
            (key.clone(), any::<i32>()).prop_map(|(key, n)| Condition::Range {
                key,
                range: Range { gte: Some(Bound::Number(n.into())), ..Range::default() }
            }),
            key.clone().prop_map(|key| Condition::Range {
                key,
                range: Range { lt: Some("2020-01-31".parse().unwrap()), ..Range::default() }
            }),
            key.prop_map(|exists| Condition::Exists { exists }),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let list = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                list.clone().prop_map(|must| Filter { must, ..Filter::default() }),
                list.prop_map(|should| Filter { should, ..Filter::default() }),
                inner.prop_map(|one| Filter { must_not: vec![one], ..Filter::default() }),
            ]
            .prop_map(Condition::Nested)
        })
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error(text in r#"([a-c =<>!()\[\],"'\\*]|AND|NOT|IN|OR|EXISTS|\PC){0,30}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn a_filter_that_is_written_down_reads_the_same(condition in any_condition()) {
            let expected = match condition.clone() {
                Condition::Nested(filter) => filter,
                one => Filter { must: vec![one], ..Filter::default() },
            };
            prop_assert_eq!(parse(&written(&condition)), Ok(expected));
        }
    }
}
