//! What must not happen: a document that runs, a page that hangs when the server is gone, a page that grows heavy.

use serde_json::json;

use crate::server::{self, Server};
use crate::{QUESTION, SETTLED, ask, assert_calm, start};

#[test]
fn hostile_documents_are_only_text() {
    let Some((mut page, server)) = start() else { return };
    let foreign = "document.querySelectorAll('main script, main img, main svg:not(.bar-drawing), main [onerror], main [onload], main a[href^=javascript]').length";
    for (question, words) in
        [("kettle", "<script>alert"), ("samovar", "samovar"), ("windmill", "WWWW")]
    {
        page.look(320, 700, "light");
        ask(&mut page, &server, &format!("q={question}"));
        page.evaluate("document.querySelector('.hits a').focus()");
        page.press(&["w"]);
        page.until("document.querySelector('.panel')");
        let shown = page.text("document.querySelector('.hits').innerText");
        assert!(shown.contains(words), "{question}: {shown}");
        assert_eq!(page.evaluate(foreign), json!(0), "{question}");
        let wide = page.evaluate("document.documentElement.scrollWidth > innerWidth");
        assert_eq!(wide, json!(false), "{question}: the page is wider than the window");
        page.click(".hits a");
        page.until("document.querySelector('.document')");
        assert_eq!(page.evaluate(foreign), json!(0), "{question}");
        assert!(page.text("document.body.innerText").contains(words), "{question}");
        page.open(&format!("{}/plain?q={question}", server.url));
        page.until(SETTLED);
        assert_eq!(page.evaluate(foreign), json!(0), "{question}");
    }
    page.open(&format!(
        "{}/?q=%3Cscript%3Ealert(1)%3C/script%3E%22onfocus=%22alert(2)",
        server.url
    ));
    page.until(SETTLED);
    assert_eq!(
        page.text("document.getElementById('q').value"),
        "<script>alert(1)</script>\"onfocus=\"alert(2)"
    );
    assert_calm(&mut page);
}

#[test]
fn a_server_that_goes_away_is_named_and_its_return_is_noticed() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, "q=lantern");
    let address = server.stop();
    page.press(&["/"]);
    page.write("barometer");
    page.press(&["Enter"]);
    page.until("document.querySelector('.fault h2')");
    let fault = page.text("document.querySelector('.fault').innerText");
    assert!(fault.contains("alder serve") && fault.contains("Try again"), "{fault}");
    assert!(page.text("document.getElementById('said').textContent").contains("does not answer"));
    page.complaints();
    let _again = Server::start(server::shared(), &address);
    page.until("!document.querySelector('.fault') && document.querySelector('.hits')");
    page.until(SETTLED);
    assert!(page.text("document.querySelector('.hits').innerText").contains("barometer"));
}

#[test]
fn a_page_weighs_at_most_60_kb_in_at_most_8_requests() {
    let Some((mut page, server)) = start() else { return };
    let mut first = |path: &str, ready: &str| {
        page.call("Network.clearBrowserCache", json!({}));
        page.open(&format!("{}{path}", server.url));
        page.until(ready);
        page.evaluate("new Promise(done => setTimeout(done, 300))");
        let own =
            |(url, _): &&(String, u64)| !url.contains("/v1/search") && !url.contains("/v1/ask");
        let loaded: Vec<_> = page.loaded.iter().filter(own).cloned().collect();
        let bytes: u64 = loaded.iter().map(|(_, bytes)| bytes).sum();
        println!("{path}: {} requests, {bytes} bytes", loaded.len());
        assert!(loaded.len() <= 8 && bytes <= 60_000, "{path}: {bytes} bytes in {loaded:#?}");
        assert!(loaded.iter().all(|(url, _)| url.starts_with(&server.url)), "{loaded:#?}");
        assert!(loaded.len() >= 4 && bytes > 10_000, "not everything was seen: {loaded:#?}");
    };
    first("/", "document.querySelector('#collection a')");
    first(&format!("/?q={}", QUESTION.replace(' ', "+")), SETTLED);
    first("/collection", "document.querySelector('.figures')");
    first("/document?id=berti.md&start=0&end=7&q=barometer", "document.querySelector('.steps')");
}
