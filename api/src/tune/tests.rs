//! Tuning on the sample articles with the model inside the binary.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use alder_datasets::Sample;
use alder_engine::{Collection, Device, Model, Snapshot};
use alder_indexer::{IncomingDocument, Indexer, Settings};

use super::*;

/// The first paragraphs of the sample articles, and their titles.
fn sample(folder: &Path, model: &Model) -> (Arc<Snapshot>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/sample");
    let articles = Sample::load(&root).unwrap().articles;
    let documents = articles.iter().map(|article| {
        let mut paragraphs = article.text.split("\n\n").filter(|p| !p.starts_with('#'));
        let (id, title) = (article.path.clone(), String::new());
        let text = paragraphs.next().unwrap().to_owned();
        IncomingDocument { id, title, text, metadata: Default::default() }
    });
    let collection = Collection::open_or_create(folder, model.identity()).unwrap();
    let mut writer = collection.writer().unwrap();
    let settings = Settings::default();
    let indexer = Indexer::new(&settings, model, &mut writer, HashMap::new()).unwrap();
    indexer.documents(documents).unwrap();
    (collection.snapshot(), articles.iter().map(|article| article.title.clone()).collect())
}

/// What meaning alone finds first for the title of each article, with a word that occurs elsewhere in the way.
fn misled(snapshot: &Snapshot, model: &Model, titles: &[String]) -> Vec<TuneQuery> {
    let other = titles.iter().cycle().skip(7);
    let queries = titles.iter().zip(other).map(|(title, other)| {
        let text = format!("{title} {}", other.split(' ').next_back().unwrap());
        let embedding = model.encode(&[text.as_str()]).unwrap().pop().unwrap();
        let first = snapshot.dense(&embedding, None, 1).unwrap()[0].key;
        let document = snapshot.passage(first).unwrap().id.document.to_string();
        TuneQuery { text, right: HashMap::from([(document, 1)]) }
    });
    queries.collect()
}

#[test]
fn a_collection_whose_right_results_are_found_by_meaning_is_ranked_by_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let (snapshot, titles) = sample(folder.path(), &model);
    let queries = misled(&snapshot, &model, &titles);
    let tuning = tune(&snapshot, &model, &queries, Unit::Document, &|| ()).unwrap();
    assert!(tuning.after > tuning.before && tuning.is_better(), "{tuning:?}");
    let (Fusion::MinMax { lexical_weight } | Fusion::Dbsf { lexical_weight }) = tuning.to.fusion
    else {
        panic!("{tuning:?}")
    };
    assert!(lexical_weight < Fusion::LEXICAL_WEIGHT, "{tuning:?}");
}

#[test]
fn right_results_that_nothing_finds_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let (snapshot, titles) = sample(folder.path(), &model);
    let right = HashMap::from([("nowhere".to_owned(), 1)]);
    let query = |title: &String| TuneQuery { text: title.clone(), right: right.clone() };
    let queries: Vec<_> = titles.iter().take(8).map(query).collect();
    let tuning = tune(&snapshot, &model, &queries, Unit::Document, &|| ()).unwrap();
    assert!(!tuning.is_better() && tuning.to == tuning.from, "{tuning:?}");
    assert!(tune(&snapshot, &model, &queries[..3], Unit::Document, &|| ()).is_err());
}

#[test]
fn made_queries_are_a_few_words_and_some_of_them_are_other_words() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let (snapshot, _) = sample(folder.path(), &model);
    let queries = made_queries(&snapshot, &model, 30).unwrap();
    assert!(queries.len() >= 15, "{}", queries.len());
    let (mut own, mut other) = (0, 0);
    for query in &queries {
        let name = query.right.keys().next().unwrap();
        let (document, _) = name.rsplit_once(' ').unwrap();
        let id = alder_engine::DocumentId::new(document).unwrap();
        let text = snapshot.document(&id).unwrap().unwrap().text.to_lowercase();
        let words: Vec<&str> = query.text.split(' ').collect();
        assert!((3..=8).contains(&words.len()), "{}", query.text);
        let found = words.iter().filter(|word| text.contains(&word.to_lowercase())).count();
        (own, other) = (own + found, other + words.len() - found);
    }
    assert!(own > other / 3 && other > own / 10, "{own} own words, {other} other words");
    let again = made_queries(&snapshot, &model, 30).unwrap();
    assert_eq!(queries, again, "the same collection gives the same queries");
}
