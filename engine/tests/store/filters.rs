//! Filters in their short form, with dates, on both retrievers; and against a loop over the documents.

use alder_engine::{EncodedDocument, Error, Filter, QueryError, Snapshot};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::embedding;
use crate::lexical::{one, with};

fn archive() -> Vec<EncodedDocument> {
    let metadata = [
        json!({"lang": "en", "year": 2019, "date": "2019-12-31T23:00:00Z", "tags": ["a", "b"]}),
        json!({"lang": "de", "year": 2020, "date": "2020-01-01"}),
        json!({"lang": "en", "year": 2021.5, "date": "2020-01-01T12:30:00+02:00", "tags": "b"}),
        json!({"lang": "fr-CA", "year": "2020", "draft": true}),
        json!({"lang": "fr-FR", "date": "long ago"}),
    ];
    (1..).zip(metadata).map(|(n, m)| one(n, "", "some text", m)).collect()
}

/// Numbers of the documents that pass, which both retrievers must agree on.
fn passing(snapshot: &Snapshot, filter: &Filter) -> Result<Vec<u64>, Error> {
    let number = |key| {
        let id = snapshot.passage(key).unwrap().id.document;
        id.as_str()[4..].parse::<u64>().unwrap()
    };
    let lexical = snapshot.lexical("text", Some(filter), 100)?.0;
    let mut lexical: Vec<u64> = lexical.iter().map(|hit| number(hit.key)).collect();
    let dense = snapshot.dense(&embedding(1), Some(filter), 100)?;
    let mut dense: Vec<u64> = dense.iter().map(|hit| number(hit.key)).collect();
    lexical.sort();
    dense.sort();
    assert_eq!(lexical, dense, "{filter:?}");
    Ok(lexical)
}

#[test]
fn the_short_form_filters_both_retrievers() {
    let cases: &[(&str, &[u64])] = &[
        ("lang = en", &[1, 3]),
        ("lang != en", &[2, 4, 5]),
        ("lang = en AND year >= 2020", &[3]),
        ("lang IN [en, de] AND NOT tags = b", &[2]),
        ("lang NOT IN [en, de]", &[4, 5]),
        ("lang = fr-*", &[4, 5]),
        ("EXISTS year", &[1, 2, 3, 4]),
        ("NOT EXISTS date OR draft = true", &[4]),
        ("year = 2020", &[2]),
        ("year = \"2020\"", &[4]),
        ("year > 2019 and year < 2021.5", &[2]),
        ("(lang = de OR lang = en) AND (year = 2019 OR NOT EXISTS tags)", &[1, 2]),
        ("id = doc-3", &[3]),
        ("id IN [doc-3, doc-9] OR id = doc-5*", &[3, 5]),
        ("EXISTS id", &[1, 2, 3, 4, 5]),
        ("date >= 2020-01-01", &[2, 3]),
        ("date <= 2020-01-01", &[1, 2, 3]),
        ("date < 2020-01-01", &[1]),
        ("date > 2020-01-01", &[]),
        ("date > 2019-12-31", &[2, 3]),
        ("date >= 2020-01-01T10:30Z AND date <= 2020-01-01T10:30Z", &[3]),
        ("date = \"long ago\"", &[5]),
        ("year < 5 AND year > 10", &[]),
    ];
    with(archive(), |snapshot| {
        for (text, expected) in cases {
            let filter: Filter = text.parse().unwrap();
            assert_eq!(passing(snapshot, &filter).unwrap(), *expected, "{text}");
            let json = serde_json::to_string(&filter).unwrap();
            let again: Filter = serde_json::from_str(&json).unwrap();
            assert_eq!(passing(snapshot, &again).unwrap(), *expected, "{json}");
        }
    });
}

#[test]
fn a_field_that_no_document_has_is_refused_with_the_one_that_was_meant() {
    with(archive(), |snapshot| {
        for (text, place, words) in [
            ("lnag = en", "/must/0/key", "did you mean \"lang\"?"),
            ("lang = en AND Yaer > 3", "/must/1/key", "did you mean \"year\"?"),
            ("NOT EXISTS publisher", "/must_not/0/exists", "there are id, date, draft, lang"),
        ] {
            let filter: Filter = text.parse().unwrap();
            match passing(snapshot, &filter).unwrap_err() {
                Error::Query(QueryError::Filter { position, reason }) => {
                    assert_eq!(position, place);
                    assert!(reason.contains(words), "{reason}");
                }
                other => panic!("{other}"),
            }
        }
        let mixed = r#"{"must": [{"key": "date", "range": {"gte": 3, "lt": "2020-01-01"}}]}"#;
        let error = passing(snapshot, &serde_json::from_str(mixed).unwrap()).unwrap_err();
        assert!(error.to_string().contains("one of each"), "{error}");
        let bad = r#"{"must": [{"key": "date", "range": {"gte": "2020-13-01"}}]}"#;
        let error = passing(snapshot, &serde_json::from_str(bad).unwrap()).unwrap_err();
        assert!(error.to_string().contains("2020-01-31"), "{error}");
    });
    // Nothing is there yet, so no field can be wrong.
    with([], |snapshot| {
        assert!(passing(snapshot, &"lang = en".parse().unwrap()).unwrap().is_empty());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn numbers_in_ranges_are_those_that_a_loop_finds(
        values in prop::collection::vec(prop_oneof![(-5_i64..5).prop_map(Value::from), (-5.0_f64..5.0).prop_map(Value::from), Just(json!("x"))], 1..12),
        from in -6.0_f64..6.0, to in -6_i64..6,
    ) {
        let documents = (1..).zip(&values).map(|(n, v)| one(n, "", "some text", json!({"n": v})));
        with(documents, |snapshot| {
            let holds = |v: &Value| v.as_f64().is_some_and(|v| v > from && v <= to as f64);
            let expected: Vec<u64> =
                (1..).zip(&values).filter(|(_, v)| holds(v)).map(|(n, _)| n).collect();
            let filter: Filter = format!("n > {from} AND n <= {to}").parse().unwrap();
            assert_eq!(passing(snapshot, &filter).unwrap(), expected);
        });
    }
}
