//! The program as users meet it: its output, its messages, its exit codes. One collection is indexed once and
//! shared by the tests that only read.
#![allow(clippy::unwrap_used)]

mod formats;
mod ranking;
mod service;
mod sync;
mod tuning;
mod words;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

const BAROMETER: &str =
    "# Barometer\n\nTorricelli made the first barometer in 1643. It was a tube of mercury.\n";

/// `alder ARGUMENTS` on the collection in `data`, into pipes.
fn alder(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alder"));
    command.env_remove("ALDER_MODEL").env_remove("ALDER_LOG").env("ALDER_DATA_DIR", data);
    command.args(arguments);
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A data folder with an indexed collection of two documents, and its `notes` folder.
fn indexed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("barometer.md"), BAROMETER).unwrap();
    fs::write(notes.join("tea.md"), "# Tea\n\nTea is made from leaves \u{1b}[31mand hot water.\n")
        .unwrap();
    let output = alder(folder.path(), &["index", notes.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("2 documents indexed"), "{}", stdout(&output));
    folder
}

fn shared() -> &'static Path {
    static SHARED: OnceLock<TempDir> = OnceLock::new();
    SHARED.get_or_init(indexed).path()
}

#[test]
fn what_cannot_be_is_refused_with_its_exit_code_and_a_remedy() {
    let none = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["index", "/nowhere/at/all"], 1, "/nowhere/at/all does not exist"),
        (&["serve", "/nowhere/at/all", "--address", ":0"], 1, "/nowhere/at/all does not exist"),
        (&["search", "tea"], 4, "alder index"),
        (&["status"], 4, "alder index"),
        (&["delete", "tea.md"], 4, "alder index"),
        (&["search", ""], 2, "the query is empty"),
        (&["ask", "  "], 2, "the query is empty"),
        (&["search", "tea", "--filter", "lang en"], 2, "byte 5"),
        (&["search", "tea", "--filter", "{"], 2, "line 1 column 1"),
        (&["index", "/", "--language", "klingon"], 2, "known are en"),
        (&["search", "tea", "--filter", r#"{"most": []}"#], 2, "/most"),
        (&["search", "tea", "--limit", "0"], 2, "between 1 and 1000"),
        (&["search", "tea", "--mode", "magic"], 2, "hybrid"),
        (&["ask", "tea", "--format", "trec"], 2, "alder search --format trec"),
        (&["fill-mask", "no mask"], 2, "[MASK] exactly once"),
        (&["serve", "--address", "0.0.0.0:0"], 2, "--insecure"),
        (&["serve", "--address", "here"], 2, "127.0.0.1:7700"),
        (&["status", "--device", "tpu"], 2, "cuda:N"),
        (&["frobnicate"], 2, "Usage"),
    ];
    for (arguments, exit, words) in cases {
        let output = alder(none.path(), arguments);
        assert_eq!(code(&output), *exit, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
    assert_eq!(fs::read_dir(none.path()).unwrap().count(), 0, "a refused command made files");
}

#[test]
fn a_search_into_a_pipe_is_plain_text_with_source_and_no_control_characters() {
    let output = alder(shared(), &["search", "hot", "water"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("Tea") && text.contains("tea.md"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn answers_in_json_are_slices_of_the_document() {
    let output = alder(shared(), &["ask", "Who made the first barometer?", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let reply: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply["hits"][0]["document"], "barometer.md", "{reply}");
    let answers = reply["answers"].as_array().unwrap();
    assert!(!answers.is_empty(), "{reply}");
    for answer in answers {
        let place = |key: &str| answer["passage"][key].as_u64().unwrap() as usize;
        let passage = answer["passage"]["text"].as_str().unwrap();
        let cut: String =
            passage.chars().skip(place("start")).take(place("end") - place("start")).collect();
        assert_eq!(answer["text"], cut);
    }
    let output = alder(shared(), &["ask", "Who made the first barometer?"]);
    let text = stdout(&output);
    assert!(text.contains("Torricelli") && text.contains("barometer.md"), "{text}");
}

#[test]
fn a_query_of_ten_thousand_words_is_searched() {
    let long: Vec<String> = (0..10_000).map(|i| format!("word{i}")).collect();
    let output = alder(shared(), &["search", &format!("barometer {}", long.join(" "))]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("barometer.md"));
}

#[test]
fn each_format_can_be_read_by_a_program() {
    let output = alder(shared(), &["search", "tea", "--format", "trec", "--query-id", "q7"]);
    let first = stdout(&output).lines().next().unwrap().to_owned();
    let fields: Vec<&str> = first.split(' ').collect();
    assert_eq!(
        (fields.len(), fields[0], fields[1], fields[2], fields[3]),
        (6, "q7", "Q0", "tea.md", "1")
    );
    let output = alder(shared(), &["search", "tea", "--format", "jsonl"]);
    for line in stdout(&output).lines() {
        let hit: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(hit["document"].is_string());
    }
    let output = alder(shared(), &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["collection"]["documents"], 2);
}

#[test]
fn files_that_fail_are_named_and_the_others_are_kept() {
    let folder = indexed();
    let notes = folder.path().join("notes");
    fs::write(notes.join("bad.json"), "{\"text\": ").unwrap();
    let output = alder(folder.path(), &["index", notes.to_str().unwrap(), "--json"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["totals"]["unchanged"], 2, "{report}");

    let output = alder(folder.path(), &["delete", "tea.md", "no-such.md"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("no-such.md"));
    let output = alder(folder.path(), &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["collection"]["documents"], 1);
}

#[test]
fn a_collection_that_another_process_writes_is_left_alone() {
    let folder = indexed();
    let model = alder_engine::Model::embedded(alder_engine::Device::Cpu).unwrap();
    let place = folder.path().join("default");
    let collection = alder_engine::Collection::open(&place, model.identity()).unwrap();
    let _writer = collection.writer().unwrap();
    let notes = folder.path().join("notes");
    let output = alder(folder.path(), &["index", notes.to_str().unwrap()]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("in use by"), "{}", stderr(&output));
    assert_eq!(code(&alder(folder.path(), &["search", "tea"])), 0, "reading needs no lock");
}

#[test]
fn a_port_in_use_is_named_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = alder(shared(), &["serve", "--address", &format!("127.0.0.1:{port}")]);
    assert_eq!(code(&output), 1);
    let message = stderr(&output);
    assert!(message.contains(&format!("port {port} is already in use")), "{message}");
    assert!(message.contains("--address"), "{message}");
}

#[cfg(unix)]
#[test]
fn the_server_prints_its_address_answers_and_ends_on_a_signal() {
    let mut server = command(shared(), &["serve", "--address", "127.0.0.1:0", "--no-open"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /v1/search?q=tea HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("tea.md"), "{reply}");
    let id = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn a_file_over_the_limit_is_named_and_the_option_it_names_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.txt");
    fs::write(&file, "The kettle was patented in 1891. ".repeat(100)).unwrap();
    let index = |more: &[&str]| {
        let path = file.to_str().unwrap();
        alder(&folder.path().join("data"), &[&["index", path], more].concat())
    };
    let refused = index(&["--max-file-bytes", "1000"]);
    assert_eq!(code(&refused), 1);
    assert!(stdout(&refused).contains("raise it with --max-file-bytes"), "{}", stdout(&refused));
    let read = index(&["--max-file-bytes", "10000"]);
    assert!(stdout(&read).starts_with("1 document indexed"), "{}", stdout(&read));
    let nothing = alder(folder.path(), &["index"]);
    assert_eq!(code(&nothing), 2, "{}", stderr(&nothing));
    assert!(stderr(&nothing).contains("say what to index"), "{}", stderr(&nothing));
}
