//! What every request passes: who may call a server on one's own machine, and the headers that keep a
//! browser from doing more with a reply than it should.
//!
//! A page on the web can make its visitor's browser call `localhost`. It cannot read the reply (CORS is off),
//! but with a name that it rebinds to 127.0.0.1 it could; hence the list of names this server answers
//! to. And it must not write, which `Sec-Fetch-Site` tells.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Code, Problem};
use super::state::App;

const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Refuses foreign names and foreign sites, numbers the request, adds the headers.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = app.next_request_id();
    let line = format!("{} {}", request.method(), request.uri().path());
    let mut response = match allowed(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    tracing::debug!(request = id, status = response.status().as_u16(), "{line}");
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(HeaderName::from_static("x-request-id"), HeaderValue::from(id));
    response
}

fn allowed(app: &App, request: &Request) -> Result<(), Problem> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .ok_or_else(|| Problem::new(Code::BadRequest, "the request has no Host header"))?;
    if !is_ours(host, app.bound) {
        let detail =
            format!("{host:?} is not a name of this server; use http://localhost or its address");
        return Err(Problem::new(Code::HostNotAllowed, detail));
    }
    if request.method() != Method::GET && is_cross_site(request.headers()) {
        return Err(Problem::new(Code::CrossSite, "requests from other sites may only read"));
    }
    Ok(())
}

/// Whether `host` (with or without a port) means this server: a loopback name or address, the address it
/// is bound to, or, bound to all addresses, any address (a rebinding attack needs a name).
fn is_ours(host: &str, bound: IpAddr) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    name.parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback() || address == bound || bound.is_unspecified())
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_ours() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let everywhere: IpAddr = "0.0.0.0".parse().unwrap();
        let lan: IpAddr = "192.168.1.7".parse().unwrap();
        let cases = [
            ("localhost:7700", loopback, true),
            ("LOCALHOST", loopback, true),
            ("127.0.0.1:7700", loopback, true),
            ("[::1]:7700", loopback, true),
            ("evil.example:7700", loopback, false),
            ("localhost.evil.example", loopback, false),
            ("127.0.0.1.evil.example", loopback, false),
            ("192.168.1.7:7700", loopback, false),
            ("192.168.1.7:7700", lan, true),
            ("192.168.1.7:7700", everywhere, true),
            ("evil.example", everywhere, false),
            ("", loopback, false),
        ];
        for (host, bound, ours) in cases {
            assert_eq!(is_ours(host, bound), ours, "{host} on {bound}");
        }
    }
}
