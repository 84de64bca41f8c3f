//! Suggestions, filters and facets, judgements, freshness: what helps to find the right one among many.

use serde_json::{Value, json};

use crate::{QUESTION, SETTLED, ask, assert_calm, start};

/// The texts of the suggestions that are shown.
const OFFERED: &str = "[...document.querySelectorAll('#suggestions:not([hidden]) [role=option]')].map(item => item.textContent).join('|')";

#[test]
fn suggestions_are_chosen_with_the_arrows_and_closed_with_escape() {
    let Some((mut page, server)) = start() else { return };
    page.open(&format!("{}/", server.url));
    page.until("document.activeElement.id === 'q'");
    page.write("barom");
    page.until("document.querySelector('#suggestions:not([hidden])')");
    let offered = page.text(OFFERED);
    assert!(offered.starts_with("barometer") && offered.contains("Open Barometer"), "{offered}");
    let combobox = "document.getElementById('q').getAttribute";
    assert_eq!(page.text(&format!("{combobox}('aria-expanded')")), "true");
    page.press(&["ArrowDown"]);
    let active = page
        .text(&format!("document.getElementById({combobox}('aria-activedescendant')).textContent"));
    assert_eq!(active, "barometer");
    assert_eq!(page.text("document.activeElement.id"), "q", "the focus stays in the box");
    page.press(&["Escape"]);
    page.until("document.getElementById('suggestions').hidden");
    assert_eq!(
        page.text("document.getElementById('q').value"),
        "barom",
        "the first Esc only closes"
    );
    assert_eq!(page.text(&format!("{combobox}('aria-expanded')")), "false");
    page.write("e");
    page.until("document.querySelector('#suggestions:not([hidden])')");
    page.press(&["ArrowDown", "Enter"]);
    page.until("location.search === '?q=barometer' && document.querySelector('.answer')");
    assert_eq!(page.evaluate("document.getElementById('suggestions').hidden"), json!(true));
    page.until(SETTLED);
    page.press(&["ArrowDown"]);
    page.until("document.activeElement.closest('main')");
    assert_calm(&mut page);
}

#[test]
fn a_title_opens_its_document_and_a_slip_is_mended() {
    let Some((mut page, server)) = start() else { return };
    page.open(&format!("{}/", server.url));
    page.until("document.activeElement.id === 'q'");
    page.write("baromter ");
    page.until("document.querySelector('#suggestions:not([hidden])')");
    assert!(page.text(OFFERED).starts_with("Did you mean barometer"), "{}", page.text(OFFERED));
    page.click("#suggestions [role=option]");
    page.until("location.search === '?q=barometer' && document.querySelector('.answer')");
    page.evaluate("document.getElementById('q').select()");
    page.press(&["/"]);
    page.evaluate("document.getElementById('q').value = ''");
    page.write("Gaspa");
    page.until("document.querySelector('#suggestions:not([hidden])')?.textContent.includes('Open Gasparo Berti')");
    page.press(&["ArrowUp", "Enter"]);
    page.until("location.pathname === '/document' && location.search.includes('berti.md')");
    assert_calm(&mut page);
}

#[test]
fn the_list_is_narrowed_by_chips_that_can_be_taken_off_again() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, "q=lantern");
    page.until("document.querySelector('.facets .chip')");
    let offered = page.text("document.querySelector('.facets').innerText");
    assert!(offered.contains("keeper") && offered.contains("Ada Ross"), "{offered}");
    let chip = "[...document.querySelectorAll('.facets .chip')].find(chip => chip.textContent.startsWith('Bo'))";
    page.evaluate(&format!("{chip}.click()"));
    page.until("document.querySelector('#filters .chip.on')");
    page.until("document.querySelectorAll('.hits > li').length === 5");
    page.until(SETTLED);
    let address = page.text("new URLSearchParams(location.search).get('filter')");
    assert_eq!(address, "keeper = \"Bo \\\"Wick\\\" Lee\"");
    assert_eq!(
        page.text("document.querySelector('#filters .chip').firstChild.textContent"),
        "keeper: Bo \"Wick\" Lee"
    );
    page.evaluate("[...document.querySelectorAll('.facets .chip')].find(chip => chip.textContent.startsWith('true')).click()");
    page.until("document.querySelectorAll('#filters .chip.on').length === 2");
    page.until("document.querySelectorAll('.hits > li').length === 2");
    page.evaluate("history.back()");
    page.until("document.querySelectorAll('.hits > li').length === 5 && document.querySelectorAll('#filters .chip.on').length === 1");
    page.until(SETTLED);
    page.click("#filters .chip");
    page.until("document.querySelectorAll('.hits > li').length === 10 && !location.search.includes('filter')");
    ask(&mut page, &server, "q=lantern&filter=number+%3E+20+AND+(lit+%3D+true+OR+lit+%3D+false)");
    assert_eq!(page.evaluate("document.querySelectorAll('.hits > li').length"), json!(5));
    assert_eq!(page.evaluate("document.querySelectorAll('#filters .chip.on').length"), json!(2));
    assert_calm(&mut page);
}

#[test]
fn what_is_judged_with_the_keyboard_is_in_the_files_of_the_server() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, &format!("q={}", QUESTION.replace(' ', "+")));
    page.evaluate("document.querySelector('.answer .judge button').focus()");
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer .judge [aria-pressed=true]')");
    page.until("document.querySelector('.answer .judge [role=status]').textContent === 'Noted'");
    page.evaluate(
        "document.querySelectorAll('.hits .judge')[1].querySelector('[value=no]').focus()",
    );
    page.press(&["Enter"]);
    page.until("document.querySelector('.hits .judge [value=no][aria-pressed=true]')");
    let judged = server.data().join("judgements");
    let answers = std::fs::read_to_string(judged.join("answers.jsonl")).unwrap();
    let line: Value = serde_json::from_str(answers.trim()).unwrap();
    assert_eq!(line["right"], true);
    assert_eq!(line["answer"], page.text("document.querySelector('.answer h2').textContent"));
    let grades = std::fs::read_to_string(judged.join("qrels/test.tsv")).unwrap();
    assert_eq!(grades.lines().count(), 2, "{grades}");
    assert!(grades.trim_end().ends_with("\t0"), "{grades}");
    assert_calm(&mut page);
}

#[test]
fn a_document_whose_file_is_gone_says_so() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, "q=toll+house+ledger");
    let aged = page.text("document.querySelector('.hits .aged').textContent");
    assert_eq!(aged, "its file is gone");
    ask(&mut page, &server, "q=barometer");
    assert_eq!(page.evaluate("document.querySelector('.aged')"), json!(null));
}
