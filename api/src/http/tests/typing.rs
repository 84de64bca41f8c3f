//! Searching over HTTP as people do: operators, mistakes, suggestions, facets, pages, and "why not this one?".

use serde_json::{Value, json};

use super::{Limits, Reply, Service, service};

/// A service with a few documents.
async fn library() -> Service {
    let service = service(Limits::default());
    let documents = json!([
        {"id": "danube.md", "title": "Danube", "text": "The Danube flows through ten countries to the Black Sea.", "metadata": {"kind": "river", "year": 1990}},
        {"id": "rhine.md", "title": "Rhine", "text": "The Rhine flows from the Alps to the North Sea.", "metadata": {"kind": "river", "year": 2001}},
        {"id": "tea.md", "title": "Tea", "text": "Tea is made from leaves and hot water.", "metadata": {"kind": "drink"}},
        {"id": "barometer.md", "title": "Barometer", "text": "Torricelli made the first barometer in 1643.", "metadata": {"kind": "tool", "year": 1643}},
    ]);
    let reply = service.json("POST /v1/documents", &documents).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    service
}

fn documents(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let hits = reply.body["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["document"].as_str().unwrap()).collect()
}

fn has(list: &[&str], document: &str) -> bool {
    list.contains(&document)
}

#[tokio::test]
async fn operators_hold_for_words_and_for_meaning() {
    let service = library().await;
    let get = |q: &str| format!("GET /v1/search?q={}", q.replace(' ', "%20").replace('"', "%22"));
    let all = service.send(&get("a river that flows to the sea"), &[], "").await;
    assert!(has(&documents(&all), "danube.md") && has(&documents(&all), "rhine.md"));
    let without = service.send(&get("a river that flows to the sea -danube"), &[], "").await;
    assert!(!has(&documents(&without), "danube.md"), "{}", without.body);
    let phrase = service.send(&get("\"north sea\" river"), &[], "").await;
    assert_eq!(documents(&phrase), ["rhine.md"]);
    let field = service.send(&get("water kind:drink"), &[], "").await;
    assert_eq!(documents(&field), ["tea.md"]);
    let alone = service.send(&get("kind:river"), &[], "").await;
    assert_eq!(documents(&alone), ["danube.md", "rhine.md"]);
    let begun = service.send("GET /v1/search?q=first%20baro&as_you_type=true", &[], "").await;
    assert_eq!(documents(&begun), ["barometer.md"]);
    assert!(begun.body["timings"]["encode_ms"].is_null(), "{}", begun.body);
    let mistaken = service.send(&get("torriceli"), &[], "").await;
    assert_eq!(documents(&mistaken)[0], "barometer.md");
    assert_eq!(mistaken.body["did_you_mean"], "torricelli");
    assert!(mistaken.body["notes"][0].as_str().unwrap().contains("torriceli"));
}

#[tokio::test]
async fn filters_facets_order_and_pages_work_over_http() {
    let service = library().await;
    let body = json!({"q": "sea", "filter": "year >= 1990 AND kind = river", "facets": ["kind", "year"], "sort": ["year:desc"], "limit": 1});
    let first = service.json("POST /v1/search", &body).await;
    assert_eq!(documents(&first), ["rhine.md"]);
    assert_eq!(first.body["total"], 2);
    assert_eq!(first.body["total_is_complete"], true);
    let kinds = json!({"field": "kind", "values": [{"value": "river", "count": 2}], "other": 0, "missing": 0});
    assert_eq!(first.body["facets"][0], kinds);
    let mut next = body.clone();
    next["cursor"] = first.body["next"].clone();
    let second = service.json("POST /v1/search", &next).await;
    assert_eq!(documents(&second), ["danube.md"]);
    assert_eq!((&second.body["hits"][0]["rank"], &second.body["next"]), (&json!(2), &Value::Null));
    let url = "GET /v1/search?q=sea&filter=year%20%3E%3D%201990&sort=year&facets=kind,year&limit=1&per_document=1&diversity=0.3";
    assert_eq!(documents(&service.send(url, &[], "").await), ["danube.md"]);

    let cases = [
        (json!({"q": "a", "filter": "yaer = 3"}), 400, "invalid_filter", "did you mean \"year\"?"),
        (json!({"q": "a", "filter": "year = "}), 400, "invalid_filter", "byte 7"),
        (json!({"q": "a", "sort": ["yaer"]}), 400, "invalid_field", "did you mean \"year\"?"),
        (json!({"q": "a", "sort": ["year:up"]}), 400, "invalid_field", "year:desc"),
        (json!({"q": "a", "facets": ["knd"]}), 400, "invalid_field", "did you mean \"kind\"?"),
        (json!({"q": "a", "cursor": "x"}), 400, "invalid_cursor", "as it came"),
        (json!({"q": "tea", "cursor": first.body["next"]}), 400, "invalid_cursor", "another query"),
        (json!({"q": "a", "generation": 99}), 409, "changed", "first page"),
        (json!({"q": "a", "diversity": 2}), 400, "out_of_range", "diversity"),
        (
            json!({"q": "a", "fusion": {"method": "dbsf", "lexical_weight": 3}}),
            400,
            "out_of_range",
            "found 3",
        ),
    ];
    for (body, status, code, words) in cases {
        let reply = service.json("POST /v1/search", &body).await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (status, &json!(code)), "{body}");
        assert!(reply.body["detail"].as_str().unwrap().contains(words), "{}", reply.body);
    }
}

#[tokio::test]
async fn suggestions_come_from_the_words_and_titles_of_the_collection() {
    let service = library().await;
    let ask = async |q: &str| service.send(&format!("GET /v1/suggest?q={q}"), &[], "").await.body;
    let texts = |reply: &Value, list: &str, key: &str| -> Vec<String> {
        let list = reply[list].as_array().unwrap().iter();
        list.map(|item| item[key].as_str().unwrap().to_owned()).collect()
    };
    let begun = ask("the%20dan").await;
    assert_eq!(texts(&begun, "completions", "text"), ["the danube"]);
    assert_eq!(texts(&ask("dan").await, "titles", "document"), ["danube.md"]);
    // Of the words that begin so, those beside the words before count.
    assert_eq!(texts(&ask("alps%20no").await, "completions", "text"), ["alps north"]);
    assert_eq!(ask("barometre%20").await["did_you_mean"], "barometer ");
    for nothing in ["", "%20", "%22", "zzz"] {
        assert_eq!(ask(nothing).await["completions"], json!([]), "{nothing}");
    }
    let long = "a".repeat(2000);
    let reply = service.send(&format!("GET /v1/suggest?q={long}"), &[], "").await;
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (400, &json!("out_of_range")));
    assert_eq!(service.send("GET /v1/suggest?q=a&limit=0", &[], "").await.status, 400);
}

#[tokio::test]
async fn synonyms_can_be_set_and_hold_from_the_next_search_on() {
    let service = library().await;
    let find = async || {
        let reply = service.send("GET /v1/search?q=beverage&mode=lexical", &[], "").await;
        documents(&reply).len()
    };
    assert_eq!(find().await, 0);
    let rules = json!({"synonyms": "beverage, tea"});
    assert_eq!(service.json("PUT /v1/synonyms", &rules).await.status, 200);
    assert_eq!(service.send("GET /v1/synonyms", &[], "").await.body, rules);
    assert_eq!(find().await, 1);
    let reply = service.json("PUT /v1/synonyms", &json!({"synonyms": "a, b\nc"})).await;
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (400, &json!("invalid_synonyms")));
    assert!(reply.body["detail"].as_str().unwrap().contains("line 2"), "{}", reply.body);
}

#[tokio::test]
async fn a_document_that_is_not_found_says_why() {
    let service = library().await;
    let why = async |path: &str| service.send(&format!("GET /v1/why/{path}"), &[], "").await.body;
    let stage = |reply: &Value| reply["passages"][0]["stage"].as_str().unwrap_or("").to_owned();
    let shown = why("danube.md?q=danube").await;
    assert_eq!((stage(&shown).as_str(), &shown["rank"]), ("shown", &json!(1)));
    let listed = why("tea.md?q=danube&limit=1").await;
    assert_eq!(stage(&listed), "listed", "{listed}");
    assert_eq!(stage(&why("tea.md?q=danube&filter=kind%20%3D%20river").await), "filtered");
    assert_eq!(stage(&why("danube.md?q=river%20-danube").await), "refused");
    let ranked = why("tea.md?q=danube&mode=lexical").await;
    assert_eq!(stage(&ranked), "ranked");
    assert!(ranked["reason"].as_str().unwrap().contains("none of the words"), "{ranked}");
    let body = json!({"q": "the sea", "candidates": 1, "limit": 1});
    let cut = service.json("POST /v1/why/tea.md", &body).await.body;
    assert_eq!(stage(&cut), "ranked");
    let needed = cut["passages"][0]["dense"][1].as_u64().unwrap();
    assert!(
        cut["reason"].as_str().unwrap().contains(&format!("{needed} candidates would")),
        "{cut}"
    );
    let wider = json!({"q": "the sea", "candidates": needed, "limit": 1});
    let wider = service.json("POST /v1/why/tea.md", &wider).await.body;
    assert_ne!(stage(&wider), "ranked", "{wider}");
    assert!(why("none?q=danube").await["reason"].as_str().unwrap().contains("no such document"));
}
