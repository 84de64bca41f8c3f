//! The description of the interface against the service: nothing is undocumented, every example works.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::{Service, service};
use crate::http::{Limits, docs, openapi};

fn described() -> Value {
    json!(openapi::document())
}

#[test]
fn the_committed_description_is_the_one_of_this_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let made = serde_json::to_string_pretty(&described()).unwrap() + "\n";
    if std::env::var_os("ALDER_UPDATE").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "api/openapi.json is stale; write it again: ALDER_UPDATE=1 cargo test --bin alder committed_description"
    );
    assert!(made.contains("\"openapi\": \"3.1"));
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    // The page is for people, and MCP describes itself.
    let apart = ["/", "/plain", "/document", "/collection", "/ui/{path}", "/mcp"];
    let routes: BTreeSet<String> = include_str!("../mod.rs")
        .split(".route(")
        .skip(1)
        .map(|rest| rest.trim_start().trim_start_matches('"').split('"').next().unwrap())
        .map(|path| path.replace("{*", "{"))
        .filter(|path| !apart.contains(&path.as_str()))
        .collect();
    let described = described();
    let paths: BTreeSet<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(routes, paths);
}

#[tokio::test]
async fn every_example_of_the_description_works() {
    let service = service(Limits::default());
    let documents = json!([{"id": "tea.md", "title": "Tea", "text": "Tea is made from leaves."}]);
    service.json("POST /v1/documents", &documents).await;
    // The task that the examples ask for.
    service.json("POST /v1/documents?wait=false", &documents).await;
    let described = described();
    let mut operations: Vec<_> = docs::operations(&described).collect();
    // What removes comes last.
    operations.sort_by_key(|(_, method, _)| *method == "delete");
    for (path, method, operation) in operations {
        let request = format!("{} {}", method.to_uppercase(), docs::target(path, operation));
        assert!(operation["summary"].is_string(), "{request} has no words");
        let content = operation["requestBody"]["content"].as_object();
        let (kind, body) = match content.and_then(|content| content.iter().next()) {
            None => (None, String::new()),
            Some((kind, _)) if kind.starts_with("multipart/") => {
                let part = "--X\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nA.\r\n--X--\r\n";
                (Some("multipart/form-data; boundary=X".to_owned()), part.to_owned())
            }
            Some((kind, content)) => {
                assert!(!content["example"].is_null(), "{request} has no example");
                let body = content["example"].as_str().map(str::to_owned);
                (Some(kind.clone()), body.unwrap_or_else(|| content["example"].to_string()))
            }
        };
        let headers: Vec<(&str, &str)> =
            kind.iter().map(|kind| ("content-type", kind.as_str())).collect();
        let reply = service.send(&request, &headers, &body).await;
        assert!(reply.status.is_success(), "{request}: {} {}", reply.status, reply.text);
        let kinds = operation["responses"][reply.status.as_str()]["content"].as_object();
        let kinds: Vec<&str> = kinds.into_iter().flatten().map(|(kind, _)| kind.as_str()).collect();
        let sent = reply.headers[header::CONTENT_TYPE].to_str().unwrap().split(';').next().unwrap();
        assert!(kinds.contains(&sent), "{request} sends {sent}, described are {kinds:?}");
    }
}

#[tokio::test]
async fn the_page_of_the_interface_needs_nothing_from_elsewhere() {
    let service: Service = service(Limits::default());
    let reply = service.send("GET /docs", &[], "").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(
        reply.text.contains("GET /v1/search") && reply.text.contains("q=What+is+tea"),
        "{}",
        reply.text
    );
    for forbidden in ["<script", " style=", "https://", "//cdn"] {
        assert!(!reply.text.contains(forbidden), "{forbidden}");
    }
    assert!(
        reply.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    let sheet = service.send("GET /ui/style.css", &[], "").await;
    assert_eq!(sheet.status, StatusCode::OK, "the one file that the page loads");
}
