//! [`IngestReport`]: what happened to every file, for people and for programs.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::limits;

/// Files named in the summary as moved or deleted; the report has all.
const GONE_NAMED: u64 = 20;

/// Why a file failed whose only document has a problem of its own.
pub(crate) const ONLY_DOCUMENT: &str = "its only document could not be stored";

/// What happened to every file of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IngestReport {
    /// Every file that was found, ordered by root and id, then those that are gone.
    pub files: Vec<FileReport>,
    /// The sums.
    pub totals: Totals,
    /// What concerns the run as a whole.
    pub notes: Vec<String>,
    /// The file at which the run was stopped, if it was. A later run goes on from there.
    pub stopped_at: Option<String>,
}

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// Id of the file: its path below the folder that was given.
    pub path: String,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
    /// What is new about it, where documents were stored.
    #[serde(flatten)]
    pub novelty: Option<Novelty>,
    /// Documents stored from it in this run.
    pub indexed: u64,
    /// Documents that were stored already with the same content.
    pub unchanged: u64,
    /// Records that could not be stored.
    pub bad_records: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
    /// What the user should know: guessed encoding, replaced characters, fields left out.
    pub notes: Vec<String>,
}

/// What is new about a file of which documents were stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "novelty", rename_all = "snake_case")]
pub enum Novelty {
    /// It was not there before.
    Added,
    /// Its content, or the way it is read, is another than before.
    Changed,
    /// Its content was that of a file that is gone.
    Moved {
        /// The name of that file.
        from: String,
    },
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// At least one document was stored.
    Indexed,
    /// All its documents were stored already.
    Unchanged,
    /// It is not something to index.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It should have been indexed and was not.
    Failed {
        /// Why, and what to do.
        reason: String,
    },
    /// It is gone, or left out now, and so are its documents.
    Deleted {
        /// How many there were.
        documents: u64,
    },
    /// The run was stopped before its end.
    NotReached,
}

/// One record that could not be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line on which the record begins, from 1, where it is known.
    pub line: Option<u64>,
    /// Why.
    pub reason: String,
}

/// Sums over a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Files with at least one document stored in this run.
    pub files_indexed: u64,
    /// Of these, files that were not there before.
    pub files_added: u64,
    /// Of these, files whose content is another than before.
    pub files_changed: u64,
    /// Of these, files whose content was that of a file that is gone.
    pub files_moved: u64,
    /// Files whose documents were all stored already.
    pub files_unchanged: u64,
    /// Files that are nothing to index.
    pub files_skipped: u64,
    /// Files that failed.
    pub files_failed: u64,
    /// Files that are gone or left out now.
    pub files_deleted: u64,
    /// Files that were not reached.
    pub files_not_reached: u64,
    /// Files that were opened; the others look as they did before.
    pub files_read: u64,
    /// Documents stored in this run.
    pub documents: u64,
    /// Documents that were stored already.
    pub unchanged: u64,
    /// Records that could not be stored.
    pub bad_records: u64,
    /// Passages stored in this run.
    pub passages: u64,
    /// Of these, passages that read as before and kept their vectors.
    pub vectors_kept: u64,
    /// Documents removed because their file or record is gone.
    pub removed: u64,
    /// Size of the files that were found, in bytes.
    pub bytes: u64,
    /// Duration in seconds.
    pub seconds: f64,
}

impl FileReport {
    pub(crate) fn new(path: String, fate: Fate) -> Self {
        let (problems, notes) = (Vec::new(), Vec::new());
        let novelty = None;
        Self { path, fate, novelty, indexed: 0, unchanged: 0, bad_records: 0, problems, notes }
    }

    /// Counts a bad record, and keeps it if it is among the first.
    pub(crate) fn problem(&mut self, line: Option<u64>, reason: String) {
        self.bad_records += 1;
        if self.problems.len() < limits::PROBLEMS_PER_FILE {
            self.problems.push(Problem { line, reason });
        }
    }

    /// Keeps a note once.
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < limits::PROBLEMS_PER_FILE && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Whether documents of this file may be missing for another reason than that they are gone.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.bad_records > 0 || matches!(self.fate, Fate::Failed { .. } | Fate::NotReached)
    }
}

impl IngestReport {
    /// Sums the files up.
    pub(crate) fn sum(&mut self) {
        let totals = &mut self.totals;
        for file in &self.files {
            *match file.fate {
                Fate::Indexed => &mut totals.files_indexed,
                Fate::Unchanged => &mut totals.files_unchanged,
                Fate::Skipped { .. } => &mut totals.files_skipped,
                Fate::Failed { .. } => &mut totals.files_failed,
                Fate::Deleted { .. } => &mut totals.files_deleted,
                Fate::NotReached => &mut totals.files_not_reached,
            } += 1;
            match file.novelty {
                Some(Novelty::Added) => totals.files_added += 1,
                Some(Novelty::Changed) => totals.files_changed += 1,
                Some(Novelty::Moved { .. }) => totals.files_moved += 1,
                None => {}
            }
            totals.documents += file.indexed;
            totals.unchanged += file.unchanged;
            totals.bad_records += file.bad_records;
        }
    }

    /// Whether something that should have been stored was not.
    pub fn has_failures(&self) -> bool {
        self.totals.files_failed > 0 || self.totals.bad_records > 0
    }

    /// The report in words: what happened in one line, then everything that went wrong, then notes.
    pub fn summary(&self) -> String {
        let mut out = self.sums();
        for note in &self.notes {
            let _ = write!(out, "\n{note}");
        }
        if let Some(file) = &self.stopped_at {
            let _ =
                write!(out, "\nstopped at {file}; run the same command again to go on from there");
        }
        let mut gone = 0;
        for file in &self.files {
            gone += u64::from(file.is_gone());
            if !file.is_gone() || gone <= GONE_NAMED {
                file.describe(&mut out);
            }
        }
        if gone > GONE_NAMED {
            let _ = write!(out, "\nand {} more files moved or deleted", gone - GONE_NAMED);
        }
        out
    }

    /// What happened, in numbers; what did not is not spoken of.
    fn sums(&self) -> String {
        let t = &self.totals;
        let sums = [
            (t.documents, "document", "indexed"),
            (t.unchanged, "document", "unchanged"),
            (t.removed, "document", "removed"),
            (t.files_moved, "file", "moved"),
            (t.files_skipped, "file", "skipped"),
            (t.files_failed, "file", "failed"),
            (t.bad_records, "record", "failed"),
            (t.files_not_reached, "file", "not reached"),
        ];
        let mut parts = Vec::new();
        let mut before = "";
        for (count, noun, verb) in sums.into_iter().filter(|(count, _, _)| *count > 0) {
            // A noun is said once for what follows it.
            parts.push(match noun == before {
                true => format!("{count} {verb}"),
                false => format!("{} {verb}", counted(count, noun)),
            });
            before = noun;
        }
        if parts.is_empty() {
            parts.push("nothing to index".into());
        }
        format!("{} in {:.1} s", parts.join(", "), t.seconds)
    }
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl FileReport {
    /// Whether it is gone from where it was.
    fn is_gone(&self) -> bool {
        let moved = matches!(self.novelty, Some(Novelty::Moved { .. }));
        moved && self.bad_records == 0 || matches!(self.fate, Fate::Deleted { .. })
    }

    fn describe(&self, out: &mut String) {
        let path = &self.path;
        match &self.fate {
            // What is wrong with its only document says all.
            Fate::Failed { reason } if reason == ONLY_DOCUMENT && !self.problems.is_empty() => {}
            Fate::Failed { reason } => _ = write!(out, "\nfailed  {path}: {reason}"),
            Fate::Skipped { reason } => _ = write!(out, "\nskipped {path}: {reason}"),
            Fate::Deleted { documents } => {
                _ = write!(out, "\ndeleted {path}: {}", counted(*documents, "document"))
            }
            _ => {}
        }
        if let Some(Novelty::Moved { from }) = &self.novelty {
            let _ = write!(out, "\nmoved   {path}: it was {from}");
        }
        for problem in &self.problems {
            let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            let _ = write!(out, "\nfailed  {path}{line}: {}", problem.reason);
        }
        let left_out = self.bad_records - self.problems.len() as u64;
        if left_out > 0 {
            let left_out = counted(left_out, "more record");
            let _ = write!(out, "\nfailed  {path}: and {left_out}");
        }
        for note in &self.notes {
            let _ = write!(out, "\nnote    {path}: {note}");
        }
    }
}
