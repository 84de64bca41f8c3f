//! Metadata as terms: each value of a field becomes `key ␀ type value`, so that filters are plain postings.
//!
//! - strings `s` and the text (or `h` and a hash, when long), booleans `b`, numbers `n` in one canonical form
//!   so that `1` equals `1.0`;
//! - every number once more as `o` and 16 hexadecimal digits that sort as the numbers do, for ranges; every string
//!   that is a date likewise as `d` and its seconds since 1970.

use serde_json::{Number, Value};

use crate::{Metadata, QueryError, date, limits};

/// Strings longer than this are compared by hash.
const TEXT_BYTES: usize = 1024;

/// The terms of all `metadata`.
///
/// # Errors
/// [`QueryError::Metadata`] for a key or value that cannot be filtered, [`QueryError::OutOfRange`] for too many.
pub(super) fn facts(metadata: &Metadata) -> Result<Vec<String>, QueryError> {
    let mut terms = Vec::new();
    let mut values = 0;
    for (key, value) in metadata {
        check_key(key).map_err(|reason| QueryError::Metadata { key: key.clone(), reason })?;
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        values += list.len();
        for value in list {
            let term = equal_term(key, value)
                .map_err(|reason| QueryError::Metadata { key: key.clone(), reason })?;
            terms.push(term);
            match value {
                Value::Number(number) => {
                    let number = number.as_f64().unwrap_or(f64::NAN);
                    terms.push(order_term(key, Order::Number, number));
                }
                Value::String(text) => {
                    let date = date::period(text);
                    terms.extend(date.map(|date| order_term(key, Order::Date, date.start)));
                }
                _ => {}
            }
        }
    }
    if values > limits::METADATA_VALUES {
        return Err(QueryError::OutOfRange {
            field: "metadata",
            unit: "values",
            found: values as u64,
            min: 0,
            max: limits::METADATA_VALUES as u64,
        });
    }
    Ok(terms)
}

/// Why `key` cannot name a field, if so.
pub(super) fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() || key.len() > limits::METADATA_KEY_BYTES || key.contains('\0') {
        let max = limits::METADATA_KEY_BYTES;
        return Err(format!("a field name has 1 to {max} bytes and no NUL, found {key:?}"));
    }
    Ok(())
}

/// The term that says "`key` has this value", or why there is none.
pub(super) fn equal_term(key: &str, value: &Value) -> Result<String, String> {
    let tail = match value {
        Value::String(text) if text.len() > TEXT_BYTES => {
            format!("h{}", blake3::hash(text.as_bytes()).to_hex())
        }
        Value::String(text) => format!("s{text}"),
        Value::Bool(value) => format!("b{value}"),
        Value::Number(number) => format!("n{}", canonical(number)),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(format!("expected a string, number or boolean, found {value}"));
        }
    };
    Ok(format!("{key}\0{tail}"))
}

/// The term that all texts of `key` that begin with `start` begin with; texts compared by hash are not among them.
pub(super) fn prefix_term(key: &str, start: &str) -> String {
    format!("{key}\0s{start}")
}

/// First and one-past-last term of `key`.
pub(super) fn bounds(key: &str) -> (String, String) {
    (format!("{key}\0"), format!("{key}\u{1}"))
}

/// The kinds of terms that are values, not their order.
pub(super) const VALUES: [char; 4] = ['b', 'h', 'n', 's'];

/// First and one-past-last term of the values of `key` that are of one kind.
pub(super) fn kind_bounds(key: &str, kind: char) -> (String, String) {
    let after = char::from_u32(kind as u32 + 1).expect("a small letter follows");
    (format!("{key}\0{kind}"), format!("{key}\0{after}"))
}

/// By what values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Number,
    Date,
}

impl Order {
    fn tag(self) -> char {
        match self {
            Self::Number => 'o',
            Self::Date => 'd',
        }
    }
}

/// The term by which `key` with the number (or the seconds) `value` is sorted.
pub(super) fn order_term(key: &str, order: Order, value: f64) -> String {
    format!("{key}\0{}{:016x}", order.tag(), sortable(value))
}

/// First and one-past-last order term of `key`.
pub(super) fn order_bounds(key: &str, order: Order) -> (String, String) {
    let tag = order.tag();
    (format!("{key}\0{tag}"), format!("{key}\0{}", char::from(tag as u8 + 1)))
}

/// Integers as integers, also when written with a fraction of zero.
fn canonical(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            format!("{}", float as i64)
        }
        _ => number.to_string(),
    }
}

/// Bits of `value` that sort, unsigned, as the numbers do; -0 is 0.
fn sortable(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn order_terms_sort_as_their_numbers(a in -1e300_f64..1e300, b in -10.0_f64..10.0) {
            let term = |value| order_term("k", Order::Number, value);
            let terms = term(a).cmp(&term(b));
            prop_assert_eq!(a.partial_cmp(&b), Some(terms));
        }
    }

    #[test]
    fn equal_numbers_have_equal_terms_and_other_types_do_not() {
        let term = |value| equal_term("year", &value).unwrap();
        assert_eq!(term(json!(1999)), term(json!(1999.0)));
        let order = |value| order_term("year", Order::Number, value);
        assert_eq!(order(0.0), order(-0.0));
        assert_ne!(term(json!(1)), term(json!("1")));
        assert_ne!(term(json!(true)), term(json!("true")));
        assert_ne!(term(json!(9007199254740993_u64)), term(json!(9007199254740992_u64)));
    }

    #[test]
    fn values_that_cannot_be_filtered_are_refused_by_name() {
        let metadata = Metadata::from([("author".to_string(), json!({"name": "x"}))]);
        let message = facts(&metadata).unwrap_err().to_string();
        assert!(message.contains("author"), "{message}");
        let many = Metadata::from([("tags".to_string(), json!(vec![1; 2000]))]);
        assert!(
            facts(&many).unwrap_err().to_string().contains("metadata must be between 0 and 1024")
        );
    }
}
