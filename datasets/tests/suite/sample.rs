//! The sample collection: what its loader refuses.

use alder_datasets::Sample;

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
