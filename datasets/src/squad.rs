//! SQuAD 1.1 and 2.0: paragraphs, questions and their answers, and the files of predictions.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use crate::{DatasetError, input};

/// A data set of questions about paragraphs (Rajpurkar et al. 2016, 2018).
#[derive(Debug, Clone, PartialEq)]
pub struct Squad {
    /// The version the file states, or an empty string.
    pub version: String,
    /// Articles in the order of the file.
    pub articles: Vec<SquadArticle>,
}

/// One article.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadArticle {
    /// Title as in the file (`University_of_Chicago`).
    pub title: String,
    /// Its paragraphs.
    pub paragraphs: Vec<SquadParagraph>,
}

/// One paragraph with the questions asked about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadParagraph {
    /// The text answers are cut from.
    pub context: String,
    /// Questions about it.
    pub questions: Vec<SquadQuestion>,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadQuestion {
    /// Unique within the file.
    pub id: String,
    /// The question.
    pub text: String,
    /// Accepted answers; none means that the paragraph does not answer.
    pub answers: Vec<SquadAnswer>,
}

/// One accepted answer: `context[span] == text`, always.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadAnswer {
    /// The answer.
    pub text: String,
    /// Bytes of the context (the file counts characters).
    pub span: Range<usize>,
}

#[derive(Deserialize)]
struct FileJson {
    #[serde(default)]
    version: String,
    data: Vec<ArticleJson>,
}

#[derive(Deserialize)]
struct ArticleJson {
    #[serde(default)]
    title: String,
    paragraphs: Vec<ParagraphJson>,
}

#[derive(Deserialize)]
struct ParagraphJson {
    context: String,
    qas: Vec<QuestionJson>,
}

#[derive(Deserialize)]
struct QuestionJson {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<AnswerJson>,
    #[serde(default)]
    is_impossible: bool,
}

#[derive(Deserialize)]
struct AnswerJson {
    text: String,
    answer_start: usize,
}

impl Squad {
    /// Reads a SQuAD file, also compressed.
    ///
    /// # Errors
    /// [`DatasetError`] naming the file and the way to the value: an id that comes twice, an answer that is
    /// not at its place in the context, `is_impossible` that contradicts `answers`.
    pub fn load(path: &Path) -> Result<Self, DatasetError> {
        let file: FileJson = input::json_file(path)?;
        let mut ids = HashSet::new();
        let mut articles = Vec::with_capacity(file.data.len());
        for (a, article) in file.data.into_iter().enumerate() {
            let mut paragraphs = Vec::with_capacity(article.paragraphs.len());
            for (p, paragraph) in article.paragraphs.into_iter().enumerate() {
                let mut questions = Vec::with_capacity(paragraph.qas.len());
                for (q, question) in paragraph.qas.into_iter().enumerate() {
                    let fail = |field: &str, reason: String| {
                        let place = format!("data[{a}].paragraphs[{p}].qas[{q}]");
                        DatasetError::at(path, place, field, reason)
                    };
                    if !ids.insert(question.id.clone()) {
                        return Err(fail("id", format!("{:?} comes twice", question.id)));
                    }
                    let checked = SquadQuestion::check(question, &paragraph.context);
                    questions.push(checked.map_err(|(field, reason)| fail(field, reason))?);
                }
                paragraphs.push(SquadParagraph { context: paragraph.context, questions });
            }
            articles.push(SquadArticle { title: article.title, paragraphs });
        }
        Ok(Self { version: file.version, articles })
    }

    /// All paragraphs with the title of their article, in the order of the file.
    pub fn paragraphs(&self) -> impl Iterator<Item = (&str, &SquadParagraph)> {
        self.articles.iter().flat_map(|a| a.paragraphs.iter().map(|p| (a.title.as_str(), p)))
    }

    /// All questions in the order of the file.
    pub fn questions(&self) -> impl Iterator<Item = &SquadQuestion> {
        self.paragraphs().flat_map(|(_, p)| &p.questions)
    }

    /// Whether some question has no answer, as in SQuAD 2.0.
    pub fn has_unanswerable(&self) -> bool {
        self.questions().any(|q| q.answers.is_empty())
    }
}

impl SquadQuestion {
    fn check(json: QuestionJson, context: &str) -> Result<Self, (&'static str, String)> {
        if json.is_impossible != json.answers.is_empty() {
            let reason = format!(
                "is {} although there are {} answers",
                json.is_impossible,
                json.answers.len()
            );
            return Err(("is_impossible", reason));
        }
        let answers = json.answers.into_iter().map(|answer| {
            let start = context
                .char_indices()
                .map(|(at, _)| at)
                .nth(answer.answer_start)
                .filter(|at| context[*at..].starts_with(&answer.text))
                .ok_or_else(|| {
                    let AnswerJson { text, answer_start } = &answer;
                    (
                        "answers",
                        format!("{text:?} is not at character {answer_start} of the context"),
                    )
                })?;
            Ok(SquadAnswer { span: start..start + answer.text.len(), text: answer.text })
        });
        Ok(Self { id: json.id, text: json.question, answers: answers.collect::<Result<_, _>>()? })
    }
}

/// Reads predictions: a JSON object from question id to answer, "" for "no answer".
///
/// # Errors
/// [`DatasetError`] naming the file and the place.
pub fn load_predictions(path: &Path) -> Result<HashMap<String, String>, DatasetError> {
    Ok(unique(path, input::json_file::<Entries<String>>(path)?)?.into_iter().collect())
}

/// Reads no-answer scores: a JSON object from question id to a number, higher meaning "more likely without
/// answer". The order of the file is kept, because the official threshold search depends on it for ties.
///
/// # Errors
/// [`DatasetError`] naming the file and the place.
pub fn load_no_answer_scores(path: &Path) -> Result<Vec<(String, f64)>, DatasetError> {
    unique(path, input::json_file::<Entries<f64>>(path)?)
}

/// A JSON object as its entries in the order of the file.
struct Entries<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<V> {
            type Value = Entries<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object from question id to value")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Entries<V>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

fn unique<V>(path: &Path, entries: Entries<V>) -> Result<Vec<(String, V)>, DatasetError> {
    let mut seen = HashSet::new();
    match entries.0.iter().find(|(id, _)| !seen.insert(id.as_str())) {
        Some((id, _)) => {
            Err(DatasetError::at(path, "object".to_owned(), "key", format!("{id:?} comes twice")))
        }
        None => Ok(entries.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(qas: &str) -> Result<Squad, DatasetError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            r#"{{"version":"v2.0","data":[{{"title":"T","paragraphs":[{{"context":"Où est Ésope? Là.","qas":{qas}}}]}}]}}"#
        );
        std::fs::write(file.path(), text).unwrap();
        Squad::load(file.path())
    }

    #[test]
    fn character_offsets_become_byte_spans() {
        let squad = load(
            r#"[{"id":"1","question":"?","answers":[{"text":"Ésope","answer_start":7}]},
                {"id":"2","question":"?","answers":[],"is_impossible":true}]"#,
        )
        .unwrap();
        let (_, paragraph) = squad.paragraphs().next().unwrap();
        let answer = &paragraph.questions[0].answers[0];
        assert_eq!(&paragraph.context[answer.span.clone()], "Ésope");
        assert_eq!(answer.span.start, 8);
        assert!(squad.has_unanswerable());
    }

    #[test]
    fn bad_questions_name_the_way_to_them() {
        for (qas, place, field) in [
            (
                r#"[{"id":"1","question":"?","answers":[{"text":"est","answer_start":4}]}]"#,
                "qas[0]",
                "answers",
            ),
            (
                r#"[{"id":"1","question":"?","answers":[{"text":"a","answer_start":400}]}]"#,
                "qas[0]",
                "answers",
            ),
            (r#"[{"id":"1","question":"?","answers":[]}]"#, "qas[0]", "is_impossible"),
            (
                r#"[{"id":"1","question":"?","is_impossible":true},{"id":"1","question":"?","is_impossible":true}]"#,
                "data[0].paragraphs[0].qas[1]",
                "id",
            ),
            (r#"[{"id":"1"}]"#, "line 1", "question"),
        ] {
            let error = load(qas).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains(field), "{error}");
        }
    }

    #[test]
    fn no_answer_scores_keep_the_order_of_the_file_and_refuse_repeats() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"z": 0.5, "a": 0.25}"#).unwrap();
        let scores = load_no_answer_scores(file.path()).unwrap();
        assert_eq!(scores, [("z".to_owned(), 0.5), ("a".to_owned(), 0.25)]);
        std::fs::write(file.path(), r#"{"z": 0.5, "z": 0.25}"#).unwrap();
        assert!(
            load_no_answer_scores(file.path())
                .unwrap_err()
                .to_string()
                .contains("\"z\" comes twice")
        );
    }
}
