//! Opening, writing, replacing, deleting, refusing.

use std::fs;

use alder_engine::{Collection, CollectionSettings, Error, Generation, OpenError, VectorFormat};

use crate::fixture::{assert_holds, document, embedding, id, live, model, open, small_graphs};

#[test]
fn documents_are_found_after_commit_and_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for number in 0..30 {
        writer.upsert(document(number, 1)).unwrap();
    }
    assert_eq!(collection.snapshot().stats().passages, 0, "nothing is visible before a commit");
    assert_eq!(writer.commit().unwrap(), Generation(1));
    assert_holds(&collection.snapshot(), (0..30).map(|n| (n, 1)));
    assert_eq!(collection.snapshot().stats().graphs, 1);
    drop((writer, collection));
    let again = Collection::open(folder.path(), &model()).unwrap();
    assert_eq!(again.snapshot().generation(), Generation(1));
    assert_holds(&again.snapshot(), (0..30).map(|n| (n, 1)));
}

#[test]
fn replacing_and_deleting_show_in_both_retrievers_at_once_and_not_in_a_held_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for number in 0..6 {
        writer.upsert(document(number, 1)).unwrap();
    }
    writer.commit().unwrap();
    let held = collection.snapshot();
    writer.upsert(document(0, 1)).unwrap();
    writer.upsert(document(0, 2)).unwrap();
    writer.delete(&id(1)).unwrap();
    writer.delete(&id(99)).unwrap();
    writer.upsert(document(2, 7)).unwrap();
    writer.delete(&id(2)).unwrap();
    writer.commit().unwrap();
    assert_holds(&collection.snapshot(), [(0, 2), (3, 1), (4, 1), (5, 1)]);
    assert_holds(&held, (0..6).map(|n| (n, 1)));
    assert!(live(&held).len() > live(&collection.snapshot()).len());
}

#[test]
fn a_commit_without_changes_is_the_old_generation() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    assert_eq!(writer.commit().unwrap(), Generation(0));
    writer.upsert(document(1, 1)).unwrap();
    assert_eq!(writer.commit().unwrap(), Generation(1));
    assert_eq!(writer.commit().unwrap(), Generation(1));
}

#[test]
fn what_was_not_committed_is_gone_when_the_writer_is() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    writer.upsert(document(1, 1)).unwrap();
    writer.commit().unwrap();
    writer.upsert(document(2, 1)).unwrap();
    drop(writer);
    let mut writer = collection.writer().unwrap();
    writer.upsert(document(3, 1)).unwrap();
    writer.commit().unwrap();
    assert_holds(&collection.snapshot(), [(1, 1), (3, 1)]);
}

#[test]
fn many_small_commits_are_merged_and_their_vector_files_removed() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for number in 0..20 {
        writer.upsert(document(number, 1)).unwrap();
        writer.commit().unwrap();
    }
    let stats = collection.snapshot().stats();
    assert!(stats.segments < 9, "{stats:?}");
    assert_holds(&collection.snapshot(), (0..20).map(|n| (n, 1)));
    let files = fs::read_dir(folder.path().join("vectors")).unwrap().count() as u64;
    assert_eq!(files, stats.segments);
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock_and_readers_need_none() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    let error = collection.writer().unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(matches!(&error, OpenError::Locked { holder: h, .. } if *h == holder), "{error}");
    let reader = Collection::open(folder.path(), &model()).unwrap();
    writer.upsert(document(1, 1)).unwrap();
    writer.commit().unwrap();
    assert_eq!(reader.snapshot().generation(), Generation(0));
    reader.reload().unwrap();
    assert_holds(&reader.snapshot(), [(1, 1)]);
}

#[test]
fn a_collection_opens_and_reloads_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let reader = Collection::open(folder.path(), &model()).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut writer = collection.writer().unwrap();
            for generation in 1..=30 {
                writer.upsert(document(generation % 7, generation)).unwrap();
                writer.commit().unwrap();
            }
        });
        while !writing.is_finished() {
            reader.reload().unwrap();
            for snapshot in
                [reader.snapshot(), Collection::open(folder.path(), &model()).unwrap().snapshot()]
            {
                let newest = snapshot.generation().0;
                let documents = (0..7).filter_map(|number| {
                    (1..=newest).rev().find(|g| g % 7 == number).map(|version| (number, version))
                });
                assert_holds(&snapshot, documents);
            }
        }
    });
    reader.reload().unwrap();
    assert_eq!(reader.snapshot().generation(), Generation(30));
}

#[test]
fn another_model_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mut other = model();
    other.name = "other".into();
    other.fingerprint = "4567".into();
    let error = Collection::open_or_create(folder.path(), &other).unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("fake") && text.contains("other") && text.contains("index"), "{text}");
}

#[test]
fn folders_that_are_no_collection_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Collection::open(&folder.path().join("none"), &model()).unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing}");
    let empty = Collection::open(folder.path(), &model()).unwrap_err();
    assert!(matches!(empty, OpenError::Missing { .. }), "{empty}");
    fs::write(folder.path().join("holiday.jpg"), "x").unwrap();
    for error in [
        Collection::open(folder.path(), &model()).unwrap_err(),
        Collection::open_or_create(folder.path(), &model()).unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::Unexpected { .. }), "{error}");
    }
    let file = folder.path().join("holiday.jpg");
    let error = Collection::open_or_create(&file, &model()).unwrap_err();
    assert!(error.to_string().contains("holiday.jpg"), "{error}");
}

#[test]
fn an_interrupted_creation_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::rename(folder.path().join("store"), folder.path().join("store.new")).unwrap();
    assert_holds(&Collection::open(folder.path(), &model()).unwrap().snapshot(), []);
    fs::rename(folder.path().join("store"), folder.path().join("store.new")).unwrap();
    fs::remove_file(folder.path().join("collection.json")).unwrap();
    assert_holds(&open(folder.path()).snapshot(), []);
}

#[test]
fn documents_that_do_not_fit_are_refused_and_harm_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    writer.upsert(document(1, 1)).unwrap();
    let mut short = document(2, 1);
    short.passages[0].1 = alder_engine::Embedding::normalised(vec![1.0; 3]);
    let error = writer.upsert(short).unwrap_err().to_string();
    assert!(error.contains("3 values") && error.contains("16"), "{error}");
    let mut foreign = document(3, 1);
    foreign.passages[0].0.text = "something else".into();
    assert!(matches!(writer.upsert(foreign), Err(Error::Store { .. })));
    let mut nested = document(4, 1);
    nested.document.metadata.insert("a".into(), serde_json::json!({"b": 1}));
    assert!(writer.upsert(nested).unwrap_err().to_string().contains("\"a\""));
    writer.commit().unwrap();
    assert_holds(&collection.snapshot(), [(1, 1)]);
    let wrong = alder_engine::Embedding::normalised(vec![1.0; 3]);
    assert!(collection.snapshot().dense(&wrong, None, 1).is_err());
}

#[test]
fn every_vector_format_gives_the_vectors_back() {
    for vector_format in [VectorFormat::Int8, VectorFormat::F16, VectorFormat::F32] {
        let folder = tempfile::tempdir().unwrap();
        let settings = CollectionSettings { vector_format, ..small_graphs() };
        let collection =
            Collection::open_or_create_with(folder.path(), &model(), &settings).unwrap();
        let mut writer = collection.writer().unwrap();
        for number in 0..40 {
            writer.upsert(document(number, 1)).unwrap();
        }
        writer.commit().unwrap();
        assert_eq!(collection.snapshot().stats().graphs, 1);
        assert_holds(&collection.snapshot(), (0..40).map(|n| (n, 1)));
    }
}

#[test]
fn zero_vectors_and_duplicates_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for number in 0..100 {
        let mut document = document(number, 3 - number % 3);
        let same = if number < 50 { vec![0.0; 16] } else { vec![1.0; 16] };
        document.passages[0].1 = alder_engine::Embedding::normalised(same);
        writer.upsert(document).unwrap();
    }
    writer.commit().unwrap();
    let snapshot = collection.snapshot();
    assert_eq!(snapshot.stats().graphs, 1);
    let hits = snapshot.dense(&embedding(5), None, 200).unwrap();
    assert_eq!(hits.len(), 100);
    let mut names: Vec<_> =
        hits.iter().map(|hit| (hit.score.0, snapshot.passage(hit.key).unwrap().id)).collect();
    let found = names.clone();
    names.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    assert_eq!(found, names, "equal scores are in order of document id");
}

#[test]
fn a_document_taken_out_with_its_vectors_can_be_stored_elsewhere_bit_for_bit() {
    for vector_format in [VectorFormat::Int8, VectorFormat::F16, VectorFormat::F32] {
        let settings = CollectionSettings { vector_format, ..small_graphs() };
        let [here, there] = [(); 2].map(|()| {
            let folder = tempfile::tempdir().unwrap();
            let made = Collection::open_or_create_with(folder.path(), &model(), &settings).unwrap();
            (made, folder)
        });
        let mut writer = here.0.writer().unwrap();
        (0..5).for_each(|number| writer.upsert(document(number, 1)).unwrap());
        writer.commit().unwrap();
        drop(writer);
        let snapshot = Collection::open_as_built(here.1.path()).unwrap().snapshot();
        let mut writer = there.0.writer().unwrap();
        for number in 0..5 {
            let name = id(number);
            let hash = snapshot.content_hash(&name).unwrap();
            assert_eq!(hash, Some(document(number, 1).document.content_hash));
            writer.upsert_stored(snapshot.stored(&name).unwrap().unwrap()).unwrap();
        }
        writer.commit().unwrap();
        let copy = there.0.snapshot();
        assert_holds(&copy, (0..5).map(|n| (n, 1)));
        for number in 0..5 {
            let name = id(number);
            assert_eq!(copy.stored(&name).unwrap(), snapshot.stored(&name).unwrap());
        }
        let none = id(99);
        assert!(
            copy.stored(&none).unwrap().is_none() && copy.content_hash(&none).unwrap().is_none()
        );

        let mut other = snapshot.stored(&id(1)).unwrap().unwrap();
        other.passages[0].1 = alder_engine::StoredVector::from_bytes(vec![9; 21]);
        let error = writer.upsert_stored(other).unwrap_err().to_string();
        assert!(error.contains("a vector"), "{error}");
    }
}

#[test]
fn documents_are_listed_by_filter() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    (0..6).for_each(|number| writer.upsert(document(number, 1)).unwrap());
    writer.delete(&id(2)).unwrap();
    writer.commit().unwrap();
    let even = r#"{"must": [{"key": "parity", "match": {"value": "even"}}]}"#;
    let found = collection.snapshot().documents_passing(&serde_json::from_str(even).unwrap());
    assert_eq!(found.unwrap(), [id(0), id(4)]);
}
