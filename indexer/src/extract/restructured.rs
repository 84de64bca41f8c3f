//! reStructuredText: titles by their underlines, paragraphs, literal blocks; what directives and comments are for
//! machines goes, and so does the markup within lines as far as it is plain (roles, links, literals).

use super::builder::Builder;
use super::{BlockKind, Extracted};

/// Directives whose content is text; of others it goes with them.
const TEXT_DIRECTIVES: &[&str] = &[
    "note",
    "warning",
    "tip",
    "hint",
    "important",
    "caution",
    "danger",
    "attention",
    "error",
    "admonition",
    "topic",
    "sidebar",
    "epigraph",
    "versionadded",
    "versionchanged",
    "deprecated",
    "seealso",
    "glossary",
    "rubric",
    "container",
];
/// Directives whose content is lines.
const CODE_DIRECTIVES: &[&str] =
    &["code", "code-block", "sourcecode", "parsed-literal", "math", "literalinclude"];

/// Extracts a text.
pub(super) fn extract(source: &str) -> Extracted {
    let lines: Vec<&str> = source.lines().collect();
    let mut walk = Walk { lines: &lines, at: 0, builder: Builder::default(), levels: Vec::new() };
    while walk.at < lines.len() {
        walk.step();
    }
    walk.builder.finish()
}

struct Walk<'a> {
    lines: &'a [&'a str],
    at: usize,
    builder: Builder,
    /// Underline characters in the order they were first used, with whether there was a line above, too.
    levels: Vec<(char, bool)>,
}

impl Walk<'_> {
    fn line(&self, at: usize) -> &str {
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// Reads one block from the current line on.
    fn step(&mut self) {
        let line = self.line(self.at);
        if line.trim().is_empty() {
            self.at += 1;
        } else if let Some(mark) = rule(line)
            && rule(self.line(self.at + 2)) == Some(mark)
            && !self.line(self.at + 1).trim().is_empty()
        {
            self.title(self.at + 1, (mark, true), 3);
        } else if let Some(mark) = rule(self.line(self.at + 1))
            && rule(line).is_none()
            && !line.starts_with(' ')
            && self.line(self.at + 1).trim_end().len() + 2 >= line.trim_end().chars().count()
        {
            self.title(self.at, (mark, false), 2);
        } else if let Some(explicit) = line.trim_start().strip_prefix("..")
            && (explicit.is_empty() || explicit.starts_with(' '))
        {
            let (explicit, indent) = (explicit.trim().to_owned(), indent(line));
            self.explicit(&explicit, indent);
        } else {
            self.paragraph();
        }
    }

    fn title(&mut self, at: usize, mark: (char, bool), lines: usize) {
        let level = self.levels.iter().position(|known| *known == mark).unwrap_or_else(|| {
            self.levels.push(mark);
            self.levels.len() - 1
        });
        let title = plain(self.line(at).trim());
        self.builder.heading(u8::try_from(level + 1).unwrap_or(u8::MAX), &title);
        self.at += lines;
    }

    /// A directive, a comment, a target or a footnote: what stands after `..`, and what is indented below.
    fn explicit(&mut self, explicit: &str, indent: usize) {
        self.at += 1;
        let Some((name, argument)) = explicit.split_once("::") else {
            // Footnotes and citations are text, comments and targets are not.
            if let Some((_, note)) =
                explicit.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                self.builder.push(BlockKind::Paragraph, &plain(note));
            } else {
                self.indented(indent);
            }
            return;
        };
        let name = name.trim();
        if TEXT_DIRECTIVES.contains(&name) {
            self.builder.push(BlockKind::Paragraph, &plain(argument.trim()));
            self.options(indent);
        } else {
            self.options(indent);
            let content = self.indented(indent);
            if CODE_DIRECTIVES.contains(&name) {
                self.builder.push(BlockKind::Lines, &content);
            }
        }
    }

    /// Passes over the `:option:` lines below a directive.
    fn options(&mut self, indent: usize) {
        while self.line(self.at).trim_start().starts_with(':')
            && self::indent(self.line(self.at)) > indent
        {
            self.at += 1;
        }
    }

    /// Takes the lines that are indented more than `indent`, without what they share of it.
    fn indented(&mut self, indent: usize) -> String {
        let start = self.at;
        while self.at < self.lines.len()
            && (self.line(self.at).trim().is_empty() || self::indent(self.line(self.at)) > indent)
        {
            self.at += 1;
        }
        let lines = &self.lines[start..self.at];
        let filled = lines.iter().filter(|line| !line.trim().is_empty());
        let shared = filled.map(|line| self::indent(line)).min().unwrap_or(0);
        let lines: Vec<&str> =
            lines.iter().map(|line| line.get(shared..).unwrap_or_default()).collect();
        lines.join("\n")
    }

    /// Takes the lines up to the next empty one; `::` at their end begins a literal block.
    fn paragraph(&mut self) {
        let start = self.at;
        while self.at < self.lines.len() && !self.line(self.at).trim().is_empty() {
            self.at += 1;
        }
        let lines = &self.lines[start..self.at];
        let indent = lines.first().map_or(0, |line| self::indent(line));
        let is_table = lines[0].trim_start().starts_with("+-") || rule(lines[0]) == Some('=');
        let kind = if is_table { BlockKind::Lines } else { BlockKind::Paragraph };
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let text = lines.join("\n");
        let literal = text.ends_with("::");
        let text = match text.strip_suffix("::") {
            Some(text) if !text.trim().is_empty() => format!("{text}:"),
            Some(_) => String::new(),
            None => text,
        };
        self.builder.push(kind, &plain(&text));
        if literal {
            let content = self.indented(indent);
            self.builder.push(BlockKind::Lines, &content);
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The character of a line that only repeats it, as under a title.
fn rule(line: &str) -> Option<char> {
    let line = line.trim_end();
    let mark = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 3 && line.chars().all(|c| c == mark)).then_some(mark)
}

/// Text without the markup of roles, links and literals: `` :ref:`text <target>` `` is `text`.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let ticks = rest[at..].bytes().take_while(|b| *b == b'`').count();
        let fence = &rest[at..at + ticks];
        let inner = &rest[at + ticks..];
        let Some(end) = inner.find(fence) else { break };
        out.push_str(without_role(&rest[..at]));
        let content = &inner[..end];
        let named = content.split_once(" <").filter(|_| content.ends_with('>') && ticks == 1);
        out.push_str(named.map_or(content, |(name, _)| name));
        let after = &inner[end + ticks..];
        rest = if ticks == 1 { after.trim_start_matches('_') } else { after };
    }
    out.push_str(rest);
    out
}

/// The text before a role, which is a word between colons at its end.
fn without_role(before: &str) -> &str {
    let Some(open) = before.strip_suffix(':') else { return before };
    match open.rfind(':') {
        Some(at)
            if open[at + 1..].chars().all(|c| c.is_alphanumeric() || "-_:.".contains(c))
                && at + 1 < open.len() =>
        {
            open[..at].trim_end_matches(':')
        }
        _ => before,
    }
}
