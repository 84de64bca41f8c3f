//! The dialects of other servers, by the exact bodies that their clients send and read.

use axum::http::StatusCode;
use base64::Engine;
use serde_json::{Value, json};

use super::{Service, model, service};
use crate::http::Limits;

const TEXTS: [&str; 3] = [
    "Tea is made from leaves and hot water.",
    "The barometer was invented by Evangelista Torricelli in 1643.",
    "Wind is air that flows.",
];
const QUERY: &str = "Who invented the barometer?";

fn sent() -> Service {
    service(Limits::default())
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn name() -> String {
    model().identity().name.clone()
}

#[tokio::test]
async fn openai_embeddings_are_the_models_vectors_in_both_encodings() {
    let service = sent();
    let own = model().encode(&TEXTS).unwrap();
    let body = json!({"model": name(), "input": TEXTS});
    let reply = service.json("POST /v1/embeddings", &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!((&reply.body["object"], &reply.body["model"]), (&json!("list"), &json!(name())));
    for (index, embedding) in own.iter().enumerate() {
        let item = &reply.body["data"][index];
        assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(index)));
        let near = floats(&item["embedding"])
            .iter()
            .zip(embedding.as_slice())
            .map(|(a, b)| a * b)
            .sum::<f32>();
        assert!(near > 0.9999, "{near}");
    }
    let tokens: usize = TEXTS.iter().map(|text| model().tokenize(text).unwrap().len()).sum();
    assert_eq!(reply.body["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));

    let body =
        json!({"model": name(), "input": TEXTS[0], "encoding_format": "base64", "user": "u"});
    let reply = service.json("POST /v1/embeddings", &body).await;
    let text = reply.body["data"][0]["embedding"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let read: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(read.len(), own[0].as_slice().len());
    let near = read.iter().zip(own[0].as_slice()).map(|(a, b)| a * b).sum::<f32>();
    assert!(near > 0.9999, "{near}");
}

#[tokio::test]
async fn openai_errors_have_their_shape() {
    let service = sent();
    let long = "tea ".repeat(2000);
    for (body, status, code, words) in [
        (
            json!({"model": "text-embedding-3-small", "input": "a"}),
            404,
            "model_not_found",
            "does not exist",
        ),
        (json!({"model": name(), "input": [[1, 2]]}), 400, "invalid_parameter", "send text"),
        (json!({"model": name(), "input": [1, 2]}), 400, "invalid_parameter", "send text"),
        (json!({"model": name(), "input": ""}), 400, "empty_query", "cannot be empty"),
        (json!({"model": name(), "input": []}), 400, "empty_query", "cannot be empty"),
        (json!({"model": name(), "input": long}), 400, "too_many_tokens", "must have less than"),
        (
            json!({"model": name(), "input": "a", "dimensions": 7}),
            400,
            "out_of_range",
            "cannot give 7",
        ),
        (json!({"model": name(), "input": "a", "inputs": "a"}), 400, "invalid_json", "`inputs`"),
    ] {
        let reply = service.json("POST /v1/embeddings", &body).await;
        let error = &reply.body["error"];
        assert_eq!(
            (reply.status.as_u16(), &error["code"]),
            (status, &json!(code)),
            "{}",
            reply.body
        );
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains(words), "{}", reply.body);
    }
    let models = service.send("GET /v1/models", &[], "").await;
    assert_eq!(models.body["data"][0]["id"], json!(name()));
    let one = service.send(&format!("GET /v1/models/{}", name()), &[], "").await;
    assert_eq!(one.body, models.body["data"][0]);
    assert_eq!(
        service.send("GET /v1/models/none", &[], "").await.body["error"]["code"],
        "model_not_found"
    );
}

#[tokio::test]
async fn tei_embeds_tokenizes_and_describes_itself() {
    let service = sent();
    let reply = service.json("POST /embed", &json!({"inputs": TEXTS, "normalize": true})).await;
    assert_eq!(reply.body.as_array().unwrap().len(), 3, "{}", reply.body);
    let one = service.json("POST /embed", &json!({"inputs": TEXTS[0]})).await;
    let near: f32 =
        floats(&one.body[0]).iter().zip(floats(&reply.body[0])).map(|(a, b)| a * b).sum();
    assert!(near > 0.999, "{near}");
    let long = json!({"inputs": "tea ".repeat(2000), "truncate": true});
    assert_eq!(service.json("POST /embed", &long).await.status, StatusCode::OK);

    let text = "Über hot tea";
    let reply = service.json("POST /tokenize", &json!({"inputs": text})).await;
    let tokens = reply.body[0].as_array().unwrap();
    assert_eq!((&tokens[0]["special"], &tokens[0]["start"]), (&json!(true), &Value::Null));
    let characters: Vec<char> = text.chars().collect();
    let mut covered = String::new();
    for token in &tokens[1..tokens.len() - 1] {
        let place = |key: &str| token[key].as_u64().unwrap() as usize;
        covered.extend(&characters[place("start")..place("stop")]);
    }
    assert_eq!(covered, text.replace(' ', ""), "{}", reply.body);
    let bare =
        service.json("POST /tokenize", &json!({"inputs": text, "add_special_tokens": false})).await;
    assert_eq!(bare.body[0].as_array().unwrap().len(), tokens.len() - 2);

    let info = service.send("GET /info", &[], "").await.body;
    assert_eq!(
        (&info["model_id"], &info["max_input_length"]),
        (&json!(name()), &json!(model().max_length()))
    );
    assert!(info["model_type"]["embedding"]["pooling"].is_string(), "{info}");
}

#[tokio::test]
async fn tei_reranks_in_order_and_its_errors_have_their_shape() {
    let service = sent();
    let reply = service.json("POST /rerank", &json!({"query": QUERY, "texts": TEXTS})).await;
    assert_eq!(reply.body[0]["index"], 1, "{}", reply.body);
    assert!(reply.body[0].get("text").is_none());
    let scores: Vec<f32> =
        (0..3).map(|i| reply.body[i]["score"].as_f64().unwrap() as f32).collect();
    assert!(
        scores[0] >= scores[1] && scores[1] >= scores[2] && (0.0..=1.0).contains(&scores[0]),
        "{scores:?}"
    );
    let raw = json!({"query": QUERY, "texts": TEXTS, "raw_scores": true, "return_text": true});
    let raw = service.json("POST /rerank", &raw).await.body;
    assert_eq!(raw[0]["text"], TEXTS[1]);
    let logit = raw[0]["score"].as_f64().unwrap() as f32;
    assert!((1.0 / (1.0 + (-logit).exp()) - scores[0]).abs() < 1e-3);
    for (path, body, status, kind) in [
        ("/embed", json!({"inputs": ""}), 400, "Empty"),
        ("/embed", json!({"inputs": "tea ".repeat(2000)}), 413, "Validation"),
        ("/embed", json!({"inputs": vec!["a"; 2049]}), 413, "Validation"),
        ("/embed", json!({"inputs": "a", "normalize": false}), 400, "Validation"),
        ("/embed", json!({"inputs": "a", "prompt_name": "query"}), 400, "Validation"),
        ("/rerank", json!({"query": QUERY, "texts": []}), 400, "Empty"),
        ("/rerank", json!({"query": "", "texts": ["a"]}), 400, "Empty"),
        ("/tokenize", json!({}), 400, "Validation"),
    ] {
        let reply = service.json(&format!("POST {path}"), &body).await;
        assert_eq!(reply.status.as_u16(), status, "{path} {}", reply.body);
        assert_eq!(reply.body["error_type"], kind, "{path} {}", reply.body);
        assert!(reply.body["error"].is_string());
    }
}

#[tokio::test]
async fn cohere_and_jina_rerank_strings_and_objects() {
    let service = sent();
    let documents = json!([{"text": TEXTS[0]}, TEXTS[1], TEXTS[2]]);
    let body = json!({"model": name(), "query": QUERY, "documents": documents, "top_n": 2, "return_documents": true});
    for (path, version) in [("/v1/rerank", "1"), ("/v2/rerank", "2")] {
        let reply = service.json(&format!("POST {path}"), &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let results = reply.body["results"].as_array().unwrap();
        assert_eq!((results.len(), &results[0]["index"]), (2, &json!(1)), "{}", reply.body);
        assert_eq!(results[0]["document"], json!({"text": TEXTS[1]}));
        assert!(results[0]["relevance_score"].as_f64() >= results[1]["relevance_score"].as_f64());
        assert_eq!(reply.body["meta"]["api_version"]["version"], version);
        assert!(
            reply.body["id"].is_string() && reply.body["usage"]["total_tokens"].as_u64() > Some(10)
        );
    }
    let wrong = json!({"model": "rerank-v3.5", "query": QUERY, "documents": TEXTS});
    let reply = service.json("POST /v2/rerank", &wrong).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.body["message"].as_str().unwrap().contains("does not exist"));
}

#[tokio::test]
async fn hugging_face_answers_are_slices_of_the_context_in_characters() {
    let service = sent();
    let context = format!("Über Luft. {}", TEXTS[1]);
    let inputs = json!({"question": QUERY, "context": context});
    let one = service.json("POST /v1/qa", &json!({"inputs": inputs})).await.body;
    let cut = |answer: &Value| -> String {
        let place = |key: &str| answer[key].as_u64().unwrap() as usize;
        context.chars().skip(place("start")).take(place("end") - place("start")).collect()
    };
    assert_eq!(one["answer"], cut(&one), "{one}");
    assert!(one["answer"].as_str().unwrap().contains("Torricelli"), "{one}");
    let parameters = json!({"top_k": 3, "handle_impossible_answer": true});
    let many = service
        .json("POST /v1/qa", &json!({"inputs": inputs, "parameters": parameters}))
        .await
        .body;
    let many = many.as_array().unwrap();
    assert!(
        many.len() <= 3 && many.iter().all(|answer| answer["answer"] == cut(answer)),
        "{many:?}"
    );
    let sum: f64 = many.iter().map(|answer| answer["score"].as_f64().unwrap()).sum();
    assert!(sum <= 1.001, "{many:?}");
    let foreign = json!({"question": "What is the capital of Peru?", "context": TEXTS[0]});
    let none = json!({"inputs": foreign, "parameters": {"handle_impossible_answer": true}});
    let none = service.json("POST /v1/qa", &none).await.body;
    assert_eq!((&none["answer"], &none["end"]), (&json!(""), &json!(0)), "{none}");
    let reply =
        service.json("POST /v1/qa", &json!({"inputs": {"question": "", "context": "x"}})).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body["error"].is_string());
}
