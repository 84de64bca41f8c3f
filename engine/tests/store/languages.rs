//! One language per collection: its stems, its name in the collection's identity, and scripts without spaces.

use alder_engine::{Collection, CollectionSettings, Language};
use serde_json::json;

use crate::fixture::model;
use crate::lexical::{found, one};

/// Numbers of the documents found for each query in a collection of `texts` in `language`.
fn searched(language: Language, texts: &[&str], queries: &[&str]) -> Vec<Vec<u64>> {
    let folder = tempfile::tempdir().unwrap();
    let settings = CollectionSettings { language, ..CollectionSettings::default() };
    let collection = Collection::open_or_create_with(folder.path(), &model(), &settings).unwrap();
    let mut writer = collection.writer().unwrap();
    for (number, text) in (1..).zip(texts) {
        writer.upsert(one(number, "", text, json!({}))).unwrap();
    }
    writer.commit().unwrap();
    let snapshot = collection.snapshot();
    queries.iter().map(|query| found(&snapshot, query, None)).collect()
}

#[test]
fn inflected_words_are_found_in_each_language() {
    for (language, text, query) in [
        (Language::English, "the cells divided", "dividing"),
        (Language::German, "viele Universitäten", "Universität"),
        (Language::German, "viele Universitäten", "universitat"),
        (Language::French, "les maisons", "maison"),
        (Language::Spanish, "las bibliotecas", "biblioteca"),
        (Language::Italian, "le biblioteche", "biblioteca"),
        (Language::Portuguese, "as cidades", "cidade"),
        (Language::Dutch, "de boeken", "boek"),
        (Language::Danish, "alle husene", "huset"),
        (Language::Swedish, "bilarna", "bilar"),
        (Language::Norwegian, "bilene", "bilen"),
        (Language::Finnish, "talossa", "talo"),
        (Language::Hungarian, "házakban", "házak"),
        (Language::Romanian, "casele", "case"),
        (Language::Russian, "большие города", "городами"),
        (Language::Greek, "οι πόλεις", "πόλη"),
        (Language::Turkish, "kitaplar", "kitap"),
        (Language::Arabic, "المدارس", "مدارس"),
        (Language::Tamil, "வீடுகள்", "வீடு"),
    ] {
        let hits = searched(language, &[text, "zzz"], &[query]);
        assert_eq!(hits, [[1]], "{language}: {query} in {text}");
    }
    assert_eq!(
        searched(Language::Other, &["the cells divided"], &["dividing", "cells"]),
        [vec![], vec![1]]
    );
}

#[test]
fn chinese_and_japanese_are_found_without_spaces() {
    let texts = [
        "北京大学位于北京市海淀区。",
        "上海交通大学",
        "東京タワーは東京都港区にある。",
        "물은 생명이다",
    ];
    let queries =
        ["北京", "大学", "\"交通大学\"", "\"大学交通\"", "タワー", "区", "京都", "생명", "海"];
    let hits = searched(Language::Other, &texts, &queries);
    let sorted = |mut list: Vec<u64>| {
        list.sort();
        list
    };
    let hits: Vec<_> = hits.into_iter().map(sorted).collect();
    let expected: [&[u64]; 9] = [&[1], &[1, 2], &[2], &[1, 2], &[3], &[1, 3], &[3], &[4], &[1, 2]];
    assert_eq!(hits, expected);
    // In a collection in English too.
    assert_eq!(searched(Language::English, &texts, &["北京"]), [[1]]);
}

#[test]
fn a_collection_keeps_its_language() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |language| CollectionSettings { language, ..CollectionSettings::default() };
    let open = |language| {
        Collection::open_or_create_with(folder.path(), &model(), &settings(language)).unwrap()
    };
    open(Language::German);
    assert_eq!(open(Language::French).settings().language, Language::German);
    // The store says so too: a manifest that was changed by hand does not fit it.
    let store = std::fs::read_to_string(folder.path().join("store/meta.json")).unwrap();
    assert!(store.contains("alder_de"), "{store}");
}
