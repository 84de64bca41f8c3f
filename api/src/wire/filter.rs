//! Reads a [`Filter`] from JSON by hand, so that a mistake is named by its place (a JSON pointer) and by
//! what would be right, which derived code cannot do for alternatives. Text that is no JSON object is the short form,
//! `lang = en AND year >= 2020`, which the engine reads.

use alder_engine::{Bound, Condition, Filter, Match, QueryError, Range, limits};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// The filter written in `text`, as JSON or in the short form.
///
/// # Errors
/// [`QueryError::Filter`] with the place and the reason.
pub(crate) fn filter_from_text(text: &str) -> Result<Filter, QueryError> {
    if !text.trim_start().starts_with('{') {
        return text.parse();
    }
    let value = serde_json::from_str(text).map_err(|error| QueryError::Filter {
        position: format!("line {} column {}", error.line(), error.column()),
        reason: format!("this is not JSON ({error}); write {{\"must\": [{EXAMPLE}]}}"),
    })?;
    filter_from_json(&value)
}

/// The filter in `value`: an object, or a string in the short form.
///
/// # Errors
/// As [`filter_from_text`].
pub(crate) fn filter_from_json(value: &Value) -> Result<Filter, QueryError> {
    if let Value::String(text) = value {
        return filter_from_text(text);
    }
    let mut budget = limits::FILTER_CONDITIONS;
    filter_at(value, "", 1, &mut budget)
}

const EXAMPLE: &str = r#"{"key": "lang", "match": {"value": "en"}}"#;

fn wrong<T>(at: &str, reason: String) -> Result<T, QueryError> {
    let position = if at.is_empty() { "/".to_owned() } else { at.to_owned() };
    Err(QueryError::Filter { position, reason })
}

fn object<'a>(value: &'a Value, at: &str, expected: &str) -> Result<&'a Object, QueryError> {
    match value {
        Value::Object(object) => Ok(object),
        other => wrong(at, format!("expected {expected}, found {}", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn filter_at(
    value: &Value,
    at: &str,
    depth: usize,
    budget: &mut usize,
) -> Result<Filter, QueryError> {
    if depth > limits::FILTER_DEPTH {
        return wrong(at, format!("filters nest at most {} deep", limits::FILTER_DEPTH));
    }
    let mut filter = Filter::default();
    for (name, list) in object(value, at, "an object with must, should or must_not")? {
        let at = format!("{at}/{name}");
        let conditions = match name.as_str() {
            "must" => &mut filter.must,
            "should" => &mut filter.should,
            "must_not" => &mut filter.must_not,
            _ => return wrong(&at, "unknown field; expected must, should or must_not".to_owned()),
        };
        let Value::Array(list) = list else {
            return wrong(&at, format!("expected a list of conditions, found {}", kind(list)));
        };
        for (index, condition) in list.iter().enumerate() {
            if *budget == 0 {
                let most = limits::FILTER_CONDITIONS;
                return wrong(&at, format!("a filter has at most {most} conditions"));
            }
            *budget -= 1;
            conditions.push(condition_at(condition, &format!("{at}/{index}"), depth, budget)?);
        }
    }
    Ok(filter)
}

fn condition_at(
    value: &Value,
    at: &str,
    depth: usize,
    budget: &mut usize,
) -> Result<Condition, QueryError> {
    let condition = object(value, at, &format!("a condition such as {EXAMPLE}"))?;
    if let Some(name) = condition.get("exists") {
        return exists_at(name, condition, at);
    }
    let Some(key) = condition.get("key") else {
        return filter_at(value, at, depth + 1, budget).map(Condition::Nested);
    };
    let Value::String(key) = key else {
        return wrong(&format!("{at}/key"), format!("expected a field name, found {}", kind(key)));
    };
    if let Some(name) = condition.keys().find(|n| !["key", "match", "range"].contains(&n.as_str()))
    {
        return wrong(
            &format!("{at}/{name}"),
            "unknown field; expected key, match or range".into(),
        );
    }
    match (condition.get("match"), condition.get("range")) {
        (Some(value), None) => {
            let r#match = match_at(value, &format!("{at}/match"))?;
            Ok(Condition::Match { key: key.clone(), r#match })
        }
        (None, Some(value)) => {
            let range = range_at(value, &format!("{at}/range"))?;
            Ok(Condition::Range { key: key.clone(), range })
        }
        _ => wrong(at, format!("a condition has either match or range, for example {EXAMPLE}")),
    }
}

fn exists_at(name: &Value, condition: &Object, at: &str) -> Result<Condition, QueryError> {
    match (name, condition.len()) {
        (Value::String(name), 1) => Ok(Condition::Exists { exists: name.clone() }),
        (Value::String(_), _) => {
            wrong(at, "exists stands alone, as in {\"exists\": \"lang\"}".into())
        }
        (other, _) => {
            wrong(&format!("{at}/exists"), format!("expected a field name, found {}", kind(other)))
        }
    }
}

fn match_at(value: &Value, at: &str) -> Result<Match, QueryError> {
    let expected = r#"{"value": …}, {"any": […]} or {"prefix": "…"}"#;
    let fields = object(value, at, expected)?;
    let mut entries = fields.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) if name == "value" => match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(Match::Value(value.clone())),
            other => wrong(
                &format!("{at}/value"),
                format!("expected a string, number or boolean, found {}", kind(other)),
            ),
        },
        (Some((name, Value::Array(values))), None) if name == "any" => {
            Ok(Match::Any(values.clone()))
        }
        (Some((name, Value::String(start))), None) if name == "prefix" => {
            Ok(Match::Prefix(start.clone()))
        }
        _ => wrong(at, format!("expected {expected}")),
    }
}

fn range_at(value: &Value, at: &str) -> Result<Range, QueryError> {
    let mut range = Range::default();
    for (name, bound) in object(value, at, "an object with gt, gte, lt or lte")? {
        let at = format!("{at}/{name}");
        let slot = match name.as_str() {
            "gt" => &mut range.gt,
            "gte" => &mut range.gte,
            "lt" => &mut range.lt,
            "lte" => &mut range.lte,
            _ => return wrong(&at, "unknown bound; expected gt, gte, lt or lte".to_owned()),
        };
        *slot = Some(match bound {
            Value::Number(number) => Bound::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => match text.parse() {
                Ok(date @ Bound::Date(_)) => date,
                _ => {
                    return wrong(
                        &at,
                        format!("expected a date such as 2020-01-31, found {text:?}"),
                    );
                }
            },
            other => {
                return wrong(&at, format!("expected a number or a date, found {}", kind(other)));
            }
        });
    }
    match range {
        Range { gt: None, gte: None, lt: None, lte: None } => {
            wrong(at, "a range needs at least one of gt, gte, lt, lte".to_owned())
        }
        range => Ok(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_filter_is_the_filter_meant() {
        let text = r#"{"must": [{"key": "lang", "match": {"any": ["en", "de"]}},
            {"should": [{"key": "year", "range": {"gte": 1900}}, {"exists": "year"},
            {"key": "date", "range": {"lt": "2020-01-31"}}, {"key": "id", "match": {"prefix": "a/"}}]}]}"#;
        let filter = filter_from_text(text).unwrap();
        assert_eq!(filter, serde_json::from_str::<Filter>(text).unwrap());
        assert_eq!(filter.must.len(), 2);
        let short =
            "lang IN [en, de] AND (year >= 1900 OR EXISTS year OR date < 2020-01-31 OR id = a/*)";
        assert_eq!(filter_from_text(short), Ok(filter.clone()));
        assert_eq!(filter_from_json(&Value::from(short)), Ok(filter));
    }

    #[test]
    fn a_mistake_is_named_by_its_place() {
        let deep = (0..9).fold("{}".to_owned(), |inner, _| format!("{{\"must\": [{inner}]}}"));
        let many = format!("{{\"must\": [{}]}}", vec![EXAMPLE; 257].join(","));
        let cases = [
            ("lang en", "byte 5", "expected =, !="),
            ("{\"must\"", "line 1 column 7", "not JSON"),
            ("[]", "byte 0", "expected a field"),
            (r#"{"must": [{"exists": 3}]}"#, "/must/0/exists", "found a number"),
            (r#"{"must": [{"exists": "a", "key": "b"}]}"#, "/must/0", "stands alone"),
            (r#"{"most": []}"#, "/most", "expected must, should or must_not"),
            (r#"{"must": {}}"#, "/must", "expected a list"),
            (r#"{"must": [{"key": 1}]}"#, "/must/0/key", "field name"),
            (r#"{"must": [{"key": "a"}]}"#, "/must/0", "either match or range"),
            (r#"{"must": [{"key": "a", "match": "b"}]}"#, "/must/0/match", "value"),
            (
                r#"{"must": [{"key": "a", "match": {"value": []}}]}"#,
                "/must/0/match/value",
                "a list",
            ),
            (r#"{"must": [{"key": "a", "range": {"gte": "b"}}]}"#, "/must/0/range/gte", "a date"),
            (r#"{"must": [{"key": "a", "range": {"gte": []}}]}"#, "/must/0/range/gte", "a list"),
            (r#"{"must": [{"key": "a", "range": {}}]}"#, "/must/0/range", "at least one"),
            (&deep, "/must/0/must/0/must/0/must/0/must/0/must/0/must/0/must/0", "at most 8 deep"),
            (&many, "/must", "at most 256"),
        ];
        for (text, place, words) in cases {
            match filter_from_text(text) {
                Err(QueryError::Filter { position, reason }) => {
                    assert_eq!(position, place, "{text}");
                    assert!(reason.contains(words), "{text}: {reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
