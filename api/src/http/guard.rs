//! What every request passes: who may call a server on one's own machine, and the headers that keep a
//! browser from doing more with a reply than it should.
//!
//! A page on the web can make its visitor's browser call `localhost`. It cannot read the reply (CORS is off),
//! but with a name that it rebinds to 127.0.0.1 it could; hence the list of names this server answers
//! to. And it must not write, which `Sec-Fetch-Site` tells, or `Origin` where a browser does not send that.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::timeout::TimeoutBody;

use super::accept::Peer;
use super::problem::{Code, Problem};
use super::reader;
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

/// Refuses foreign names, foreign sites and callers without a key, numbers and counts the request, adds the headers.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = app.next_request_id();
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match allowed(&app, &request) {
        Ok(()) => {
            let slow = |body| Body::new(TimeoutBody::new(app.limits.body_wait, body));
            next.run(request.map(slow)).await
        }
        Err(problem) => refused(&request, problem),
    };
    // The route as it is written: a path can hold the name of a document.
    let route = route.as_ref().map(MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    app.metrics.request(&method, route, status, took);
    tracing::debug!(
        request = id,
        status,
        took_ms = took.as_secs_f64() * 1e3,
        "{method} {}",
        route.unwrap_or("-")
    );
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(HeaderName::from_static("x-request-id"), HeaderValue::from(id));
    response
}

/// The refusal; where the server writes pages for people, it is one.
fn refused(request: &Request, problem: Problem) -> Response {
    let page = ["/document", "/plain"].contains(&request.uri().path());
    let keyless = problem.code == Code::Unauthorized;
    if !(page && keyless && request.method() == Method::GET) {
        return problem.into_response();
    }
    reader::locked(&problem, request.headers()).unwrap_or_else(Problem::into_response)
}

fn allowed(app: &App, request: &Request) -> Result<(), Problem> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .ok_or_else(|| Problem::new(Code::BadRequest, "the request has no Host header"))?;
    if !is_ours(host, app.bound) && !app.names.iter().any(|name| is_named(host, name)) {
        let detail = format!(
            "{host:?} is not a name of this server; use http://localhost or its address, or start \
                     it with --allow-host"
        );
        return Err(Problem::new(Code::HostNotAllowed, detail));
    }
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if !reads && is_cross_site(request.headers(), host) {
        return Err(Problem::new(Code::CrossSite, "requests from other sites may only read"));
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    app.gate.pass((request.method(), request.uri().path()), request.headers(), peer)
}

/// Whether `host` is `name`, at any port.
fn is_named(host: &str, name: &str) -> bool {
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    bare.map_or(host, |(bare, _)| bare).eq_ignore_ascii_case(name)
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

/// Whether a browser says that another site asks, or says it by an origin that is not `host`.
fn is_cross_site(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let authority =
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, a)| a);
    !authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
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
