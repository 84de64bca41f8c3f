//! The service without a port: every kind of bad request in one table, and the road of a document from its
//! upload to the answer read from it.

mod dialects;
mod interface;
mod native;
mod safety;
mod typing;

use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alder_engine::{Collection, Device, Model};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::problem::{Code, Problem};
use super::{App, Limits, app};

/// One service on an empty collection that is gone with it.
struct Service {
    state: Arc<App>,
    _folder: tempfile::TempDir,
}

/// Status, headers and JSON of a reply.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
    text: String,
}

fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| Model::embedded(Device::Cpu).unwrap()).clone()
}

fn service(limits: Limits) -> Service {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("default");
    std::fs::create_dir(&home).unwrap();
    let collection = Collection::open_or_create(&home, model().identity()).unwrap();
    let state =
        App::new(model(), collection, folder.path(), Ipv4Addr::LOCALHOST.into(), limits).unwrap();
    Service { state: Arc::new(state), _folder: folder }
}

fn small() -> Limits {
    Limits { search_body_bytes: 200_000, documents_body_bytes: 8192, ..Limits::default() }
}

impl Service {
    /// Sends `method path` with headers `name: value` and a body, to the name "localhost".
    async fn send(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (method, path) = request.split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            builder = builder.header("host", "localhost:7700");
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::from(body.to_owned())).unwrap();
        let response = app(self.state.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, body, text }
    }

    async fn json(&self, request: &str, body: &Value) -> Reply {
        self.send(request, &[("content-type", "application/json")], &body.to_string()).await
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn every_bad_request_gets_its_status_its_code_and_words_that_help() {
    let service = service(small());
    let long = format!("{{\"q\": \"{}\"}}", "a".repeat(140_000));
    let large = format!("{{\"q\": \"{}\"}}", "a".repeat(250_000));
    let large_document = format!("{{\"id\": \"a\", \"text\": \"{}\"}}", "a".repeat(9000));
    let deep = "[".repeat(200);
    let cases: &[(&str, &[(&str, &str)], &str, u16, &str, &str)] = &[
        ("GET /v1/search", &[], "", 400, "empty_query", "empty"),
        ("GET /v1/ask?q=%20", &[], "", 400, "empty_query", "empty"),
        ("GET /v1/search?q=a&limt=3", &[], "", 400, "invalid_parameter", "`limt`"),
        ("GET /v1/search?q=a&limit=many", &[], "", 400, "invalid_parameter", "limit"),
        ("GET /v1/search?q=a&limit=0", &[], "", 400, "out_of_range", "between 1 and"),
        ("GET /v1/search?q=a&limit=2000", &[], "", 400, "out_of_range", "found 2000"),
        ("GET /v1/search?q=a&mode=magic", &[], "", 400, "invalid_parameter", "magic"),
        ("GET /v1/search?q=a&filter=x", &[], "", 400, "invalid_filter", "byte 1"),
        ("GET /v1/search?q=a&filter=%7B%22most%22%3A1%7D", &[], "", 400, "invalid_filter", "/most"),
        ("POST /v1/search", &[JSON], &long, 400, "out_of_range", "bytes"),
        ("POST /v1/search", &[JSON], "{\"q\": ", 400, "invalid_json", "line 1 column"),
        ("POST /v1/search", &[JSON], "{\"q\": 7}", 400, "invalid_json", "string"),
        ("POST /v1/ask", &[JSON], "{\"q\": \"a\", \"top\": 3}", 400, "invalid_json", "`top`"),
        ("POST /v1/ask", &[JSON], &deep, 400, "invalid_json", "line 1"),
        ("POST /v1/ask", &[JSON], "\u{0}", 400, "invalid_json", "line 1"),
        ("POST /v1/ask", &[], "{}", 415, "unsupported_media_type", "application/json"),
        ("POST /v1/ask", &[JSON], &large, 413, "body_too_large", "larger"),
        ("POST /v1/documents", &[JSON], &large_document, 413, "body_too_large", "larger"),
        (
            "POST /v1/documents",
            &[("content-type", "text/csv")],
            "a",
            415,
            "unsupported_media_type",
            "ndjson",
        ),
        ("POST /v1/documents", &[JSON], "[]", 400, "no_valid_document", "no documents"),
        ("POST /v1/documents", &[JSON], "{\"id\": \"a\"}", 400, "no_valid_document", "refused"),
        ("POST /v1/documents", &[JSON], "{", 400, "invalid_json", "line 1"),
        ("GET /v1/documents/none", &[], "", 404, "document_not_found", "none"),
        ("GET /nowhere", &[], "", 404, "not_found", "/nowhere"),
        ("GET /ui/../Cargo.toml", &[], "", 404, "not_found", ""),
        ("DELETE /v1/search", &[], "", 405, "method_not_allowed", "DELETE"),
        ("GET /health", &[("host", "evil.example")], "", 403, "host_not_allowed", "evil.example"),
        (
            "POST /v1/ask",
            &[JSON, ("sec-fetch-site", "cross-site")],
            "{}",
            403,
            "cross_site",
            "sites",
        ),
    ];
    for (request, headers, body, status, code, words) in cases {
        let reply = service.send(request, headers, body).await;
        let shown = &request[..request.len().min(60)];
        assert_eq!(reply.status.as_u16(), *status, "{shown}: {}", reply.body);
        assert_eq!(reply.body["code"], *code, "{shown}: {}", reply.body);
        assert_eq!(reply.body["status"], *status, "{shown}");
        assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json", "{shown}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{shown}: {detail}");
    }
}

#[test]
fn no_two_codes_share_a_name_and_each_is_an_error() {
    let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.row().1).collect();
    assert_eq!(names.len(), Code::ALL.len());
    assert!(Code::ALL.iter().all(|code| code.row().0.as_u16() >= 400));
}

#[tokio::test]
async fn a_document_can_be_found_asked_and_shown_as_soon_as_the_reply_is_there() {
    let service = service(Limits::default());
    let text = "Torricelli made the first barometer in 1643. It was a tube of mercury.";
    let lines = format!(
        "{}\nnot json\n{}\n",
        json!({"id": "air/barometer", "title": "Barometer", "text": text, "metadata": {"year": 1643}}),
        json!({"id": "tea", "title": "Tea", "text": "Tea is made from leaves and hot water."}),
    );
    let reply = service
        .send("POST /v1/documents", &[("content-type", "application/x-ndjson")], &lines)
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!((&reply.body["accepted"], &reply.body["failed"]), (&json!(2), &json!(1)));
    assert_eq!(reply.body["items"][1]["item"], 2);
    assert_eq!(reply.body["items"][1]["status"], "failed");
    let generation = &reply.body["generation"];

    let reply = service.send("GET /v1/ask?q=Who+made+the+first+barometer%3F", &[], "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(&reply.body["generation"], generation);
    assert_eq!(reply.body["hits"][0]["document"], "air/barometer", "{}", reply.body);
    assert!(reply.body["verdict"]["answerable"].is_number());
    for answer in reply.body["answers"].as_array().unwrap() {
        let place = |key: &str| answer[key].as_u64().unwrap() as usize;
        if answer["document"] == "air/barometer" {
            assert_eq!(answer["text"], text[place("start_byte")..place("end_byte")]);
        }
    }

    let filtered =
        json!({"q": "made", "filter": {"must": [{"key": "year", "range": {"lt": 1700}}]}});
    let reply = service.json("POST /v1/search", &filtered).await;
    assert_eq!(reply.body["hits"].as_array().unwrap().len(), 1, "{}", reply.body);
    assert!(reply.body.get("verdict").is_none());

    let reply = service.send("GET /v1/documents/air%2Fbarometer", &[], "").await;
    assert_eq!(reply.body["text"], text);
    let again =
        json!({"id": "tea", "title": "Tea", "text": "Tea is made from leaves and hot water."});
    let reply = service.json("POST /v1/documents", &again).await;
    assert_eq!(reply.body["items"][0]["status"], "unchanged", "{}", reply.body);
    let reply = service.send("GET /v1/status", &[], "").await;
    assert_eq!(reply.body["collection"]["documents"], 2, "{}", reply.body);
    assert_eq!(reply.body["indexing"]["state"], "idle");
}

#[tokio::test]
async fn an_empty_collection_answers_that_it_does_not_know() {
    let reply = service(Limits::default()).send("GET /v1/ask?q=anything", &[], "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.body["hits"], json!([]));
    assert_ne!(reply.body["verdict"]["confident"], json!(true));
}

#[tokio::test]
async fn pages_come_with_a_policy_that_forbids_foreign_and_inline_code() {
    let service = service(Limits::default());
    for path in ["GET /", "GET /?q=tea", "GET /plain", "GET /collection", "GET /ui/search.js"] {
        let reply = service.send(path, &[], "").await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        let tag = reply.headers[header::ETAG].to_str().unwrap().to_owned();
        let again = service.send(path, &[("if-none-match", &tag)], "").await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[tokio::test]
async fn searches_beyond_what_runs_and_waits_are_turned_away_with_a_time_to_come_back() {
    let limits = Limits {
        searches_running: 1,
        searches_waiting: 1,
        search_wait: Duration::from_millis(20),
        ..Limits::default()
    };
    let service = service(limits);
    let _running = service.state.search_permit().await.unwrap();
    let waited = service.send("GET /v1/search?q=tea", &[], "").await;
    assert_eq!((waited.status.as_u16(), &waited.body["code"]), (503, &json!("timeout")));
    assert_eq!(waited.headers[header::RETRY_AFTER], "1");
    let (first, second) =
        tokio::join!(service.state.search_permit(), service.send("GET /v1/search?q=tea", &[], ""));
    assert!(matches!(first, Err(Problem { code: Code::Timeout, .. })));
    assert_eq!((second.status.as_u16(), &second.body["code"]), (429, &json!("overloaded")));
    assert_eq!(second.headers[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn documents_wait_for_another_writer_and_say_so_when_that_takes_too_long() {
    let limits = Limits { write_wait: Duration::from_millis(20), ..Limits::default() };
    let service = service(limits);
    let document = json!({"id": "tea", "text": "Tea."});
    let permit = service.state.write_permit().await.unwrap();
    let reply = service.json("POST /v1/documents", &document).await;
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (503, &json!("busy")));
    drop(permit);
    let _elsewhere = service.state.collection.writer().unwrap();
    let reply = service.json("POST /v1/documents", &document).await;
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (503, &json!("busy")));
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
}
