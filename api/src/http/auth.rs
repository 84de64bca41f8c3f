//! Who may do what: [`Gate`] holds the keys and what each may use, [`Gate::pass`] decides. The key file is read
//! again when it changes, so keys are made, replaced and revoked without a restart.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use axum::http::{HeaderMap, Method, header};

use super::problem::{Code, Problem};
use super::rate::Rate;
use crate::keys::{Key, Keys, KeysError, Scope};
use crate::open::COLLECTION;

/// Who may call.
#[derive(Debug)]
pub(crate) struct Gate {
    path: Option<PathBuf>,
    keys: RwLock<Keys>,
    /// Whether a key is needed. Stays true when the last key is revoked: a server never opens by itself.
    required: bool,
    /// When the key file changed last.
    changed: Mutex<Option<SystemTime>>,
    rate: Option<Rate>,
    /// Makes numbers of names that nobody outside can foresee.
    numbers: RandomState,
}

impl Gate {
    /// A gate without keys: everybody who reaches the server may do everything.
    pub(crate) fn open() -> Self {
        Self {
            path: None,
            keys: RwLock::default(),
            required: false,
            changed: Mutex::default(),
            rate: None,
            numbers: RandomState::new(),
        }
    }

    /// A gate that asks for the keys in the file at `path`, if it has any.
    ///
    /// # Errors
    /// [`KeysError`] for a file that cannot be read.
    pub(crate) fn with_keys(path: &Path) -> Result<Self, KeysError> {
        let changed = modified(path);
        let keys = Keys::load(path)?;
        Ok(Self {
            path: Some(path.to_owned()),
            required: !keys.keys.is_empty(),
            keys: RwLock::new(keys),
            changed: Mutex::new(changed),
            ..Self::open()
        })
    }

    /// The same with at most `per_second` requests a second for each key, or each address where no key is needed;
    /// as many may come at once.
    #[must_use]
    pub(crate) fn with_rate(mut self, per_second: Option<NonZeroU32>) -> Self {
        self.rate = per_second.map(Rate::new);
        self
    }

    /// Whether a key is needed.
    pub(crate) fn is_closed(&self) -> bool {
        self.required
    }

    /// Reads the key file again if it changed. A file that cannot be read leaves the keys as they are.
    pub(crate) fn reload(&self) {
        let Some(path) = &self.path else { return };
        let now = modified(path);
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if *changed == now {
            return;
        }
        match Keys::load(path) {
            Ok(keys) => {
                tracing::info!(keys = keys.keys.len(), "the keys were read again");
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                *changed = now;
            }
            Err(error) => tracing::error!("the keys stay as they were: {error}"),
        }
    }

    /// Lets a request pass, or says why not: its key, what that allows, and how often it came.
    ///
    /// # Errors
    /// [`Code::Unauthorized`], [`Code::Forbidden`], [`Code::RateLimited`].
    pub(crate) fn pass(
        &self,
        (method, path): (&Method, &str),
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<(), Problem> {
        let Some(scope) = scope_of(method, path) else { return Ok(()) };
        let caller = if self.required {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            let key = allowed(&keys, headers, scope)?;
            self.numbers.hash_one(&key.name)
        } else {
            self.numbers.hash_one(peer)
        };
        self.count(caller)
    }

    fn count(&self, caller: u64) -> Result<(), Problem> {
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.take(caller, Instant::now()).map_err(|wait| {
            let detail = "this caller sends more requests than it may; slow down";
            let retry_after = Some(Duration::from_secs(wait.as_secs() + 1));
            Problem { retry_after, ..Problem::new(Code::RateLimited, detail) }
        })
    }
}

fn allowed<'k>(keys: &'k Keys, headers: &HeaderMap, scope: Scope) -> Result<&'k Key, Problem> {
    let secret = secret(headers).ok_or_else(|| {
        let detail = "send a key as `Authorization: Bearer KEY`; `alder keys create` makes one";
        Problem::new(Code::Unauthorized, detail)
    })?;
    let key = keys.find(secret).ok_or_else(|| {
        Problem::new(Code::Unauthorized, "the key is unknown, revoked or expired")
    })?;
    if !key.allows(scope, COLLECTION) {
        let detail = format!(
            "the key {} does not allow this; it needs the scope {} for the collection {COLLECTION}",
            key.name,
            format!("{scope:?}").to_lowercase()
        );
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(key)
}

/// The key that a request carries: `Authorization: Bearer`, or `X-API-Key`. Never in a URL, which is logged.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    });
    bearer.or_else(|| headers.get("x-api-key").and_then(|value| value.to_str().ok()))
}

/// What a request needs; `None` for what tells nothing of the documents: the page's files, health, the
/// description of the interface. What is not listed needs the most.
fn scope_of(method: &Method, path: &str) -> Option<Scope> {
    const OPEN: [&str; 5] = ["/", "/collection", "/docs", "/openapi.json", "/health"];
    // The pages that the server fills with what it found are searches too.
    const SEARCH: [&str; 20] = [
        "/plain",
        "/document",
        "/v1/search",
        "/v1/ask",
        "/v1/ask/stream",
        "/v1/batch",
        "/v1/similar",
        "/v1/suggest",
        "/v1/status",
        "/v1/embeddings",
        "/v1/models",
        "/embed",
        "/rerank",
        "/tokenize",
        "/info",
        "/v1/rerank",
        "/v2/rerank",
        "/v1/qa",
        "/v1/why",
        "/mcp",
    ];
    const WRITE: [&str; 6] =
        ["/v1/documents", "/_bulk", "/v1/files", "/v1/tasks", "/v1/judgements", "/v1/synonyms"];
    let reads = method == Method::GET || method == Method::HEAD;
    let within = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    let is = |list: &[&str]| list.contains(&path);
    if reads && (is(&OPEN) || within("/ui") || within("/health")) {
        return None;
    }
    let reading = reads && (within("/v1/documents") || path == "/v1/synonyms");
    if is(&SEARCH) || within("/v1/models") || within("/v1/why") || reading {
        return Some(Scope::Search);
    }
    if is(&WRITE) || within("/v1/documents") || within("/v1/tasks") {
        return Some(Scope::Write);
    }
    Some(Scope::Admin)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_needs_less_than_writing_and_what_is_unknown_needs_most() {
        let cases = [
            ("GET", "/", None),
            ("GET", "/ui/search.js", None),
            ("GET", "/health/ready", None),
            ("GET", "/plain", Some(Scope::Search)),
            ("GET", "/document", Some(Scope::Search)),
            ("PUT", "/v1/synonyms", Some(Scope::Write)),
            ("GET", "/v1/search", Some(Scope::Search)),
            ("POST", "/v1/ask", Some(Scope::Search)),
            ("POST", "/mcp", Some(Scope::Search)),
            ("GET", "/v1/documents/a/b", Some(Scope::Search)),
            ("DELETE", "/v1/documents/a/b", Some(Scope::Write)),
            ("POST", "/v1/documents", Some(Scope::Write)),
            ("POST", "/_bulk", Some(Scope::Write)),
            ("GET", "/v1/tasks/3", Some(Scope::Write)),
            ("POST", "/v1/tasks/3/cancel", Some(Scope::Write)),
            ("GET", "/metrics", Some(Scope::Admin)),
            ("POST", "/", Some(Scope::Admin)),
            ("GET", "/v1/searching", Some(Scope::Admin)),
            ("GET", "/uix", Some(Scope::Admin)),
        ];
        for (method, path, scope) in cases {
            assert_eq!(scope_of(&method.parse().unwrap(), path), scope, "{method} {path}");
        }
    }
}
