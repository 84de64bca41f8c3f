"""Fit how likely a whole sentence is the answer, on held-back training articles, and put it into a package.

For a reader that is weaker than the encoder (alder.json, calibration.sentences). The engine gives the sentence of cosine
c in a passage of retrieval score r (0..1) the logit weight * c + bias - retrieval_weight * (1 - r) and puts all sentences
of the passages read into one softmax with "no answer" at 0. Each question meets the ten best of 600 paragraphs (BM25 and
embedding fused as the engine does) and once more without its own, when nothing is right; the latter count a quarter.

sentences.py --package ../alder-small --data data
"""
import argparse
import json
import os
import random
import re

import numpy as np
import torch

import data
import evaluate

TOP = 10
LEXICAL_WEIGHT = 0.7  # the engine's default fusion
UNANSWERABLE = 0.25  # weight of a question whose paragraph was taken away


def cut(paragraph):
    return [s for s in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])", paragraph) if s.strip()]


def bm25(paragraphs, questions, k1=1.2, b=0.75):
    """BM25 scores (questions, paragraphs) of lower-case words, Robertson and Zaragoza 2009, eq. 3.15."""
    words = lambda text: re.findall(r"\w+", text.lower())
    docs = [words(p) for p in paragraphs]
    vocab = {w: i for i, w in enumerate({w for d in docs for w in d})}
    tf = np.zeros((len(docs), len(vocab)), np.float32)
    for i, d in enumerate(docs):
        for w in d:
            tf[i, vocab[w]] += 1
    length = tf.sum(1, keepdims=True)
    df = (tf > 0).sum(0)
    idf = np.log(1 + (len(docs) - df + 0.5) / (df + 0.5))
    weight = idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / length.mean()))
    return np.stack([weight[:, [vocab[w] for w in set(words(q)) if w in vocab]].sum(1) for q in questions])


def min_max(scores):
    return (scores - scores.min()) / max(scores.max() - scores.min(), 1e-9)


def held_back(folder, paragraphs=600, count=500):
    """(paragraphs, [(question, index of its paragraph, answer)]) from the held-back articles and others."""
    rows = [r for r in data.questions(folder, data.SHIFTS[:1], "held") if r[4]]
    rows = random.Random(11).sample(rows, min(count, len(rows)))
    pool = sorted({r[2] for r in data.questions(folder, data.SHIFTS[:1], "held")})
    others = sorted({r[2] for r in data.questions(folder, data.SHIFTS[:1])})
    pool += random.Random(12).sample(others, max(0, paragraphs - len(pool)))
    where = {p: i for i, p in enumerate(pool)}
    return pool, [(r[3], where[r[2]], r[4][0][1]) for r in rows]


def features(m, tok, pool, rows):
    """For each question, with and without its paragraph: cosines, retrieval scores, which sentences hold the answer."""
    parts = [cut(p) for p in pool]
    owner = np.repeat(np.arange(len(pool)), [len(p) for p in parts])
    flat = [s for p in parts for s in p]
    p, s, q = (evaluate.embed(m, tok, x) for x in (pool, flat, [r[0] for r in rows]))
    lexical = bm25(pool, [r[0] for r in rows])
    for (_, gold, answer), e, words in zip(rows, q, lexical):
        dense = p @ e
        for hidden in (False, True):
            kept = np.array([i for i in range(len(pool)) if not (hidden and i == gold)])
            lists = [(x, kept[np.argsort(-x[kept])[:100]]) for x in (words, dense)]
            fused = np.zeros(len(pool))
            for (x, best), w in zip(lists, (LEXICAL_WEIGHT, 1 - LEXICAL_WEIGHT)):
                fused[best] += w * min_max(x[best])
            top = kept[np.argsort(-fused[kept])[:TOP]]
            at = np.flatnonzero(np.isin(owner, top))
            retrieval = fused[owner[at]] / fused.max()
            right = [owner[i] == gold and answer in flat[i] for i in at]
            yield torch.tensor(s[at] @ e), torch.tensor(retrieval), torch.tensor(right)


def fit(rows):
    weight, bias, penalty = (torch.tensor(x, requires_grad=True) for x in (10.0, -6.0, 1.0))
    opt = torch.optim.LBFGS([weight, bias, penalty], max_iter=200)

    def closure():
        opt.zero_grad()
        loss = 0.0
        for i, (c, r, right) in enumerate(rows):
            z = torch.cat([torch.zeros(1), weight * c + bias - penalty * (1 - r)])
            target = torch.cat([torch.tensor([not right.any()]), right])
            share = 1.0 if i % 2 == 0 else UNANSWERABLE
            loss = loss - share * (torch.logsumexp(z[target], 0) - torch.logsumexp(z, 0))
        (loss / len(rows)).backward()
        return loss / len(rows)

    opt.step(closure)
    return tuple(float(x.detach()) for x in (weight, bias, penalty))


def report(rows, weight, bias, penalty):
    count = dict(questions=len(rows) // 2, best_right=0, confident=0, confident_right=0, confident_unanswerable=0)
    for i, (c, r, right) in enumerate(rows):
        p = torch.cat([torch.zeros(1), weight * c + bias - penalty * (1 - r)]).softmax(0)[1:]
        best, sure = bool(right[p.argmax()]), bool(p.max() > 0.5)
        if i % 2:
            count["confident_unanswerable"] += sure
        else:
            count["best_right"] += best
            count["confident"] += sure
            count["confident_right"] += sure and best
    return count


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ("package", "data"):
        ap.add_argument("--" + n, required=True)
    a = ap.parse_args()
    torch.set_num_threads(1)
    m, _, tok, card = evaluate.package(a.package)
    pool, questions = held_back(a.data)
    rows = [(c.float(), r.float(), y) for c, r, y in features(m, tok, pool, questions)]
    values = fit(rows)
    weight, bias, penalty = (round(v, 3) for v in values)
    calibration = card.setdefault("calibration", {})
    calibration["sentences"] = {"weight": weight, "bias": bias}
    calibration["retrieval_weight"] = penalty
    json.dump(card, open(os.path.join(a.package, "alder.json"), "w"), indent=1)
    print(json.dumps(dict(report(rows, *values), weight=weight, bias=bias, retrieval_weight=penalty)))


if __name__ == "__main__":
    main()
