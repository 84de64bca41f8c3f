//! A server that asks for a key: the page asks for it once, sends it with every call, and forgets it.

use serde_json::json;

use crate::server::{self, Server};
use crate::{QUESTION, SETTLED, chromium, states};

#[test]
fn a_key_is_asked_for_once_opens_everything_and_can_be_forgotten() {
    let Some(browser) = chromium::installed() else { return };
    let (server, key) = Server::locked(server::shared());
    let mut page = chromium::Page::start(&browser);
    page.look(1000, 900, "light");
    page.open(&format!("{}/", server.url));
    page.until("document.activeElement.id === 'key'");
    states::examine(&mut page, "key-asked");
    page.write("alder_wrong");
    page.press(&["Enter"]);
    page.until("document.querySelector('.ask-key .wrong')");
    page.evaluate(
        "document.getElementById('key').value = ''; document.getElementById('key').focus()",
    );
    page.write(&key);
    page.press(&["Enter"]);
    page.until("document.querySelector('#collection a') && !document.querySelector('.ask-key')");
    page.press(&["/"]);
    page.write(QUESTION);
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer h2')");
    page.until(SETTLED);
    states::examine(&mut page, "key-given");
    let answer = page.text("document.querySelector('.answer h2').textContent");
    page.click(".answer .source a");
    page.until("location.pathname === '/document' && document.getElementById('said')");
    assert_eq!(page.text("document.getElementById('said').textContent"), answer);
    page.until("document.querySelector('.steps')");
    page.click("#back");
    page.until("location.pathname === '/' && document.querySelector('.answer h2')");
    page.open(&format!("{}/collection", server.url));
    page.until("document.querySelector('.figures') && !document.getElementById('adding').hidden");
    page.open(&format!("{}/", server.url));
    page.until("document.querySelector('#collection button')");
    page.click("#collection button");
    page.until("document.getElementById('key')");
    assert_eq!(page.evaluate("sessionStorage.getItem('key')"), json!(null));
    let known = page.text("JSON.stringify([...Object.values(localStorage), document.cookie])");
    assert!(!known.contains(&key), "{known}");
}

#[test]
fn a_document_and_the_collection_ask_for_the_key_themselves() {
    let Some(browser) = chromium::installed() else { return };
    let (server, key) = Server::locked(server::shared());
    for (path, ready) in [
        (
            "/document?id=barometer.md&from=20&to=176&start=67&end=89&q=first#said",
            "document.querySelector('#passage #said')",
        ),
        ("/collection", "document.querySelector('.figures')"),
        ("/?q=lantern", "document.querySelector('.hits')"),
    ] {
        let mut page = chromium::Page::start(&browser);
        page.look(320, 700, "dark");
        page.open(&format!("{}{path}", server.url));
        page.until("document.getElementById('key')");
        states::examine(
            &mut page,
            &format!("key-{}", &path[1..path.len().min(9)].replace('?', "")),
        );
        page.evaluate("document.getElementById('key').focus()");
        page.write(&key);
        page.press(&["Enter"]);
        page.until(ready);
    }
}
