//! `/docs`: the interface as a page to read, written from the OpenAPI description. No script, no foreign file, so
//! that it works offline and under the same policy as everything else.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::openapi;

/// The interface as a page.
#[utoipa::path(get, path = "/docs", tag = "operations",
    responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn show() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| page(&serde_json::json!(openapi::document())));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE.as_str()).into_response()
}

fn page(document: &Value) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Alder: HTTP interface</title><link rel=\"stylesheet\" href=\"/ui/style.css\"></head>\n\
         <body><main><h1>HTTP interface</h1>\n",
    );
    for paragraph in text(&document["info"]["description"]).split("\n\n") {
        put(&mut out, format_args!("<p>{}</p>\n", escaped(paragraph)));
    }
    out.push_str("<p>For programs: <a href=\"/openapi.json\">/openapi.json</a></p>\n");
    for tag in document["tags"].as_array().into_iter().flatten() {
        let (name, words) = (text(&tag["name"]), text(&tag["description"]));
        put(
            &mut out,
            format_args!(
                "<h2 id=\"{0}\">{1} <small>({0})</small></h2>\n",
                escaped(name),
                escaped(words)
            ),
        );
        for (path, method, operation) in operations(document) {
            if operation["tags"].as_array().into_iter().flatten().any(|tag| tag == name) {
                section(&mut out, path, method, operation);
            }
        }
    }
    out.push_str("</main></body></html>\n");
    out
}

/// Every operation of an OpenAPI document as (path, method, operation).
pub(super) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn section(out: &mut String, path: &str, method: &str, operation: &Value) {
    let title = format!("{} {path}", method.to_uppercase());
    put(
        out,
        format_args!(
            "<section><h3><code>{}</code></h3>\n<p>{}</p>\n",
            escaped(&title),
            escaped(text(&operation["summary"]))
        ),
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<dl>\n");
        for parameter in parameters {
            let (name, words) = (text(&parameter["name"]), text(&parameter["description"]));
            put(
                out,
                format_args!(
                    "<dt><code>{}</code></dt><dd>{}</dd>\n",
                    escaped(name),
                    escaped(words)
                ),
            );
        }
        out.push_str("</dl>\n");
    }
    put(
        out,
        format_args!(
            "<pre><code>{}</code></pre></section>\n",
            escaped(&curl(path, method, operation))
        ),
    );
}

/// A command that does it.
fn curl(path: &str, method: &str, operation: &Value) -> String {
    let mut command = String::from("curl");
    if method != "get" {
        put(&mut command, format_args!(" -X {}", method.to_uppercase()));
    }
    put(&mut command, format_args!(" 'http://127.0.0.1:7700{}'", target(path, operation)));
    for (kind, content) in
        operation["requestBody"]["content"].as_object().into_iter().flatten().take(1)
    {
        if kind.starts_with("multipart/") {
            command.push_str(" -F file=@notes.md");
            continue;
        }
        let body = match &content["example"] {
            Value::String(text) => text.trim_end().replace('\n', "\\n"),
            value => value.to_string(),
        };
        let quote = if body.contains("\\n") { "$'" } else { "'" };
        put(&mut command, format_args!(" -H 'content-type: {kind}' --data-binary {quote}{body}"));
        command.push_str(if quote == "$'" { "\\n'" } else { "'" });
    }
    command
}

/// Path and query with the examples in their places.
pub(super) fn target(path: &str, operation: &Value) -> String {
    let mut target = path.to_owned();
    let mut query = String::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let example = match &parameter["example"] {
            Value::Null => continue,
            Value::String(text) => encoded(text),
            value => value.to_string(),
        };
        let name = text(&parameter["name"]);
        if parameter["in"] == "path" {
            target = target.replace(&format!("{{{name}}}"), &example);
        } else {
            let separator = if query.is_empty() { '?' } else { '&' };
            put(&mut query, format_args!("{separator}{name}={example}"));
        }
    }
    target + &query
}

/// `text` for a URL.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into())
            }
            b' ' => out.push('+'),
            other => put(&mut out, format_args!("%{other:02X}")),
        }
    }
    out
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Writing to a string cannot fail.
fn put(out: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(words);
}
