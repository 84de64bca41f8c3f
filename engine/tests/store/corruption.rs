//! Damages each file of a collection in turn: opening says so or gives the right answers, and never panics.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use alder_engine::{Collection, CollectionSettings, OpenError};

use crate::fixture::{Numbers, assert_holds, document, id, model};

const LIVE: [(u64, u64); 9] =
    [(0, 2), (1, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1)];

/// A collection with two segments, deleted records and a graph.
fn build(folder: &Path) {
    let settings = CollectionSettings { graph_rows: 8, ..CollectionSettings::default() };
    let collection = Collection::open_or_create_with(folder, &model(), &settings).unwrap();
    let mut writer = collection.writer().unwrap();
    (0..10).for_each(|number| writer.upsert(document(number, 1)).unwrap());
    writer.commit().unwrap();
    writer.upsert(document(0, 2)).unwrap();
    writer.delete(&id(2)).unwrap();
    writer.commit().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// `Ok` with the number of errors seen, or the first wrong thing.
fn damage_and_open(pristine: &Path, file: &Path, contents: Option<&[u8]>) -> Result<bool, String> {
    let copied = tempfile::tempdir().unwrap();
    copy(pristine, copied.path());
    let target = copied.path().join(file.strip_prefix(pristine).unwrap());
    match contents {
        Some(bytes) => fs::write(&target, bytes).unwrap(),
        None => fs::remove_file(&target).unwrap(),
    }
    let opened = catch_unwind(AssertUnwindSafe(|| Collection::open(copied.path(), &model())));
    match opened {
        Err(_) => Err("panicked".into()),
        Ok(Err(OpenError::Io { path, source })) => Err(format!("{}: {source}", path.display())),
        Ok(Err(_)) => Ok(true),
        Ok(Ok(collection)) => {
            let right = AssertUnwindSafe(|| assert_holds(&collection.snapshot(), LIVE));
            catch_unwind(right).map(|()| false).map_err(|_| "gave wrong answers".into())
        }
    }
}

#[test]
fn damaged_files_are_named_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let mut numbers = Numbers(7);
    let mut wrong = Vec::new();
    for file in files(folder.path()) {
        let bytes = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut tries: Vec<(String, Option<Vec<u8>>)> = vec![("removed".into(), None)];
        for len in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            tries.push((format!("cut to {len}"), Some(bytes[..len].to_vec())));
        }
        for _ in 0..if bytes.is_empty() { 0 } else { 12 } {
            let (at, bit) = (numbers.below(bytes.len() as u64) as usize, numbers.below(8));
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            tries.push((format!("bit {bit} of byte {at} flipped"), Some(changed)));
        }
        let mut refused = 0;
        for (what, contents) in &tries {
            match damage_and_open(folder.path(), &file, contents.as_deref()) {
                Ok(error) => refused += usize::from(error),
                Err(found) => wrong.push(format!("{name}, {what}: {found}")),
            }
        }
        let body = [".store", ".term", ".idx", ".fast", ".fieldnorm"];
        if body.iter().any(|end| name.ends_with(end)) {
            assert_eq!(refused, tries.len(), "{name}: some damage was not noticed");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_error_names_the_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let store =
        files(folder.path()).into_iter().find(|f| f.extension().is_some_and(|e| e == "store"));
    let store = store.unwrap();
    let mut bytes = fs::read(&store).unwrap();
    bytes[10] ^= 1;
    fs::write(&store, bytes).unwrap();
    let error = Collection::open(folder.path(), &model()).unwrap_err().to_string();
    assert!(error.contains(&*store.to_string_lossy()) && error.contains("restore"), "{error}");
}

#[test]
fn lost_vector_files_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    fs::remove_dir_all(folder.path().join("vectors")).unwrap();
    let collection = Collection::open(folder.path(), &model()).unwrap();
    assert_holds(&collection.snapshot(), LIVE);
    assert_eq!(collection.snapshot().stats().graphs, 0, "graphs wait for a writer");
    let mut writer = collection.writer().unwrap();
    writer.upsert(document(9, 1)).unwrap();
    writer.commit().unwrap();
    assert_holds(&collection.snapshot(), LIVE);
    assert_eq!(collection.snapshot().stats().graphs, 1);
}
