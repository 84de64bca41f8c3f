"""Reading the training text and questions, and turning them into batches of a few fixed shapes."""
import glob
import hashlib
import json
import os
import random
import re
import zlib

import torch

SHAPES = (32, 64, 96, 128, 192, 256)  # every new shape costs oneDNN a compilation
HELD_BACK = 0.10  # share of the new_wiki articles kept for model selection


def jsonl(path, share=1.0, rng=random):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if share >= 1 or rng.random() < share:
                yield json.loads(line)


def documents(folder, names=("wikipedia-en-part-*", "openstax-*", "docs-*"), share=1.0, seed=0, held=False):
    """(title, paragraphs) of the training documents (`share` of them), or of the held-back fiftieth."""
    rng = random.Random(seed)
    for name in names:
        for path in sorted(glob.glob(os.path.join(folder, name + ".jsonl"))):
            for d in jsonl(path, share, rng):
                if (zlib.crc32(d["title"].encode()) % 50 == 0) == held:
                    yield d["title"], [p.strip() for p in d["text"].split("\n") if p.strip()]


def squad(path):
    """(article index, paragraph, question, [(start, text), ...]) for every question of a SQuAD-style file."""
    for a, article in enumerate(json.load(open(path, encoding="utf-8"))["data"]):
        for p in article["paragraphs"]:
            for q in p["qas"]:
                yield a, p["context"], q["question"].strip(), [(x["answer_start"], x["text"]) for x in q.get("answers", [])]


def held_back_articles(count):
    return set(random.Random(17).sample(range(count), max(1, round(count * HELD_BACK))))


def questions(folder, files, split="train"):
    """Questions of the given files; the held-back articles of new_wiki are only in split 'held'."""
    out = []
    for name in files:
        rows = list(squad(os.path.join(folder, name)))
        if "new_wiki" in name:
            held = held_back_articles(1 + max(r[0] for r in rows))
            rows = [r for r in rows if (r[0] in held) == (split == "held")]
        elif split == "held":
            continue
        out += [(name, *r) for r in rows]
    return out


WRITTEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "questions/written.jsonl")


def written(folder, split="train"):
    """Our own questions with their paragraphs, as squad() rows. A line of the file is a paragraph: article id, hash of its
    text, [question, answer or ""], …"""
    want = {}
    for w in jsonl(WRITTEN):
        if w.get("split", "train") != split:
            continue
        want.setdefault(w["paragraph"], []).append(w)
    ids = {json.dumps(w["article"]) for ws in want.values() for w in ws}
    for file in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        with open(file, encoding="utf-8") as f:
            for line in f:
                if line[7:].split(",", 1)[0] not in ids:  # every line begins {"id": ...,
                    continue
                for p in json.loads(line)["text"].split("\n"):
                    for w in want.get(hashlib.sha256(p.encode()).hexdigest()[:16], ()):
                        for question, answer in w["questions"]:
                            yield w["article"], p, question, [(p.index(answer), answer)] if answer else []


SHIFTS = ("squadshifts-new_wiki_v1.0.json", "squadshifts-reddit_v1.0.json", "squadshifts-amazon_reviews_v1.0.json")
EXTRA = ("qamr-qamr-dev.json", "qamr-qamr-test.json", "policyqa-dev.json", "policyqa-test.json")


def retrieval_gate(folder, paragraphs=600, count=400):
    """Held-back questions against their own paragraphs among others: (paragraphs, questions, gold index)."""
    held = questions(folder, SHIFTS[:1], "held")
    other = sorted({r[2] for r in questions(folder, SHIFTS[:1])})
    own = sorted({r[2] for r in held})
    rng = random.Random(5)
    own = rng.sample(own, min(len(own), paragraphs // 2))
    held = [r for r in held if r[2] in own]
    pool = own + rng.sample(other, min(len(other), max(0, paragraphs - len(own))))
    pick = rng.sample(held, min(count, len(held)))
    return pool, [r[3] for r in pick], torch.tensor([pool.index(r[2]) for r in pick])


def sentences(paragraph):
    return re.split(r"(?<=[.?!])\s+(?=[A-Z\"'(])", paragraph)


def bucket(n):
    return next((s for s in SHAPES if n <= s), SHAPES[-1])


def pad(rows, length=None):
    """Lists of ids -> (ids, mask) padded to one of the fixed lengths."""
    L = length or bucket(max(map(len, rows)))
    ids, mask = torch.zeros(len(rows), L, dtype=torch.long), torch.zeros(len(rows), L, dtype=torch.long)
    for k, x in enumerate(rows):
        ids[k, :len(x)] = torch.tensor(x[:L])
        mask[k, :len(x)] = 1
    return ids, mask


def batches(rows, length_of, tokens, rng=random):
    """Group rows of similar length; every batch has about `tokens` padded tokens and a fixed shape."""
    by = {}
    for r in rows:
        by.setdefault(bucket(length_of(r)), []).append(r)
    out = []
    for L, rs in by.items():
        n = max(8, tokens // L)
        out += [rs[i:i + n] for i in range(0, len(rs) - n + 1, n)]  # a smaller rest would be a new shape
    rng.shuffle(out)
    return out
