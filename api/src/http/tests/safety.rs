//! The defences that SECURITY.md names, each against the attack it is for.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tower::ServiceExt;

use super::{JSON, Service, service};
use crate::http::{App, Gate, Limits, app};
use crate::keys::{Keys, NewKey, Scope};

/// A service that asks for keys, and a key for each scope: search, write, admin, and search elsewhere.
fn closed() -> (Service, [String; 4]) {
    let Service { state, _folder: folder } = service(Limits::default());
    let path = folder.path().join("keys.json");
    let mut keys = Keys::load(&path).unwrap();
    let mut key = |name: &str, scope, collections: &[&str]| {
        let collections = collections.iter().map(ToString::to_string).collect();
        let new = NewKey { name: name.into(), scopes: vec![scope], collections, expires_at: None };
        keys.create(new).unwrap()
    };
    let secrets = [
        key("search", Scope::Search, &["default"]),
        key("write", Scope::Write, &[]),
        key("admin", Scope::Admin, &[]),
        key("elsewhere", Scope::Search, &["papers"]),
    ];
    keys.store(&path).unwrap();
    let gate = Gate::with_keys(&path).unwrap();
    let state = Arc::into_inner(state).unwrap().guarded(gate, vec!["search.example".into()]);
    (Service { state: Arc::new(state), _folder: folder }, secrets)
}

impl Service {
    async fn status(&self, request: &str, secret: Option<&str>) -> u16 {
        let bearer = secret.map(|secret| format!("Bearer {secret}"));
        let mut headers = vec![JSON];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        self.send(request, &headers, "{\"id\": \"a\", \"text\": \"A.\", \"q\": \"a\"}")
            .await
            .status
            .into()
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scope_and_collection_say_and_nothing_else() {
    let (service, [search, write, admin, elsewhere]) = closed();
    let unknown = "alder_0000000000000000000000000000000000000000000000000000000000000000";
    for (request, allowed) in [
        ("GET /v1/search?q=a", [true, false, true]),
        ("GET /v1/status", [true, false, true]),
        ("DELETE /v1/documents/a", [false, true, true]),
        ("POST /v1/documents", [false, true, true]),
        ("GET /v1/tasks", [false, true, true]),
        ("GET /metrics", [false, false, true]),
    ] {
        for (secret, allowed) in [&search, &write, &admin].into_iter().zip(allowed) {
            let status = service.status(request, Some(secret)).await;
            assert_eq!(status != 403 && status != 401, allowed, "{request} {status}");
        }
        assert_eq!(service.status(request, Some(&elsewhere)).await, 403, "{request}");
        assert_eq!(service.status(request, Some(unknown)).await, 401, "{request}");
        assert_eq!(service.status(request, None).await, 401, "{request}");
    }
    for request in ["GET /", "GET /health/live", "GET /ui/search.js", "GET /openapi.json"] {
        assert_eq!(service.status(request, None).await, 200, "{request}");
    }
    let reply = service.send("GET /v1/search?q=a", &[("x-api-key", &search)], "").await;
    assert_eq!(reply.status, StatusCode::OK);
    let reply = service.send(&format!("GET /v1/search?q=a&key={search}"), &[], "").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "a key in a URL is none");
    assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(reply.body["code"], "unauthorized");
}

#[tokio::test]
async fn a_browser_without_a_key_gets_a_page_that_asks_for_one_and_no_document() {
    let (service, [_, write, ..]) = closed();
    let document = "{\"id\": \"a\", \"text\": \"Nobody may read this.\"}";
    let bearer = format!("Bearer {write}");
    let headers = [JSON, ("authorization", bearer.as_str())];
    let stored = service.send("POST /v1/documents", &headers, document).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    for path in ["/document?id=a&q=%3Cscript%3E", "/plain?q=read"] {
        let reply = service.send(&format!("GET {path}"), &[], "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
        let kind = reply.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        assert!(reply.text.contains("id=\"locked\"") && reply.text.contains("/ui/document.js"));
        assert!(!reply.text.contains("Nobody may read") && !reply.text.contains("<script>"));
    }
}

#[tokio::test]
async fn keys_change_without_a_restart_and_the_last_revoked_key_leaves_the_door_shut() {
    let (service, [search, ..]) = closed();
    let path = service._folder.path().join("keys.json");
    let change = |change: &mut dyn FnMut(&mut Keys)| {
        let mut keys = Keys::load(&path).unwrap();
        change(&mut keys);
        // A file system may keep times to some milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        keys.store(&path).unwrap();
        service.state.gate.reload();
    };
    let mut new = String::new();
    change(&mut |keys| {
        let name = "new".to_owned();
        let scopes = vec![Scope::Search];
        new = keys.create(NewKey { name, scopes, collections: vec![], expires_at: None }).unwrap();
        keys.revoke("search");
    });
    assert_eq!(service.status("GET /v1/search?q=a", Some(&new)).await, 200);
    assert_eq!(service.status("GET /v1/search?q=a", Some(&search)).await, 401);
    std::fs::write(&path, "not json").unwrap();
    service.state.gate.reload();
    assert_eq!(
        service.status("GET /v1/search?q=a", Some(&new)).await,
        200,
        "a damaged file changes nothing"
    );
    std::fs::remove_file(&path).unwrap();
    change(&mut |keys| keys.keys.clear());
    assert_eq!(service.status("GET /v1/search?q=a", Some(&new)).await, 401);
    assert_eq!(service.status("GET /v1/search?q=a", None).await, 401);
}

#[tokio::test]
async fn a_caller_above_its_rate_is_told_when_to_come_back() {
    let Service { state, _folder } = service(Limits::default());
    let gate = Gate::open().with_rate(NonZeroU32::new(1));
    let state: App = Arc::into_inner(state).unwrap().guarded(gate, Vec::new());
    let service = Service { state: Arc::new(state), _folder };
    assert_eq!(service.send("GET /v1/tasks", &[], "").await.status, StatusCode::OK);
    let refused = service.send("GET /v1/tasks", &[], "").await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("rate_limited")));
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(
        service.send("GET /health", &[], "").await.status,
        StatusCode::OK,
        "health is not counted"
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write_and_a_foreign_name_is_refused() {
    let (service, [_, write, ..]) = closed();
    let bearer = format!("Bearer {write}");
    let document = "{\"id\": \"a\", \"text\": \"A.\"}";
    let send = |more: Vec<(&'static str, &'static str)>| {
        let mut headers = vec![JSON, ("authorization", bearer.as_str())];
        headers.extend(more);
        let service = &service;
        async move { service.send("POST /v1/documents", &headers, document).await }
    };
    for (headers, code) in [
        (vec![("origin", "http://evil.example")], "cross_site"),
        (vec![("origin", "null")], "cross_site"),
        (vec![("sec-fetch-site", "cross-site")], "cross_site"),
        (vec![("sec-fetch-site", "same-site")], "cross_site"),
        (vec![("host", "evil.example"), ("origin", "http://evil.example")], "host_not_allowed"),
    ] {
        let reply = send(headers.clone()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (403, &json!(code)),
            "{headers:?}"
        );
    }
    for headers in [
        vec![("origin", "http://localhost:7700")],
        vec![("sec-fetch-site", "same-origin")],
        vec![("host", "search.example"), ("origin", "https://search.example")],
    ] {
        assert_eq!(send(headers.clone()).await.status, StatusCode::OK, "{headers:?}");
    }
    let reply = service
        .send(
            "OPTIONS /v1/documents",
            &[("origin", "http://evil.example"), ("access-control-request-method", "POST")],
            "",
        )
        .await;
    assert!(
        !reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        "no preflight succeeds"
    );
}

#[tokio::test]
async fn a_form_of_a_browser_is_no_json() {
    let service = service(Limits::default());
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X"]
    {
        for path in ["/v1/search", "/v1/documents", "/_bulk", "/v1/batch", "/v1/judgements"] {
            let reply =
                service.send(&format!("POST {path}"), &[("content-type", kind)], "{}").await;
            assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind} {path}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_is_alive_but_not_ready() {
    let service = service(Limits::default());
    assert_eq!(service.send("GET /health/ready", &[], "").await.status, StatusCode::OK);
    service.state.tasks.stop();
    let reply = service.send("GET /health/ready", &[], "").await;
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (503, &json!("stopping")));
    assert_eq!(service.send("GET /health/live", &[], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_time_the_stages() {
    let service = Service::stocked().await;
    service.send("GET /v1/search?q=tea", &[], "").await;
    service.send("GET /v1/documents/air%2Fwind", &[], "").await;
    let reply = service.send("GET /metrics", &[], "").await;
    let text = &reply.text;
    for line in [
        "alder_requests_total{method=\"GET\",route=\"/v1/search\",status=\"200\"} 1",
        "alder_requests_total{method=\"GET\",route=\"/v1/documents/{*id}\",status=\"200\"} 1",
        "alder_stage_duration_seconds_count{stage=\"lexical\"} 1",
        "alder_stage_duration_seconds_count{stage=\"dense\"} 1",
        "alder_documents 3",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    assert!(!text.contains("air"), "no id of a document is in the metrics");
}

#[tokio::test]
async fn a_body_that_never_goes_on_is_given_up() {
    let limits = Limits { body_wait: Duration::from_millis(50), ..Limits::default() };
    let service = service(limits);
    let never = Body::from_stream(tokio_stream::pending::<Result<String, std::io::Error>>());
    let request = Request::post("/v1/search").header("host", "localhost").header(JSON.0, JSON.1);
    let reply = app(service.state.clone()).oneshot(request.body(never).unwrap());
    let reply = tokio::time::timeout(Duration::from_secs(5), reply).await.unwrap().unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
}
