#!/usr/bin/env python3
"""Check the sample collection and write its derived files.

Reads articles/*.md and questions.jsonl and writes

  beir/corpus.jsonl    _id, title, text
  beir/queries.jsonl   _id, text (answerable questions only)
  beir/qrels/test.tsv  query-id, corpus-id, score (always 1)
  squad.json           SQuAD 2.0 layout

Usage:
  make.py          check everything, write the files
  make.py --check  check everything, write nothing, exit 1 if a file is stale

Rules:
  * An article is "# Title" on its first line, a blank line, and then blocks
    separated by one blank line; a block is one line, either a paragraph or a
    "## Section" heading.
  * The corpus text is the file without its first line, with the "## " at the
    start of every heading removed, stripped of surrounding white space.
  * A context in squad.json is the lead, or one section: its paragraphs joined
    by a blank line, without the heading.
  * Every answer occurs, character for character, in exactly one context of its
    article; answer_start is its first occurrence there, in characters (Unicode
    code points). A question belongs to the context of its first answer, and
    answers in other contexts are left out of squad.json. Unanswerable
    questions belong to the lead.
"""

import json
import re
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def fail(message):
    sys.exit(f"error: {message}")


def slug(title):
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_title.lower().replace("'", "")).strip("-")


def read_article(path):
    """Return the title, the corpus text and the contexts of one article."""
    first, _, body = path.read_text(encoding="utf-8").partition("\n")
    if not first.startswith("# ") or not first[2:].strip():
        fail(f"{path.name}: the first line is not a title")
    title = first[2:].strip()
    if path.stem != slug(title):
        fail(f"{path.name}: the name should be {slug(title)}.md")
    sections = [[]]
    for block in body.strip().split("\n\n"):
        if block != block.strip() or not block or "\n" in block:
            fail(f"{path.name}: malformed block: {block[:40]!r}")
        if block.startswith("## "):
            sections.append([])
        elif block.startswith("#"):
            fail(f"{path.name}: unexpected heading: {block!r}")
        else:
            sections[-1].append(block)
    if not all(sections):
        fail(f"{path.name}: empty section")
    text = re.sub(r"(?m)^## ", "", body).strip()
    return title, text, ["\n\n".join(paragraphs) for paragraphs in sections]


def read_questions(articles):
    """Return the questions, each with the index of its context."""
    questions, seen = [], set()
    lines = (ROOT / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        q = json.loads(line)
        where = f"questions.jsonl line {number}"
        if sorted(q) != ["answers", "document", "id", "question"]:
            fail(f"{where}: wrong fields")
        if q["id"] in seen:
            fail(f"{where}: repeated id {q['id']}")
        seen.add(q["id"])
        if not q["question"].strip():
            fail(f"{where}: empty question")
        if q["document"] not in articles:
            fail(f"{where}: no such document: {q['document']}")
        if len(set(q["answers"])) != len(q["answers"]):
            fail(f"{where}: repeated answer")
        contexts = articles[q["document"]][2]
        q["context"] = 0
        for answer in reversed(q["answers"]):
            found = [i for i, context in enumerate(contexts) if answer and answer in context]
            if len(found) != 1:
                fail(f"{where}: answer found in {len(found)} contexts: {answer!r}")
            q["context"] = found[0]
        questions.append(q)
    return questions


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def squad(articles, questions):
    data = []
    for doc, (title, _, contexts) in articles.items():
        paragraphs = []
        for i, context in enumerate(contexts):
            qas = [
                {
                    "id": q["id"],
                    "question": q["question"],
                    "answers": [
                        {"text": a, "answer_start": context.index(a)}
                        for a in q["answers"]
                        if a in context
                    ],
                    "is_impossible": not q["answers"],
                }
                for q in questions
                if q["document"] == doc and q["context"] == i
            ]
            paragraphs.append({"context": context, "qas": qas})
        data.append({"title": title, "paragraphs": paragraphs})
    return json.dumps({"version": "v2.0", "data": data}, ensure_ascii=False, indent=1) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    articles = {
        f"articles/{path.name}": read_article(path)
        for path in sorted((ROOT / "articles").glob("*.md"))
    }
    questions = read_questions(articles)
    answerable = [q for q in questions if q["answers"]]
    qrels = "".join(f"{q['id']}\t{q['document']}\t1\n" for q in answerable)
    files = {
        "beir/corpus.jsonl": jsonl(
            {"_id": doc, "title": title, "text": text}
            for doc, (title, text, _) in articles.items()
        ),
        "beir/queries.jsonl": jsonl(
            {"_id": q["id"], "text": q["question"]} for q in answerable
        ),
        "beir/qrels/test.tsv": "query-id\tcorpus-id\tscore\n" + qrels,
        "squad.json": squad(articles, questions),
    }
    stale = []
    for name, content in files.items():
        path, new = ROOT / name, content.encode("utf-8")
        if path.is_file() and path.read_bytes() == new:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new)
    print(
        f"{len(articles)} articles, {len(answerable)} answerable and "
        f"{len(questions) - len(answerable)} unanswerable questions"
    )
    if "--check" in sys.argv and stale:
        fail("stale: " + ", ".join(stale))


if __name__ == "__main__":
    main()
