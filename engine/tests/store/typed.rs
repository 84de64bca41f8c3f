//! What people type: operators, mistakes, synonyms, and whatever else ends up in a search box.

use alder_engine::{EncodedDocument, Error, Fusion, QueryError, Ranking, Snapshot, Synonyms};
use proptest::prelude::*;
use serde_json::json;

use crate::fixture::open;
use crate::lexical::{found, library, one, with};

fn sorted(snapshot: &Snapshot, query: &str) -> Vec<u64> {
    let mut numbers = found(snapshot, query, None);
    numbers.sort();
    numbers
}

fn notes(snapshot: &Snapshot, query: &str) -> String {
    snapshot.lexical(query, None, 10).unwrap().1.join("; ")
}

#[test]
fn a_star_finds_words_that_begin_so_in_titles_and_texts() {
    with(library(), |snapshot| {
        assert_eq!(sorted(snapshot, "danu*"), [1, 2]);
        assert_eq!(sorted(snapshot, "bru*"), [3]);
        assert_eq!(sorted(snapshot, "countr* -danube"), [3]);
        assert!(found(snapshot, "zz*", None).is_empty());
    });
}

#[test]
fn a_common_word_is_not_outranked_by_a_rare_one_that_begins_the_same() {
    let mut documents: Vec<EncodedDocument> =
        (10..40).map(|n| one(n, "", "the river bed", json!({}))).collect();
    documents.push(one(1, "", "river river river", json!({})));
    documents.push(one(2, "", "the riveter", json!({})));
    with(documents, |snapshot| assert_eq!(found(snapshot, "rive*", None)[0], 1));
}

#[test]
fn fields_are_named_before_a_colon() {
    with(library(), |snapshot| {
        assert_eq!(sorted(snapshot, "title:danube"), [2]);
        assert_eq!(sorted(snapshot, "danube -title:danube"), [1]);
        assert_eq!(sorted(snapshot, "body:flow"), [1]);
        assert_eq!(sorted(snapshot, "exact:flow"), [] as [u64; 0]);
        assert_eq!(sorted(snapshot, "exact:flows"), [1]);
        assert_eq!(sorted(snapshot, "title:dan*"), [2]);
        assert_eq!(sorted(snapshot, "river year:>=2000"), [2]);
        assert_eq!(sorted(snapshot, "year:1800..1995"), [1, 4]);
        assert_eq!(sorted(snapshot, "a -year:2001.5"), [3, 4]);
        assert_eq!(sorted(snapshot, "ok:true"), [3]);
        assert_eq!(sorted(snapshot, "path:doc-"), [1, 2, 3, 4, 5]);
        assert_eq!(sorted(snapshot, "id:doc-4"), [4]);
        // No such field: words.
        assert_eq!(sorted(snapshot, "colour:danube"), [1, 2]);
    });
}

#[test]
fn a_plus_demands_and_a_minus_before_quotes_excludes() {
    with(library(), |snapshot| {
        assert_eq!(sorted(snapshot, "+flow river countries"), [1]);
        assert_eq!(sorted(snapshot, "war -\"and peace\""), [5]);
        assert_eq!(sorted(snapshot, "-war"), [1, 2, 3]);
    });
}

#[test]
fn quoted_words_that_no_passage_has_in_this_order_are_searched_for_one_by_one() {
    with(library(), |snapshot| {
        assert_eq!(sorted(snapshot, "\"peace and war\""), [4, 5]);
        assert!(notes(snapshot, "\"peace and war\"").contains("“peace and war” in this order"));
        assert_eq!(notes(snapshot, "\"war and peace\""), "");
    });
}

#[test]
fn typing_mistakes_are_seen_through_by_the_length_of_the_word() {
    with(library(), |snapshot| {
        assert_eq!(sorted(snapshot, "danbue"), [1, 2]);
        assert!(notes(snapshot, "danbue").contains("no passage has “danbue”"));
        assert_eq!(sorted(snapshot, "countreis"), [1, 3]);
        assert_eq!(sorted(snapshot, "contrees"), [1, 3], "two mistakes in eight letters");
        // The first letter is taken for right, short words too, and stop words are no mistakes.
        for none in ["sanube", "danxyz", "wbr", "wars2", "whose"] {
            assert!(found(snapshot, none, None).is_empty(), "{none}");
        }
        // A word the collection lacks is not a mistake only because a similar one is there.
        assert_eq!(notes(snapshot, "long river in europa and russia"), "");
        assert!(notes(snapshot, "danube flows ten countreis").contains("“countries”"));
        // What is known is not second-guessed.
        assert_eq!(notes(snapshot, "danube countries"), "");
        let right = snapshot.lexical("danube", None, 1).unwrap().0[0].score.0;
        let wrong = snapshot.lexical("danbue", None, 1).unwrap().0[0].score.0;
        assert!(wrong < right);
    });
}

#[test]
fn synonyms_are_found_both_ways_or_one_way_and_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    let mut writer = collection.writer().unwrap();
    library().into_iter().for_each(|document| writer.upsert(document).unwrap());
    writer.commit().unwrap();
    assert!(found(&collection.snapshot(), "stream", None).is_empty());
    let before = collection.snapshot();
    let rules = "stream, river\nblue danube => ten countries\ntolstoy => war and peace";
    collection.set_synonyms(&Synonyms::parse(rules).unwrap()).unwrap();
    drop((writer, collection));
    let snapshot = open(folder.path()).snapshot();
    assert_eq!(found(&before, "stream", None), [] as [u64; 0]);
    assert_eq!(sorted(&snapshot, "stream"), [1, 2]);
    assert_eq!(found(&snapshot, "Streams", None)[0], found(&snapshot, "rivers", None)[0]);
    assert_eq!(found(&snapshot, "Tolstoy", None), [4], "the words in this order");
    assert_eq!(found(&snapshot, "the blue danube", None)[0], 1);
    assert!(!sorted(&snapshot, "countries").contains(&2), "an arrow goes one way");
    let query = "streams by tolstoy";
    for hit in snapshot.lexical(query, None, 10).unwrap().0 {
        let parts = snapshot.explain_lexical(query, hit.key).unwrap();
        let sum: f32 = parts.iter().map(|part| part.score).sum();
        assert!((sum - hit.score.0).abs() < 1e-4 * sum, "{sum} {:?} {parts:?}", hit.score);
    }
    std::fs::write(folder.path().join("synonyms.txt"), "lonely").unwrap();
    let error = alder_engine::Collection::open(folder.path(), &crate::fixture::model());
    assert!(error.unwrap_err().to_string().contains("line 1"));
}

#[test]
fn a_tuned_ranking_holds_for_queries_that_leave_it_open_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let collection = open(folder.path());
    assert_eq!(collection.snapshot().ranking(), Ranking::default());
    let fusion = Fusion::Dbsf { lexical_weight: 0.2 };
    let ranking = Ranking { fusion, rerank_weight: Some(0.0) };
    collection.set_ranking(&ranking).unwrap();
    assert_eq!(collection.snapshot().ranking(), ranking);
    let wrong = Ranking { rerank_weight: Some(1.5), ..ranking };
    let error = collection.set_ranking(&wrong).unwrap_err().to_string();
    assert!(error.contains("rerank_weight") && error.contains("1.5"), "{error}");
    drop(collection);
    assert_eq!(open(folder.path()).snapshot().ranking(), ranking);
    std::fs::write(folder.path().join("ranking.json"), r#"{"fusion": {"method": "sum"}}"#).unwrap();
    let error = alder_engine::Collection::open(folder.path(), &crate::fixture::model());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ranking.json") && error.contains("tune"), "{error}");
}

#[test]
fn whatever_is_typed_gives_a_result_or_a_clear_error_within_bounds() {
    with(library(), |snapshot| {
        let deep = format!("{}peace{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(sorted(snapshot, &deep), [4, 5]);
        let many: String = (0..20_000).map(|n| format!("w{n} ")).collect();
        assert!(found(snapshot, &format!("{many} danube"), None).contains(&1));
        let quotes = "\"a b\" ".repeat(20_000);
        assert!(notes(snapshot, &quotes).contains("operators beyond the first 64"));
        let stars = "da* ".repeat(20_000);
        assert!(!found(snapshot, &stars, None).is_empty());
        let fields = "year:1990 ".repeat(100);
        assert_eq!(sorted(snapshot, &fields), [1]);
        let mistakes: String = (0..20_000).map(|n| format!("danubex{} ", n)).collect();
        found(snapshot, &mistakes, None);
        assert!(found(snapshot, "🙂 ☃", None).is_empty());
        assert_eq!(found(snapshot, "to the", None).len(), 1);
        let error = snapshot.lexical("year:>=1 lnag:en", Some(&"yaer = 3".parse().unwrap()), 3);
        match error.unwrap_err() {
            Error::Query(QueryError::Filter { reason, .. }) => {
                assert!(reason.contains("did you mean \"year\"?"), "{reason}");
            }
            other => panic!("{other}"),
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_searches(
        texts in prop::collection::vec(
            r#"([a-c"*:+\-() é中]|war|peace|danub|title:|year:>?[0-9.]{1,4}|path:|\PC){0,30}"#, 20,
        ),
    ) {
        with(library(), |snapshot| {
            for text in &texts {
                let (hits, _) = snapshot.lexical(text, None, 10).unwrap();
                for hit in hits {
                    let parts = snapshot.explain_lexical(text, hit.key).unwrap();
                    let sum: f32 = parts.iter().map(|part| part.score).sum();
                    assert!((sum - hit.score.0).abs() <= 1e-4 * sum, "{text}");
                }
            }
        });
    }
}
