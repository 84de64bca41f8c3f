//! The fields of a record (a JSON object, a CSV row) → id, title, text and metadata.

use alder_engine::Metadata;
use serde_json::{Map, Value};

use super::{BlockKind, Extracted, plain, text};
use crate::limits;
use crate::settings::FieldNames;

/// Id (if the record has one) and content of a record.
///
/// # Errors
/// The reason in words for a record without any text.
pub(super) fn map(
    mut record: Map<String, Value>,
    names: &FieldNames,
) -> Result<(Option<String>, Extracted), String> {
    let is_wiki = record.len() == 4 && ["id", "url", "title", "text"].iter().all(|k| record.contains_key(*k));
    let id = take_id(&mut record, &names.id);
    let title = take(&mut record, &names.title).unwrap_or_default();
    let body = take(&mut record, &names.text);
    let mut metadata = Metadata::new();
    for (key, value) in record {
        flatten(key, value, &mut metadata);
    }
    let (body, kind) = match body {
        Some(body) => (body, BlockKind::Paragraph),
        None if !title.trim().is_empty() => (String::new(), BlockKind::Paragraph),
        None => (written_out(&metadata), BlockKind::Lines),
    };
    if title.trim().is_empty() && body.trim().is_empty() {
        return Err(format!("no text: none of the fields {} has any", names.text.join(", ")));
    }
    let notes = shed(&mut metadata);
    let mut extracted = if is_wiki && body.contains('\n') {
        Extracted { title, ..text::extract_wiki(&body) }
    } else {
        plain(title, body, kind)
    };
    extracted.metadata = metadata;
    extracted.notes.extend(notes);
    Ok((id, extracted))
}

/// The first of `names` that is a string or a number; a url or path stays a field of the record as well.
fn take_id(record: &mut Map<String, Value>, names: &[String]) -> Option<String> {
    names.iter().find_map(|name| {
        let id = match record.get(name)? {
            Value::String(id) if !id.trim().is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        if name != "url" && name != "path" {
            record.remove(name);
        }
        Some(id)
    })
}

/// The first of `names` that holds text (a string, or a list of strings as abstracts by sentence are).
fn take(record: &mut Map<String, Value>, names: &[String]) -> Option<String> {
    names.iter().find_map(|name| {
        let text = match record.get(name)? {
            Value::String(text) => text.clone(),
            Value::Array(parts) if !parts.is_empty() => {
                parts.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(" ")
            }
            _ => return None,
        };
        record.remove(name);
        (!text.trim().is_empty()).then_some(text)
    })
}

/// Nested objects become fields `outer.inner`, the fields of `metadata` keep their names; lists keep strings,
/// numbers and booleans, and hold anything else as its JSON text; null is no value.
fn flatten(key: String, value: Value, out: &mut Metadata) {
    match value {
        Value::Null => {}
        Value::Object(inner) => {
            for (name, value) in inner {
                let name = if key == "metadata" { name } else { format!("{key}.{name}") };
                flatten(name, value, out);
            }
        }
        Value::Array(items) => {
            let items = items.into_iter().map(|item| match item {
                Value::Object(_) | Value::Array(_) => Value::String(item.to_string()),
                scalar => scalar,
            });
            out.insert(key, items.filter(|item| !item.is_null()).collect());
        }
        scalar => {
            out.insert(key, scalar);
        }
    }
}

/// All fields as `name: value` lines: the text of a record that has no text field.
fn written_out(metadata: &Metadata) -> String {
    let lines = metadata.iter().filter_map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        (!value.is_empty()).then(|| format!("{key}: {value}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Leaves the largest fields out of metadata that is too large to be stored with every passage, and says so.
pub(super) fn shed(metadata: &mut Metadata) -> Vec<String> {
    let size = |key: &String, value: &Value| key.len() + value.to_string().len();
    let mut sizes: Vec<(usize, String)> = metadata.iter().map(|(k, v)| (size(k, v), k.clone())).collect();
    let mut total: usize = sizes.iter().map(|(bytes, _)| bytes).sum();
    sizes.sort();
    let mut notes = Vec::new();
    while total > limits::METADATA_BYTES {
        let Some((bytes, mut key)) = sizes.pop() else { break };
        metadata.remove(&key);
        total -= bytes;
        super::truncate(&mut key, 64);
        let limit = limits::METADATA_BYTES;
        notes.push(format!("field {key} ({bytes} bytes) is not kept: metadata is limited to {limit} bytes"));
    }
    notes.truncate(4);
    notes
}

/// A value written as text: whole numbers, decimals and booleans as such, anything else a string.
pub(super) fn typed(text: &str) -> Value {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>()
        && whole.to_string() == text
    {
        return whole.into();
    }
    let plain = text.strip_prefix('-').unwrap_or(text);
    let decimal = plain.contains('.') && plain.starts_with(|c: char| c.is_ascii_digit());
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => match text.parse::<f64>() {
            Ok(number) if decimal => number.into(),
            _ => text.into(),
        },
    }
}
