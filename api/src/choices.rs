//! The options of indexing that a collection remembers, as they are typed, and how they change what it remembered.

use alder_indexer::{Choices, Remembered};
use clap::Args;

/// What is chosen once for a collection.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options that the collection remembers")]
pub(crate) struct ChoiceArgs {
    /// Only files that match, as in .gitignore; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// No files or folders that match; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Largest file that is read whole, in bytes (JSON Lines are read line by line) [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    max_file_bytes: Option<u64>,
    /// Longest JSON line, element of a JSON array or CSV row, in bytes [default: 16777216]
    #[arg(long, value_name = "BYTES")]
    max_line_bytes: Option<usize>,
    /// Seconds without a result after which reading a PDF, office document or archive is given up [default: 60]
    #[arg(long, value_name = "SECONDS")]
    extract_seconds: Option<u64>,
    /// Memory that reading such a file may take, in bytes (on Linux) [default: 1073741824]
    #[arg(long, value_name = "BYTES")]
    extract_memory_bytes: Option<u64>,
    /// Forget the options given before
    #[arg(long)]
    forget_options: bool,
}

impl ChoiceArgs {
    /// What `before` becomes by the options that were given. Globs that are given replace those before.
    pub(crate) fn over(&self, before: &Choices) -> Choices {
        let before = if self.forget_options { &Choices::default() } else { before };
        let globs = |given: &Vec<String>, before: &Vec<String>| {
            if given.is_empty() { before.clone() } else { given.clone() }
        };
        Choices {
            include: globs(&self.include, &before.include),
            exclude: globs(&self.exclude, &before.exclude),
            max_file_bytes: self.max_file_bytes.or(before.max_file_bytes),
            max_line_bytes: self.max_line_bytes.or(before.max_line_bytes),
            extract_seconds: self.extract_seconds.or(before.extract_seconds),
            extract_memory_bytes: self.extract_memory_bytes.or(before.extract_memory_bytes),
        }
    }
}

/// What is said when a collection that has been told before is told otherwise.
pub(crate) fn announcements(now: &Choices, before: &Remembered) -> Vec<String> {
    let remembered = |change: String| format!("{change}; remembered for this collection");
    now.changes(&before.choices).into_iter().map(remembered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays_until_it_is_forgotten() {
        let before = Choices {
            exclude: vec!["*.log".into()],
            extract_seconds: Some(5),
            ..Choices::default()
        };
        let nothing = ChoiceArgs::default();
        assert_eq!(nothing.over(&before), before);
        let given = ChoiceArgs { exclude: vec!["old/".into()], ..nothing.clone() };
        let now = given.over(&before);
        assert_eq!((now.exclude[0].as_str(), now.extract_seconds), ("old/", Some(5)));
        let forget = ChoiceArgs { forget_options: true, ..nothing };
        assert_eq!(forget.over(&before), Choices::default());
    }
}
