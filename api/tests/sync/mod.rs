//! A collection and its files as users meet them: options that are remembered, files watched while they change,
//! documents that tell whether their file is still as it was, removal, export and import.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use super::{alder, code, command, indexed, stderr, stdout};

/// Longest wait for what should take a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn notes(folder: &TempDir) -> PathBuf {
    folder.path().join("notes")
}

/// Runs a command that must end well, and gives what it says on both outputs.
fn ok(data: &Path, arguments: &[&str]) -> String {
    let output = alder(data, arguments);
    assert_eq!(code(&output), 0, "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output) + &stderr(&output)
}

fn totals(data: &Path, arguments: &[&str]) -> Value {
    let output = alder(data, &[&["index", "--json", "--quiet"], arguments].concat());
    json(&stdout(&output))["totals"].clone()
}

fn documents(data: &Path) -> u64 {
    let output = alder(data, &["status", "--json"]);
    json(&stdout(&output))["collection"]["documents"].as_u64().unwrap()
}

/// Gives a file a time long ago, so that the next run need not wonder.
fn long_ago(path: &Path) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn options_and_paths_are_remembered_and_a_change_is_said() {
    let folder = indexed();
    let (data, notes) = (folder.path(), notes(&folder));
    fs::write(notes.join("draft.log"), "A line of a log.").unwrap();
    let path = notes.to_str().unwrap();
    let said = ok(data, &["index", path, "--exclude", "*.log", "--extract-seconds", "30"]);
    assert!(said.contains("--exclude was its default, is now [\"*.log\"]"), "{said}");
    assert_eq!(documents(data), 2);
    let totals = totals(data, &[]);
    assert_eq!(
        (totals["files_unchanged"].as_u64(), totals["removed"].as_u64()),
        (Some(2), Some(0))
    );
    let said = ok(data, &["index", "--include", "tea.*"]);
    assert!(said.contains("deleted barometer.md: 1 document"), "{said}");
    assert_eq!(documents(data), 1);
    let said = ok(data, &["index", "--forget-options"]);
    assert!(said.contains("--include was [\"tea.*\"], is now its default"), "{said}");
    assert_eq!(documents(data), 3, "the log is read now");

    let wrong = alder(data, &["index", "--exclude", "{a"]);
    assert!(stderr(&wrong).contains("\"{a\""), "{}", stderr(&wrong));
    let little = alder(data, &["index", "--extract-memory-bytes", "1000"]);
    assert_eq!(code(&little), 2, "{}", stderr(&little));
    assert_eq!(totals_unchanged(data), 3, "what was refused is not remembered");
}

fn totals_unchanged(data: &Path) -> u64 {
    totals(data, &[])["files_unchanged"].as_u64().unwrap()
}

#[test]
fn a_hit_says_whether_its_file_is_still_as_it_was() {
    let folder = indexed();
    let (data, notes) = (folder.path(), notes(&folder));
    let freshness = |query: &str| {
        let found = json(&ok(data, &["search", query, "--format", "json", "-n", "1", "--quiet"]));
        found["hits"][0]["freshness"].as_str().unwrap().to_owned()
    };
    assert_eq!((freshness("barometer"), freshness("tea")), ("fresh".into(), "fresh".into()));
    fs::write(notes.join("barometer.md"), "# Barometer\n\nNothing is said of it now.\n").unwrap();
    fs::remove_file(notes.join("tea.md")).unwrap();
    assert_eq!((freshness("barometer"), freshness("tea")), ("stale".into(), "gone".into()));
    let shown = ok(data, &["search", "mercury"]);
    assert!(shown.contains("barometer.md (its file was changed since it was indexed)"), "{shown}");
    let shown = ok(data, &["search", "leaves"]);
    assert!(shown.contains("tea.md (its file is gone)"), "{shown}");
    let asked = json(&ok(data, &["ask", "Who made the first barometer?", "--json", "--quiet"]));
    assert_eq!(asked["answers"][0]["freshness"], "stale", "{asked:#}");
    ok(data, &["index"]);
    assert_eq!(freshness("barometer"), "fresh");
    assert_eq!(documents(data), 1);
}

#[test]
fn documents_are_removed_by_path_and_by_filter() {
    let folder = indexed();
    let (data, notes) = (folder.path(), notes(&folder));
    fs::create_dir(notes.join("old")).unwrap();
    for name in ["old/a.md", "old/b.md"] {
        let text = format!("---\nlang: de\n---\n# Old\n\nThe old file {name}.\n");
        fs::write(notes.join(name), text).unwrap();
    }
    fs::write(notes.join("rows.csv"), "id,lang,text\n1,fr,un\n2,de,zwei\n").unwrap();
    ok(data, &["index"]);
    assert_eq!(documents(data), 6);
    let filter = r#"{"must": [{"key": "lang", "match": {"value": "fr"}}]}"#;
    assert!(ok(data, &["delete", "--filter", filter, "--dry-run"]).contains("would remove 1"));
    ok(data, &["delete", "--filter", filter]);
    assert_eq!(documents(data), 5);
    let said = ok(data, &["delete", "--path", notes.join("old").to_str().unwrap()]);
    assert!(said.contains("removed 2 documents") && said.contains("brings"), "{said}");
    let nothing = alder(data, &["delete", "--path", "/nowhere/at/all"]);
    assert_eq!(code(&nothing), 1, "{}", stderr(&nothing));
    let wrong = alder(data, &["delete", "--filter", r#"{"most": []}"#]);
    assert_eq!(code(&wrong), 2);
    assert_eq!(code(&alder(data, &["delete"])), 2, "nothing is asked for");

    fs::remove_dir_all(&notes).unwrap();
    let said = ok(data, &["delete", "--path", notes.to_str().unwrap()]);
    assert!(said.contains("removed 3 documents"), "a folder that is gone: {said}");
    let output = alder(data, &["index"]);
    assert_eq!(code(&output), 2, "its path is forgotten: {}", stderr(&output));
}

#[test]
fn collections_are_made_listed_and_dropped() {
    let folder = indexed();
    let data = folder.path();
    ok(data, &["collections", "create", "wine-2"]);
    let again = alder(data, &["collections", "create", "wine-2"]);
    assert_eq!(code(&again), 2, "{}", stderr(&again));
    let file = data.join("wine.txt");
    fs::write(&file, "Wine is made of grapes.").unwrap();
    ok(data, &["index", "--collection", "wine-2", file.to_str().unwrap()]);
    let listed = ok(data, &["collections", "list", "--json"]);
    let lines: Vec<Value> = listed.lines().map(json).collect();
    let shown: Vec<_> =
        lines.iter().map(|l| (l["name"].as_str(), l["documents"].as_u64())).collect();
    assert_eq!(shown, [(Some("default"), Some(2)), (Some("wine-2"), Some(1))]);
    let found = ok(data, &["search", "grapes", "--collection", "wine-2"]);
    assert!(found.contains("wine.txt"), "{found}");
    for name in ["../notes", "a/b", "", "Ä", ".x"] {
        let refused = alder(data, &["collections", "drop", name, "--yes"]);
        assert_eq!(code(&refused), 2, "{name}: {}", stderr(&refused));
    }
    let unsure = alder(data, &["collections", "drop", "wine-2"]);
    assert_eq!(code(&unsure), 2);
    assert!(stderr(&unsure).contains("--yes"), "{}", stderr(&unsure));
    ok(data, &["collections", "drop", "wine-2", "--yes"]);
    assert!(!data.join("wine-2").exists() && file.exists());
    assert_eq!(code(&alder(data, &["collections", "drop", "wine-2", "--yes"])), 4);
    assert_eq!(code(&alder(data, &["collections", "drop", "notes", "--yes"])), 4, "no collection");
    assert_eq!(ok(data, &["collections", "list"]).lines().count(), 1);
}

#[test]
fn what_is_exported_is_imported_without_encoding_and_bit_for_bit() {
    let folder = indexed();
    let data = folder.path();
    let file = data.join("all.jsonl");
    ok(data, &["export", file.to_str().unwrap()]);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 3);
    let there = tempfile::tempdir().unwrap();
    let said = ok(there.path(), &["import", file.to_str().unwrap()]);
    assert!(said.contains("imported 2 documents") && !said.contains("again"), "{said}");
    let piped = alder(there.path(), &["export"]);
    assert_eq!(stdout(&piped), text);
    let search = |data: &Path| {
        let found = ok(data, &["search", "hot water", "--format", "jsonl", "--quiet"]);
        found.replace(",\"freshness\":\"fresh\"", "")
    };
    assert_eq!(search(data), search(there.path()), "the same hits with the same scores");
    assert!(ok(there.path(), &["import", file.to_str().unwrap()]).contains("2 unchanged"));

    // Of another model, and with a damaged line.
    let other = text.replacen("\"fingerprint\":\"", "\"fingerprint\":\"0", 1) + "{\"id\": 1}\n";
    fs::write(&file, other).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = alder(elsewhere.path(), &["import", file.to_str().unwrap()]);
    let said = stderr(&output);
    assert_eq!(code(&output), 3, "{said}");
    assert!(said.contains("encoded again") && said.contains("line 4:"), "{said}");
    assert!(ok(elsewhere.path(), &["search", "hot water"]).contains("tea.md"));

    fs::write(&file, "{\"id\": \"a\", \"text\": \"x\"}\n").unwrap();
    let plain = alder(elsewhere.path(), &["import", file.to_str().unwrap()]);
    assert_eq!(code(&plain), 2);
    assert!(stderr(&plain).contains("alder index"), "{}", stderr(&plain));
}

/// A program that is ended when the test is over, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `found` is true.
fn until(what: &str, mut found: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !found() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_watches_finds_what_was_edited_added_and_deleted() {
    let folder = indexed();
    let notes = notes(&folder);
    long_ago(&notes.join("tea.md"));
    let arguments = ["serve", "--watch", "--address", "127.0.0.1:0", "--no-open"];
    let mut server = Running(
        command(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    let finds =
        |words: &str, text: &str| get(&format!("/v1/search?q={words}&mode=lexical")).contains(text);
    until("the first index", || get("/v1/status").contains("\"state\":\"done\""));
    assert!(finds("mercury", "\"freshness\":\"fresh\""));
    fs::write(notes.join("barometer.md"), "# Barometer\n\nVidi made one without any liquid.\n")
        .unwrap();
    until("the edited file", || finds("liquid", "barometer.md"));
    fs::create_dir(notes.join("new")).unwrap();
    fs::write(notes.join("new/rain.md"), "# Rain\n\nDrizzle is fine rain.\n").unwrap();
    until("the new file", || finds("drizzle", "new/rain.md"));
    fs::rename(notes.join("new/rain.md"), notes.join("rain.md")).unwrap();
    until("the moved file", || finds("drizzle", "\"document\":\"rain.md\""));
    fs::remove_file(notes.join("tea.md")).unwrap();
    until("the deleted file", || !finds("leaves", "tea.md"));
}

#[test]
fn index_goes_on_watching_and_reports_each_change() {
    let folder = indexed();
    let notes = notes(&folder);
    let arguments = ["index", "--watch", "--json", notes.to_str().unwrap()];
    let mut watcher = Running(
        command(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(watcher.0.stdout.take().unwrap()).lines();
    let first = json(&lines.next().unwrap().unwrap());
    assert_eq!(first["totals"]["unchanged"], 2);
    fs::write(notes.join("rain.md"), "# Rain\n\nDrizzle is fine rain.\n").unwrap();
    let next = json(&lines.next().unwrap().unwrap());
    assert_eq!(next["totals"]["files_added"], 1, "{next:#}");
    assert!(ok(folder.path(), &["search", "drizzle"]).contains("rain.md"));
}
