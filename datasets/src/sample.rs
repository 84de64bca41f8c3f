//! The sample collection in `datasets/sample`: short articles written for Alder, and questions about them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{DatasetError, input};

/// The sample collection, checked: every answer stands word for word in its article.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Markdown articles in the order of their file names.
    pub articles: Vec<SampleArticle>,
    /// Questions in the order of the file.
    pub questions: Vec<SampleQuestion>,
}

/// One article.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleArticle {
    /// Path within the collection, `articles/danube.md`.
    pub path: String,
    /// The text of its first heading.
    pub title: String,
    /// The whole file.
    pub text: String,
}

/// One line of `questions.jsonl`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleQuestion {
    /// Unique.
    pub id: String,
    /// The question.
    pub question: String,
    /// Path of the article it is about.
    pub document: String,
    /// Accepted answers, all of them slices of the article; none if it does not answer.
    pub answers: Vec<String>,
}

impl Sample {
    /// Reads `articles/*.md` and `questions.jsonl` in `folder`.
    ///
    /// # Errors
    /// [`DatasetError`] naming file, line and field: an article without heading, an id that comes twice, a
    /// question about no article, an answer that is not in its article.
    pub fn load(folder: &Path) -> Result<Self, DatasetError> {
        let articles = articles(folder)?;
        let path = input::find(folder, "questions.jsonl", "the sample has questions.jsonl")?;
        let mut ids = HashSet::new();
        let questions = input::json_lines::<SampleQuestion>(&path)?
            .map(|record| {
                let (line, question) = record?;
                let fail = |field, reason| Err(DatasetError::line(&path, line, field, reason));
                if !ids.insert(question.id.clone()) {
                    return fail("id", format!("{:?} comes twice", question.id));
                }
                let Some(article) = articles.iter().find(|a| a.path == question.document) else {
                    return fail("document", format!("there is no {:?}", question.document));
                };
                let missing = |a: &&String| a.is_empty() || !article.text.contains(a.as_str());
                if let Some(answer) = question.answers.iter().find(missing) {
                    return fail("answers", format!("{answer:?} is not in {:?}", article.path));
                }
                Ok(question)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { articles, questions })
    }
}

fn articles(folder: &Path) -> Result<Vec<SampleArticle>, DatasetError> {
    let directory = folder.join("articles");
    let io = |e| DatasetError::io(&directory, e);
    let entries: Vec<_> =
        std::fs::read_dir(&directory).map_err(io)?.collect::<Result<_, _>>().map_err(io)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "md"));
    paths.sort();
    paths.iter().map(|path| article(path)).collect()
}

fn article(path: &Path) -> Result<SampleArticle, DatasetError> {
    let text = std::fs::read_to_string(path).map_err(|e| DatasetError::io(path, e))?;
    let title = text
        .strip_prefix("# ")
        .and_then(|rest| rest.lines().next())
        .ok_or_else(|| DatasetError::line(path, 1, "title", "the first line is not `# Title`"))?
        .trim()
        .to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(SampleArticle { path: format!("articles/{name}"), title, text })
}
