//! Totals, facets and pages tell the same story, whatever is asked: random queries on a random collection, compared
//! with what paging through the list shows.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use alder_engine::{
    Collection, Device, Error, Fusion, Hit, Mode, Model, Query, QueryError, SearchResult, Snapshot,
    limits, search,
};
use alder_indexer::{IncomingDocument, Indexer, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};

const WORDS: [&str; 12] = [
    "river", "bridge", "copper", "whale", "glacier", "engine", "poem", "market", "violin", "comet",
    "harbour", "treaty",
];

/// A word by a number.
fn word(n: usize) -> &'static str {
    WORDS[n % WORDS.len()]
}

/// Sixty documents of one or two passages in several segments, with fields that some lack.
pub(super) fn collection() -> &'static (Arc<Model>, Collection, tempfile::TempDir) {
    static COLLECTION: OnceLock<(Arc<Model>, Collection, tempfile::TempDir)> = OnceLock::new();
    COLLECTION.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let model = Model::embedded(Device::Cpu).unwrap();
        let collection = Collection::open_or_create(folder.path(), model.identity()).unwrap();
        for part in 0..3 {
            let documents = (part * 20..part * 20 + 20).map(document);
            add(&collection, &model, documents);
        }
        (model, collection, folder)
    })
}

fn document(n: usize) -> IncomingDocument {
    let text = |from: usize| {
        let words: Vec<&str> = (0..9).map(|i| word(n * (i + from) + i * i)).collect();
        format!("The {} and the {}.", words[..4].join(" "), words[4..].join(" "))
    };
    let metadata = json!({"kind": word(n / 7), "tags": [word(n), word(n + 5)]});
    let mut metadata: BTreeMap<String, Value> = serde_json::from_value(metadata).unwrap();
    if !n.is_multiple_of(4) {
        metadata.insert("year".into(), json!(1900 + (n * 37) % 23));
        metadata.insert("seen".into(), json!(format!("20{:02}-05-01", n % 9)));
    }
    // Headings keep the passages apart.
    let text = format!(
        "# {}\n\n{}\n\n# {}\n\n{}\n",
        word(n),
        text(1).repeat(12),
        word(n + 1),
        text(2).repeat(12)
    );
    let title = format!("{} {n}", word(n + 2));
    IncomingDocument { id: format!("doc-{n:02}"), title, text, metadata }
}

fn add(collection: &Collection, model: &Model, documents: impl Iterator<Item = IncomingDocument>) {
    let mut writer = collection.writer().unwrap();
    let settings = Settings::default();
    let indexer = Indexer::new(&settings, model, &mut writer, Default::default()).unwrap();
    indexer.documents(documents).unwrap();
}

fn any_query() -> impl Strategy<Value = Query> {
    let filter = prop::sample::select(vec![
        "",
        "year >= 1910",
        "kind = whale OR kind = bridge",
        "NOT EXISTS year",
        "tags = comet",
    ]);
    let sort = prop::sample::select(vec!["", "year", "year:desc", "seen:desc", "kind", "id:desc"]);
    let fusion = prop_oneof![
        Just(Fusion::default()),
        Just(Fusion::Rrf { k: 60.0 }),
        Just(Fusion::Dbsf { lexical_weight: 0.5 }),
    ];
    let mode = prop::sample::select(vec![Mode::Hybrid, Mode::Lexical, Mode::Dense]);
    let shape =
        (prop::option::of(1_usize..3), prop_oneof![Just(0.0_f32), 0.1_f32..1.0], 5_usize..60);
    let operators =
        prop::sample::select(vec!["", " -poem", " year:1900..1912", " \"the river\"", " whal*"]);
    let text = (0..WORDS.len(), 0..WORDS.len(), operators);
    (text, filter, sort, fusion, mode, shape).prop_map(
        |(text, filter, sort, fusion, mode, shape)| {
            let mut query = Query::new(format!("{} {}{}", word(text.0), word(text.1), text.2));
            query.filter = (!filter.is_empty()).then(|| filter.parse().unwrap());
            query.sort = if sort.is_empty() { vec![] } else { vec![sort.parse().unwrap()] };
            (query.fusion, query.mode, query.read_depth) = (Some(fusion), mode, 0);
            (query.per_document, query.diversity, query.candidates) = shape;
            query.facets = ["kind", "tags", "year"].map(String::from).to_vec();
            query
        },
    )
}

/// All hits, page by page, and the last reply.
fn walk(snapshot: &Snapshot, model: &Model, query: &Query) -> (Vec<Hit>, SearchResult) {
    let mut hits = Vec::new();
    let mut query = query.clone();
    loop {
        let mut result = search(snapshot, model, &query).unwrap();
        hits.append(&mut result.hits);
        assert!(hits.len() <= result.total);
        match result.next {
            Some(cursor) => {
                let again = cursor.to_string().parse::<alder_engine::Cursor>().unwrap();
                query = again.page_of(query).unwrap();
            }
            None => return (hits, result),
        }
    }
}

fn values(hit: &Hit, field: &str) -> Vec<Value> {
    match hit.passage.metadata.get(field) {
        Some(Value::Array(list)) => {
            let mut list = list.clone();
            list.sort_by_key(Value::to_string);
            list.dedup();
            list
        }
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

fn assert_facets(hits: &[Hit], result: &SearchResult) {
    for facet in &result.facets {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for hit in hits {
            for value in values(hit, &facet.field) {
                *counts.entry(value.to_string()).or_default() += 1;
            }
        }
        let told: BTreeMap<String, usize> =
            facet.values.iter().map(|v| (v.value.to_string(), v.count)).collect();
        assert_eq!(told, counts, "{}", facet.field);
        let missing = hits.iter().filter(|hit| values(hit, &facet.field).is_empty()).count();
        assert_eq!((facet.missing, facet.other), (missing, 0), "{}", facet.field);
    }
}

fn assert_order(hits: &[Hit], query: &Query) {
    let Some(by) = query.sort.first() else {
        let by_score = hits.is_sorted_by(|a, b| a.score.0 >= b.score.0);
        return assert!(by_score || query.diversity > 0.0);
    };
    let key = |hit: &Hit| match by.field.as_str() {
        "id" => Some(hit.passage.id.document.to_string()),
        field => hit.passage.metadata.get(field).map(Value::to_string),
    };
    let keys: Vec<Option<String>> = hits.iter().map(key).collect();
    let known: Vec<&String> = keys.iter().flatten().collect();
    assert!(keys[..known.len()].iter().all(Option::is_some), "those without the field come last");
    let sorted = match by.descending {
        true => known.is_sorted_by(|a, b| a >= b),
        false => known.is_sorted_by(|a, b| a <= b),
    };
    assert!(sorted, "{by:?} {known:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn totals_facets_and_pages_agree(query in any_query(), size in 1_usize..30) {
        let (model, collection, _) = collection();
        let snapshot = collection.snapshot();
        let (hits, last) = walk(&snapshot, model, &Query { limit: size.min(query.candidates), ..query.clone() });
        prop_assert_eq!(hits.len(), last.total);
        prop_assert!(hits.iter().map(|hit| hit.rank).eq(1..=hits.len()));
        let mut ids: Vec<String> = hits.iter().map(|hit| format!("{:?}", hit.passage.id)).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), hits.len(), "a hit was shown twice");
        assert_facets(&hits, &last);
        assert_order(&hits, &query);
        if let Some(most) = query.per_document {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            hits.iter().for_each(|hit| *counts.entry(hit.passage.id.document.to_string()).or_default() += 1);
            prop_assert!(counts.values().all(|&count| count <= most));
        }
        // Pages by offset are those of the cursor.
        let third = Query { offset: 3, limit: query.candidates.min(4), ..query.clone() };
        let page = search(&snapshot, model, &third).unwrap();
        let shown = |hits: &[Hit]| hits.iter().map(|hit| hit.passage.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(shown(&page.hits), shown(&hits[hits.len().min(3)..hits.len().min(3 + third.limit)]));
        prop_assert_eq!(page.total, last.total);
    }
}

#[test]
fn pages_of_an_old_generation_are_refused_and_so_are_unknown_fields() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let collection = Collection::open_or_create(folder.path(), model.identity()).unwrap();
    add(&collection, &model, (0..9).map(document));
    let query = Query { limit: 2, read_depth: 0, ..Query::new("river bridge") };
    let first = search(&collection.snapshot(), &model, &query).unwrap();
    assert!(first.complete && first.total > 2);
    let next = first.next.unwrap().page_of(query.clone()).unwrap();
    let second = search(&collection.snapshot(), &model, &next).unwrap();
    assert_eq!(second.hits[0].rank, 3);
    add(&collection, &model, [document(30)].into_iter());
    match search(&collection.snapshot(), &model, &next) {
        Err(Error::Query(QueryError::Changed { asked, found })) => assert!(found > asked),
        other => panic!("{other:?}"),
    }
    let asked = |change: fn(&mut Query)| {
        let mut query = query.clone();
        change(&mut query);
        search(&collection.snapshot(), &model, &query).unwrap_err().to_string()
    };
    assert!(asked(|q| q.sort = vec!["yaer".parse().unwrap()]).contains("did you mean \"year\"?"));
    assert!(asked(|q| q.facets = vec!["knd".into()]).contains("did you mean \"kind\"?"));
    assert!(asked(|q| q.diversity = 1.5).contains("diversity"));
    assert!(asked(|q| q.per_document = Some(0)).contains("per_document"));
    assert!(asked(|q| q.facets = vec!["kind".into(); limits::FACETS + 1]).contains("facets"));
}

#[test]
fn diversity_moves_repetitions_down() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let collection = Collection::open_or_create(folder.path(), model.identity()).unwrap();
    let text = |id: &str, text: &str| IncomingDocument {
        id: id.into(),
        title: String::new(),
        text: text.into(),
        metadata: Default::default(),
    };
    let copies = "The blue whale is the largest animal that has ever lived on Earth.";
    let documents = [
        text("a", copies),
        text("b", copies),
        text("c", copies),
        text("d", "A whale oil lamp lit the largest room of the house."),
    ];
    add(&collection, &model, documents.into_iter());
    let order = |diversity| {
        let query = Query {
            diversity,
            read_depth: 0,
            ..Query::new("which animal is the largest that has ever lived on Earth")
        };
        let hits = search(&collection.snapshot(), &model, &query).unwrap().hits;
        hits.iter().map(|hit| hit.passage.id.document.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(order(0.0), ["a", "b", "c", "d"]);
    assert_eq!(order(0.9)[..2], ["a", "d"]);
}
