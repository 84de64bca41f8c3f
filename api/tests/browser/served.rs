//! The pages that the server writes itself, read as bytes: these run where there is no browser, too.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::server::{self, ATTACK, Server};

/// The whole reply to `GET path`, head and body.
fn get(server: &Server, path: &str, header: &str) -> String {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n{header}connection: close\r\n\r\n")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in {text}")).1;
    rest.split_once(after).unwrap().0
}

#[test]
fn answers_and_documents_are_pages_that_no_script_needs_to_finish() {
    let server = Server::start(server::shared(), "127.0.0.1:0");
    let start = get(&server, "/?q=Who+made+it%3F&mode=lexical", "");
    assert!(start.contains("url=/plain?q=Who+made+it%3F&amp;mode=lexical\""), "{start}");
    assert!(
        start.contains("value=\"Who made it?\"") && start.contains("value=\"lexical\" checked")
    );

    let reply = get(&server, "/plain?q=Who+made+the+first+barometer%3F", "");
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let answer = between(&reply, "<mark class=\"said\">", "</mark>");
    assert!(between(&reply, "<h2 dir=\"auto\">", "</h2>") == answer && !answer.is_empty());
    let source = between(&reply, "<p class=\"source\">In ", "</p>");
    let link = between(source, "href=\"", "#said").replace("&amp;", "&");
    let document = get(&server, &link, "");
    let said = between(&document, "id=\"said\" tabindex=\"-1\">", "</mark>");
    assert_eq!(said, answer);
    assert!(document.contains("<mark class=\"term\">first</mark>"), "{document}");

    let tag = between(&document, "etag: ", "\r\n");
    let again = get(&server, &link, &format!("if-none-match: {tag}\r\n"));
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
}

#[test]
fn what_goes_wrong_is_a_page_with_its_status_and_a_way_on() {
    let server = Server::start(server::shared(), "127.0.0.1:0");
    let cases = [
        ("/document?id=gone", "404", "no document gone"),
        ("/document?id=berti.md&start=5&end=99999", "200", "not there any more"),
        ("/document?id=berti.md&start=9&end=3&from=7&to=7", "200", "not there any more"),
        ("/document?id=berti.md&start=many", "400", "invalid digit"),
        ("/plain?q=tea&limit=0", "400", "between 1 and"),
        ("/plain?q=xyzzyqq&mode=lexical", "200", "Nothing found"),
        (
            "/plain?q=baromter&mode=lexical",
            "200",
            "Did you mean <a href=\"/plain?q=barometer\">barometer</a>?",
        ),
        ("/plain", "200", "your own words"),
    ];
    for (path, status, words) in cases {
        let reply = get(&server, path, "");
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {reply}");
        assert!(reply.contains("content-type: text/html"), "{path}: {reply}");
        assert!(reply.contains(words) && reply.contains("href=\"/\""), "{path}: {reply}");
    }
}

#[test]
fn markup_in_documents_titles_and_questions_is_written_as_text() {
    let server = Server::start(server::shared(), "127.0.0.1:0");
    let reply = get(&server, "/plain?q=kettle", "");
    assert!(reply.contains("&lt;script&gt;alert(&#39;script&#39;)"), "{reply}");
    let link = between(&reply, "<h3 class=\"source\"><a href=\"", "#passage").replace("&amp;", "&");
    let document = get(&server, &link, "");
    assert!(document.starts_with("HTTP/1.1 200"), "{document}");
    let question = get(&server, "/?q=%3Cscript%3Ealert('script')%22%3E", "");
    for (name, page) in [("results", reply), ("document", document), ("question", question)] {
        for tag in ["<script>", "<img", "<svg onload", "href=\"javascript"] {
            assert!(ATTACK.contains(tag) || tag == "<script>", "{tag} is tried");
            assert!(!page.contains(tag), "{name} has {tag}");
        }
    }
}
