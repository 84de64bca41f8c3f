//! LaTeX: title, sections and paragraphs of the document; preamble, comments and commands without text go, formulas
//! stay as they are written. No macro is expanded.

use super::builder::Builder;
use super::{BlockKind, Extracted};

/// Commands whose argument is not text.
const UNREAD: &[&str] = &[
    "cite",
    "citep",
    "citet",
    "ref",
    "eqref",
    "pageref",
    "autoref",
    "cref",
    "label",
    "includegraphics",
    "input",
    "include",
    "bibliography",
    "bibliographystyle",
    "vspace",
    "hspace",
    "usepackage",
    "documentclass",
    "pagestyle",
    "thispagestyle",
    "setlength",
    "setcounter",
    "index",
    "newcommand",
    "renewcommand",
    "def",
    "date",
    "begin",
    "end",
    "hypersetup",
    "thanks",
];
/// An argument is not longer: what is never closed is not looked for any further.
const ARGUMENT_CHARACTERS: usize = 4096;
/// Environments that are kept line by line.
const LITERAL: &[&str] = &["verbatim", "lstlisting", "minted", "Verbatim"];

/// Extracts a text.
pub(super) fn extract(source: &str) -> Extracted {
    let source = without_comments(source);
    let mut builder = Builder::default();
    if let Some(title) = argument_of(&source, "\\title") {
        builder.title = one_line(&plain(title));
    }
    let author = argument_of(&source, "\\author").map(|author| one_line(&plain(author)));
    let body = source.split_once("\\begin{document}").map_or(source.as_str(), |(_, body)| body);
    let body = body.split_once("\\end{document}").map_or(body, |(body, _)| body);
    let mut literal = None;
    let mut open = String::new();
    for line in body.lines() {
        if let Some(name) = environment(line, "\\begin{").filter(|name| LITERAL.contains(name)) {
            flush(&mut builder, &mut open);
            literal = Some(name);
        } else if literal.is_some() && environment(line, "\\end{") == literal {
            builder.push(BlockKind::Lines, &std::mem::take(&mut open));
            literal = None;
        } else if literal.is_some() {
            open.push_str(line);
            open.push('\n');
        } else {
            text_line(&mut builder, &mut open, line);
        }
    }
    flush(&mut builder, &mut open);
    let mut extracted = builder.finish();
    if let Some(author) = author.filter(|author| !author.is_empty()) {
        extracted.metadata.insert("author".into(), author.into());
    }
    extracted
}

/// Adds one line: sections, the end of a paragraph, or text of the paragraph that is open.
fn text_line(builder: &mut Builder, open: &mut String, line: &str) {
    let mut rest = line.trim();
    while let Some((level, argument)) = section(rest) {
        flush(builder, open);
        let (heading, after) = group(argument).unwrap_or((argument, ""));
        builder.heading(level, &one_line(&plain(heading)));
        rest = after.trim();
    }
    let breaks = ["\\begin{", "\\end{", "\\item", "\\maketitle", "\\caption"];
    if rest.is_empty() || breaks.iter().any(|command| rest.starts_with(command)) {
        flush(builder, open);
    }
    if environment(rest, "\\begin{") == Some("abstract") {
        builder.heading(2, "Abstract");
    }
    let named = ["\\title", "\\author"].iter().any(|command| rest.starts_with(command));
    if !named && !rest.is_empty() {
        open.push_str(rest);
        open.push('\n');
    }
}

fn flush(builder: &mut Builder, open: &mut String) {
    builder.push(BlockKind::Paragraph, &plain(&std::mem::take(open)));
}

/// Level of a sectioning command and what follows it.
fn section(line: &str) -> Option<(u8, &str)> {
    let sections = [
        ("\\part", 1),
        ("\\chapter", 1),
        ("\\section", 2),
        ("\\subsection", 3),
        ("\\subsubsection", 4),
        ("\\paragraph", 5),
    ];
    sections.iter().find_map(|(command, level)| {
        let rest = line.strip_prefix(command)?;
        let rest = rest.strip_prefix('*').unwrap_or(rest);
        // The short form for the table of contents.
        let rest =
            rest.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(rest, |(_, rest)| rest);
        rest.starts_with('{').then_some((*level, rest))
    })
}

/// The name of the environment that a line begins or ends.
fn environment<'l>(line: &'l str, command: &str) -> Option<&'l str> {
    line.trim_start().strip_prefix(command)?.split_once('}').map(|(name, _)| name)
}

/// What stands between the braces that `text` begins with, and what follows them.
fn group(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (i, c) in text.char_indices().take(ARGUMENT_CHARACTERS) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 1 => return Some((&text[1..i], &text[i + 1..])),
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn argument_of<'s>(source: &'s str, command: &str) -> Option<&'s str> {
    let (_, rest) = source.split_once(&format!("{command}{{"))?;
    // The brace belongs to the argument.
    let start = source.len() - rest.len() - 1;
    group(&source[start..]).map(|(argument, _)| argument)
}

/// The source without comments: from `%` to the end of the line, unless the sign is escaped.
fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for line in source.lines() {
        let comment = line.char_indices().find(|(i, c)| {
            *c == '%' && (line[..*i].len() - line[..*i].trim_end_matches('\\').len()) % 2 == 0
        });
        match comment {
            // A line of nothing but a comment does not end a paragraph.
            Some((at, _)) if line[..at].trim().is_empty() => continue,
            Some((at, _)) => out.push_str(&line[..at]),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Text without commands: the arguments of most stay, formulas stay whole.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '{', '}', '~', '$', '`', '\'']) {
        out.push_str(&rest[..at]);
        let found = &rest[at..];
        let after = &found[1..];
        rest = match found.as_bytes()[0] {
            b'\\' => command(after, &mut out),
            b'~' => {
                out.push(' ');
                after
            }
            b'$' => {
                let end = after.find('$').map_or(found.len(), |end| end + 2);
                out.push_str(&found[..end]);
                &found[end..]
            }
            quote @ (b'`' | b'\'') if after.as_bytes().first() == Some(&quote) => {
                out.push('"');
                &after[1..]
            }
            quote @ (b'`' | b'\'') => {
                out.push(char::from(quote));
                after
            }
            _ => after,
        };
    }
    out.push_str(rest);
    out
}

/// Writes what the command after a backslash stands for; returns what follows it.
fn command<'t>(after: &'t str, out: &mut String) -> &'t str {
    let length = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
    if length == 0 {
        let c = after.chars().next();
        match c {
            Some('\\') => out.push('\n'),
            Some(c) if "%&_#${} ".contains(c) => out.push(c),
            // Accents and spacing: the letter follows.
            _ => {}
        }
        return &after[c.map_or(0, char::len_utf8)..];
    }
    let name = &after[..length];
    let mut rest = after[length..].strip_prefix('*').unwrap_or(&after[length..]);
    while UNREAD.contains(&name) {
        let optional = rest.strip_prefix('[').and_then(|options| {
            let near = &options[..options.floor_char_boundary(ARGUMENT_CHARACTERS)];
            near.find(']').map(|end| &options[end + 1..])
        });
        match optional
            .or_else(|| rest.starts_with('{').then(|| group(rest).map(|(_, rest)| rest)).flatten())
        {
            Some(after) => rest = after,
            None => break,
        }
    }
    match name {
        "item" => out.push_str("- "),
        "LaTeX" | "TeX" => out.push_str(name),
        "ldots" | "dots" => out.push('…'),
        _ => {}
    }
    // The space that ends a command's name is no space of the text.
    if rest.starts_with('{') { rest } else { rest.strip_prefix(' ').unwrap_or(rest) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
