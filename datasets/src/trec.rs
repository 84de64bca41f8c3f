//! Judgements ([`Qrels`]) and rankings ([`Run`]) in the formats of TREC and BEIR: what retrieval is measured
//! against, and what is measured.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::Path;

use crate::DatasetError;
use crate::input::Lines;

/// Relevance judgements: query id → document id → grade. A grade above zero means relevant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Qrels(BTreeMap<String, HashMap<String, i32>>);

impl Qrels {
    /// Reads judgements, either `query 0 document grade` separated by white space (TREC) or, when the first
    /// line is the header `query-id corpus-id score`, three columns separated by tabs (BEIR).
    ///
    /// # Errors
    /// [`DatasetError`] naming file, line and column; a pair that is judged twice is an error.
    pub fn load(path: &Path) -> Result<Self, DatasetError> {
        let mut qrels = Self::default();
        let mut beir = false;
        for (at, line) in Lines::open(path)?.enumerate() {
            let (number, line) = line?;
            if at == 0 && line.split('\t').map(str::trim).eq(["query-id", "corpus-id", "score"]) {
                beir = true;
                continue;
            }
            let columns: Vec<&str> = if beir {
                line.split('\t').map(str::trim).collect()
            } else {
                line.split_whitespace().collect()
            };
            let (query, document, grade) = match (beir, &columns[..]) {
                (true, [query, document, grade]) | (false, [query, _, document, grade]) => {
                    (*query, *document, *grade)
                }
                _ => {
                    let expected = if beir {
                        "query-id, corpus-id and score separated by tabs"
                    } else {
                        "query, iteration, document and grade, or the BEIR header \
                         `query-id<tab>corpus-id<tab>score` on the first line"
                    };
                    let reason = format!("{} found, expected {expected}", columns.len());
                    return Err(DatasetError::line(path, number, "columns", reason));
                }
            };
            let grade = grade.parse().map_err(|_| {
                DatasetError::line(
                    path,
                    number,
                    "score",
                    format!("{grade:?} is not a whole number"),
                )
            })?;
            if !qrels.insert(query, document, grade) {
                let reason = format!("query {query:?} and document {document:?} are judged twice");
                return Err(DatasetError::line(path, number, "corpus-id", reason));
            }
        }
        Ok(qrels)
    }

    /// Adds a judgement and returns true, or leaves an earlier one as it was and returns false.
    pub fn insert(&mut self, query: &str, document: &str, grade: i32) -> bool {
        let judged = self.0.entry(query.to_owned()).or_default();
        match judged.entry(document.to_owned()) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(grade);
                true
            }
        }
    }

    /// The judged documents of `query` with their grades, if it was judged.
    pub fn judged(&self, query: &str) -> Option<&HashMap<String, i32>> {
        self.0.get(query)
    }

    /// Judged queries in the order of their ids.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Judged queries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was judged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The judgements of those queries for which `keep` holds.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(
            self.0.iter().filter(|(id, _)| keep(id)).map(|(k, v)| (k.clone(), v.clone())).collect(),
        )
    }

    /// Writes the TREC form, `query 0 document grade`, in the order of the ids.
    ///
    /// # Errors
    /// Those of `out`, and an id with white space, which the form cannot hold.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (query, judged) in &self.0 {
            let mut rows: Vec<_> = judged.iter().collect();
            rows.sort();
            for (document, grade) in rows {
                writeln!(out, "{} 0 {} {grade}", word(query)?, word(document)?)?;
            }
        }
        Ok(())
    }
}

/// Rankings: query id → documents with scores, always ordered as trec_eval orders them: score descending,
/// then document id descending (bytes). Scores are `f32`, which is what trec_eval compares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run(BTreeMap<String, Vec<(String, f32)>>);

impl Run {
    /// Reads `query Q0 document rank score tag`. The rank column is ignored, as trec_eval ignores it.
    ///
    /// # Errors
    /// [`DatasetError`] naming file, line and column; a document ranked twice for a query is an error.
    pub fn load(path: &Path) -> Result<Self, DatasetError> {
        let mut rankings: BTreeMap<String, Vec<(String, f32)>> = BTreeMap::new();
        let mut seen = std::collections::HashSet::new();
        for line in Lines::open(path)? {
            let (number, line) = line?;
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [query, _, document, _, score, _] = columns[..] else {
                let reason = format!(
                    "{} found, expected query, Q0, document, rank, score, tag",
                    columns.len()
                );
                return Err(DatasetError::line(path, number, "columns", reason));
            };
            let value = score.parse::<f64>().ok().filter(|s| s.is_finite()).ok_or_else(|| {
                DatasetError::line(
                    path,
                    number,
                    "score",
                    format!("{score:?} is not a finite number"),
                )
            })?;
            if !seen.insert((query.to_owned(), document.to_owned())) {
                let reason = format!("{document:?} is ranked twice for query {query:?}");
                return Err(DatasetError::line(path, number, "document", reason));
            }
            rankings.entry(query.to_owned()).or_default().push((document.to_owned(), value as f32));
        }
        let mut run = Self::default();
        for (query, ranking) in rankings {
            run.insert(&query, ranking);
        }
        Ok(run)
    }

    /// Sets the ranking of `query`. The order given does not matter; of a document given twice the higher
    /// score counts.
    pub fn insert(&mut self, query: &str, mut ranking: Vec<(String, f32)>) {
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| b.0.cmp(&a.0)));
        let mut seen = std::collections::HashSet::new();
        ranking.retain(|(document, _)| seen.insert(document.clone()));
        self.0.insert(query.to_owned(), ranking);
    }

    /// Documents of `query`, best first; empty for a query that was not run.
    pub fn ranking(&self, query: &str) -> &[(String, f32)] {
        self.0.get(query).map_or(&[], Vec::as_slice)
    }

    /// Queries in the order of their ids.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Writes `query Q0 document rank score tag`, ranks from 1.
    ///
    /// # Errors
    /// Those of `out`, and an id or tag with white space, which the form cannot hold.
    pub fn write(&self, out: &mut impl Write, tag: &str) -> io::Result<()> {
        let tag = word(tag)?;
        for (query, ranking) in &self.0 {
            for (at, (document, score)) in ranking.iter().enumerate() {
                writeln!(out, "{} Q0 {} {} {score} {tag}", word(query)?, word(document)?, at + 1)?;
            }
        }
        Ok(())
    }
}

/// `text`, if a column separated by white space can hold it.
fn word(text: &str) -> io::Result<&str> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        let reason =
            format!("{text:?} is empty or has white space, which the TREC format cannot hold");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(text)
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
    fn both_forms_of_judgements_are_read() {
        let trec = Qrels::load(file("q1 0 d1 2\nq1 0 d2 0\n").path()).unwrap();
        let beir =
            Qrels::load(file("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n").path()).unwrap();
        assert_eq!(trec, beir);
        assert_eq!(trec.judged("q1").unwrap()["d1"], 2);
    }

    #[test]
    fn bad_judgements_name_line_and_column() {
        for (text, line, field) in [
            ("q1 0 d1 2\nq1 0 d2\n", "line 2", "columns"),
            ("q1 0 d1 high\n", "line 1", "score"),
            ("q1 0 d1 1\n\nq1 0 d1 0\n", "line 3", "corpus-id"),
            ("query-id\tcorpus-id\tscore\nq1\td1\n", "line 2", "columns"),
        ] {
            let error = Qrels::load(file(text).path()).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(field), "{error}");
        }
    }

    #[test]
    fn bad_runs_name_line_and_column() {
        for (text, line, field) in [
            ("q Q0 d 1 0.5\n", "line 1", "columns"),
            ("q Q0 d 1 NaN t\n", "line 1", "score"),
            ("q Q0 d 1 2 t\nq Q0 d 2 1 t\n", "line 2", "document"),
        ] {
            let error = Run::load(file(text).path()).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(field), "{error}");
        }
    }

    #[test]
    fn ties_are_ordered_by_document_id_descending() {
        let mut run = Run::default();
        run.insert("q", [("a", 1.0), ("c", 1.0), ("b", 2.0)].map(|(d, s)| (d.into(), s)).into());
        let ids: Vec<_> = run.ranking("q").iter().map(|(d, _)| d.as_str()).collect();
        assert_eq!(ids, ["b", "c", "a"]);
    }

    #[test]
    fn a_run_and_judgements_survive_writing_and_reading() {
        let mut run = Run::default();
        run.insert("q1", vec![("d1".into(), 0.1), ("d2".into(), -3.25e-7), ("d3".into(), 1e9)]);
        let mut bytes = Vec::new();
        run.write(&mut bytes, "alder").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("q1 Q0 d3 1 1000000000 alder\n"), "{text}");
        assert_eq!(Run::load(file(&text).path()).unwrap(), run);

        let mut qrels = Qrels::default();
        assert!(qrels.insert("q1", "d1", 1) && !qrels.insert("q1", "d1", 2));
        let mut bytes = Vec::new();
        qrels.write(&mut bytes).unwrap();
        assert_eq!(Qrels::load(file(std::str::from_utf8(&bytes).unwrap()).path()).unwrap(), qrels);
    }

    #[test]
    fn an_id_with_a_space_is_refused_by_the_writer() {
        let mut run = Run::default();
        run.insert("q 1", vec![("d".into(), 1.0)]);
        assert!(run.write(&mut Vec::new(), "t").is_err());
    }
}
