//! Every state of every page: axe finds nothing, nothing is wider than the window, and a picture is taken of it, light
//! and dark, 320 and 1,600 pixels wide. `scripts/page-tools` fetches axe.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chromium::{Page, skip};
use crate::server::Server;
use crate::{QUESTION, SETTLED, assert_calm, start};

/// Where pictures go: `ALDER_SCREENSHOTS`, or the build's folder for what tests leave.
fn pictures() -> PathBuf {
    let folder = std::env::var_os("ALDER_SCREENSHOTS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("page"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The source of axe, if `scripts/page-tools` has fetched it.
fn axe() -> Option<String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let fetched = std::env::var_os("ALDER_PAGE_TOOLS")
        .map_or_else(|| target.join("tools/page"), PathBuf::from);
    let file = fetched.join("node_modules/axe-core/axe.min.js");
    let source = fs::read_to_string(&file);
    if source.is_err() {
        skip(&format!(
            "{} is missing: run scripts/page-tools to have axe look at the page",
            file.display()
        ));
    }
    source.ok()
}

/// A state: its name, the query of the URL it begins with, what is done then, when it is there.
struct State {
    name: &'static str,
    path: String,
    act: fn(&mut Page),
    ready: &'static str,
}

fn states() -> Vec<State> {
    let nothing: fn(&mut Page) = |_| {};
    let question = format!("/?q={}", QUESTION.replace(' ', "+"));
    let state = |name, path: &str, act, ready| State { name, path: path.to_owned(), act, ready };
    vec![
        state("home", "/", nothing, "document.querySelector('#collection a')"),
        state("typed", "/", |page| page.write("barometer"), "document.querySelector('.prompt')"),
        state("answer", &question, nothing, "document.querySelector('.answer h2')"),
        state("why", &question, open_why, "document.querySelector('.panel')"),
        state(
            "typing",
            "/",
            |page| page.write("lant"),
            "document.querySelector('#suggestions:not([hidden])')",
        ),
        state("facets", "/?q=lantern", nothing, "document.querySelector('.facets .chip')"),
        state(
            "narrowed",
            "/?q=lantern&filter=keeper+%3D+%22Ada+Ross%22+AND+number+%3E+3",
            nothing,
            "document.querySelectorAll('#filters .chip').length === 2 && document.querySelector('.facets .chip')",
        ),
        state(
            "narrowed-to-nothing",
            "/?q=barometer&filter=number+%3D+99",
            nothing,
            "document.querySelector('.note a')",
        ),
        state("judged", &question, judge, "document.querySelector('.judge [aria-pressed=true]')"),
        state("gone", "/?q=toll+house+ledger", nothing, "document.querySelector('.aged')"),
        state(
            "silent",
            "/?q=What+is+the+wifi+password%3F",
            nothing,
            "document.querySelector('.silent')",
        ),
        state(
            "second-page",
            "/?q=lantern&offset=10",
            nothing,
            "document.querySelector('.pages a')",
        ),
        state("nothing", "/?q=xyzzyqq&mode=lexical", nothing, "document.querySelector('.note')"),
        state(
            "fault",
            &format!("/?q={}", "a".repeat(2)),
            break_it,
            "document.querySelector('.fault')",
        ),
        state("keys", "/", |page| page.click("#keys"), "document.getElementById('help').open"),
        state(
            "document",
            "/document?id=barometer.md&from=20&to=176&start=67&end=89&q=first+barometer#said",
            nothing,
            "document.querySelector('.steps')",
        ),
        state("no-document", "/document?id=gone", nothing, "document.querySelector('.note')"),
        state("collection", "/collection", nothing, "document.querySelector('.figures')"),
    ]
}

fn open_why(page: &mut Page) {
    page.until("document.querySelector('.hits .why')");
    page.until(SETTLED);
    page.evaluate(
        "document.querySelector('.hits .why summary').click(); document.querySelector('.hits').scrollIntoView()",
    );
}

fn judge(page: &mut Page) {
    page.until("document.querySelector('.answer .judge')");
    page.until(SETTLED);
    page.evaluate("document.querySelector('.answer .judge button').click()");
}

/// A question longer than the server takes.
fn break_it(page: &mut Page) {
    page.until(SETTLED);
    page.evaluate("document.getElementById('q').value = 'word '.repeat(30000); document.getElementById('search').requestSubmit()");
}

#[test]
fn every_state_is_accessible_and_fits_light_and_dark_narrow_and_wide() {
    let Some((mut page, server)) = start() else { return };
    let (axe, folder) = (axe(), pictures());
    let mut faults = Vec::new();
    for (look, width, scheme) in [
        ("light", 1000, "light"),
        ("dark", 1000, "dark"),
        ("narrow", 320, "light"),
        ("wide", 1600, "light"),
    ] {
        for state in states() {
            show(&mut page, &server, &state, (width, scheme));
            page.picture(&folder.join(format!("{}-{look}.png", state.name)));
            if page.evaluate("document.documentElement.scrollWidth > innerWidth") == json!(true) {
                faults.push(format!("{} {look}: wider than the window", state.name));
            }
            if let Some(axe) = &axe {
                faults.extend(
                    violations(&mut page, axe)
                        .into_iter()
                        .map(|fault| format!("{} {look}: {fault}", state.name)),
                );
            }
            if state.name != "fault" && state.name != "no-document" {
                assert_calm(&mut page);
            }
            page.complaints();
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn show(page: &mut Page, server: &Server, state: &State, (width, scheme): (u32, &str)) {
    page.look(width, 900, scheme);
    page.open(&format!("{}{}", server.url, state.path));
    (state.act)(page);
    page.until(state.ready);
    page.until("!document.querySelector('[aria-busy]')");
}

/// Takes a picture of the page as it is, written without scripts, and lets axe look at it.
pub(crate) fn examine(page: &mut Page, name: &str) {
    page.call("Emulation.setScriptExecutionDisabled", json!({"value": false}));
    page.picture(&pictures().join(format!("{name}.png")));
    let faults = axe().map(|axe| violations(page, &axe)).unwrap_or_default();
    assert!(faults.is_empty(), "{name}: {}", faults.join("\n"));
}

/// What axe finds against WCAG 2.2 AA and its own best practices.
fn violations(page: &mut Page, axe: &str) -> Vec<String> {
    page.evaluate(&format!("{axe}; 0"));
    let tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    let run =
        format!("axe.run(document, {{runOnly: {}}}).then(found => found.violations)", json!(tags));
    let found = page.evaluate(&run);
    let name = |violation: &Value| {
        let nodes: Vec<_> = violation["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .take(3)
            .map(|node| node["html"].to_string())
            .collect();
        format!("{} ({}): {}", violation["id"], violation["help"], nodes.join(" "))
    };
    found.as_array().unwrap().iter().map(name).collect()
}
