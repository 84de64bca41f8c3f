//! The words of a collection on the command line: operators, facets, synonyms, suggestions, languages, `why`.

use std::fs;

use serde_json::Value;

use super::{alder, code, indexed, shared, stderr, stdout};

fn documents(output: &std::process::Output) -> Vec<String> {
    assert_eq!(code(output), 0, "{}", stderr(output));
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hits = reply["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["document"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn operators_filters_and_facets_work_on_the_command_line() {
    let search = |more: &[&str]| alder(shared(), &[&["search", "--format", "json"], more].concat());
    assert_eq!(documents(&search(&["what is it made from -mercury"])), ["tea.md"]);
    assert_eq!(documents(&search(&["\"tube of mercury\""])), ["barometer.md"]);
    assert_eq!(documents(&search(&["made", "--filter", "id = tea*"])), ["tea.md"]);
    assert_eq!(
        documents(&search(&["merc", "--as-you-type", "--mode", "lexical"])),
        ["barometer.md"]
    );
    assert_eq!(documents(&search(&["made", "--sort", "id:desc"])), ["tea.md", "barometer.md"]);
    assert_eq!(documents(&search(&["made", "--sort", "id", "--offset", "1"])), ["tea.md"]);
    let wrong = search(&["tea", "--filter", "lnag = en"]);
    assert_eq!(code(&wrong), 2);
    assert!(stderr(&wrong).contains("no document has a field \"lnag\""), "{}", stderr(&wrong));
    let mistaken = alder(shared(), &["search", "mercurry"]);
    assert!(stdout(&mistaken).contains("barometer.md"));
    assert!(stderr(&mistaken).contains("did you mean: mercury"), "{}", stderr(&mistaken));
    let suggested = alder(shared(), &["suggest", "first", "baro"]);
    assert_eq!(stdout(&suggested), "first barometer\n", "{}", stderr(&suggested));
    let why = alder(shared(), &["why", "tea.md", "--query", "mercury", "--mode", "lexical"]);
    assert!(stdout(&why).contains("tea.md: it has none of the words"), "{}", stdout(&why));
}

#[test]
fn facets_are_counted_and_synonyms_are_kept() {
    let folder = indexed();
    let file = folder.path().join("more.jsonl");
    let lines = r#"{"id": "a", "text": "Rivers of Europe.", "lang": "en"}
{"id": "b", "text": "Rivers of Asia.", "lang": "en"}
{"id": "c", "text": "Les rivières.", "lang": "fr"}
"#;
    fs::write(&file, lines).unwrap();
    let output = alder(folder.path(), &["index", file.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let output =
        alder(folder.path(), &["search", "rivers", "--facet", "lang", "--mode", "lexical"]);
    assert!(stdout(&output).contains("lang\n      2  en\n"), "{}", stdout(&output));

    let rules = folder.path().join("synonyms.txt");
    fs::write(&rules, "streams, rivers\n").unwrap();
    let find = || {
        documents(&alder(
            folder.path(),
            &["search", "stream", "--mode", "lexical", "--format", "json"],
        ))
    };
    assert!(find().is_empty());
    let output = alder(folder.path(), &["synonyms", rules.to_str().unwrap()]);
    assert_eq!(stdout(&output), "2 words have synonyms now\n", "{}", stderr(&output));
    assert_eq!(find(), ["a", "b"]);
    assert_eq!(stdout(&alder(folder.path(), &["synonyms"])), "streams, rivers\n");
    fs::write(&rules, "lonely\n").unwrap();
    let output = alder(folder.path(), &["synonyms", rules.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("line 1"), "{}", stderr(&output));
}

#[test]
fn a_collection_has_the_language_it_was_made_with() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("uni.txt"), "Viele Universitäten sind alt.\n").unwrap();
    let data = folder.path().join("data");
    let index =
        |language: &str| alder(&data, &["index", notes.to_str().unwrap(), "--language", language]);
    assert_eq!(code(&index("de")), 0);
    let find = |text: &str| {
        documents(&alder(&data, &["search", text, "--mode", "lexical", "--format", "json"]))
    };
    assert_eq!(find("Universität"), ["uni.txt"]);
    assert!(find("dog").is_empty());
    let again = index("fr");
    assert_eq!(code(&again), 4);
    assert!(stderr(&again).contains("the language German"), "{}", stderr(&again));
    let status = alder(&data, &["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["collection"]["language"], "de");
}
