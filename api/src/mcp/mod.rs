//! The Model Context Protocol, so that an assistant can search: JSON-RPC messages in, replies out. [`tools`] are
//! what it offers; `alder mcp` carries the messages over standard input and output, `/mcp` over HTTP.
//!
//! Only what a server with tools needs: no sessions, no messages of its own. Versions with the `initialize`
//! handshake are spoken; newer clients fall back to it.
//! <https://modelcontextprotocol.io/specification/2025-11-25>

mod tools;

use std::sync::Arc;

use alder_engine::{Collection, Model};
use serde_json::{Value, json};

/// Versions of the protocol that are spoken, the newest first; they differ in nothing that is used here.
pub(crate) const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const UNSUPPORTED_VERSION: i64 = -32022;
/// The JSON-RPC code for text that is no JSON.
pub(crate) const PARSE_ERROR: i64 = -32700;

const INSTRUCTIONS: &str = "Searches a collection of the user's documents. `ask` answers a question with verbatim \
    sentences and says how sure it is; `search` finds passages; `get_document` reads on around them. Quote answers \
    with their document; when `confident` is false, the documents may not say.";

/// A server of one collection.
#[derive(Debug, Clone)]
pub(crate) struct Mcp {
    pub(crate) model: Arc<Model>,
    pub(crate) collection: Collection,
}

impl Mcp {
    /// The reply to `message`, or `None` where none is due: to notifications, and to replies.
    pub(crate) fn handle(&self, message: &Value) -> Option<Value> {
        if message["jsonrpc"] != "2.0" || !message.is_object() {
            let reason = "expected one JSON-RPC 2.0 message";
            return Some(error(&Value::Null, INVALID_REQUEST, reason));
        }
        let (method, id) = (message.get("method")?, message.get("id")?);
        let params = &message["params"];
        let result = match method.as_str() {
            Some("initialize") => Ok(initialize(params)),
            Some("ping") => Ok(json!({})),
            Some("tools/list") => Ok(json!({"tools": tools::list()})),
            Some("tools/call") => tools::call(self, params).map_err(|why| (INVALID_PARAMS, why)),
            _ => Err((METHOD_NOT_FOUND, format!("there is no method {method}"))),
        };
        Some(match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err((code, why)) => error(id, code, &why),
        })
    }
}

/// An error of the protocol.
pub(crate) fn error(id: &Value, code: i64, why: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}})
}

/// That the version of a request is not spoken, with those that are, so that the client chooses another.
pub(crate) fn unsupported(id: &Value, asked: &str) -> Value {
    let mut reply = error(id, UNSUPPORTED_VERSION, "this version of the protocol is not spoken");
    reply["error"]["data"] = json!({"supported": VERSIONS, "requested": asked});
    reply
}

/// The version that the client asks for if it is known, else the newest.
fn initialize(params: &Value) -> Value {
    let asked = params["protocolVersion"].as_str();
    let version =
        VERSIONS.into_iter().find(|version| asked == Some(version)).unwrap_or(VERSIONS[0]);
    json!({
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": false}},
        "serverInfo": {"name": "alder", "title": "Alder", "version": env!("CARGO_PKG_VERSION")},
        "instructions": INSTRUCTIONS,
    })
}

#[cfg(test)]
mod tests {
    use alder_engine::Device;
    use alder_indexer::IncomingDocument;

    use super::*;

    fn served() -> (Mcp, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let model = Model::embedded(Device::Cpu).unwrap();
        let collection = Collection::open_or_create(folder.path(), model.identity()).unwrap();
        let document = IncomingDocument {
            id: "air".into(),
            title: "Barometer".into(),
            text: "Torricelli made the first barometer in 1643. Es mißt Luft.".into(),
            metadata: Default::default(),
        };
        crate::ingest::documents(&collection, &model, [document], None).unwrap();
        (Mcp { model, collection }, folder)
    }

    fn call(mcp: &Mcp, name: &str, arguments: Value) -> Value {
        let params = json!({"name": name, "arguments": arguments});
        mcp.handle(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}))
            .unwrap()
    }

    #[test]
    fn an_assistant_greets_lists_and_asks() {
        let (mcp, _folder) = served();
        let hello = json!({"jsonrpc": "2.0", "id": "a", "method": "initialize",
            "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        let reply = mcp.handle(&hello).unwrap();
        assert_eq!(
            (&reply["id"], &reply["result"]["protocolVersion"]),
            (&json!("a"), &json!("2025-06-18"))
        );
        assert!(
            mcp.handle(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).is_none()
        );
        let list = mcp.handle(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).unwrap();
        let names: Vec<_> = list["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["search", "ask", "get_document", "list_collections"]);

        let asked = call(&mcp, "ask", json!({"question": "Who made the first barometer?"}));
        let content = &asked["result"]["structuredContent"];
        assert_eq!(content["hits"][0]["document"], "air", "{asked}");
        assert!(content["verdict"]["answerable"].is_number());
        let text = asked["result"]["content"][0]["text"].as_str().unwrap();
        let told: Value = serde_json::from_str(text).unwrap();
        assert_eq!(told["answers"][0]["text"], content["answers"][0]["text"]);
        assert_eq!(told["hits"], content["hits"]);
        let found = call(&mcp, "search", json!({"query": "barometer", "limit": 1}));
        assert_eq!(found["result"]["structuredContent"]["hits"].as_array().unwrap().len(), 1);
        let all = call(&mcp, "list_collections", json!({}));
        assert_eq!(all["result"]["structuredContent"]["collections"][0]["documents"], 1);
    }

    #[test]
    fn a_document_is_read_in_parts_that_cut_no_character() {
        let (mcp, _folder) = served();
        let whole = call(&mcp, "get_document", json!({"id": "air"}));
        let text = whole["result"]["structuredContent"]["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("Torricelli") && text.ends_with("Luft."));
        let (mut read, mut at) = (String::new(), Some(0));
        while let Some(start) = at {
            let part = call(
                &mcp,
                "get_document",
                json!({"id": "air", "start_byte": start, "max_bytes": 5}),
            );
            let content = &part["result"]["structuredContent"];
            read.push_str(content["text"].as_str().unwrap());
            at = content["next_start_byte"].as_u64();
        }
        assert_eq!(read, text);
    }

    #[test]
    fn what_cannot_be_is_told_to_the_assistant_or_its_program() {
        let (mcp, _folder) = served();
        for (name, arguments, words) in [
            ("ask", json!({"question": ""}), "empty"),
            ("ask", json!({"query": "a"}), "`query`"),
            ("search", json!({"query": "a", "limit": 0}), "between 1 and"),
            ("get_document", json!({"id": "none"}), "no document none"),
            ("get_document", json!({"id": "air", "start_byte": 9999}), "start_byte"),
        ] {
            let reply = call(&mcp, name, arguments);
            assert_eq!(reply["result"]["isError"], true, "{name}: {reply}");
            assert!(
                reply["result"]["content"][0]["text"].as_str().unwrap().contains(words),
                "{name}: {reply}"
            );
        }
        assert_eq!(call(&mcp, "drop_all", json!({}))["error"]["code"], INVALID_PARAMS);
        let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
        assert_eq!(mcp.handle(&unknown).unwrap()["error"]["code"], METHOD_NOT_FOUND);
        assert_eq!(mcp.handle(&json!([])).unwrap()["error"]["code"], INVALID_REQUEST);
        assert_eq!(mcp.handle(&json!({"id": 1})).unwrap()["error"]["code"], INVALID_REQUEST);
    }
}
