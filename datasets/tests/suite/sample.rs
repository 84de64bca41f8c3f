//! The sample collection: what its loader refuses, and that the files made by `make.py` agree with the articles
//! and questions they are made from.

use std::collections::HashMap;
use std::path::PathBuf;

use alder_datasets::{Beir, Sample, Squad};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample")
}

#[test]
fn the_sample_loads_and_every_answer_is_in_its_article() {
    // The loader checks each answer and each id; here, that there is something to check.
    let sample = Sample::load(&folder()).unwrap();
    assert!(sample.articles.len() >= 60, "{} articles", sample.articles.len());
    let unanswerable = sample.questions.iter().filter(|q| q.answers.is_empty()).count();
    assert!(sample.questions.len() >= 200 && unanswerable >= 20, "{unanswerable} unanswerable");
    for article in &sample.articles {
        let asked = sample.questions.iter().any(|q| q.document == article.path);
        assert!(asked, "no question about {}", article.path);
    }
}

#[test]
fn the_beir_files_of_the_sample_are_its_articles_and_answerable_questions() {
    let sample = Sample::load(&folder()).unwrap();
    let beir = Beir::open(&folder().join("beir")).unwrap();
    let documents: Vec<_> = beir.documents().unwrap().map(Result::unwrap).collect();
    assert_eq!(documents.len(), sample.articles.len());
    for (document, article) in documents.iter().zip(&sample.articles) {
        assert_eq!((&document.id, &document.title), (&article.path, &article.title));
        let (_, body) = article.text.split_once('\n').unwrap();
        let lines = body.split('\n').map(|line| line.strip_prefix("## ").unwrap_or(line));
        let expected = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(document.text, expected.trim(), "{} is stale", document.id);
    }
    let queries = beir.queries().unwrap();
    let qrels = beir.qrels("test").unwrap();
    let answerable: Vec<_> = sample.questions.iter().filter(|q| !q.answers.is_empty()).collect();
    assert_eq!((queries.len(), qrels.len()), (answerable.len(), answerable.len()));
    for (query, question) in queries.iter().zip(answerable) {
        assert_eq!((&query.id, &query.text), (&question.id, &question.question));
        let judged = qrels.judged(&query.id).unwrap();
        assert_eq!(judged, &HashMap::from([(question.document.clone(), 1)]), "{}", query.id);
    }
}

#[test]
fn the_squad_file_of_the_sample_asks_its_questions_of_slices_of_its_articles() {
    let sample = Sample::load(&folder()).unwrap();
    let squad = Squad::load(&folder().join("squad.json")).unwrap();
    let mut questions: HashMap<_, _> =
        sample.questions.iter().map(|q| (q.id.as_str(), q)).collect();
    assert_eq!(squad.articles.len(), sample.articles.len());
    for (article, source) in squad.articles.iter().zip(&sample.articles) {
        assert_eq!(article.title, source.title);
        for paragraph in &article.paragraphs {
            assert!(
                source.text.contains(&paragraph.context),
                "a context of {} is stale",
                article.title
            );
            for found in &paragraph.questions {
                let question = questions.remove(found.id.as_str()).expect("a known question, once");
                assert_eq!((&found.text, &question.document), (&question.question, &source.path));
                assert_eq!(found.answers.is_empty(), question.answers.is_empty(), "{}", found.id);
                let known = |a: &alder_datasets::SquadAnswer| question.answers.contains(&a.text);
                assert!(found.answers.iter().all(known), "{}", found.id);
            }
        }
    }
    assert!(questions.is_empty(), "not in squad.json: {:?}", questions.keys());
}

fn load(article: &str, questions: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("articles")).unwrap();
    std::fs::write(folder.path().join("articles/elm.md"), article).unwrap();
    std::fs::write(folder.path().join("questions.jsonl"), questions).unwrap();
    match Sample::load(folder.path()) {
        Ok(sample) => format!("{} by {}", sample.questions.len(), sample.articles[0].title),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_question_must_name_an_article_and_be_answered_in_its_words() {
    let article = "# Elm\n\nThe elm is a tree.\n";
    let question = |id: &str, document: &str, answer: &str| {
        format!(
            r#"{{"id":"{id}","question":"?","document":"articles/{document}.md","answers":["{answer}"]}}"#
        )
    };
    let good = question("1", "elm", "a tree");
    assert_eq!(load(article, &good), "1 by Elm");
    for (questions, part) in [
        (question("1", "elm", "a bush"), "\"a bush\" is not in \"articles/elm.md\""),
        (question("1", "oak", "a tree"), "document: there is no \"articles/oak.md\""),
        (format!("{good}\n{good}"), "line 2: id"),
        (question("1", "elm", ""), "line 1: answers"),
    ] {
        let error = load(article, &questions);
        assert!(error.contains(part), "{error}");
    }
    assert!(load("Elm\n", &good).contains("elm.md, line 1: title"));
}
