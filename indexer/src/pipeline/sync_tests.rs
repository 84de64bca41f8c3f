//! Tests of keeping a folder in step: what is not touched is not opened, what is moved or edited keeps its vectors,
//! and whatever happened to the files, the collection ends as a new one would be.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use alder_engine::{Collection, Embedding, ModelIdentity, PassageKey, Snapshot, Span};

use super::*;
use crate::{Fate, IngestReport, Novelty};

const DIMENSIONS: usize = 8;

/// A folder of files and a real collection beside it, with words as tokens and hashes as vectors.
struct Synced {
    files: tempfile::TempDir,
    store: tempfile::TempDir,
    encoded: Cell<usize>,
    /// The time that the next file written is given.
    clock: Cell<u64>,
}

fn embedding(text: &str) -> Embedding {
    let hash = blake3::hash(text.as_bytes());
    Embedding::normalised(
        hash.as_bytes()[..DIMENSIONS].iter().map(|b| f32::from(*b) - 127.5).collect(),
    )
}

fn collection(folder: &Path) -> Collection {
    let model =
        ModelIdentity { name: "fake".into(), fingerprint: "0".into(), dimensions: DIMENSIONS };
    Collection::open_or_create(folder, &model).unwrap()
}

fn index(files: &Path, store: &Path, encoded: &Cell<usize>) -> IngestReport {
    let collection = collection(store);
    let settings = Settings::default();
    let mut writer = collection.writer().unwrap();
    let format = collection.settings().vector_format;
    let token_spans: Box<TokenSpans<'_>> = Box::new(|text| {
        let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        let span = |word: &str| Span::new(start(word), start(word) + word.len());
        Ok(text.split_whitespace().map(span).collect())
    });
    let encode: Box<Encode<'_>> = Box::new(|texts| {
        encoded.set(encoded.get() + texts.len());
        Ok(texts.iter().map(|text| format.store(&embedding(text))).collect())
    });
    let known = collection.snapshot().content_hashes().unwrap();
    let indexer = Indexer::with(&settings, (token_spans, encode), &mut writer, known);
    let report = indexer.noting_sources(store).index(&[files.to_owned()]).unwrap();
    writer.compact().unwrap();
    report
}

impl Synced {
    fn new() -> Self {
        let [files, store] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { files, store, encoded: Cell::new(0), clock: Cell::new(1_600_000_000) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Writes a file, a second after the one before it and long ago.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.touch(name);
    }

    fn touch(&self, name: &str) {
        self.clock.set(self.clock.get() + 1);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.clock.get());
        File::options().append(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
    }

    fn index(&self) -> IngestReport {
        self.encoded.set(0);
        index(self.files.path(), self.store.path(), &self.encoded)
    }

    fn snapshot(&self) -> std::sync::Arc<Snapshot> {
        collection(self.store.path()).snapshot()
    }
}

fn file<'r>(report: &'r IngestReport, path: &str) -> &'r crate::FileReport {
    report.files.iter().find(|file| file.path == path).unwrap()
}

#[test]
fn ten_thousand_unchanged_files_are_neither_opened_nor_encoded() {
    let synced = Synced::new();
    for number in 0..10_000 {
        synced.write(&format!("{}/{number}.txt", number % 100), &format!("Text of note {number}."));
    }
    synced.write("picture.png", "\u{0}\u{1}\u{2}\u{3}");
    synced.write("empty.txt", "");
    let first = synced.index();
    assert_eq!((first.totals.documents, first.totals.files_read), (10_000, 10_002));
    assert_eq!((first.totals.files_added, first.totals.files_skipped), (10_000, 2));
    let again = synced.index();
    assert_eq!((again.totals.files_read, synced.encoded.get()), (0, 0), "{:?}", again.totals);
    assert_eq!((again.totals.files_unchanged, again.totals.files_skipped), (10_000, 2));
    assert_eq!(again.totals.unchanged, 10_000);
    assert_eq!(file(&again, "empty.txt").fate, Fate::Skipped { reason: "empty".into() });
    println!("first {:.2} s, again {:.2} s", first.totals.seconds, again.totals.seconds);
}

#[test]
fn a_report_says_what_was_added_changed_moved_and_deleted() {
    let synced = Synced::new();
    synced.write("stays.txt", "It stays.");
    synced.write("goes.txt", "It goes.");
    synced.write("edited.md", "# Title\n\nThe first part.\n\n## Two\n\nThe second part.\n");
    synced.write("here/moved.md", "# Moved\n\nIt has a title of its own.\n");
    synced.write("rows.csv", "text\none\ntwo\nthree\n");
    synced.index();

    fs::remove_file(synced.path("goes.txt")).unwrap();
    synced.write("edited.md", "# Title\n\nThe first part.\n\n## Two\n\nAnother part.\n");
    fs::create_dir(synced.path("there")).unwrap();
    fs::rename(synced.path("here/moved.md"), synced.path("there/renamed.md")).unwrap();
    synced.write("new.txt", "It is new.");
    synced.write("rows.csv", "text\none\ntwo\n");
    synced.touch("stays.txt");
    let report = synced.index();
    let totals = &report.totals;
    let files =
        (totals.files_added, totals.files_changed, totals.files_moved, totals.files_deleted);
    assert_eq!(files, (1, 1, 1, 1), "{}", report.summary());
    assert_eq!(totals.removed, 3, "goes.txt, here/moved.md, and a row");
    assert_eq!(synced.encoded.get(), 2, "a paragraph that changed and a new file");
    assert_eq!(totals.vectors_kept, 2, "the other paragraph and the moved file");
    assert_eq!(totals.files_read, 5, "all that have another time or place");
    assert_eq!(file(&report, "stays.txt").fate, Fate::Unchanged);
    let moved = &file(&report, "there/renamed.md").novelty;
    assert_eq!(*moved, Some(Novelty::Moved { from: "here/moved.md".into() }));
    assert_eq!(file(&report, "goes.txt").fate, Fate::Deleted { documents: 1 });
    let summary = report.summary();
    assert!(summary.contains("moved   there/renamed.md: it was here/moved.md"), "{summary}");
    assert!(summary.contains("deleted goes.txt: 1 document"), "{summary}");
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains(r#""novelty":"moved","from":"here/moved.md""#), "{json}");
}

#[test]
fn what_the_ledger_cannot_vouch_for_is_read_again() {
    let synced = Synced::new();
    synced.write("a.txt", "One.");
    synced.write("b.txt", "Two.");
    synced.index();
    let collection = collection(synced.store.path());
    let mut writer = collection.writer().unwrap();
    writer.delete(&DocumentId::new("a.txt").unwrap()).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let report = synced.index();
    assert_eq!((report.totals.files_read, report.totals.documents), (1, 1), "a.txt comes back");

    // Written just now, with the same size: its time may not tell.
    fs::write(synced.path("b.txt"), "Tea.").unwrap();
    assert_eq!(synced.index().totals.files_changed, 1);
    fs::write(synced.path("b.txt"), "Sea.").unwrap();
    assert_eq!(synced.index().totals.files_changed, 1);

    fs::remove_file(synced.store.path().join(crate::ledger::FILE)).unwrap();
    let report = synced.index();
    assert_eq!((report.totals.files_read, synced.encoded.get()), (2, 0));
}

#[test]
fn an_id_that_becomes_free_is_given_to_the_file_that_also_has_it() {
    let synced = Synced::new();
    synced.write("a.jsonl", "{\"id\": \"x\", \"text\": \"First.\"}\n");
    synced
        .write("b.jsonl", "{\"id\": \"x\", \"text\": \"Second.\"}\nbad\n{\"text\": \"Third.\"}\n");
    synced.write("c.jsonl", "bad\n{\"text\": \"Fourth.\"}\n");
    let text = |synced: &Synced| {
        let document = synced.snapshot().document(&DocumentId::new("x").unwrap());
        document.unwrap().unwrap().text
    };
    assert_eq!(synced.index().totals.bad_records, 3);
    assert_eq!(text(&synced), "First.");
    let again = synced.index();
    assert_eq!(
        (again.totals.bad_records, again.totals.files_read),
        (3, 1),
        "b.jsonl alone is read"
    );
    assert_eq!(file(&again, "c.jsonl").problems[0].line, Some(1));
    fs::remove_file(synced.path("a.jsonl")).unwrap();
    assert_eq!(synced.index().totals.bad_records, 2);
    assert_eq!(text(&synced), "Second.");
}

/// A small generator (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn text(&mut self, format: &str) -> String {
        let words = ["tea", "barometer", "mercury", "leaf", "water", "tower", "bridge", "river"];
        let mut sentence =
            || (0..2 + self.below(6)).map(|_| *self.pick(&words)).collect::<Vec<_>>().join(" ");
        let parts: Vec<String> = (0..3).map(|_| sentence()).collect();
        match format {
            "md" => format!("# {}\n\n{}.\n\n## Part\n\n{}.\n", parts[0], parts[1], parts[2]),
            "csv" => format!("text\n{}\n{}\n{}\n", parts[0], parts[1], parts[2]),
            "jsonl" => parts.iter().map(|part| format!("{{\"text\": \"{part}\"}}\n")).collect(),
            _ => format!("{}.\n\n{}.\n", parts[0], parts[1]),
        }
    }
}

/// The passages that both searches find, by name, with their scores.
fn found(snapshot: &Snapshot, query: &str) -> [Vec<(alder_engine::PassageId, f32)>; 2] {
    let name = |key: PassageKey| snapshot.passage(key).unwrap().id;
    let lexical = snapshot.lexical(query, None, 500).unwrap().0.into_iter();
    let dense = snapshot.dense(&embedding(query), None, 500).unwrap().into_iter();
    let mut both = [
        lexical.map(|hit| (name(hit.key), hit.score.0)).collect::<Vec<_>>(),
        dense.map(|hit| (name(hit.key), hit.score.0)).collect(),
    ];
    both.iter_mut().for_each(|hits| hits.sort_by(|a, b| a.0.cmp(&b.0)));
    both
}

/// The same hits with the same scores; those of BM25 are sums of terms in any order.
fn assert_same(ours: &Snapshot, new: &Snapshot, query: &str) {
    let [lexical, dense] = found(ours, query);
    let [new_lexical, new_dense] = found(new, query);
    assert_eq!(dense, new_dense, "{query}");
    assert_eq!(lexical.len(), new_lexical.len(), "{query}");
    for (ours, new) in lexical.iter().zip(&new_lexical) {
        assert_eq!(ours.0, new.0, "{query}");
        assert!((ours.1 - new.1).abs() <= 1e-6 * new.1, "{query}: {ours:?} {new:?}");
    }
}

#[test]
fn after_any_changes_the_collection_is_as_a_new_one() {
    let names: Vec<String> = ["", "a/", "a/b/"]
        .iter()
        .flat_map(|folder| ["md", "txt", "csv", "jsonl"].map(|format| (*folder, format)))
        .flat_map(|(folder, format)| (0..3).map(move |n| format!("{folder}{n}.{format}")))
        .collect();
    for seed in 1..=8 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let synced = Synced::new();
        synced.write("always.txt", "This file is always there.");
        for round in 0..5 {
            for _ in 0..12 {
                let name = random.pick(&names).clone();
                let format = name.rsplit_once('.').unwrap().1.to_owned();
                let exists = synced.path(&name).exists();
                match random.below(6) {
                    0 if exists => fs::remove_file(synced.path(&name)).unwrap(),
                    1 if exists => synced.touch(&name),
                    2 | 3 if exists => {
                        let to = random.pick(&names).clone();
                        if to.ends_with(&format) {
                            let to = synced.path(&to);
                            fs::create_dir_all(to.parent().unwrap()).unwrap();
                            fs::rename(synced.path(&name), to).unwrap();
                        }
                    }
                    _ => synced.write(&name, &random.text(&format)),
                }
            }
            synced.index();
            let full = tempfile::tempdir().unwrap();
            index(synced.files.path(), full.path(), &Cell::new(0));
            let (ours, new) = (synced.snapshot(), collection(full.path()).snapshot());
            let hashes = new.content_hashes().unwrap();
            assert_eq!(ours.content_hashes().unwrap(), hashes, "seed {seed}, round {round}");
            for id in hashes.keys() {
                assert_eq!(ours.stored(id).unwrap(), new.stored(id).unwrap(), "seed {seed}");
            }
            for query in ["tea river", "mercury", "part tower water", "always"] {
                assert_same(&ours, &new, query);
            }
        }
    }
}
