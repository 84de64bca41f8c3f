//! The parts of every explanation sum to the whole, from the terms to the reading.

use alder_engine::{Device, DocumentId, Explain, Fusion, Model, Query, Reached, search, why};

use super::paging::collection;
use super::sample_collection;

/// Sums of few numbers in another order.
const CLOSE: f32 = 1e-4;

#[test]
fn the_parts_of_every_explanation_sum_to_the_whole() {
    let (model, collection, _) = collection();
    let snapshot = collection.snapshot();
    for text in
        ["river bridge whal*", "which treaty was about copper?", "gracier poem \"the river\""]
    {
        for fusion in
            [Fusion::default(), Fusion::Dbsf { lexical_weight: 0.3 }, Fusion::Rrf { k: 60.0 }]
        {
            let mut query = Query::new(text);
            (query.fusion, query.explain, query.read_depth) = (Some(fusion), Explain::Yes, 3);
            let result = search(&snapshot, model, &query).unwrap();
            assert!(!result.hits.is_empty());
            for hit in &result.hits {
                let told = hit.explanation.as_ref().unwrap();
                let terms: f32 = told.terms.iter().map(|term| term.score).sum();
                let lexical = told.lexical.map_or(0.0, |(score, _)| score.0);
                assert!((terms - lexical).abs() <= CLOSE * lexical, "{text}: {told:?}");
                for share in &told.arithmetic {
                    assert!((share.weight * share.normalised - share.part).abs() <= CLOSE);
                }
                let parts: f32 = told.arithmetic.iter().map(|share| share.part).sum();
                assert!((parts - hit.score.0).abs() <= CLOSE, "{text}: {told:?}");
                if let Some(read) = told.reading {
                    let sum = (1.0 - read.evidence_weight) * read.retrieval
                        + read.evidence_weight * read.evidence;
                    assert!((sum - read.rerank_score).abs() <= CLOSE);
                }
            }
            let read =
                result.hits.iter().filter(|h| h.explanation.as_ref().unwrap().reading.is_some());
            assert_eq!(read.count(), 3);
        }
    }
}

#[test]
fn the_stage_at_which_a_document_is_lost_agrees_with_the_search() {
    let (model, collection, _) = collection();
    let snapshot = collection.snapshot();
    let mut query = Query::new("river comet -poem");
    query.filter = Some("year >= 1905".parse().unwrap());
    (query.read_depth, query.candidates, query.limit, query.per_document) = (0, 12, 6, Some(1));
    let hits = search(&snapshot, model, &query).unwrap().hits;
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..60 {
        let id = DocumentId::new(format!("doc-{number:02}")).unwrap();
        let told = why(&snapshot, model, &query, &id).unwrap();
        let hit = hits.iter().find(|hit| hit.passage.id.document == id);
        assert_eq!(told.rank, hit.map(|hit| hit.rank), "{told:?}");
        let best = &told.passages[0];
        assert_eq!(best.stage == Reached::Shown, hit.is_some());
        let document = snapshot.document(&id).unwrap().unwrap();
        let year = document.metadata.get("year").and_then(|year| year.as_u64());
        assert_eq!(
            best.stage == Reached::Filtered,
            year.is_none_or(|year| year < 1905),
            "{told:?}"
        );
        if best.stage == Reached::Refused {
            assert!(document.text.contains("poem") || document.title.contains("poem"));
        }
        if let (Some(hit), Some((score, _))) = (hit, best.fused) {
            assert_eq!(hit.score, score);
        }
        seen.extend(told.passages.iter().map(|fate| fate.stage));
    }
    let expected = [Reached::Filtered, Reached::Refused, Reached::Ranked, Reached::Shown];
    assert!(expected.iter().all(|stage| seen.contains(stage)), "{seen:?}");
}

#[test]
fn an_answer_is_shown_only_if_it_is_as_sure_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::embedded(Device::Cpu).unwrap();
    let snapshot = sample_collection(folder.path(), &model);
    let mut query = Query::new("Why is the blood of an octopus blue?");
    let mut verdict = |risk| {
        query.risk = risk;
        search(&snapshot, &model, &query).unwrap().verdict.unwrap()
    };
    let sure = verdict(None).answerable.0;
    assert!(verdict(Some(1.0 - sure + 0.01)).is_confident());
    assert!(!verdict(Some(1.0 - sure - 0.01)).is_confident());
}
