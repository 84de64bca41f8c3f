//! The four tools: `search`, `ask`, `get_document`, `list_collections`. All only read.

use std::time::Instant;

use alder_engine::DocumentId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Mcp;
use crate::open::COLLECTION;
use crate::wire::{Purpose, SearchRequest, SearchResponse};

/// Hits unless told: an assistant reads them all.
const LIMIT: usize = 5;
/// Text of a document that is given at once, in bytes, unless told and at most.
const PART_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    limit: Option<usize>,
    filter: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    question: String,
    filter: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetDocument {
    id: String,
    #[serde(default)]
    start_byte: usize,
    max_bytes: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListCollections {}

/// The tools with their schemas.
pub(super) fn list() -> Value {
    let filter = json!({"type": "object",
        "description": "Only documents whose metadata pass, for example {\"must\": [{\"key\": \"lang\", \"match\": {\"value\": \"en\"}}]}"});
    let hits = json!({"type": "array", "items": {"type": "object"}});
    json!([
        tool(
            "search",
            "Search",
            "Passages of the documents that match words or a question, best first.",
            json!({"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}, "filter": filter}),
            (&["query"], json!({"hits": hits}))
        ),
        tool(
            "ask",
            "Ask",
            "Answers to a question: verbatim sentences with document, page and probability; the verdict says \
            whether the documents answer.",
            json!({"question": {"type": "string"}, "filter": filter}),
            (&["question"], json!({"answers": hits, "hits": hits, "verdict": {"type": "object"}}))
        ),
        tool(
            "get_document",
            "Read a document",
            "The text of a document, from a byte on; next_start_byte tells where to go on.",
            json!({"id": {"type": "string"}, "start_byte": {"type": "integer", "minimum": 0},
                "max_bytes": {"type": "integer", "minimum": 4, "maximum": PART_BYTES}}),
            (&["id"], json!({"id": {"type": "string"}, "text": {"type": "string"}}))
        ),
        tool(
            "list_collections",
            "List collections",
            "What can be searched, and how much is in it.",
            json!({}),
            (&[], json!({"collections": hits}))
        ),
    ])
}

/// One tool; `required` names the arguments that must be given, `output` the fields of the result.
fn tool(
    name: &str,
    title: &str,
    description: &str,
    arguments: Value,
    (required, output): (&[&str], Value),
) -> Value {
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {
            "type": "object", "properties": arguments, "required": required, "additionalProperties": false,
        },
        "outputSchema": {"type": "object", "properties": output},
        "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false},
    })
}

/// The result of a tool. What the assistant did wrong is a result too, so that it can correct itself.
///
/// # Errors
/// In words, when there is no such tool.
pub(super) fn call(mcp: &Mcp, params: &Value) -> Result<Value, String> {
    let arguments = params.get("arguments").cloned().unwrap_or_else(|| json!({}));
    let result = match params["name"].as_str() {
        Some("search") => search(mcp, arguments),
        Some("ask") => ask(mcp, arguments),
        Some("get_document") => get_document(mcp, arguments),
        Some("list_collections") => list_collections(mcp, arguments),
        _ => return Err(format!("there is no tool {}", params["name"])),
    };
    Ok(match result {
        Ok(content) => json!({
            "content": [{"type": "text", "text": content.to_string()}],
            "structuredContent": content,
            "isError": false,
        }),
        Err(why) => {
            json!({"content": [{"type": "text", "text": format!("{why:#}")}], "isError": true})
        }
    })
}

fn search(mcp: &Mcp, arguments: Value) -> anyhow::Result<Value> {
    let Search { query, limit, filter } = serde_json::from_value(arguments)?;
    let limit = Some(limit.unwrap_or(LIMIT));
    run(mcp, SearchRequest { q: query, limit, filter, ..SearchRequest::default() }, Purpose::Search)
}

fn ask(mcp: &Mcp, arguments: Value) -> anyhow::Result<Value> {
    let Ask { question, filter } = serde_json::from_value(arguments)?;
    let request =
        SearchRequest { q: question, limit: Some(LIMIT), filter, ..SearchRequest::default() };
    run(mcp, request, Purpose::Ask)
}

fn run(mcp: &Mcp, request: SearchRequest, purpose: Purpose) -> anyhow::Result<Value> {
    let query = request.into_query(purpose)?;
    let started = Instant::now();
    let result = alder_engine::search(&mcp.collection.snapshot(), &mcp.model, &query)?;
    Ok(serde_json::to_value(SearchResponse::new(&query.text, result, started.elapsed()))?)
}

fn get_document(mcp: &Mcp, arguments: Value) -> anyhow::Result<Value> {
    let GetDocument { id, start_byte, max_bytes } = serde_json::from_value(arguments)?;
    let most = max_bytes.unwrap_or(PART_BYTES);
    // The longest character has four bytes: every part makes headway.
    anyhow::ensure!(
        (4..=PART_BYTES).contains(&most),
        "max_bytes must be between 4 and {PART_BYTES}, found {most}"
    );
    let id = DocumentId::new(id)?;
    let snapshot = mcp.collection.snapshot();
    let document = snapshot.document(&id)?;
    let document =
        document.ok_or_else(|| anyhow::anyhow!("the collection has no document {id}"))?;
    let rest = document.text.get(start_byte..).ok_or_else(|| {
        let length = document.text.len();
        anyhow::anyhow!(
            "start_byte must be a character boundary up to {length}, found {start_byte}"
        )
    })?;
    let end = rest.floor_char_boundary(most.min(rest.len()));
    let mut content = json!({
        "id": document.id.as_str(), "title": document.title, "metadata": document.metadata,
        "text": rest[..end], "start_byte": start_byte, "length_bytes": document.text.len(),
        "generation": snapshot.generation().0,
    });
    if end < rest.len() {
        content["next_start_byte"] = json!(start_byte + end);
    }
    Ok(content)
}

fn list_collections(mcp: &Mcp, arguments: Value) -> anyhow::Result<Value> {
    let ListCollections {} = serde_json::from_value(arguments)?;
    let snapshot = mcp.collection.snapshot();
    let stats = snapshot.stats();
    Ok(json!({"collections": [{
        "name": COLLECTION, "documents": stats.documents, "passages": stats.passages,
        "generation": snapshot.generation().0, "model": mcp.model.identity().name,
        "answers_questions": mcp.model.has_reader(),
    }]}))
}
