//! Two small sets without a corpus: scored sentence pairs (STS benchmark) and open questions (NQ-open).

use std::path::Path;

use serde::Deserialize;

use crate::{DatasetError, input};

/// Two sentences and how alike people found them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SentencePair {
    /// The first sentence.
    pub first: String,
    /// The second sentence.
    pub second: String,
    /// 0 (unrelated) to 5 (the same meaning).
    pub score: f64,
}

/// A question with the answers that count as right, without a passage.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OpenQuestion {
    /// The question.
    pub question: String,
    /// Accepted answers, at least one.
    #[serde(rename = "answer")]
    pub answers: Vec<String>,
}

/// Reads an STS benchmark file: CSV without header, columns sentence, sentence, score.
///
/// # Errors
/// [`DatasetError`] naming file, line and column.
pub fn load_sentence_pairs(path: &Path) -> Result<Vec<SentencePair>, DatasetError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(input::open(path)?);
    let mut pairs = Vec::new();
    for row in reader.deserialize() {
        let pair: SentencePair = row.map_err(|e| {
            let line = e.position().map_or(0, csv::Position::line) as usize;
            DatasetError::line(path, line, "CSV", e.to_string())
        })?;
        if !(0.0..=5.0).contains(&pair.score) {
            let place = format!("record {}", pairs.len() + 1);
            let reason = format!("{} is not between 0 and 5", pair.score);
            return Err(DatasetError::at(path, place, "score", reason));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Reads an NQ-open file: JSON lines with `question` and `answer`, a list.
///
/// # Errors
/// [`DatasetError`] naming file, line and field.
pub fn load_open_questions(path: &Path) -> Result<Vec<OpenQuestion>, DatasetError> {
    input::json_lines::<OpenQuestion>(path)?
        .map(|record| {
            let (line, question) = record?;
            if question.answers.is_empty() {
                return Err(DatasetError::line(path, line, "answer", "the list is empty"));
            }
            Ok(question)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn sentence_pairs_may_hold_quotes_and_commas() {
        let pairs =
            load_sentence_pairs(file("\"A, \"\"b\"\".\",C.,4.75\nD.,E.,0\n").path()).unwrap();
        assert_eq!(pairs[0].first, "A, \"b\".");
        assert_eq!((pairs[0].score, pairs.len()), (4.75, 2));
    }

    #[test]
    fn bad_pairs_and_questions_are_named() {
        for (text, part) in
            [("A,B,1\nC,D,high\n", "line 2"), ("A,B,1\nC,D\n", "line 2"), ("A,B,7\n", "score")]
        {
            let error = load_sentence_pairs(file(text).path()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = load_open_questions(file("{\"question\":\"q\",\"answer\":[]}").path());
        assert!(error.unwrap_err().to_string().contains("line 1: answer"));
    }
}
