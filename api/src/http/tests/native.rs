//! The native interface beyond search: tasks, files, bulk, similar documents, batches, stages, judgements.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::{JSON, Reply, Service, service};
use crate::http::{App, Limits};
use crate::tasks;

const LINES: (&str, &str) = ("content-type", "application/x-ndjson");
const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=X");

impl Service {
    /// Three short documents, stored.
    pub(super) async fn stocked() -> Self {
        let service = service(Limits::default());
        let documents = json!([
            {"id": "air/barometer", "title": "Barometer",
             "text": "Torricelli made the first barometer in 1643. It measures the pressure of the air.",
             "metadata": {"lang": "en"}},
            {"id": "air/wind", "title": "Wind", "text": "Wind is air that flows from high to low pressure."},
            {"id": "tea", "title": "Tea", "text": "Tea is made from leaves and hot water."},
        ]);
        let reply = service.json("POST /v1/documents", &documents).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        service
    }

    /// Starts the worker and waits until the task of `reply` is finished.
    async fn finish(&self, reply: &Reply) -> Value {
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.body);
        let worker = tokio::spawn(tasks::run(self.state.clone()));
        let id = reply.body["id"].as_u64().unwrap();
        self.state.tasks.finished(id).await.unwrap();
        worker.abort();
        self.send(&format!("GET /v1/tasks/{id}"), &[], "").await.body
    }
}

#[tokio::test]
async fn documents_sent_without_waiting_are_a_task_that_tells_what_became_of_each() {
    let service = service(Limits::default());
    let lines = "{\"id\": \"tea\", \"text\": \"Tea is made from leaves.\"}\nnonsense\n{\"id\": \"\", \"text\": \"x\"}\n";
    let reply = service.send("POST /v1/documents?wait=false", &[LINES], lines).await;
    assert_eq!(reply.headers[header::LOCATION], format!("/v1/tasks/{}", reply.body["id"]));
    assert_eq!(reply.body["status"], "enqueued");
    let task = service.finish(&reply).await;
    assert_eq!(task["status"], "succeeded", "{task}");
    assert_eq!(
        (&task["received"], &task["indexed"], &task["failed"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert_eq!(task["items"][0]["item"], 2);
    assert!(task["items"][0]["detail"].as_str().unwrap().contains("not JSON"));
    assert_eq!(task["items"][1]["item"], 3);
    let reply = service.send("GET /v1/search?q=leaves", &[], "").await;
    assert_eq!(reply.body["hits"][0]["document"], "tea", "{}", reply.body);
    let listed = service.send("GET /v1/tasks?status=succeeded&limit=1", &[], "").await;
    assert_eq!(listed.body["tasks"][0]["id"], task["id"]);
    assert!(service.send("GET /v1/tasks?status=failed", &[], "").await.body["tasks"][0].is_null());
}

#[tokio::test]
async fn what_was_acknowledged_is_done_after_a_crash() {
    let Service { state, _folder: folder } = service(Limits::default());
    let service = Service { state, _folder: folder };
    let document = json!({"id": "tea", "text": "Tea is made from leaves."});
    let reply = service.json("POST /v1/documents?wait=false", &document).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    // The server ends before the task was begun; another one opens the same data folder.
    let Service { state, _folder: folder } = service;
    let (model, collection) = (state.model.clone(), state.collection.clone());
    drop(state);
    let again = App::new(
        model,
        collection,
        folder.path(),
        std::net::Ipv4Addr::LOCALHOST.into(),
        Limits::default(),
    );
    let service = Service { state: Arc::new(again.unwrap()), _folder: folder };
    let task = service.finish(&reply).await;
    assert_eq!(task["status"], "succeeded", "{task}");
    let reply = service.send("GET /v1/documents/tea", &[], "").await;
    assert_eq!(reply.body["text"], "Tea is made from leaves.");
}

#[tokio::test]
async fn a_task_that_waits_can_be_canceled_and_is_never_done() {
    let service = service(Limits::default());
    let document = json!({"id": "tea", "text": "Tea."});
    let first = service.json("POST /v1/documents?wait=false", &document).await;
    let reply = service.send(&format!("POST /v1/tasks/{}/cancel", first.body["id"]), &[], "").await;
    assert_eq!(reply.body["status"], "canceled", "{}", reply.body);
    let second =
        service.json("POST /v1/documents?wait=false", &json!({"id": "b", "text": "B."})).await;
    assert_eq!(service.finish(&second).await["status"], "succeeded");
    assert_eq!(service.send("GET /v1/documents/tea", &[], "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_are_read_as_files_of_a_folder_are() {
    let service = service(Limits::default());
    let part = |name: &str, text: &str| {
        format!(
            "--X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n"
        )
    };
    let form = format!(
        "{}{}--X--\r\n",
        part("tea.md", "# Tea\n\nTea is made from leaves.\n"),
        part("empty.txt", "")
    );
    let reply = service.send("POST /v1/files", &[FORM], &form).await;
    let task = service.finish(&reply).await;
    assert_eq!(
        (&task["status"], &task["indexed"], &task["failed"]),
        (&json!("succeeded"), &json!(1), &json!(1)),
        "{task}"
    );
    assert_eq!(task["names"], json!(["tea.md", "empty.txt"]));
    assert_eq!(
        task["items"][0],
        json!({"item": 1, "id": "empty.txt", "status": "skipped", "detail": "empty"})
    );
    let reply = service.send("GET /v1/documents/tea.md", &[], "").await;
    assert_eq!(reply.body["title"], "Tea", "{}", reply.body);
    // The same file again changes nothing.
    let reply = service.send("POST /v1/files", &[FORM], &form).await;
    assert_eq!(service.finish(&reply).await["unchanged"], 1);

    for (form, words) in [
        (format!("{}--X--\r\n", part("../tea.md", "x")), "no name of a file"),
        (format!("{0}{0}--X--\r\n", part("a", "x")), "comes twice"),
        (
            "--X\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nx\r\n--X--\r\n".into(),
            "no file name",
        ),
        ("--X--\r\n".into(), "holds no file"),
    ] {
        let reply = service.send("POST /v1/files", &[FORM], &form).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{words}");
        assert!(reply.body["detail"].as_str().unwrap().contains(words), "{}", reply.body);
    }
    let left = std::fs::read_dir(service._folder.path().join("tasks")).unwrap().flatten();
    assert!(
        left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with("new-"))
    );
}

#[tokio::test]
async fn bulk_lines_are_applied_in_order_and_answered_one_by_one() {
    let service = Service::stocked().await;
    let lines = concat!(
        "{\"index\":{\"_id\":\"tea\"}}\n{\"title\":\"Tea\",\"text\":\"Green tea.\",\"year\":5}\n",
        "{\"create\":{\"_id\":\"tea\"}}\n{\"text\":\"x\"}\n",
        "{\"create\":{\"_id\":\"new\"}}\n{\"text\":\"Something new.\"}\n",
        "{\"index\":{\"_id\":\"brief\"}}\n{\"text\":\"Gone soon.\"}\n",
        "{\"delete\":{\"_id\":\"brief\"}}\n",
        "{\"delete\":{\"_id\":\"air/wind\"}}\n",
        "{\"delete\":{\"_id\":\"never\"}}\n",
        "{\"index\":{\"_id\":\"bad\"}}\n{\"text\":\" \"}\n",
    );
    let reply = service.send("POST /_bulk", &[LINES], lines).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.body["errors"], true);
    let told: Vec<(u64, &str)> = reply.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let item = item.as_object().unwrap().values().next().unwrap();
            let words = item["result"].as_str().or(item["error"]["type"].as_str()).unwrap();
            (item["status"].as_u64().unwrap(), words)
        })
        .collect();
    let expected = [
        (200, "updated"),
        (409, "version_conflict_engine_exception"),
        (201, "created"),
        (201, "created"),
        (200, "deleted"),
        (200, "deleted"),
        (404, "not_found"),
        (400, "document_parsing_exception"),
    ];
    assert_eq!(told, expected, "{}", reply.body);
    let there = |id: &str| format!("GET /v1/documents/{id}");
    assert_eq!(service.send(&there("tea"), &[], "").await.body["metadata"], json!({"year": 5}));
    for id in ["brief", "air/wind", "bad"] {
        assert_eq!(service.send(&there(id), &[], "").await.status, StatusCode::NOT_FOUND, "{id}");
    }
    let reply = service.send("POST /_bulk", &[LINES], "{\"delete\":{\"_id\":\"a\"}}").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.body["error"]["type"], "illegal_argument_exception", "{}", reply.body);
}

#[tokio::test]
async fn fields_are_listed_with_the_number_of_their_values() {
    let service = service(Limits::default());
    let documents: Vec<_> = (0..130)
        .map(|n| {
            let more = json!({"n": n, "lit": n % 2 == 0, "day": format!("2020-01-{:02}", 1 + n % 3),
                "tags": ["a", "b", format!("c{}", n % 5)]});
            json!({"id": format!("{n}"), "text": "A lamp.", "metadata": more})
        })
        .collect();
    service.json("POST /v1/documents", &json!(documents)).await;
    let status = service.send("GET /v1/status", &[], "").await.body;
    assert_eq!(
        status["collection"]["fields"],
        json!([
            {"name": "day", "values": 3, "complete": true},
            {"name": "lit", "values": 2, "complete": true},
            {"name": "n", "values": 100, "complete": false},
            {"name": "tags", "values": 7, "complete": true},
        ])
    );
    let facets = "GET /v1/search?q=lamp&facets=lit,day&filter=lit+%3D+true";
    let reply = service.send(facets, &[], "").await;
    assert_eq!(reply.body["facets"][0]["values"], json!([{"value": true, "count": 65}]));
}

#[tokio::test]
async fn a_removed_document_is_gone_with_the_reply() {
    let service = Service::stocked().await;
    let reply = service.send("DELETE /v1/documents/air%2Fwind", &[], "").await;
    assert_eq!((reply.status, &reply.body["id"]), (StatusCode::OK, &json!("air/wind")));
    let reply = service.send("GET /v1/search?q=wind", &[], "").await;
    assert!(reply.body["hits"].as_array().unwrap().iter().all(|hit| hit["document"] != "air/wind"));
    let again = service.send("DELETE /v1/documents/air%2Fwind", &[], "").await;
    assert_eq!(again.body["code"], "document_not_found");
}

#[tokio::test]
async fn similar_documents_are_near_in_meaning_and_never_the_document_itself() {
    let service = Service::stocked().await;
    let reply = service.json("POST /v1/similar", &json!({"document": "air/barometer"})).await;
    let found: Vec<&str> = reply.body["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|near| near["document"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["air/wind", "tea"], "{}", reply.body);
    let part =
        json!({"document": "air/barometer", "span": {"start_byte": 0, "end_byte": 44}, "limit": 1});
    let reply = service.json("POST /v1/similar", &part).await;
    assert_eq!(reply.body["documents"].as_array().unwrap().len(), 1, "{}", reply.body);
    let reply = service.json("POST /v1/similar", &json!({"text": "a hot drink of leaves"})).await;
    assert_eq!(reply.body["documents"][0]["document"], "tea", "{}", reply.body);
    for (body, code) in [
        (json!({}), "bad_request"),
        (json!({"text": " "}), "empty_query"),
        (json!({"document": "none"}), "document_not_found"),
        (json!({"document": "tea", "text": "x"}), "bad_request"),
        (json!({"document": "tea", "limit": 0}), "out_of_range"),
        (json!({"document": "tea", "span": {"start_byte": 9, "end_byte": 2}}), "out_of_range"),
    ] {
        assert_eq!(service.json("POST /v1/similar", &body).await.body["code"], code, "{body}");
    }
}

#[tokio::test]
async fn a_batch_answers_each_request_by_itself_on_one_state() {
    let service = Service::stocked().await;
    let batch = json!({"requests": [{"search": {"q": "tea"}}, {"ask": {"q": ""}}, {"ask": {"q": "Who made the first barometer?"}}]});
    let reply = service.json("POST /v1/batch", &batch).await;
    let results = reply.body["results"].as_array().unwrap();
    assert_eq!(results[0]["ok"]["hits"][0]["document"], "tea", "{}", reply.body);
    assert_eq!(results[1]["problem"]["code"], "empty_query");
    assert!(results[2]["ok"]["verdict"].is_object());
    assert_eq!(results[2]["ok"]["generation"], reply.body["generation"]);
    let none = service.json("POST /v1/batch", &json!({"requests": []})).await;
    assert_eq!(none.body["code"], "out_of_range");
}

#[tokio::test]
async fn stages_arrive_in_order_and_the_last_is_the_reply_to_the_question() {
    let service = Service::stocked().await;
    let q = "Who made the first barometer?";
    let plain = service.json("POST /v1/ask", &json!({"q": q})).await;
    let staged = service.send("POST /v1/ask/stream", &[JSON], &json!({"q": q}).to_string()).await;
    assert_eq!(staged.headers[header::CONTENT_TYPE], "text/event-stream");
    let events: Vec<(&str, Value)> = staged
        .text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("event: ")?.split_once("\ndata: "))
        .map(|(name, data)| (name, serde_json::from_str(data).unwrap()))
        .collect();
    let names: Vec<&str> = events.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["hits", "reranked", "answer"], "{}", staged.text);
    assert_eq!(events[0].1["hits"][0]["document"], "air/barometer");
    assert!(events[0].1.get("verdict").is_none() && events[1].1.get("verdict").is_none());
    for part in ["answers", "verdict", "hits", "generation"] {
        assert_eq!(events[2].1[part], plain.body[part], "{part}");
    }
    let bad = service.send("GET /v1/ask/stream?q=", &[], "").await;
    assert_eq!(bad.body["code"], "empty_query");
}

#[tokio::test]
async fn judgements_are_checked_before_they_are_written() {
    let service = Service::stocked().await;
    let judged = json!({"q": "tea", "document": "tea", "relevance": 1});
    let reply = service.json("POST /v1/judgements", &judged).await;
    assert_eq!((&reply.body["queries"], &reply.body["documents"]), (&json!(1), &json!(1)));
    let file = service._folder.path().join("judgements/qrels/test.tsv");
    let id = reply.body["query_id"].as_str().unwrap();
    assert!(std::fs::read_to_string(file).unwrap().ends_with(&format!("{id}\ttea\t1\n")));
    for body in [
        json!({"q": "", "document": "tea", "relevance": 1}),
        json!({"q": "tea", "document": "", "relevance": 1}),
        json!({"q": "tea", "document": "a\tb", "relevance": 1}),
        json!({"q": "tea", "document": "tea"}),
        json!({"q": "tea", "document": "tea", "right": true}),
        json!({"q": "tea", "document": "tea", "relevance": 9}),
    ] {
        let reply = service.json("POST /v1/judgements", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn a_task_that_was_begun_too_often_is_given_up() {
    let service = service(Limits::default());
    let reply =
        service.json("POST /v1/documents?wait=false", &json!({"id": "a", "text": "A."})).await;
    let Service { state, _folder: folder } = service;
    let (model, collection) = (state.model.clone(), state.collection.clone());
    drop(state);
    // What a server leaves behind that ended three times in the midst of the task.
    let record =
        folder.path().join(format!("tasks/{:010}/task.json", reply.body["id"].as_u64().unwrap()));
    let mut task: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    (task["status"], task["attempts"]) = (json!("processing"), json!(3));
    std::fs::write(&record, task.to_string()).unwrap();
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    let state = App::new(model, collection, folder.path(), address, Limits::default()).unwrap();
    let service = Service { state: Arc::new(state), _folder: folder };
    let task = service.finish(&reply).await;
    assert_eq!(task["status"], "failed", "{task}");
    assert!(task["detail"].as_str().unwrap().contains("given up"), "{task}");
    assert_eq!(service.send("GET /v1/documents/a", &[], "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_assistant_is_served_over_http() {
    let service = Service::stocked().await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    let reply = service.json("POST /mcp", &hello).await;
    assert_eq!(reply.body["result"]["serverInfo"]["name"], "alder", "{}", reply.text);
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(service.json("POST /mcp", &note).await.status, StatusCode::ACCEPTED);
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "search", "arguments": {"query": "tea"}}});
    let version = [JSON, ("mcp-protocol-version", "2025-11-25")];
    let reply = service.send("POST /mcp", &version, &call.to_string()).await;
    assert_eq!(
        reply.body["result"]["structuredContent"]["hits"][0]["document"], "tea",
        "{}",
        reply.text
    );
    let version = [JSON, ("mcp-protocol-version", "1999-01-01")];
    assert_eq!(
        service.send("POST /mcp", &version, &call.to_string()).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(service.send("GET /mcp", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}
