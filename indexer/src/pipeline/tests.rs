//! Tests of the pipeline, with words as tokens, hashes as vectors and a map as collection: what is stored after a
//! run, what is done again in the next, and what the report says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alder_engine::{QueryError, Span};

use super::*;
use crate::{Fate, IngestError, IngestReport};

/// A collection in memory: what is committed survives a run.
struct Store {
    /// For the ledger.
    folder: tempfile::TempDir,
    committed: RefCell<BTreeMap<String, StoredDocument>>,
    pending: RefCell<Vec<Change>>,
    encoded: Cell<usize>,
    commits: Cell<usize>,
    /// Largest number of texts encoded at once.
    largest_batch: Cell<usize>,
    events: RefCell<Vec<(u64, u64)>>,
}

fn words(text: &str) -> Result<Vec<Span>, Error> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    Ok(text
        .split_whitespace()
        .map(|word| Span::new(start(word), start(word) + word.len()))
        .collect())
}

impl Default for Store {
    fn default() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            committed: RefCell::default(),
            pending: RefCell::default(),
            encoded: Cell::default(),
            commits: Cell::default(),
            largest_batch: Cell::default(),
            events: RefCell::default(),
        }
    }
}

impl Store {
    fn indexer<'a>(&'a self, settings: &'a Settings) -> Indexer<'a> {
        settings.check(512).unwrap();
        let snapshot = self.committed.borrow().clone();
        let documents = snapshot.values().map(|d| &d.document);
        let known = documents.map(|d| (d.id.clone(), d.content_hash.clone())).collect();
        let output = Output {
            settings,
            encode: Box::new(|texts| {
                self.encoded.set(self.encoded.get() + texts.len());
                self.largest_batch.set(self.largest_batch.get().max(texts.len()));
                let vector = |text: &&str| blake3::hash(text.as_bytes()).as_bytes()[..4].to_vec();
                Ok(texts.iter().map(|text| StoredVector::from_bytes(vector(text))).collect())
            }),
            stored: Box::new(move |id| Ok(snapshot.get(id.as_str()).cloned())),
            sink: Box::new(|change| self.change(change)),
            progress: Box::new(|event| {
                if let Event::Progress { bytes_done, bytes_total, .. } = event {
                    self.events.borrow_mut().push((bytes_done, bytes_total));
                }
            }),
            stop: None,
        };
        let ledger = Ledger::open(self.folder.path());
        Indexer { token_spans: Box::new(words), known: Known::new(known), ledger, output }
    }

    fn change(&self, change: Change) -> Result<(), Error> {
        match change {
            Change::Upsert(document) if document.document.text.contains("refuse me") => {
                return Err(QueryError::Empty.into());
            }
            Change::Commit => {
                self.commits.set(self.commits.get() + 1);
                let mut committed = self.committed.borrow_mut();
                for change in self.pending.borrow_mut().drain(..) {
                    match change {
                        Change::Upsert(d) => _ = committed.insert(d.document.id.to_string(), *d),
                        Change::Delete(id) => _ = committed.remove(id.as_str()),
                        Change::Commit => {}
                    }
                }
            }
            change => self.pending.borrow_mut().push(change),
        }
        Ok(())
    }

    fn index(&self, path: &Path) -> IngestReport {
        self.indexer(&Settings::default()).index(&[path.to_owned()]).unwrap()
    }

    fn ids(&self) -> Vec<String> {
        self.committed.borrow().keys().cloned().collect()
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn fate<'r>(report: &'r IngestReport, path: &str) -> &'r Fate {
    &report.files.iter().find(|file| file.path == path).unwrap().fate
}

#[test]
fn every_file_is_stored_or_reported_and_passages_are_verbatim() {
    let dir = folder(&[
        ("a.md", "# Alder\n\nIt grows.\n\n## Wood\n\nIt is red.\n"),
        ("sub/b.txt", "Plain words."),
        ("c.jsonl", "{\"_id\": \"x1\", \"text\": \"One.\"}\nnonsense\n{\"text\": \"Two.\"}\n"),
        ("empty.txt", ""),
        ("blank.txt", " \n \n"),
        ("image.txt", "\u{1}\u{2}\u{3}\u{4}"),
        ("bad.json", "[{\"text\": 1}"),
        ("refused.txt", "refuse me"),
    ]);
    let store = Store::default();
    let report = store.index(dir.path());
    assert_eq!(store.ids(), ["a.md", "c.jsonl#3", "sub/b.txt", "x1"]);
    for document in store.committed.borrow().values() {
        for (ordinal, (passage, _)) in document.passages.iter().enumerate() {
            assert_eq!(passage.id.ordinal as usize, ordinal);
            assert_eq!(passage.span.slice(&document.document.text), Some(passage.text.as_str()));
        }
    }
    let wood = store.committed.borrow()["a.md"].passages[1].0.clone();
    assert_eq!(
        (wood.title.as_str(), wood.heading_path, wood.text.as_str()),
        ("Alder", vec!["Wood".into()], "It is red.")
    );

    assert_eq!(*fate(&report, "a.md"), Fate::Indexed);
    assert_eq!(*fate(&report, "empty.txt"), Fate::Skipped { reason: "empty".into() });
    assert_eq!(*fate(&report, "blank.txt"), Fate::Skipped { reason: "no text in it".into() });
    assert!(
        matches!(fate(&report, "image.txt"), Fate::Skipped { reason } if reason.starts_with("binary content"))
    );
    assert!(
        matches!(fate(&report, "bad.json"), Fate::Failed { reason } if reason.contains("not closed"))
    );
    assert!(matches!(fate(&report, "refused.txt"), Fate::Failed { .. }));
    let summary = report.summary();
    assert!(
        summary.starts_with("4 documents indexed, 3 files skipped, 2 failed, 2 records failed in "),
        "{summary}"
    );
    assert!(summary.contains("failed  c.jsonl:2: not valid JSON: expected"), "{summary}");
    assert!(report.has_failures());
    let (done, total) = *store.events.borrow().last().unwrap();
    assert_eq!((done, total), (report.totals.bytes, report.totals.bytes));
    assert!(store.events.borrow().is_sorted(), "progress never goes back");
    serde_json::to_string(&report).unwrap();
}

#[test]
fn a_second_run_encodes_nothing_and_a_changed_file_alone() {
    let dir = folder(&[("a.txt", "One."), ("b.csv", "id,text\n1,x\n2,y\n"), ("c.txt", "Three.")]);
    let store = Store::default();
    assert_eq!(store.index(dir.path()).totals.documents, 4);
    store.encoded.set(0);
    let again = store.index(dir.path());
    assert_eq!((again.totals.documents, again.totals.unchanged, store.encoded.get()), (0, 4, 0));
    assert_eq!(*fate(&again, "b.csv"), Fate::Unchanged);
    write(dir.path(), "b.csv", "id,text\n1,x\n2,z\n");
    let changed = store.index(dir.path());
    assert_eq!(
        (changed.totals.documents, changed.totals.unchanged, store.encoded.get()),
        (1, 3, 1)
    );
    let smaller = Settings { passage_tokens: 64, ..Settings::default() };
    let other = store.indexer(&smaller).index(&[dir.path().to_owned()]).unwrap();
    assert_eq!(other.totals.documents, 4, "other settings make other passages");
}

#[test]
fn what_is_gone_from_a_folder_is_removed_and_nothing_else() {
    let dir = folder(&[
        ("a.txt", "One."),
        ("b.jsonl", "{\"id\":\"r1\",\"text\":\"x\"}\n{\"id\":\"r2\",\"text\":\"y\"}\n"),
    ]);
    let other = folder(&[("kept.txt", "Of another folder.")]);
    let store = Store::default();
    store.index(dir.path());
    store.index(other.path());
    let incoming = IncomingDocument {
        id: "http".into(),
        title: String::new(),
        text: "x".into(),
        metadata: Default::default(),
    };
    store.indexer(&Settings::default()).documents([incoming]).unwrap();
    assert_eq!(store.ids(), ["a.txt", "http", "kept.txt", "r1", "r2"]);

    fs::remove_file(dir.path().join("a.txt")).unwrap();
    write(dir.path(), "b.jsonl", "{\"id\":\"r1\",\"text\":\"x\"}\n");
    let report = store.index(dir.path());
    assert_eq!(
        (report.totals.removed, store.ids()),
        (2, vec!["http".into(), "kept.txt".into(), "r1".into()])
    );

    write(dir.path(), "b.jsonl", "nonsense\n");
    let report = store.index(dir.path());
    assert_eq!(
        (report.totals.removed, store.ids().len()),
        (0, 3),
        "a damaged file keeps its documents"
    );

    fs::remove_file(dir.path().join("b.jsonl")).unwrap();
    let report = store.index(dir.path());
    assert_eq!(store.ids().len(), 3, "an empty folder is more likely a mistake");
    assert!(
        report
            .summary()
            .contains("the folder is empty now; its 1 document not found again is kept"),
        "{}",
        report.summary()
    );
}

#[test]
fn a_stopped_run_says_where_and_the_next_goes_on() {
    let lines: String = (0..2000)
        .map(|i| format!("{{\"id\": {i}, \"text\": \"{}\"}}\n", "word ".repeat(100)))
        .collect();
    let dir = folder(&[("a.jsonl", &lines), ("b.txt", "Last.")]);
    let (store, stop) = (Store::default(), AtomicBool::new(false));
    let settings = Settings::default();
    let run = store.indexer(&settings).stop_when(&stop).on_progress(|event| {
        if matches!(event, Event::Progress { documents: 500.., .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    let report = run.index(&[dir.path().to_owned()]).unwrap();
    assert_eq!(report.stopped_at.as_deref(), Some("a.jsonl"));
    assert_eq!(report.totals.documents, store.ids().len() as u64, "what was stored was committed");
    assert!((500..1000).contains(&report.totals.documents), "{}", report.totals.documents);
    assert!(report.summary().contains("run the same command again"));

    let rest = store.index(dir.path());
    assert_eq!(rest.totals.unchanged, report.totals.documents);
    assert_eq!((rest.totals.documents + rest.totals.unchanged, store.ids().len()), (2001, 2001));
    assert!(store.largest_batch.get() < 100, "batches are bounded by tokens");
}

#[test]
fn commits_come_every_so_many_documents() {
    let rows: String = (0..1000).map(|i| format!("{i},text {i}\n")).collect();
    let dir = folder(&[("a.csv", &("id,text\n".to_owned() + &rows))]);
    let store = Store::default();
    let settings = Settings { commit_documents: 100, ..Settings::default() };
    store.indexer(&settings).index(&[dir.path().to_owned()]).unwrap();
    assert_eq!((store.commits.get(), store.ids().len()), (10, 1000));
}

#[test]
fn the_same_id_twice_in_a_run_is_an_error_of_the_second() {
    let dir = folder(&[
        ("a.jsonl", "{\"id\":1,\"text\":\"x\"}\n"),
        ("b.jsonl", "{\"id\":1,\"text\":\"y\"}\n"),
    ]);
    let store = Store::default();
    let report = store.index(dir.path());
    assert_eq!(store.committed.borrow()["1"].document.text, "x");
    let problem = &report.files[1].problems[0];
    assert_eq!(problem.line, Some(1));
    assert!(problem.reason.contains("the id 1 in b.jsonl was already used"), "{}", problem.reason);
}

#[test]
fn a_missing_path_ends_the_run_before_it_begins_and_an_empty_folder_is_said_so() {
    let dir = folder(&[("a.txt", "One.")]);
    let store = Store::default();
    let paths = [dir.path().to_owned(), PathBuf::from("/no/such/path")];
    let settings = Settings::default();
    let error = store.indexer(&settings).index(&paths).unwrap_err();
    assert!(matches!(error, IngestError::NotFound { .. }) && store.ids().is_empty());
    let report = store.index(folder(&[]).path());
    assert!(report.summary().contains("there is nothing to index in it"), "{}", report.summary());
}

#[test]
fn large_files_and_lines_are_refused_by_name_of_the_setting() {
    let dir = folder(&[
        ("a.txt", &"x".repeat(2000)),
        ("b.jsonl", &format!("{{\"text\": \"{}\"}}", "x".repeat(2000))),
    ]);
    let store = Store::default();
    let settings = Settings { max_file_bytes: 1000, max_line_bytes: 1000, ..Settings::default() };
    let report = store.indexer(&settings).index(&[dir.path().to_owned()]).unwrap();
    let summary = report.summary();
    assert!(
        summary
            .contains("a.txt: 2000 bytes large, the limit is 1000; raise it with --max-file-bytes"),
        "{summary}"
    );
    assert!(
        summary.contains(
            "b.jsonl:1: 2012 bytes long, the limit is 1000; raise it with --max-line-bytes"
        ),
        "{summary}"
    );
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_a_line_in_the_report() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[("a.txt", "One."), ("secret.txt", "Two.")]);
    let secret = dir.path().join("secret.txt");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&secret).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let report = Store::default().index(dir.path());
    assert!(
        matches!(fate(&report, "secret.txt"), Fate::Failed { reason } if reason.contains("cannot be read"))
    );
    assert_eq!(*fate(&report, "a.txt"), Fate::Indexed);
}

#[test]
fn a_failing_model_ends_the_run_with_its_error() {
    let dir = folder(&[("a.txt", "One.")]);
    let (store, settings) = (Store::default(), Settings::default());
    let mut indexer = store.indexer(&settings);
    indexer.output.encode =
        Box::new(|_| Err(Error::Model { doing: "encoding", reason: "broken".into() }));
    let error = indexer.index(&[dir.path().to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "the model failed while encoding: broken");
}

#[test]
fn documents_have_an_outcome_each_in_their_order() {
    let document = |id: &str, text: &str| IncomingDocument {
        id: id.into(),
        title: "T".into(),
        text: text.into(),
        metadata: Default::default(),
    };
    let (store, settings) = (Store::default(), Settings::default());
    let batch =
        [document("a", "One."), document("", "x"), document("b", "refuse me"), document("c", "")];
    let outcomes = store.indexer(&settings).documents(batch).unwrap();
    assert_eq!(outcomes[0], ItemOutcome::Indexed { passages: 1 });
    assert!(
        matches!(&outcomes[1], ItemOutcome::Failed { reason } if reason.contains("id must be between 1 and 512"))
    );
    assert!(matches!(&outcomes[2], ItemOutcome::Failed { .. }));
    assert_eq!(outcomes[3], ItemOutcome::Indexed { passages: 1 }, "found by its title");
    let again = store.indexer(&settings).documents([
        document("a", "One."),
        document("a", "Two."),
        document("a", "One."),
    ]);
    let expected = [
        ItemOutcome::Unchanged,
        ItemOutcome::Indexed { passages: 1 },
        ItemOutcome::Indexed { passages: 1 },
    ];
    assert_eq!(again.unwrap(), expected);
    assert_eq!(store.committed.borrow()["a"].document.text, "One.", "the last one counts");
}
