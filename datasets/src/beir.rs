//! BEIR folders: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`, each also compressed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{DatasetError, Qrels, input};

/// A data set for retrieval in the layout of BEIR (Thakur et al. 2021).
#[derive(Debug, Clone)]
pub struct Beir {
    folder: PathBuf,
    corpus: PathBuf,
}

/// One line of `corpus.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeirDocument {
    /// Unique within the corpus.
    #[serde(rename = "_id")]
    pub id: String,
    /// Title, often empty.
    #[serde(default)]
    pub title: String,
    /// Body; some corpora have documents that are titles alone, or empty.
    pub text: String,
}

/// One line of `queries.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeirQuery {
    /// Unique within the file.
    #[serde(rename = "_id")]
    pub id: String,
    /// The query.
    pub text: String,
}

impl Beir {
    /// The data set in `folder`; nothing but the presence of its files is checked yet.
    ///
    /// # Errors
    /// [`DatasetError::Missing`] naming the file that is not there.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let corpus = input::find(
            folder,
            "corpus.jsonl",
            "a BEIR folder has corpus.jsonl with `_id`, `title` and `text` per line (or .zst, .gz)",
        )?;
        queries_file(folder)?;
        Ok(Self { folder: folder.to_owned(), corpus })
    }

    /// The file of the documents.
    pub fn corpus_file(&self) -> &Path {
        &self.corpus
    }

    /// Documents one by one in the order of the file, so that a large corpus is never held whole.
    ///
    /// # Errors
    /// [`DatasetError`] if the file cannot be opened; an item names the line at fault, also when an id
    /// comes twice.
    pub fn documents(
        &self,
    ) -> Result<impl Iterator<Item = Result<BeirDocument, DatasetError>> + use<>, DatasetError>
    {
        let path = self.corpus.clone();
        let mut unique = UniqueIds::default();
        Ok(input::json_lines::<BeirDocument>(&self.corpus)?.map(move |record| {
            let (line, document) = record?;
            unique.check(&path, line, &document.id)?;
            Ok(document)
        }))
    }

    /// All queries in the order of the file, judged or not.
    ///
    /// # Errors
    /// As [`Beir::documents`]; a query without text is an error too.
    pub fn queries(&self) -> Result<Vec<BeirQuery>, DatasetError> {
        queries(&queries_file(&self.folder)?)
    }

    /// The judgements of a split (`test`, `dev`, `train`).
    ///
    /// # Errors
    /// [`DatasetError`] naming file, line and column.
    pub fn qrels(&self, split: &str) -> Result<Qrels, DatasetError> {
        qrels(&self.folder, split)
    }
}

/// The judged queries of `folder`, in the order of the file, and their judgements; the documents need not be there.
///
/// # Errors
/// As [`Beir::queries`] and [`Beir::qrels`]; a judged query that is not among the queries.
pub fn judged_queries(folder: &Path, split: &str) -> Result<(Vec<BeirQuery>, Qrels), DatasetError> {
    let (path, qrels) = (queries_file(folder)?, qrels(folder, split)?);
    let mut queries = queries(&path)?;
    let known: HashSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    if let Some(query) = qrels.queries().find(|query| !known.contains(query)) {
        let found = format!("query {query:?} is judged in qrels/{split}.tsv but is not here");
        return Err(DatasetError::at(&path, "all lines".into(), "_id", found));
    }
    queries.retain(|query| qrels.judged(&query.id).is_some());
    Ok((queries, qrels))
}

fn queries_file(folder: &Path) -> Result<PathBuf, DatasetError> {
    input::find(
        folder,
        "queries.jsonl",
        "a BEIR folder has queries.jsonl with `_id` and `text` per line (or .zst, .gz)",
    )
}

fn queries(path: &Path) -> Result<Vec<BeirQuery>, DatasetError> {
    let mut unique = UniqueIds::default();
    input::json_lines::<BeirQuery>(path)?
        .map(|record| {
            let (line, query) = record?;
            unique.check(path, line, &query.id)?;
            if query.text.trim().is_empty() {
                return Err(DatasetError::line(path, line, "text", "the query is empty"));
            }
            Ok(query)
        })
        .collect()
}

fn qrels(folder: &Path, split: &str) -> Result<Qrels, DatasetError> {
    Qrels::load(&input::find(
        &folder.join("qrels"),
        &format!("{split}.tsv"),
        "judgements lie in qrels/SPLIT.tsv with the header `query-id<tab>corpus-id<tab>score`",
    )?)
}

#[derive(Default)]
struct UniqueIds(HashSet<String>);

impl UniqueIds {
    fn check(&mut self, path: &Path, line: usize, id: &str) -> Result<(), DatasetError> {
        if id.is_empty() {
            return Err(DatasetError::line(path, line, "_id", "is empty"));
        }
        if !self.0.insert(id.to_owned()) {
            return Err(DatasetError::line(path, line, "_id", format!("{id:?} comes twice")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(corpus: &str, queries: &str, qrels: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
        std::fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
        std::fs::create_dir(folder.path().join("qrels")).unwrap();
        std::fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
        folder
    }

    fn corpus_error(corpus: &str) -> String {
        let folder = folder(corpus, "", "");
        let documents: Result<Vec<_>, _> =
            Beir::open(folder.path()).unwrap().documents().unwrap().collect();
        documents.unwrap_err().to_string()
    }

    #[test]
    fn a_folder_gives_documents_queries_and_judgements() {
        let folder = folder(
            "{\"_id\":\"1\",\"title\":\"T\",\"text\":\"B\",\"metadata\":{}}\n{\"_id\":\"2\",\"text\":\"\"}\n",
            "{\"_id\":\"q\",\"text\":\"what\"}\n",
            "query-id\tcorpus-id\tscore\nq\t1\t1\n",
        );
        let beir = Beir::open(folder.path()).unwrap();
        let documents: Vec<_> = beir.documents().unwrap().map(Result::unwrap).collect();
        assert_eq!(documents.len(), 2);
        assert_eq!((documents[0].title.as_str(), documents[1].title.as_str()), ("T", ""));
        assert_eq!(beir.queries().unwrap()[0].text, "what");
        assert_eq!(beir.qrels("test").unwrap().judged("q").unwrap()["1"], 1);
        assert!(beir.qrels("dev").unwrap_err().to_string().contains("dev.tsv"));
    }

    #[test]
    fn bad_corpus_lines_are_named() {
        for (corpus, line, field) in [
            ("{\"_id\":\"1\",\"text\":\"B\"}\n{\"_id\":\"1\",\"text\":\"C\"}\n", "line 2", "_id"),
            ("{\"_id\":\"1\",\"text\":\"B\"}\n{\"_id\":\"2\"}\n", "line 2", "text"),
            ("{\"_id\":1,\"text\":\"B\"}\n", "line 1", "string"),
            ("{\"_id\":\"\",\"text\":\"B\"}\n", "line 1", "_id"),
            ("not json\n", "line 1", "JSON"),
        ] {
            let error = corpus_error(corpus);
            assert!(error.contains(line) && error.contains(field), "{error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_beir_says_what_is_missing() {
        let empty = tempfile::tempdir().unwrap();
        let error = Beir::open(empty.path()).unwrap_err().to_string();
        assert!(error.contains("corpus.jsonl not found"), "{error}");
    }
}
