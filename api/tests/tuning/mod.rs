//! Judging, evaluating, tuning and comparing on the command line.

use super::{alder, code, indexed, shared, stderr, stdout};

#[test]
fn judgements_made_on_the_command_line_are_evaluated_and_tuned_by() {
    let folder = indexed();
    let run = |args: &[&str]| alder(folder.path(), args);
    let nothing = run(&["eval", "--stages", "bm25"]);
    assert_ne!(code(&nothing), 0);
    assert!(stderr(&nothing).contains("alder judge"), "{}", stderr(&nothing));

    let judged = run(&["judge", "what is tea made from", "tea.md", "--relevance", "1"]);
    let said = "1 queries, 1 documents and 0 answers are judged now\n";
    assert_eq!(stdout(&judged), said, "{}", stderr(&judged));
    let judged = run(&["judge", "who made it", "barometer.md", "--answer", "Anna", "--wrong"]);
    assert!(stdout(&judged).contains("1 answers"), "{}", stderr(&judged));
    let unknown = run(&["judge", "tea", "coffee.md", "--relevance", "1"]);
    assert!(stderr(&unknown).contains("no document coffee.md"), "{}", stderr(&unknown));

    let evaluated = run(&["eval", "--stages", "bm25,fused"]);
    assert_eq!(code(&evaluated), 0, "{}", stderr(&evaluated));
    assert!(
        stdout(&evaluated).contains("judgements bm25: nDCG@10 1.0000"),
        "{}",
        stdout(&evaluated)
    );
    let few = run(&["tune", "--judgements", folder.path().join("judgements").to_str().unwrap()]);
    assert!(stderr(&few).contains("too few"), "{}", stderr(&few));
}

#[test]
fn two_ways_of_searching_are_compared_query_by_query() {
    let same = alder(shared(), &["compare", "default", "fusion=min-max"]);
    assert!(stdout(&same).starts_with("0 of "), "{}{}", stdout(&same), stderr(&same));
    let folder = tempfile::tempdir().unwrap();
    let queries = folder.path().join("queries.txt");
    std::fs::write(&queries, "mercury\n\nhot drink\n").unwrap();
    let queries = ["--queries", queries.to_str().unwrap()];
    let ways = ["compare", "mode=lexical", "mode=dense"];
    let other = alder(shared(), &[&ways[..], &queries].concat());
    assert!(stdout(&other).contains(" of 2 queries find other"), "{}", stdout(&other));
    assert!(stdout(&other).contains("– → "), "{}", stdout(&other));
    let wrong = alder(shared(), &["compare", "default", "fusion=sum"]);
    assert_eq!(code(&wrong), 2, "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("min-max, dbsf or rrf"), "{}", stderr(&wrong));
}
