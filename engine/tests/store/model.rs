//! Random histories against a map: after every commit and every reopening the collection holds what the map
//! holds, and both retrievers find what a loop over the map finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use alder_engine::{
    Collection, CollectionSettings, Condition, Filter, Match, PassageId, Snapshot, VectorFormat,
};
use proptest::prelude::*;
use serde_json::json;

use crate::fixture::{assert_holds, document, embedding, id, model};

#[derive(Debug, Clone)]
enum Step {
    Upsert(u64),
    Delete(u64),
    Commit,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_u64..9).prop_map(Step::Upsert),
        2 => (0_u64..9).prop_map(Step::Delete),
        3 => Just(Step::Commit),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_collection_is_a_map_from_ids_to_whole_documents(
        steps in prop::collection::vec(step(), 1..25), query in 0_u64..1_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            CollectionSettings { vector_format: VectorFormat::F32, graph_rows: 8, ..CollectionSettings::default() };
        let open =
            || Collection::open_or_create_with(folder.path(), &model(), &settings).unwrap();
        let mut collection = open();
        let mut writer = Some(collection.writer().unwrap());
        let (mut committed, mut pending) = (BTreeMap::new(), BTreeMap::new());
        let mut held: Vec<(Arc<Snapshot>, BTreeMap<u64, u64>)> = Vec::new();
        for (version, step) in (1..).zip(steps) {
            match step {
                Step::Upsert(number) => {
                    writer.as_mut().unwrap().upsert(document(number, version)).unwrap();
                    pending.insert(number, version);
                }
                Step::Delete(number) => {
                    writer.as_mut().unwrap().delete(&id(number)).unwrap();
                    pending.remove(&number);
                }
                Step::Commit => {
                    held.push((collection.snapshot(), committed.clone()));
                    writer.as_mut().unwrap().commit().unwrap();
                    committed = pending.clone();
                    check(&collection.snapshot(), &committed, query);
                }
                Step::Reopen => {
                    drop(writer.take());
                    collection = open();
                    writer = Some(collection.writer().unwrap());
                    pending = committed.clone();
                    check(&collection.snapshot(), &committed, query);
                }
            }
        }
        for (snapshot, documents) in held.iter().rev().take(3) {
            assert_holds(snapshot, documents.clone());
        }
    }
}

/// What the map says, by loops.
fn check(snapshot: &Snapshot, documents: &BTreeMap<u64, u64>, query: u64) {
    assert_holds(snapshot, documents.clone());
    let query = embedding(query);
    let even = Filter {
        must: vec![Condition::Match { key: "parity".into(), r#match: Match::Value(json!("even")) }],
        ..Filter::default()
    };
    for filter in [None, Some(&even)] {
        let mut expected: Vec<(f32, PassageId)> = documents
            .iter()
            .filter(|(number, _)| filter.is_none() || *number % 2 == 0)
            .flat_map(|(&number, &version)| document(number, version).passages)
            .map(|(passage, vector)| (vector.cosine(&query), passage.id))
            .collect();
        expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        expected.truncate(5);
        let found = snapshot.dense(&query, filter, 5).unwrap();
        assert_eq!(found.len(), expected.len());
        for (hit, (cosine, passage)) in found.iter().zip(&expected) {
            assert!((hit.score.0 - cosine).abs() < 1e-5);
            assert_eq!(&snapshot.passage(hit.key).unwrap().id, passage);
        }
        let part1 = documents
            .iter()
            .filter(|(number, _)| filter.is_none() || *number % 2 == 0)
            .filter(|(number, version)| (*number + *version) % 3 >= 1)
            .count();
        let hits = snapshot.lexical("part1", filter, 100).unwrap().0;
        assert_eq!(hits.len(), part1, "each document with two passages has one part1");
    }
}
