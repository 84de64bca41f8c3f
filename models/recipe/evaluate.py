"""Scores of a model: on held-back training data (for selection) and on the judged sets (finished packages only).

evaluate.py --package models/alder-small --eval EVAL_FOLDER [--only squad,retrieval,scifact,stsb,fill] [--text DATA]
"""
import argparse
import csv
import io
import json
import math
import os
import random
import subprocess
import time

import numpy as np
import torch

import data
from model import mean_pool


def embed(m, tok, texts, tokens=8192, bf16=True):
    """Unit-length embeddings (N, H) of texts."""
    es = [e.ids for e in tok.encode_batch(texts)]
    order = sorted(range(len(es)), key=lambda i: len(es[i]))
    out, i = np.zeros((len(es), m.span.in_features), np.float32), 0
    m.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        while i < len(order):
            n = max(8, tokens // data.bucket(len(es[order[min(i + 31, len(order) - 1)]])))
            b = order[i:i + n]
            ids, mask = data.pad([es[j] for j in b])
            out[b] = mean_pool(m.trunk(ids, mask), mask).numpy()
            i += len(b)
    m.train()
    return out


def ranks(scores, gold):
    return (scores > scores[np.arange(len(gold)), np.asarray(gold)][:, None]).sum(1)


def retrieval(m, tok, paragraphs, questions, gold, bf16=True):
    r = ranks(embed(m, tok, questions, bf16=bf16) @ embed(m, tok, paragraphs, bf16=bf16).T, gold)
    return dict(r1=round(float(np.mean(r < 1)), 3), r10=round(float(np.mean(r < 10)), 3))


def opened(path):
    if path.endswith(".zst"):
        return io.StringIO(subprocess.run(["zstd", "-dc", "--long=27", path], capture_output=True, check=True).stdout.decode())
    return open(path, encoding="utf-8")


def squad_a(folder):
    rows = []
    for a in json.load(opened(os.path.join(folder, "squad-v1.1/dev-v1.1-A.json.zst")))["data"]:
        for p in a["paragraphs"]:
            rows += [(q["question"].strip(), p["context"], [x["text"] for x in q["answers"]]) for q in p["qas"]]
    return rows


def squad_retrieval(m, tok, folder, bf16):
    rows = squad_a(folder)
    paragraphs = list(dict.fromkeys(c for _, c, _ in rows))
    at = {c: i for i, c in enumerate(paragraphs)}
    return dict(retrieval(m, tok, paragraphs, [q for q, _, _ in rows], [at[c] for _, c, _ in rows], bf16),
                questions=len(rows), paragraphs=len(paragraphs))


def scifact(m, tok, folder, bf16):
    """Mean nDCG@10 over the test claims; a document is its title and abstract, cut at 256 tokens."""
    f = os.path.join(folder, "scifact")
    docs = [json.loads(l) for l in opened(f + "/corpus.jsonl.zst")]
    claims = {str(q["_id"]): q["text"] for q in map(json.loads, opened(f + "/queries.jsonl"))}
    judged = {}
    for q, d, s in list(csv.reader(opened(f + "/qrels/test.tsv"), delimiter="\t"))[1:]:
        judged.setdefault(q, {})[d] = int(s)
    names = [str(d["_id"]) for d in docs]
    S = embed(m, tok, [claims[q] for q in judged], bf16=bf16) @ embed(m, tok, [(d["title"] + " " + d["text"]).strip() for d in docs], bf16=bf16).T
    total = 0.0
    for row, gold in zip(S, judged.values()):
        top = [gold.get(names[j], 0) for j in np.argsort(-row)[:10]]
        best = sorted(gold.values(), reverse=True)[:10]
        dcg = lambda g: sum(x / math.log2(i + 2) for i, x in enumerate(g))
        total += dcg(top) / dcg(best)
    return dict(ndcg10=round(total / len(judged), 4), claims=len(judged), documents=len(docs))


def spearman(a, b):
    def rank(x):
        x = np.asarray(x, float)
        values, inverse, n = np.unique(x, return_inverse=True, return_counts=True)
        return (np.cumsum(n) - (n - 1) / 2)[inverse]
    return float(np.corrcoef(rank(a), rank(b))[0, 1])


def stsb(m, tok, folder, bf16):
    rows = list(csv.reader(opened(os.path.join(folder, "stsb/stsb-en-test.csv"))))
    a, b = embed(m, tok, [r[0] for r in rows], bf16=bf16), embed(m, tok, [r[1] for r in rows], bf16=bf16)
    return dict(spearman=round(spearman((a * b).sum(1), [float(r[2]) for r in rows]), 4), pairs=len(rows))


def package(folder):
    """(encoder, reader, tokenizer, alder.json); the reader takes what it lacks from the encoder."""
    from safetensors.torch import load
    from tokenizers import Tokenizer
    import packed
    from model import Alder, from_hf, groups_of
    from rounding import widened
    card = json.load(open(os.path.join(folder, "alder.json")))
    stored = lambda part: widened(load(packed.read(os.path.join(folder, card[part]["weights"]))))
    hf = stored("encoder")
    models = []
    for extra in ({}, stored("reader") if "reader" in card else {}):
        sd = from_hf({**hf, **extra})
        m = Alder(vocab=sd["trunk.w.weight"].shape[0], emb=sd["trunk.w.weight"].shape[1], groups=groups_of(sd))
        m.load_state_dict(sd, strict=False)
        models.append(m)
    tok = Tokenizer.from_str(packed.read(os.path.join(folder, "tokenizer.json")).decode())
    tok.no_padding()
    tok.enable_truncation(card["max_length"])
    return *models, tok, card


def rounded(m):
    """The model with every weight matrix rounded to int8 (one scale per output row), as an int8 package holds it."""
    with torch.no_grad():
        for p in m.parameters():
            if p.ndim == 2:
                scale = p.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
                p.copy_((p / scale).round() * scale)
    return m


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--package", required=True)
    ap.add_argument("--eval", required=True, help="folder with squad-v1.1, scifact, stsb")
    ap.add_argument("--text", help="folder with the unpacked training text, for fill-mask on its held-back articles")
    ap.add_argument("--only", default="squad,retrieval,scifact,stsb,fill")
    ap.add_argument("--sample", type=int, default=0, help="read only so many SQuAD questions (0: all 4,152)")
    ap.add_argument("--bf16", action="store_true", help="twice as fast, differences in the third digit")
    ap.add_argument("--int8", action="store_true", help="round the weights to int8 first")
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    import masked
    import reading
    enc, red, tok, card = package(a.package)
    if a.int8:
        enc, red = rounded(enc), rounded(red)
    asked = squad_a(a.eval)
    if a.sample:
        asked = random.Random(3).sample(asked, a.sample)
    tests = dict(stsb=lambda: stsb(enc, tok, a.eval, a.bf16), retrieval=lambda: squad_retrieval(enc, tok, a.eval, a.bf16),
                 scifact=lambda: scifact(enc, tok, a.eval, a.bf16), fill=lambda: dict(top1=masked.FillMask(tok, a.text, 1000).score(enc)),
                 squad=lambda: dict(reading.span_scores(red, tok, asked, bf16=a.bf16), questions=len(asked)))
    for name, test in tests.items():
        if name in a.only.split(",") and (name != "fill" or "mlm" in card["heads"] and a.text) and (name != "squad" or "span" in card["heads"]):
            t = time.time()
            print(json.dumps({"test": name, **test(), "seconds": round(time.time() - t)}), flush=True)


if __name__ == "__main__":
    main()
