//! Roads through the page: typing and asking, the address and the back button, the keyboard alone, no scripts.

use serde_json::json;

use crate::{QUESTION, SETTLED, ask, assert_calm, start, states};

#[test]
fn typing_shows_passages_and_enter_reads_them_for_an_answer() {
    let Some((mut page, server)) = start() else { return };
    page.open(&format!("{}/", server.url));
    page.until("document.activeElement.id === 'q'");
    page.write("barom");
    page.until("document.querySelector('.hits') && document.querySelector('.prompt')");
    let begun = page.text("[...document.querySelectorAll('.hits > li')].filter(hit => !/barometer/i.test(hit.innerText)).map(hit => hit.innerText).join()");
    assert_eq!(begun, "", "a word that is only begun finds the words that begin so");
    page.evaluate("document.getElementById('q').select()");
    page.write("first barometer");
    page.until("location.search.includes('first+barometer')");
    page.until("document.querySelector('.hits') && document.querySelector('.prompt')");
    assert_eq!(
        page.evaluate("document.querySelector('.answer')"),
        json!(null),
        "typing reads nothing"
    );
    page.until("document.getElementById('said').textContent.includes('passage')");
    page.evaluate("document.getElementById('q').select()");
    page.write(QUESTION);
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer h2')");
    let answer = page.text("document.querySelector('.answer h2').textContent");
    let marked = page.text("document.querySelector('.answer mark.said').textContent");
    assert_eq!(answer, marked, "the answer is highlighted in its passage");
    assert!(page.text("document.querySelector('.answer .sentence').textContent").contains(&answer));
    let sure = page.text("document.querySelector('.answer .sure').textContent");
    assert!(
        sure.contains('%') && sure.contains("ikely")
            || sure.contains("ossible")
            || sure.contains("ertain"),
        "{sure}"
    );
    assert!(page.text("document.querySelector('.answer .source').textContent").contains(".md"));
    assert!(page.text("document.getElementById('said').textContent").starts_with("Answer: "));
    let beside = page.text("document.querySelector('.beside').textContent");
    assert!(
        beside.contains("Berti") || beside.contains("Torricelli"),
        "the dissenting answer: {beside}"
    );
    assert_calm(&mut page);
}

#[test]
fn the_address_carries_the_state_and_back_goes_back() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, "q=lantern&mode=lexical");
    assert_eq!(page.text("new FormData(document.getElementById('search')).get('mode')"), "lexical");
    assert_eq!(page.evaluate("document.querySelectorAll('.hits > li').length"), json!(10));
    page.click(".pages a");
    page.until("location.search.includes('offset=10') && document.querySelector('.hits > li').value === 11");
    page.until(SETTLED);
    let second = page.text("document.querySelector('.hits a').href");
    page.evaluate("document.querySelector('.pages a:last-child').click()");
    page.until("location.search.includes('offset=20') && document.querySelector('.hits > li').value === 21");
    page.until(SETTLED);
    page.evaluate("history.back()");
    page.until("location.search.includes('offset=10') && document.querySelector('.hits > li').value === 11");
    page.until(SETTLED);
    assert_eq!(page.text("document.querySelector('.hits a').href"), second);
    page.click(".hits a");
    page.until("location.pathname === '/document' && document.querySelector('.steps')");
    page.click("#back");
    page.until("location.search.includes('offset=10') && document.querySelector('.hits > li')?.value === 11");
    page.click("[value=dense]");
    page.until("location.search.includes('mode=dense') && !location.search.includes('offset')");
    page.until(SETTLED);
    assert!(
        page.text("document.querySelector('[label=\"Copy as curl\"]').getAttribute('text')")
            .contains("/v1/ask?q=lantern&mode=dense'")
    );
    assert_calm(&mut page);
}

#[test]
fn the_whole_journey_needs_only_the_keyboard() {
    let Some((mut page, server)) = start() else { return };
    ask(&mut page, &server, "q=barometer");
    page.evaluate("document.activeElement.blur()");
    page.press(&["?"]);
    page.until("document.getElementById('help').open");
    page.press(&["Escape"]);
    page.until("!document.getElementById('help').open");
    page.press(&["/"]);
    page.until("document.activeElement.id === 'q'");
    page.write(QUESTION);
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer h2')");
    page.until(SETTLED);
    page.press(&["ArrowDown"]);
    page.until("document.activeElement.closest('.answer')");
    page.evaluate("document.querySelector('.hits a').focus()");
    page.press(&["w"]);
    page.until("document.querySelector('.hits .panel .bar-drawing')");
    let panel = page.text("document.querySelector('.panel').innerText");
    assert!(
        panel.contains("By words") && panel.contains("By reading") && panel.contains("barometer"),
        "{panel}"
    );
    page.press(&["ArrowDown", "ArrowUp", "Enter"]);
    page.until("location.pathname === '/document' && document.activeElement.id === 'passage'");
    let marks =
        page.evaluate("document.querySelectorAll('.document mark').length").as_u64().unwrap();
    assert!(marks > 1, "words of the question are marked");
    let place = page.text("document.querySelector('.steps .id').textContent");
    page.press(&["n"]);
    page.until(&format!("document.querySelector('.steps .id').textContent !== {place:?}"));
    page.until("document.activeElement.classList.contains('here')");
    page.press(&["p"]);
    page.until(&format!("document.querySelector('.steps .id').textContent === {place:?}"));
    page.press(&["Escape"]);
    page.until("location.pathname === '/' && document.querySelector('.answer h2')");
    page.evaluate("document.querySelector('.hits a').focus()");
    page.press(&["Escape"]);
    page.until("document.activeElement.id === 'q'");
    page.press(&["Escape"]);
    page.until("location.search === '' && document.querySelector('.before a')");
    assert_eq!(
        page.text("document.querySelector('.before a').textContent"),
        QUESTION,
        "asked before"
    );
    assert_calm(&mut page);
}

#[test]
fn without_scripts_the_form_answers_all_the_same() {
    let Some((mut page, server)) = start() else { return };
    page.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    page.open(&format!("{}/?q=barometer", server.url));
    page.until("location.pathname === '/plain' && document.querySelector('.hits')");
    assert_eq!(page.text("document.getElementById('q').value"), "barometer");
    page.evaluate("document.getElementById('q').value = ''; document.getElementById('q').focus()");
    page.write(QUESTION);
    page.press(&["Enter"]);
    page.until("document.querySelector('.answer h2') && location.search.includes('Who')");
    let answer = page.text("document.querySelector('.answer h2').textContent");
    assert_eq!(answer, page.text("document.querySelector('.answer mark').textContent"));
    states::examine(&mut page, "plain");
    page.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    page.click(".answer .source a");
    page.until("location.pathname === '/document' && document.getElementById('said')");
    assert_eq!(page.text("document.getElementById('said').textContent"), answer);
    assert!(page.text("document.getElementById('passage').textContent").contains(&answer));
    assert_calm(&mut page);
}
