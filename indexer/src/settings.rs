//! [`Settings`]: what the user may choose about indexing.

use std::path::PathBuf;

use alder_engine::QueryError;

use crate::limits;

/// What the user may choose about indexing.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Globs, as in `.gitignore`, of the files of a folder that are read; none for all.
    pub include: Vec<String>,
    /// Globs of the files and folders that are left out.
    pub exclude: Vec<String>,
    /// Which files are opened although they look as they did.
    pub revisit: Revisit,
    /// Largest file read whole, in bytes.
    pub max_file_bytes: u64,
    /// Longest JSON line, JSON array element or CSV row, in bytes.
    pub max_line_bytes: usize,
    /// Tokens of a passage with its title and headings.
    pub passage_tokens: usize,
    /// The last sentence of a passage is repeated at the start of the next within a paragraph if it has at
    /// most this many tokens; 0 for never.
    pub overlap_tokens: usize,
    /// Documents between two commits.
    pub commit_documents: u64,
    /// Seconds between two commits.
    pub commit_seconds: u64,
    /// Which fields of JSON and CSV records are id, title and text.
    pub fields: FieldNames,
    /// The program that reads binary formats: one whose subcommand [`crate::CHILD_COMMAND`] calls
    /// [`crate::extract_child`], as `alder` does. Without one, files of these formats fail with that reason.
    pub extractor: Option<PathBuf>,
    /// Seconds without a result after which the process that reads a binary file is ended.
    pub extract_seconds: u64,
    /// Address space of that process, in bytes.
    pub extract_memory_bytes: u64,
}

/// Which files are opened although they look as they did in an earlier run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Revisit {
    /// All.
    All,
    /// Those that failed.
    #[default]
    Failed,
    /// None.
    None,
}

/// Names of the fields that are tried in order; the first that has a value is taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FieldNames {
    /// Fields that may hold the id; without one it is made of the path and the number of the record.
    pub id: Vec<String>,
    /// Fields that may hold the title.
    pub title: Vec<String>,
    /// Fields that may hold the text; without one all fields are written out as `name: value` lines.
    pub text: Vec<String>,
}

impl Default for FieldNames {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            id: names(&["_id", "id", "url", "path"]),
            title: names(&["title"]),
            text: names(&["text", "body", "content", "abstract"]),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            revisit: Revisit::default(),
            max_file_bytes: limits::FILE_BYTES_DEFAULT,
            max_line_bytes: limits::LINE_BYTES_DEFAULT,
            passage_tokens: limits::PASSAGE_TOKENS_DEFAULT,
            overlap_tokens: limits::OVERLAP_TOKENS_DEFAULT,
            commit_documents: limits::COMMIT_DOCUMENTS_DEFAULT,
            commit_seconds: limits::COMMIT_SECONDS_DEFAULT,
            fields: FieldNames::default(),
            extractor: None,
            extract_seconds: limits::EXTRACT_SECONDS_DEFAULT,
            extract_memory_bytes: limits::EXTRACT_MEMORY_BYTES_DEFAULT,
        }
    }
}

impl Settings {
    /// Checks the settings against a model that reads `max_length` tokens at once.
    pub(crate) fn check(&self, max_length: usize) -> Result<(), QueryError> {
        let range = |field, unit, found: usize, min: usize, max: usize| {
            if (min..=max).contains(&found) {
                return Ok(());
            }
            let [found, min, max] = [found, min, max].map(|n| n as u64);
            Err(QueryError::OutOfRange { field, unit, found, min, max })
        };
        // [CLS] and [SEP] belong to the encoder.
        let most = max_length.saturating_sub(2);
        range("passage_tokens", "tokens", self.passage_tokens, limits::PASSAGE_TOKENS_MIN, most)?;
        range("overlap_tokens", "tokens", self.overlap_tokens, 0, self.passage_tokens / 2)?;
        range("commit_documents", "documents", self.commit_documents as usize, 1, usize::MAX)?;
        range("extract_seconds", "seconds", self.extract_seconds as usize, 1, usize::MAX)?;
        let (memory, least) = (self.extract_memory_bytes, limits::EXTRACT_MEMORY_BYTES_MIN);
        range("extract_memory_bytes", "bytes", memory as usize, least as usize, usize::MAX)
    }

    /// A short hash of everything that decides what becomes of a file, the limits included.
    pub(crate) fn hash(&self) -> u64 {
        let limits = (self.max_file_bytes, self.max_line_bytes);
        let child = (self.extract_seconds, self.extract_memory_bytes, self.extractor.is_some());
        let all = format!("{}|{limits:?}|{child:?}", self.fingerprint());
        let hash = blake3::hash(all.as_bytes());
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
    }

    /// Everything that changes what is stored for the same bytes, the version of the extractors included.
    pub(crate) fn fingerprint(&self) -> String {
        format!(
            "{}|{}|{}|{:?}",
            crate::extract::VERSION,
            self.passage_tokens,
            self.overlap_tokens,
            self.fields
        )
    }
}
