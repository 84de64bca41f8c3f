//! The `_bulk` lines of Elasticsearch: pairs of action and source, read into [`BulkAction`]s, and the reply in
//! the same dialect. Import only: `index`, `create` and `delete`.

use alder_indexer::{FieldNames, IncomingDocument};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What one action asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BulkOperation {
    /// Adds or replaces.
    Index(IncomingDocument),
    /// Adds, unless it is there.
    Create(IncomingDocument),
    /// Removes.
    Delete,
}

/// One action, or what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BulkAction {
    /// `index`, `create` or `delete`, as it comes back in the reply.
    pub(crate) name: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) operation: Result<BulkOperation, BulkError>,
}

/// Reply of `_bulk`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkResponse {
    /// Milliseconds.
    pub(crate) took: u64,
    /// Whether an item has an error.
    pub(crate) errors: bool,
    /// One object with one field, `index`, `create` or `delete`, for each action in order.
    #[schema(value_type = Vec<Object>)]
    pub(crate) items: Vec<Map<String, Value>>,
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct BulkItem {
    #[serde(rename = "_index")]
    pub(crate) index: &'static str,
    #[serde(rename = "_id")]
    pub(crate) id: Option<String>,
    pub(crate) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<BulkError>,
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct BulkError {
    #[serde(skip)]
    pub(crate) status: u16,
    pub(crate) r#type: &'static str,
    pub(crate) reason: String,
}

/// The fields of an action that are understood; others (routing, versions) cannot be honoured and are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
    /// Nothing here depends on it.
    #[serde(rename = "require_alias")]
    _require_alias: Option<bool>,
}

impl BulkError {
    /// An error of the client's, `status` 400.
    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self { status: 400, r#type: "illegal_argument_exception", reason: reason.into() }
    }
}

/// The actions in `body`, in order. `ours` is the name of the collection; `new_id` names documents without an id.
///
/// # Errors
/// What is wrong with the body as a whole: where a line is no action, what follows cannot be told apart.
pub(crate) fn read_bulk(
    body: &[u8],
    ours: &str,
    mut new_id: impl FnMut() -> String,
) -> Result<Vec<BulkAction>, BulkError> {
    let Some(body) = body.strip_suffix(b"\n") else {
        return Err(BulkError::bad("The bulk request must be terminated by a newline [\\n]"));
    };
    let mut lines = body.split(|byte| *byte == b'\n').enumerate();
    let mut actions = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (name, target) = action(line).map_err(|reason| {
            BulkError::bad(format!("Malformed action/metadata line [{}]: {reason}", number + 1))
        })?;
        let source = match name {
            "delete" => None,
            _ => {
                let missing = || format!("line {} has no source after it", number + 1);
                Some(lines.next().ok_or_else(|| BulkError::bad(missing()))?.1)
            }
        };
        let id = target.id.clone().or_else(|| source.is_some().then(&mut new_id));
        let operation = operation(name, &target, id.as_deref(), source, ours);
        actions.push(BulkAction { name, id, operation });
    }
    Ok(actions)
}

fn action(line: &[u8]) -> Result<(&'static str, Target), String> {
    let action: Map<String, Value> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let mut fields = action.into_iter();
    let (Some((name, target)), None) = (fields.next(), fields.next()) else {
        return Err("expected one of index, create, delete".to_owned());
    };
    let name = match name.as_str() {
        "index" => "index",
        "create" => "create",
        "delete" => "delete",
        "update" => return Err("update is not supported; index the whole document".to_owned()),
        other => return Err(format!("expected one of index, create, delete, found {other:?}")),
    };
    Ok((name, serde_json::from_value(target).map_err(|e| e.to_string())?))
}

fn operation(
    name: &str,
    target: &Target,
    id: Option<&str>,
    source: Option<&[u8]>,
    ours: &str,
) -> Result<BulkOperation, BulkError> {
    if let Some(index) = target.index.as_deref().filter(|index| *index != ours) {
        let reason = format!("no such index [{index}]; this server has one collection, {ours:?}");
        return Err(BulkError { status: 404, r#type: "index_not_found_exception", reason });
    }
    let Some(id) = id else { return Err(BulkError::bad("delete needs an _id")) };
    let Some(source) = source else { return Ok(BulkOperation::Delete) };
    let source: Map<String, Value> = serde_json::from_slice(source).map_err(|error| BulkError {
        status: 400,
        r#type: "document_parsing_exception",
        reason: format!("failed to parse the source: {error}"),
    })?;
    let document = document(id, source)?;
    Ok(if name == "create" {
        BulkOperation::Create(document)
    } else {
        BulkOperation::Index(document)
    })
}

/// Title and text by the names that files use too; the other fields are metadata.
fn document(id: &str, mut source: Map<String, Value>) -> Result<IncomingDocument, BulkError> {
    let names = FieldNames::default();
    let mut take = |names: &[String]| {
        let name = names.iter().find(|name| source.get(*name).is_some_and(Value::is_string))?;
        match source.remove(name) {
            Some(Value::String(value)) => Some(value),
            _ => None,
        }
    };
    let title = take(&names.title).unwrap_or_default();
    let text = take(&names.text).filter(|text| !text.trim().is_empty());
    let Some(text) = text else {
        let reason = format!("none of the fields {} holds text to search", names.text.join(", "));
        return Err(BulkError { status: 400, r#type: "document_parsing_exception", reason });
    };
    Ok(IncomingDocument { id: id.to_owned(), title, text, metadata: source.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<BulkAction>, BulkError> {
        let mut next = 0;
        read_bulk(body.as_bytes(), "default", || {
            next += 1;
            format!("new-{next}")
        })
    }

    #[test]
    fn actions_and_sources_are_paired_and_fields_find_their_places() {
        let actions = read(
            "{\"index\":{\"_id\":\"a\"}}\n{\"title\":\"T\",\"body\":\"B\",\"year\":3}\n\n{\"delete\":{\"_id\":\"b\"}}\n\
             {\"create\":{}}\n{\"text\":\"C\"}\n{\"index\":{\"_index\":\"other\",\"_id\":\"d\"}}\n{\"text\":\"D\"}\n",
        )
        .unwrap();
        let Ok(BulkOperation::Index(document)) = &actions[0].operation else {
            panic!("{actions:?}")
        };
        assert_eq!((document.title.as_str(), document.text.as_str()), ("T", "B"));
        assert_eq!(document.metadata["year"], 3);
        assert_eq!(actions[1].operation, Ok(BulkOperation::Delete));
        assert_eq!(actions[2].id.as_deref(), Some("new-1"));
        assert!(matches!(actions[2].operation, Ok(BulkOperation::Create(_))));
        assert_eq!(actions[3].operation.as_ref().unwrap_err().status, 404);
    }

    #[test]
    fn what_is_no_bulk_body_is_refused_by_its_line() {
        for (body, words) in [
            ("{\"index\":{}}", "terminated by a newline"),
            ("{\"index\":{}}\n", "line 1 has no source"),
            ("nonsense\n", "line [1]"),
            ("{\"update\":{\"_id\":\"a\"}}\n{}\n", "update is not supported"),
            ("{\"index\":{\"routing\":\"x\"}}\n{}\n", "`routing`"),
            ("{\"index\":{},\"delete\":{}}\n{}\n", "one of index, create, delete"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.reason.contains(words), "{body}: {}", error.reason);
        }
    }
}
