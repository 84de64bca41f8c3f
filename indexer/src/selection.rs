//! [`Selection`]: which files of a folder the user wants, by globs as in `.gitignore`. What the ignore files of the
//! folder leave out stays out whatever the globs say.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::IngestError;

/// The globs of one run.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// None for everything.
    include: Option<Gitignore>,
    exclude: Gitignore,
}

impl Default for Selection {
    fn default() -> Self {
        Self { include: None, exclude: Gitignore::empty() }
    }
}

impl Selection {
    /// What one of `include` matches, or everything when there is none, without what one of `exclude` matches.
    ///
    /// # Errors
    /// [`IngestError::Glob`].
    pub(crate) fn new(include: &[String], exclude: &[String]) -> Result<Self, IngestError> {
        let include = if include.is_empty() { None } else { Some(globs(include)?) };
        Ok(Self { include, exclude: globs(exclude)? })
    }

    /// Whether a file is wanted; `relative` is its path below the folder.
    pub(crate) fn wants_file(&self, relative: &Path) -> bool {
        let matches =
            |globs: &Gitignore| globs.matched_path_or_any_parents(relative, false).is_ignore();
        !matches(&self.exclude) && self.include.as_ref().is_none_or(matches)
    }

    /// Whether anything below a folder can be wanted.
    pub(crate) fn enters(&self, relative: &Path) -> bool {
        !self.exclude.matched_path_or_any_parents(relative, true).is_ignore()
    }
}

fn globs(globs: &[String]) -> Result<Gitignore, IngestError> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        let wrong = |reason: String| IngestError::Glob { glob: glob.clone(), reason };
        if glob.trim().is_empty() || glob.starts_with(['!', '#']) {
            return Err(wrong("it must not be empty or begin with ! or #".into()));
        }
        builder.add_line(None, glob).map_err(|error| wrong(error.to_string()))?;
    }
    let all = || globs.join(" ");
    builder.build().map_err(|e| IngestError::Glob { glob: all(), reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let strings = |globs: &[&str]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let selection = Selection::new(&strings(include), &strings(exclude)).unwrap();
        let files = ["a.md", "a.txt", "docs/a.md", "docs/old/b.md", "src/docs/c.md"];
        files.into_iter().filter(|file| selection.wants_file(Path::new(file))).collect()
    }

    #[test]
    fn globs_mean_what_they_mean_in_an_ignore_file() {
        assert_eq!(wanted(&[], &[]).len(), 5);
        assert_eq!(wanted(&["*.txt"], &[]), ["a.txt"]);
        assert_eq!(wanted(&["/docs"], &[]), ["docs/a.md", "docs/old/b.md"]);
        assert_eq!(wanted(&["docs/"], &["old"]), ["docs/a.md", "src/docs/c.md"]);
        assert_eq!(wanted(&["*.md"], &["docs/**"]), ["a.md", "src/docs/c.md"]);
        assert_eq!(wanted(&["*.{txt,rs}", "/*.md"], &[]), ["a.md", "a.txt"]);
        assert!(!Selection::new(&[], &["docs".into()]).unwrap().enters(Path::new("docs")));
    }

    #[test]
    fn a_glob_that_cannot_be_is_named() {
        for glob in ["", "!a", "# a", "{a"] {
            let error = Selection::new(&[glob.into()], &[]).unwrap_err().to_string();
            assert!(error.contains(&format!("{glob:?}")), "{error}");
        }
    }
}
