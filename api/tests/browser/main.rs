//! The page in a real Chromium, as people and their screen readers meet it. `journeys`, `narrowing`, `keys` and
//! `uploads` are roads through it, `states` looks at every state (axe, narrow, dark) and takes its picture, `defence` is about what must not happen.
//! `served` needs no browser. Without Chromium the rest is skipped, loudly; under `CI=true` that is a failure.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod chromium;
mod defence;
mod journeys;
mod keys;
mod narrowing;
mod served;
mod server;
mod states;
mod uploads;

use chromium::Page;
use server::Server;

/// A question the documents answer in two ways.
const QUESTION: &str = "Who made the first barometer?";

/// The page is at rest, with results or a note.
const SETTLED: &str = "!document.querySelector('#main[aria-busy]') && document.querySelector('#main').children.length";

/// A browser and a server on the shared documents, or `None` when there is no browser.
fn start() -> Option<(Page, Server)> {
    let browser = chromium::installed()?;
    let server = Server::start(server::shared(), "127.0.0.1:0");
    Some((Page::start(&browser), server))
}

/// Opens the page for a query of the URL and waits for the whole reply.
fn ask(page: &mut Page, server: &Server, query: &str) {
    page.open(&format!("{}/?{query}", server.url));
    page.until(SETTLED);
}

/// What nobody wants to see on the console.
fn assert_calm(page: &mut Page) {
    let complaints = page.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
