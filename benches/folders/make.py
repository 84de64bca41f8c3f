"""Writes a folder of Markdown notes made of the sentences of the sample articles: the same for the same numbers.

    python3 benches/folders/make.py FOLDER NOTES [PARAGRAPHS_OF_EACH]
"""

import random
import re
import sys
from pathlib import Path

ARTICLES = Path(__file__).resolve().parents[2] / "datasets/sample/articles"


def sentences():
    paragraphs = (p for file in sorted(ARTICLES.iterdir()) for p in file.read_text().split("\n\n"))
    text = " ".join(p.replace("\n", " ") for p in paragraphs if not p.startswith("#"))
    return [s for s in re.split(r"(?<=[.!?]) ", text) if 30 < len(s) < 400]


def note(number, known, paragraphs):
    chooser = random.Random(number)
    parts = [f"# Note {number}: {chooser.choice(known)[:40].strip()}"]
    for part in range(paragraphs):
        if part % 2:
            parts.append(f"## Part {part}")
        parts.append(" ".join(chooser.sample(known, 4)))
    return "\n\n".join(parts) + "\n"


def make(folder, notes, paragraphs=4):
    known = sentences()
    for number in range(notes):
        path = folder / f"{number // 100:03}" / f"note-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(note(number, known, paragraphs))


if __name__ == "__main__":
    make(Path(sys.argv[1]), *map(int, sys.argv[2:]))
