//! Material of the fuzz tests: small good files of each format that is read in the indexing process, words that
//! their parsers react to, and ways of damaging them. Repeatable: a damage is a list of numbers, which proptest can
//! shrink.

use proptest::prelude::*;

use crate::Format;

/// A good file of each format, by the name it would have.
pub(crate) const SEEDS: &[(&str, Format, &str)] = &[
    ("notes.txt", Format::Text, "Plain words.\n\nA second paragraph, with naïve text.\n"),
    ("app.log", Format::Log, "2026-01-01 ERROR one\n2026-01-02 INFO two\n"),
    ("main.rs", Format::Source, "//! Says hello.\nfn main() {\n    greet(\"hello\");\n}\n"),
    (
        "page.md",
        Format::Markdown,
        "---\ntitle: Front\ntags: [a, b]\n---\n# Head *one*\n\nText `code` [link](x) ![i](y).\n\n| a | b |\n|---|---|\n\
         | 1 | 2 |\n\n- item\n  1. inner\n\n> quoted\n\n```rust\nfn x() {}\n```\n<b>html</b> &amp; [^1]\n\n[^1]: note\n",
    ),
    (
        "page.html",
        Format::Html,
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>T &amp; U</title></head><body><nav>menu</nav>\
         <article><h1>Head</h1><p>Some <b>bold</b> words &eacute;.</p><table><tr><td>1<td>2</table><ul><li>a<li>b</ul>\
         <pre>  code</pre><script>x()</script><!-- no --></article></body></html>",
    ),
    (
        "page.rst",
        Format::Restructured,
        "Title\n=====\n\nText ``code`` *word* `link <x>`_.\n\nPart\n----\n\n.. note:: inside\n   more\n\n::\n\n  literal\n\n\
         +---+---+\n| a | b |\n+---+---+\n\n.. comment\n",
    ),
    (
        "paper.tex",
        Format::Latex,
        "\\documentclass{article}\\title{A \\emph{title}}\\begin{document}\\section{One}Text 100\\% % comment\n$x^2$ \\[y\\]\n\
         \\begin{itemize}\\item a\\end{itemize}\\verb|x|{\\bf deep {er}}\\end{document} after",
    ),
    ("rows.csv", Format::Csv, "id;text;year\n1;\"quoted; \"\"text\"\"\";1999\n2;plain;\n"),
    ("rows.tsv", Format::Csv, "id\ttext\n1\tone\n2\ttwo\n"),
    (
        "data.json",
        Format::Json,
        "[{\"id\": 1, \"title\": \"T\", \"text\": \"A \\u00e9 \\n b\", \"list\": [1, true, null]}, {\"text\": \"b\"}]",
    ),
    (
        "data.jsonl",
        Format::JsonLines,
        "{\"_id\": \"a\", \"text\": \"one\", \"metadata\": {\"k\": 1}}\n\n{\"text\": \"two\"}\n",
    ),
    (
        "letter.eml",
        Format::Mail,
        "From: A <a@x.example>\nTo: b@x.example\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nDate: Tue, 3 Mar 2026 09:30:00 +0100\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\
         Content-Transfer-Encoding: quoted-printable\n\nHello=20you.\n\n> quoted\n--b\nContent-Type: text/html\n\n<p>Hi</p>\n\
         --b\nContent-Disposition: attachment; filename=\"a.md\"\nContent-Transfer-Encoding: base64\n\nIyBIaQo=\n--b--\n",
    ),
    (
        "in.mbox",
        Format::Mbox,
        "From a\nSubject: one\nMessage-ID: <1@x>\n\nFirst.\n\n>From here on.\n\nFrom b\nSubject: two\n\nSecond.\n",
    ),
    (
        "wiki.xml",
        Format::MediaWiki,
        "<mediawiki><page><title>A</title><ns>0</ns><id>1</id><revision><text>'''A''' is [[b|c]] {{t|x={{u}}}}.\n== Part ==\n\
         * item&lt;ref&gt;no&lt;/ref&gt;\n{| class=x\n|-\n| cell\n|}\n[[File:x.png|thumb|words]]</text></revision></page></mediawiki>",
    ),
];

/// What parsers react to.
const WORDS: &[&str] = &[
    "<",
    ">",
    "</",
    "<div>",
    "<table>",
    "<b>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<plaintext>",
    "<svg>",
    "&",
    "&#x110000;",
    "&amp;",
    "#",
    "##",
    "```",
    "~~~",
    "---",
    "===",
    "|",
    "\n|-\n",
    "[",
    "]",
    "[[",
    "]]",
    "{{",
    "}}",
    "{|",
    "|}",
    "{",
    "}",
    "\\begin{a}",
    "\\end{a}",
    "\\section{",
    "\\",
    "$",
    "%",
    "$$",
    "..",
    ".. x::",
    "::",
    "`",
    "*",
    "_",
    "> ",
    "- ",
    "\t",
    "\"",
    "\"\"",
    ",",
    ";",
    ":",
    "null",
    "1e999",
    "\\ud800",
    "\\u0000",
    "{\"a\":",
    "[[[[",
    "From ",
    "--b",
    "--b--",
    "Content-Type: multipart/mixed; boundary=b\n\n",
    "Content-Transfer-Encoding: base64\n",
    "=?utf-8?b?",
    "?=",
    "=00",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{301}\u{301}\u{301}",
    "é",
    "字",
    "🌳",
    " ",
    "\u{a0}",
    "<page>",
    "<text>",
    "</text>",
    "<title>",
    "&lt;ref&gt;",
    "'''",
    "==",
    "* ",
];

/// One way of damaging bytes; places are taken modulo the length.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Insert(usize, usize),
    Repeat { at: usize, length: usize, times: usize },
    Words { word: usize, times: usize },
    Wide(bool),
}

/// Any damage.
pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => any::<usize>().prop_map(Damage::Cut),
        4 => (any::<usize>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        6 => (any::<usize>(), 0..WORDS.len()).prop_map(|(at, word)| Damage::Insert(at, word)),
        2 => (any::<usize>(), 1..40_usize, 1..60_usize)
            .prop_map(|(at, length, times)| Damage::Repeat { at, length, times }),
        1 => (0..WORDS.len(), 1..3000_usize).prop_map(|(word, times)| Damage::Words { word, times }),
        1 => any::<bool>().prop_map(Damage::Wide),
    ]
}

/// `bytes` with every damage, in order.
pub(crate) fn damaged(bytes: &[u8], damages: &[Damage]) -> Vec<u8> {
    damages.iter().fold(bytes.to_vec(), once)
}

fn once(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    let place = |at: usize| at % (bytes.len() + 1);
    match *damage {
        Damage::Cut(at) => bytes.truncate(place(at)),
        Damage::Flip(at, bit) => {
            let at = place(at);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        Damage::Insert(at, word) => {
            let at = place(at);
            bytes.splice(at..at, WORDS[word].bytes());
        }
        Damage::Repeat { at, length, times } => {
            let at = place(at);
            let end = (at + length).min(bytes.len());
            let piece = bytes[at..end].repeat(times);
            bytes.splice(at..at, piece);
        }
        Damage::Words { word, times } => {
            let middle = bytes.len() / 2;
            bytes.splice(middle..middle, WORDS[word].repeat(times).bytes());
        }
        Damage::Wide(big) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let pair = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            bytes = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(pair).collect();
        }
    }
    bytes.truncate(1 << 20);
    bytes
}
