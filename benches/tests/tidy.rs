//! The tidiness test: rules of the code base that no compiler checks.
//!
//! Each rule is one test and names the file and line at fault. Sizes that stand out are printed as advice
//! (`cargo test -p alder-benches --test tidy -- --nocapture`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A foreign crate and the only places that may name it.
const HOMES: [(&str, &[&str]); 13] = [
    ("candle_core", &["engine/src/model/"]),
    ("candle_nn", &["engine/src/model/"]),
    ("tokenizers", &["engine/src/model/tokenizer.rs", "engine/src/model/spiece.rs"]),
    ("tantivy", &["engine/src/lexical/"]),
    ("hnsw_rs", &["engine/src/vector/tests.rs", "benches/src/bin/vector-speed.rs"]),
    ("axum", &["api/"]),
    ("pdf_extract", &["indexer/src/extract/pdf.rs", "indexer/src/extract/pdf_layout.rs"]),
    ("calamine", &["indexer/src/extract/spreadsheet.rs"]),
    ("mail_parser", &["indexer/src/extract/mail.rs"]),
    (
        "zip",
        &[
            "indexer/src/extract/package.rs",
            "indexer/src/extract/files_tests.rs",
            "api/tests/formats/",
        ],
    ),
    ("notify", &["indexer/src/watch.rs"]),
    ("rlimit", &["indexer/src/sandbox/child.rs", "api/src/http/accept.rs"]),
    ("hf_hub", &["api/src/hub.rs", "api/src/hub/"]),
];

/// Which workspace crates a crate's sources may import.
const IMPORTS: [(&str, &[&str]); 6] = [
    ("engine", &[]),
    ("datasets", &[]),
    ("ui", &[]),
    ("indexer", &["alder_engine"]),
    ("api", &["alder_engine", "alder_indexer", "alder_ui", "alder_datasets"]),
    ("benches", &["alder_engine", "alder_indexer", "alder_datasets", "alder_ui"]),
];

/// Where `unsafe` may stand: kernels and the memory map.
const UNSAFE: [&str; 3] =
    ["engine/src/model/kernel/", "engine/src/vector/kernel/", "engine/src/mapped.rs"];

/// Library sources print nothing and leave nothing open.
const LIBRARIES: [&str; 4] = ["engine/src/", "indexer/src/", "datasets/src/", "ui/src/"];

const CRATES: [&str; 6] = ["engine", "indexer", "api", "ui", "datasets", "benches"];
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("benches lies in the root").to_owned()
}

/// Every Rust source of the workspace as (path from the root, text), in order.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true if !path.ends_with("target") => walk(&path, out),
                false if path.extension().is_some_and(|e| e == "rs") => out.push(path),
                _ => {}
            }
        }
    }
    let root = root();
    let mut files = Vec::new();
    CRATES.iter().for_each(|c| walk(&root.join(c), &mut files));
    files.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("walked from the root").to_string_lossy();
        (name.replace('\\', "/"), fs::read_to_string(&path).expect("sources are UTF-8"))
    };
    files.into_iter().map(named).collect()
}

/// Lines of code with their numbers: no comments, and nothing after a `#[cfg(test)]` module begins.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    numbered
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `word` stands in `line` as a whole identifier.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(i, _)| !line[..i].ends_with(part) && !line[i + word.len()..].starts_with(part))
}

/// Whether the file holds only tests: they may print why they skip.
fn is_tests(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

fn verdict(rule: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn foreign_crates_stay_in_their_homes() {
    let mut faults = Vec::new();
    for (file, text) in sources().iter().filter(|(f, _)| !f.ends_with("tidy.rs")) {
        for (line, content) in code(text) {
            for (crate_name, homes) in HOMES {
                let path = format!("{crate_name}::");
                let used = content.contains(&path) && names(content, crate_name);
                if used && !homes.iter().any(|home| file.starts_with(home)) {
                    faults
                        .push(format!("{file}:{line} names {crate_name}, whose home is {homes:?}"));
                }
            }
        }
    }
    verdict("a foreign crate is named outside its home", faults);
}

#[test]
fn workspace_imports_follow_the_design() {
    let mut faults = Vec::new();
    let all = ["alder_engine", "alder_indexer", "alder_ui", "alder_datasets"];
    for (file, text) in sources().iter().filter(|(f, _)| !f.ends_with("tidy.rs")) {
        let (_, allowed) = IMPORTS
            .iter()
            .find(|(c, _)| file.starts_with(&format!("{c}/")))
            .expect("every source lies in a crate");
        let own = format!("alder_{}", file.split('/').next().unwrap_or_default());
        for (line, content) in code(text) {
            for import in all.iter().filter(|i| **i != own && !allowed.contains(i)) {
                if names(content, import) {
                    faults.push(format!("{file}:{line} imports {import}"));
                }
            }
        }
    }
    verdict("an import goes against the design (ARCHITECTURE.md, Crates)", faults);
}

#[test]
fn unsafe_stays_in_kernels_and_the_memory_map() {
    let mut faults = Vec::new();
    for (file, text) in sources().iter().filter(|(f, _)| !f.ends_with("tidy.rs")) {
        if UNSAFE.iter().any(|place| file.starts_with(place)) {
            continue;
        }
        let lines = code(text).filter(|(_, l)| names(l, "unsafe") && !l.contains('"'));
        faults.extend(lines.map(|(line, _)| format!("{file}:{line}")));
    }
    verdict("unsafe outside its places", faults);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    verdict("a file does not begin with //!", silent.map(|(file, _)| file).collect());
}

#[test]
fn libraries_do_not_print_and_nothing_is_left_open() {
    let mut faults = Vec::new();
    for (file, text) in sources().iter().filter(|(f, _)| !f.ends_with("tidy.rs")) {
        let library = LIBRARIES.iter().any(|l| file.starts_with(l)) && !is_tests(file);
        for (line, content) in code(text) {
            let prints = ["println!", "eprintln!", "print!", "eprint!"].iter();
            let open = ["todo!", "unimplemented!", "dbg!"].iter();
            if open.chain(prints.filter(|_| library)).any(|m| content.contains(*m)) {
                faults.push(format!("{file}:{line}: {}", content.trim()));
            }
        }
    }
    verdict("printing in a library, or something left open", faults);
}

#[test]
fn every_file_is_reached_by_a_mod() {
    let sources = sources();
    let mut faults = Vec::new();
    for (file, _) in &sources {
        let path = Path::new(file);
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let folder = path.parent().and_then(Path::to_str).unwrap_or_default();
        let outside = !folder.contains("src/") && !folder.ends_with("src");
        let crate_root = folder.ends_with("src") && ["lib", "main"].contains(&stem);
        if outside || crate_root || folder.ends_with("src/bin") {
            continue;
        }
        let (name, parent) = match stem {
            "mod" => (folder.rsplit('/').next().unwrap_or_default(), folder.rsplit_once('/')),
            _ => (stem, Some((folder, ""))),
        };
        let parent = parent.map_or("", |(p, _)| p);
        let owners = [
            format!("{parent}/mod.rs"),
            format!("{parent}/lib.rs"),
            format!("{parent}/main.rs"),
            format!("{parent}.rs"),
        ];
        let declared = sources.iter().filter(|(f, _)| owners.contains(f)).any(|(_, text)| {
            text.lines().any(|l| names(l, "mod") && names(l, name) && l.trim_end().ends_with(';'))
        });
        if !declared {
            faults.push(file.clone());
        }
    }
    verdict("no mod reaches the file", faults);
}

#[test]
fn names_in_the_architecture_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md exists");
    let sources = sources();
    let known: BTreeSet<&str> = sources
        .iter()
        .flat_map(|(_, t)| t.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .collect();
    let mut faults = Vec::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        let exists = match quoted {
            words if words.contains([' ', '=']) => true,
            route if route.starts_with('/') => {
                sources.iter().any(|(_, t)| t.contains(&format!("\"{route}")))
            }
            path if path.contains('/') => root().join(path.trim_end_matches('/')).exists(),
            name if name.starts_with(char::is_uppercase) => {
                name.split("::").all(|part| known.contains(part.trim_end_matches("()")))
            }
            _ => true,
        };
        if !exists {
            faults.push(quoted.to_owned());
        }
    }
    verdict("ARCHITECTURE.md names what does not exist", faults);
}

#[test]
fn files_are_short_enough_to_read() {
    let mut sizes: Vec<_> =
        sources().into_iter().map(|(file, text)| (text.lines().count(), file)).collect();
    sizes.sort();
    for (lines, file) in sizes.iter().rev().take(8) {
        println!("{lines:5} lines  {file}");
    }
    let long = sizes.into_iter().filter(|(lines, _)| *lines >= LONGEST_FILE);
    verdict("files of 500 lines or more", long.map(|(l, f)| format!("{f}: {l} lines")).collect());
}
