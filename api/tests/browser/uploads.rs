//! Files of many formats given to the page of the collection: each is reported, what was in them can be asked, and the
//! highlighted source opens. The road of somebody who has never seen it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::chromium::Page;
use crate::server::{self, Server};
use crate::{SETTLED, assert_calm, chromium, states};

/// The text of all lines of the report.
const ROWS: &str =
    "[...document.querySelectorAll('#rows tr')].map(row => row.innerText).join('\\n')";

/// Chooses files, as the dialog of the browser would.
fn choose(page: &mut Page, files: &[PathBuf]) {
    let root = page.call("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
    let input = page.call("DOM.querySelector", json!({"nodeId": root, "selector": "#files"}));
    page.call("DOM.setFileInputFiles", json!({"nodeId": input["nodeId"], "files": files}));
}

/// Ten files: seven formats that are read, one that is refused in part, two that are no documents.
fn ten(folder: &Path) -> Vec<PathBuf> {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../indexer/tests/formats");
    // The browser opens no path with `..` in it.
    let formats = formats.canonicalize().unwrap();
    let mut files: Vec<PathBuf> = [
        "ferries.pdf",
        "history.docx",
        "transport.pptx",
        "staff.xlsx",
        "tales.epub",
        "meeting.eml",
    ]
    .map(|name| formats.join(name))
    .to_vec();
    let mut write = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).unwrap();
        files.push(folder.join(name));
    };
    write("ferry.md", b"# The ferry\n\nThe last ferry to the island leaves at half past nine.\n");
    write("list.jsonl", b"{\"id\": \"a\", \"text\": \"An apple.\"}\nnonsense\n");
    write("photo.png", b"\x89PNG\r\n\x1a\n");
    write("empty.txt", b"");
    files
}

#[test]
fn ten_files_of_many_formats_are_uploaded_asked_about_and_opened_at_the_place() {
    let Some(browser) = chromium::installed() else { return };
    let data = tempfile::tempdir().unwrap();
    let server = Server::empty();
    let mut page = Page::start(&browser);
    page.look(1000, 900, "light");
    page.open(&format!("{}/", server.url));
    page.until("document.querySelector('.note a[href=\"/collection\"]')");
    states::examine(&mut page, "walk-1-empty");
    page.click(".note a[href='/collection']");
    page.until("document.querySelector('.figures')");
    states::examine(&mut page, "walk-2-collection");
    choose(&mut page, &ten(data.path()));
    page.until("document.querySelector('#rows progress')");
    states::examine(&mut page, "walk-3-reading");
    page.until("!document.getElementById('ready').hidden");
    let (rows, sum) = (page.text(ROWS), page.text("document.getElementById('sum').textContent"));
    states::examine(&mut page, "walk-4-report");
    assert!(sum.contains("8 indexed") && sum.contains("2 skipped"), "{sum}\n{rows}");
    assert!(rows.contains("list.jsonl") && rows.contains("line 2"), "{rows}");
    page.until("document.getElementById('said').textContent.includes('8 indexed')");
    page.click("#ready a");
    page.until("document.activeElement.id === 'q'");
    page.write("When does the last ferry leave?");
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer h2')");
    page.until(SETTLED);
    states::examine(&mut page, "walk-5-answer");
    let answer = page.text("document.querySelector('.answer h2').textContent");
    assert!(page.text("document.querySelector('.answer').innerText").contains("half past nine"));
    page.click(".answer .source a");
    page.until("location.pathname === '/document' && document.getElementById('said')");
    states::examine(&mut page, "walk-6-source");
    assert_eq!(page.text("document.getElementById('said').textContent"), answer);
    assert_calm(&mut page);
}

#[test]
fn a_page_that_is_loaded_again_still_tells_what_became_of_the_files() {
    let Some(browser) = chromium::installed() else { return };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(server::shared(), "127.0.0.1:0");
    let mut page = Page::start(&browser);
    page.open(&format!("{}/collection", server.url));
    page.until("!document.getElementById('adding').hidden");
    let before = page.text("document.querySelector('.figures dd').textContent");
    let files = ten(data.path());
    choose(&mut page, &[files[6].clone(), files[8].clone()]);
    page.until("document.getElementById('said').textContent.includes('1 skipped')");
    page.until(&format!("document.querySelector('.figures dd').textContent !== {before:?}"));
    page.open(&format!("{}/collection", server.url));
    page.until("document.querySelectorAll('#rows tr').length === 2");
    let rows = page.text(ROWS);
    assert!(rows.contains("ferry.md") && rows.contains("indexed"), "{rows}");
    assert!(rows.contains("photo.png") && rows.contains("skipped"), "{rows}");
    choose(&mut page, &[files[6].clone()]);
    page.until("document.querySelector('#rows .unchanged')");
    assert_calm(&mut page);
}
