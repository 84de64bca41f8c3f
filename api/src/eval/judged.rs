//! [`JudgedSet`]: queries with their judgements, and the documents they are asked of, from a BEIR folder or a
//! SQuAD file. Of a SQuAD file each paragraph is a document and the question's own paragraph the relevant one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use alder_datasets::{Beir, BeirDocument, Qrels, SplitMix64, Squad, SquadQuestion, judged_queries};
use anyhow::Context;

/// One data set, its documents not yet read (BEIR) or held (SQuAD).
#[derive(Debug)]
pub(super) struct JudgedSet {
    /// Where it came from.
    pub(super) path: PathBuf,
    /// Short name for tables and files.
    pub(super) name: String,
    /// Queries to ask, in the order of the file.
    pub(super) queries: Vec<JudgedQuery>,
    /// Judgements of these queries; SQuAD questions without answer are not judged.
    pub(super) qrels: Qrels,
    /// The questions with their answers, if it is a SQuAD file: those of `queries` alone.
    pub(super) squad: Option<Squad>,
    /// How many queries there were before a sample was taken.
    pub(super) of_queries: usize,
    source: Source,
}

/// One query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JudgedQuery {
    pub(super) id: String,
    pub(super) text: String,
}

#[derive(Debug)]
enum Source {
    Beir(Beir),
    Paragraphs(Vec<BeirDocument>),
    /// What the collection holds already.
    Collection,
}

impl JudgedSet {
    /// Reads queries and judgements of the BEIR folder or SQuAD file at `path`.
    pub(super) fn load(path: &Path, split: &str) -> anyhow::Result<Self> {
        let metadata = std::fs::metadata(path).with_context(|| {
            format!("cannot read {}; give a BEIR folder or a SQuAD file", path.display())
        })?;
        let set = if metadata.is_dir() { Self::beir(path, split)? } else { Self::squad(path)? };
        anyhow::ensure!(
            !set.queries.is_empty(),
            "{} has no judged queries; is --split {split} the right one?",
            path.display()
        );
        Ok(set)
    }

    fn beir(path: &Path, split: &str) -> anyhow::Result<Self> {
        let source = Source::Beir(Beir::open(path)?);
        Self::judged(path, split, source)
    }

    /// The judged queries in `path`, asked of `source`.
    fn judged(path: &Path, split: &str, source: Source) -> anyhow::Result<Self> {
        let (queries, qrels) = judged_queries(path, split)?;
        let queries: Vec<_> =
            queries.into_iter().map(|q| JudgedQuery { id: q.id, text: q.text }).collect();
        Ok(Self {
            path: path.to_owned(),
            name: name_of(path)?,
            of_queries: queries.len(),
            queries,
            qrels,
            squad: None,
            source,
        })
    }

    fn squad(path: &Path) -> anyhow::Result<Self> {
        let squad = Squad::load(path)?;
        let mut qrels = Qrels::default();
        let mut queries = Vec::new();
        let mut paragraphs = Vec::new();
        for (at, (title, paragraph)) in squad.paragraphs().enumerate() {
            let document = format!("p{}", at + 1);
            for SquadQuestion { id, text, answers } in &paragraph.questions {
                queries.push(JudgedQuery { id: id.clone(), text: text.clone() });
                if !answers.is_empty() {
                    qrels.insert(id, &document, 1);
                }
            }
            let title = title.replace('_', " ");
            paragraphs.push(BeirDocument { id: document, title, text: paragraph.context.clone() });
        }
        Ok(Self {
            path: path.to_owned(),
            name: name_of(path)?,
            of_queries: queries.len(),
            queries,
            qrels,
            squad: Some(squad),
            source: Source::Paragraphs(paragraphs),
        })
    }

    /// What people said of results of the collection itself: queries.jsonl and qrels/SPLIT.tsv in `folder`.
    pub(super) fn recorded(folder: &Path, split: &str) -> anyhow::Result<Self> {
        Self::judged(folder, split, Source::Collection).context(
            "without a PATH, results that were judged are evaluated (buttons of the page, `alder judge`)",
        )
    }

    /// Whether its documents are those of the collection, which is not to be indexed.
    pub(super) fn is_of_collection(&self) -> bool {
        matches!(self.source, Source::Collection)
    }

    /// The same set with at most `count` of its queries.
    pub(super) fn sampled(mut self, count: Option<u32>, seed: u64) -> anyhow::Result<Self> {
        let Some(count) = count.map(|n| n as usize).filter(|n| *n < self.queries.len()) else {
            return Ok(self);
        };
        let picked = SplitMix64(seed).sample(count, self.queries.len());
        self.queries = picked.into_iter().map(|at| self.queries[at].clone()).collect();
        let kept: std::collections::HashSet<&str> =
            self.queries.iter().map(|q| q.id.as_str()).collect();
        self.qrels = self.qrels.only(|query| kept.contains(query));
        if let Some(squad) = &mut self.squad {
            let paragraphs = squad.articles.iter_mut().flat_map(|a| &mut a.paragraphs);
            paragraphs.for_each(|p| p.questions.retain(|q| kept.contains(q.id.as_str())));
        }
        Ok(self)
    }

    /// The file that decides what is indexed.
    pub(super) fn corpus_file(&self) -> &Path {
        match &self.source {
            Source::Beir(beir) => beir.corpus_file(),
            Source::Paragraphs(_) | Source::Collection => &self.path,
        }
    }

    /// The documents, one by one.
    pub(super) fn documents(
        &self,
    ) -> anyhow::Result<Box<dyn Iterator<Item = anyhow::Result<BeirDocument>> + '_>> {
        Ok(match &self.source {
            Source::Beir(beir) => Box::new(beir.documents()?.map(|d| Ok(d?))),
            Source::Paragraphs(paragraphs) => Box::new(paragraphs.iter().cloned().map(Ok)),
            Source::Collection => Box::new(std::iter::empty()),
        })
    }

    /// The questions of a SQuAD file by id, with the paragraph each is about.
    pub(super) fn questions(squad: &Squad) -> HashMap<&str, (&SquadQuestion, &str)> {
        let paragraphs = squad.paragraphs();
        paragraphs
            .flat_map(|(_, p)| p.questions.iter().map(|q| (q.id.as_str(), (q, p.context.as_str()))))
            .collect()
    }
}

/// `scifact` for `…/scifact`, `dev-v2.0` for `…/dev-v2.0.json.zst`.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = [".zst", ".gz", ".json"]
        .iter()
        .fold(name.as_str(), |n, end| n.strip_suffix(end).unwrap_or(n));
    Ok(stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUAD: &str = r#"{"version":"v2.0","data":[{"title":"Old_Elm","paragraphs":[
        {"context":"An elm is a tree.","qas":[
            {"id":"a","question":"What is an elm?","answers":[{"text":"a tree","answer_start":10}]},
            {"id":"b","question":"How old?","answers":[],"is_impossible":true}]},
        {"context":"It is tall.","qas":[
            {"id":"c","question":"How tall?","answers":[{"text":"tall","answer_start":6}]}]}]}]}"#;

    fn squad() -> (tempfile::TempDir, JudgedSet) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        std::fs::write(&path, SQUAD).unwrap();
        let set = JudgedSet::load(&path, "test").unwrap();
        (folder, set)
    }

    #[test]
    fn paragraphs_of_a_squad_file_are_documents_and_answerable_questions_are_judged() {
        let (_folder, set) = squad();
        assert_eq!((set.name.as_str(), set.queries.len(), set.of_queries), ("dev", 3, 3));
        let documents: Vec<_> = set.documents().unwrap().map(Result::unwrap).collect();
        assert_eq!(documents[1].text, "It is tall.");
        assert_eq!(documents[1].title, "Old Elm");
        assert_eq!(set.qrels.queries().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(set.qrels.judged("c").unwrap()[&documents[1].id], 1);
    }

    #[test]
    fn a_sample_keeps_documents_but_only_the_judgements_of_its_queries() {
        let (_folder, set) = squad();
        let set = set.sampled(Some(1), 3).unwrap();
        assert_eq!((set.queries.len(), set.of_queries), (1, 3));
        assert_eq!(set.documents().unwrap().count(), 2);
        assert_eq!(set.squad.as_ref().unwrap().questions().next().unwrap().id, set.queries[0].id);
        assert!(set.qrels.queries().all(|q| q == set.queries[0].id));
    }

    #[test]
    fn a_judged_query_without_text_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("corpus.jsonl", "{\"_id\":\"1\",\"text\":\"t\"}\n");
        write("queries.jsonl", "{\"_id\":\"q\",\"text\":\"t\"}\n");
        std::fs::create_dir(folder.path().join("qrels")).unwrap();
        write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq2\t1\t1\n");
        let error = JudgedSet::load(folder.path(), "test").unwrap_err().to_string();
        assert!(error.contains("\"q2\" is judged"), "{error}");
        assert!(JudgedSet::load(Path::new("/no/such/set"), "test").is_err());
    }
}
