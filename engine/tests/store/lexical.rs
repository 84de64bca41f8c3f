//! What the lexical retriever finds, refuses and explains.

use alder_engine::{
    Condition, Document, EncodedDocument, Filter, Match, Metadata, Passage, PassageId, Range,
    Snapshot, Span,
};
use serde_json::{Value, json};

use crate::fixture::{assert_holds, document, embedding, id, open};

/// A document of one passage.
pub(crate) fn one(number: u64, title: &str, text: &str, metadata: Value) -> EncodedDocument {
    let metadata: Metadata = serde_json::from_value(metadata).unwrap();
    let passage = Passage {
        id: PassageId { document: id(number), ordinal: 0 },
        title: title.into(),
        heading_path: vec![],
        span: Span::new(0, text.len()),
        text: text.into(),
        metadata: metadata.clone(),
    };
    let (title, text) = (title.to_owned(), text.to_owned());
    let document = Document { id: id(number), title, text, metadata, content_hash: "h".into() };
    EncodedDocument { document, passages: vec![(passage, embedding(number))] }
}

pub(crate) fn with(
    documents: impl IntoIterator<Item = EncodedDocument>,
    check: impl FnOnce(&Snapshot),
) {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for document in documents {
        writer.upsert(document).unwrap();
    }
    writer.commit().unwrap();
    check(&collection.snapshot());
}

/// Numbers of the documents found, best first.
pub(crate) fn found(snapshot: &Snapshot, query: &str, filter: Option<&Filter>) -> Vec<u64> {
    let hits = snapshot.lexical(query, filter, 100).unwrap().0;
    let name = |key| snapshot.passage(key).unwrap().id.document.as_str()[4..].parse().unwrap();
    hits.into_iter().map(|hit| name(hit.key)).collect()
}

pub(crate) fn library() -> Vec<EncodedDocument> {
    vec![
        one(1, "Rivers", "The Danube flows through ten countries.", json!({"year": 1990})),
        one(2, "Danube", "A long river in Europe.", json!({"year": 2001.5, "tags": ["a", "b"]})),
        one(
            3,
            "Cooking",
            "Crème brûlée is a dessert of countries.",
            json!({"year": -3, "ok": true}),
        ),
        one(4, "War", "War and Peace is a novel about Russia.", json!({"year": 1869})),
        one(5, "Peace", "Peace came; and war ended.", json!({})),
    ]
}

#[test]
fn stems_accents_titles_and_case_do_not_matter() {
    with(library(), |snapshot| {
        assert_eq!(found(snapshot, "FLOWING", None), [1]);
        assert_eq!(found(snapshot, "creme BRULEE", None), [3]);
        let mut danube = found(snapshot, "danube", None);
        danube.sort();
        assert_eq!(danube, [1, 2]);
        assert!(found(snapshot, "?!…", None).is_empty());
        assert_eq!(found(snapshot, "", None).len(), 5, "without words everything is listed");
        assert!(found(snapshot, "unheard", None).is_empty());
    });
}

#[test]
fn quoted_words_must_follow_each_other_and_minus_excludes() {
    with(library(), |snapshot| {
        assert_eq!(found(snapshot, "\"war and peace\"", None), [4]);
        let both = found(snapshot, "war peace", None);
        assert_eq!(both.len(), 2);
        assert_eq!(found(snapshot, "war -novel", None), [5]);
    });
}

#[test]
fn the_parts_of_an_explanation_sum_to_the_score() {
    with((0..30).map(|n| document(n, n % 4)), |snapshot| {
        let query = "common text word7 word7 section titles of release2";
        let (hits, _) = snapshot.lexical(query, None, 100).unwrap();
        assert!(hits.len() > 30);
        for hit in hits {
            let parts = snapshot.explain_lexical(query, hit.key).unwrap();
            let sum: f32 = parts.iter().map(|part| part.score).sum();
            assert!((sum - hit.score.0).abs() < 1e-4 * sum, "{sum} {:?} {parts:?}", hit.score);
        }
    });
}

#[test]
fn equal_scores_are_in_order_of_document_id_also_at_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    for number in [17, 12, 19, 11, 15, 13, 18, 14, 16, 10] {
        writer.upsert(one(number, "", "the same text", json!({}))).unwrap();
        if number % 3 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    let snapshot = collection.snapshot();
    assert!(snapshot.stats().segments > 1);
    let all: Vec<u64> = (10..20).collect();
    for k in [1, 3, 10] {
        let hits = snapshot.lexical("same", None, k).unwrap().0;
        let ids: Vec<_> =
            hits.iter().map(|h| snapshot.passage(h.key).unwrap().id.document).collect();
        let expected: Vec<_> = all.iter().take(k).map(|&number| id(number)).collect();
        assert_eq!(ids, expected);
    }
}

#[test]
fn long_questions_keep_their_rarest_terms_and_say_so() {
    with((0..200).map(|n| document(n, 1)), |snapshot| {
        let words: String = (0..10_000).map(|n| format!("word{} common ", n % 150)).collect();
        let (hits, notes) = snapshot.lexical(&words, None, 10).unwrap();
        assert_eq!(hits.len(), 10);
        assert!(notes[0].contains("64 rarest of 151"), "{notes:?}");
        assert!(snapshot.lexical("common", None, 10).unwrap().1.is_empty());
    });
}

fn matching(key: &str, value: Value) -> Condition {
    Condition::Match { key: key.into(), r#match: Match::Value(value) }
}

fn range(key: &str, range: Range) -> Condition {
    Condition::Range { key: key.into(), range }
}

#[test]
fn filters_hold_in_both_retrievers() {
    let from_json = |text: &str| serde_json::from_str::<Filter>(text).unwrap();
    let cases: Vec<(Filter, &[u64])> = vec![
        (Filter::default(), &[1, 2, 3, 4, 5]),
        (Filter { must: vec![matching("year", json!(1990.0))], ..Filter::default() }, &[1]),
        (Filter { must: vec![matching("ok", json!(true))], ..Filter::default() }, &[3]),
        (Filter { must: vec![matching("id", json!("doc-4"))], ..Filter::default() }, &[4]),
        (from_json(r#"{"must":[{"key":"tags","match":{"any":["b","z"]}}]}"#), &[2]),
        (from_json(r#"{"must_not":[{"key":"year","range":{"gte":-3}}]}"#), &[5]),
        (from_json(r#"{"must":[{"key":"year","range":{"gt":-3,"lte":1990}}]}"#), &[1, 4]),
        (from_json(r#"{"must":[{"key":"year","range":{"lt":-2.9}}]}"#), &[3]),
        (
            from_json(
                r#"{"must":[{"should":[{"key":"year","match":{"value":1869}},
                {"key":"ok","match":{"value":true}}]}],"must_not":[{"key":"id","match":{"value":"doc-3"}}]}"#,
            ),
            &[4],
        ),
        (
            Filter {
                must: vec![range("year", Range { gt: Some(0.0.into()), ..Range::default() })],
                should: vec![matching("year", json!(1990)), matching("tags", json!("a"))],
                ..Filter::default()
            },
            &[1, 2],
        ),
    ];
    with(library(), |snapshot| {
        for (filter, expected) in &cases {
            let all = "a the war danube dessert peace";
            let mut lexical = found(snapshot, all, Some(filter));
            lexical.sort();
            assert_eq!(&lexical, expected, "{filter:?}");
            let dense = snapshot.dense(&embedding(1), Some(filter), 10).unwrap();
            let mut dense: Vec<_> =
                dense.iter().map(|hit| snapshot.passage(hit.key).unwrap().id.document).collect();
            dense.sort();
            let expected: Vec<_> = expected.iter().map(|&number| id(number)).collect();
            assert_eq!(dense, expected, "{filter:?}");
        }
    });
}

#[test]
fn bad_filters_are_refused_with_the_place() {
    let nested = (0..9).fold(Filter::default(), |inner, _| Filter {
        must: vec![Condition::Nested(inner)],
        ..Filter::default()
    });
    let many = Filter { should: vec![matching("a", json!(1)); 257], ..Filter::default() };
    let must = |condition| Filter { must: vec![condition], ..Filter::default() };
    let any = |values| Condition::Match { key: "a".into(), r#match: Match::Any(values) };
    let cases = [
        (must(matching("a", json!({"b": 1}))), "/must/0/match/value"),
        (must(matching("", json!(1))), "/must/0/key"),
        (must(matching("id", json!(4))), "/must/0/match/value"),
        (must(any(vec![])), "/must/0/match/any"),
        (must(any(vec![json!(1), json!(null)])), "/must/0/match/any/1"),
        (must(range("year", Range::default())), "/must/0/range"),
        (
            must(range("y", Range { gt: Some(f64::NAN.into()), ..Range::default() })),
            "/must/0/range",
        ),
        (
            must(range(
                "y",
                Range { lt: Some(1.0.into()), lte: Some(1.0.into()), ..Range::default() },
            )),
            "/must/0/range",
        ),
        (nested, "/must/0/must/0/must/0/must/0/must/0/must/0/must/0/must/0"),
        (many, "/should/256"),
    ];
    with(library(), |snapshot| {
        for (filter, place) in &cases {
            let error = snapshot.lexical("war", Some(filter), 5).unwrap_err().to_string();
            assert!(error.starts_with(&format!("filter, at {place}:")), "{error}");
            assert!(snapshot.dense(&embedding(1), Some(filter), 5).is_err());
        }
    });
}

#[test]
fn metadata_comes_back_as_it_was_given() {
    let metadata = json!({"n": 9007199254740993_u64, "f": 0.1, "s": "2020-01-01T00:00:00Z", "l": [1, "x", true]});
    with([one(1, "t", "text", metadata.clone())], |snapshot| {
        let document = snapshot.document(&id(1)).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&document.metadata).unwrap(), metadata);
    });
    with([document(3, 1)], |snapshot| assert_holds(snapshot, [(3, 1)]));
}
