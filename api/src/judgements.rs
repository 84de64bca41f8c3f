//! What people said of hits and answers, in files of the data folder that measuring tools read: `judgements/`
//! has the layout of BEIR (`queries.jsonl`, `qrels/test.tsv`), and `answers.jsonl` for right and wrong answers.
//!
//! A later judgement of the same query and document replaces the earlier one. The files are rewritten as a whole
//! and swapped in by a rename, so that a reader never sees half of one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::wire::{JudgementCounts, JudgementRequest};

/// Where they lie in the data folder.
pub(crate) const FOLDER: &str = "judgements";
/// Judgements that are kept at most; they are read and written as a whole.
const KEPT: usize = 100_000;
/// Grades run from 0 (not relevant) to this.
pub(crate) const HIGHEST_GRADE: u8 = 3;
const QRELS_HEADER: &str = "query-id\tcorpus-id\tscore";

/// The judgements of one data folder.
#[derive(Debug)]
pub(crate) struct Judgements {
    folder: PathBuf,
    /// Held while the files are read, changed and written.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Files {
    /// Text by id.
    queries: BTreeMap<String, String>,
    /// Grade by query and document.
    qrels: BTreeMap<(String, String), u8>,
    /// Verdict by query, document and answer.
    answers: BTreeMap<(String, String, String), bool>,
}

#[derive(Serialize, Deserialize)]
struct QueryLine {
    _id: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
struct AnswerLine {
    query_id: String,
    document: String,
    answer: String,
    right: bool,
}

impl Judgements {
    /// The judgements in `data_dir`; nothing is read yet.
    pub(crate) fn in_folder(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER), writing: Mutex::new(()) }
    }

    /// Records one judgement; returns the id of its query and the counts, once that is durable.
    ///
    /// # Errors
    /// [`io::Error`] naming the file and line, or that [`KEPT`] are there already.
    pub(crate) fn record(
        &self,
        judgement: &JudgementRequest,
    ) -> io::Result<(String, JudgementCounts)> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = Files::load(&self.folder)?;
        let text = judgement.q.split_whitespace().collect::<Vec<_>>().join(" ");
        let id = blake3::hash(text.as_bytes()).to_hex()[..16].to_owned();
        let document = judgement.document.clone();
        if let Some(grade) = judgement.relevance {
            files.qrels.insert((id.clone(), document.clone()), grade);
        }
        if let (Some(right), Some(answer)) = (judgement.right, &judgement.answer) {
            files.answers.insert((id.clone(), document, answer.clone()), right);
        }
        files.queries.insert(id.clone(), text);
        if files.qrels.len() + files.answers.len() > KEPT {
            let folder = self.folder.display();
            return Err(io::Error::other(format!(
                "{folder} holds {KEPT} judgements; move it away to begin anew"
            )));
        }
        files.store(&self.folder)?;
        Ok((id, files.counts()))
    }
}

impl Files {
    fn load(folder: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        for (path, line, text) in lines(&folder.join("queries.jsonl"))? {
            let query: QueryLine = parse(&path, line, &text)?;
            files.queries.insert(query._id, query.text);
        }
        for (path, line, text) in lines(&folder.join("answers.jsonl"))? {
            let answer: AnswerLine = parse(&path, line, &text)?;
            files.answers.insert((answer.query_id, answer.document, answer.answer), answer.right);
        }
        for (path, line, text) in lines(&folder.join("qrels/test.tsv"))?.into_iter().skip(1) {
            let fields: Vec<&str> = text.split('\t').collect();
            let [query, document, grade] = fields[..] else {
                return Err(wrong(&path, line, "expected query-id, corpus-id and score"));
            };
            let grade = grade.parse().map_err(|_| wrong(&path, line, "the score is no number"))?;
            files.qrels.insert((query.to_owned(), document.to_owned()), grade);
        }
        Ok(files)
    }

    fn store(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder.join("qrels"))?;
        let mut queries = String::new();
        for (id, text) in &self.queries {
            push_line(&mut queries, &QueryLine { _id: id.clone(), text: text.clone() })?;
        }
        let mut answers = String::new();
        for ((query_id, document, answer), right) in &self.answers {
            let (query_id, document, answer) = (query_id.clone(), document.clone(), answer.clone());
            push_line(&mut answers, &AnswerLine { query_id, document, answer, right: *right })?;
        }
        let mut qrels = format!("{QRELS_HEADER}\n");
        for ((query, document), grade) in &self.qrels {
            qrels.push_str(&format!("{query}\t{document}\t{grade}\n"));
        }
        // The queries first: a judgement never names a query that is not there.
        for (name, text) in
            [("queries.jsonl", queries), ("answers.jsonl", answers), ("qrels/test.tsv", qrels)]
        {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            let mut file = tempfile::NamedTempFile::new_in(parent)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            if cfg!(unix) {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(())
    }

    fn counts(&self) -> JudgementCounts {
        JudgementCounts {
            queries: self.queries.len(),
            documents: self.qrels.len(),
            answers: self.answers.len(),
        }
    }
}

/// The lines of a file with their places; none if it is not there.
fn lines(path: &Path) -> io::Result<Vec<(PathBuf, usize, String)>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .enumerate()
            .map(|(index, line)| (path.to_owned(), index + 1, line.to_owned()))
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io::Error::other(format!("{}: {error}", path.display()))),
    }
}

fn parse<T: for<'a> Deserialize<'a>>(path: &Path, line: usize, text: &str) -> io::Result<T> {
    serde_json::from_str(text).map_err(|error| wrong(path, line, &error.to_string()))
}

fn wrong(path: &Path, line: usize, reason: &str) -> io::Error {
    let path = path.display();
    io::Error::other(format!(
        "{path}, line {line}: {reason}; repair the line or move the file away"
    ))
}

fn push_line(out: &mut String, value: &impl Serialize) -> io::Result<()> {
    out.push_str(&serde_json::to_string(value)?);
    out.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use alder_datasets::Qrels;

    use super::*;

    fn judgement(q: &str, relevance: Option<u8>, right: Option<bool>) -> JudgementRequest {
        JudgementRequest {
            q: q.into(),
            document: "air/barometer".into(),
            relevance,
            right,
            answer: right.map(|_| "Torricelli".into()),
        }
    }

    #[test]
    fn judgements_are_files_that_measuring_tools_read_and_the_last_word_counts() {
        let data = tempfile::tempdir().unwrap();
        let judgements = Judgements::in_folder(data.path());
        let (id, _) = judgements.record(&judgement("who  made it?", Some(1), None)).unwrap();
        let (again, counts) =
            judgements.record(&judgement(" who made it?", Some(0), Some(true))).unwrap();
        assert_eq!(id, again, "white space makes no other query");
        assert_eq!(counts, JudgementCounts { queries: 1, documents: 1, answers: 1 });
        let qrels = Qrels::load(&data.path().join("judgements/qrels/test.tsv")).unwrap();
        assert_eq!(qrels.judged(&id).unwrap()["air/barometer"], 0);
        let answers = fs::read_to_string(data.path().join("judgements/answers.jsonl")).unwrap();
        assert!(answers.contains("\"Torricelli\",\"right\":true"), "{answers}");
        let other = Judgements::in_folder(data.path());
        let (_, counts) = other.record(&judgement("another", Some(3), None)).unwrap();
        assert_eq!(counts, JudgementCounts { queries: 2, documents: 2, answers: 1 });
    }

    #[test]
    fn a_damaged_file_is_named_by_its_line_and_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("judgements");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("queries.jsonl"), "{\"_id\": \"a\"}\n").unwrap();
        let error = Judgements::in_folder(data.path()).record(&judgement("x", Some(1), None));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("queries.jsonl, line 1"), "{error}");
        assert_eq!(fs::read_to_string(folder.join("queries.jsonl")).unwrap(), "{\"_id\": \"a\"}\n");
    }
}
