"""Fit the no-answer rule on held-back training articles and write it as JSON for export.py --calibration.

p(answer) = sigmoid((best span - null span - null_bias) / temperature), both spans as sums of start and end logits, the
null span at [CLS]; the model answers when p > 0.5. Each held-back question meets its own paragraph and another
paragraph of the same article that lacks the answer.
"""
import argparse
import json
import random

import torch
from tokenizers import Tokenizer

import data
import reading
import run


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ("model", "tokenizer", "data", "out"):
        ap.add_argument("--" + n, required=True)
    ap.add_argument("--count", type=int, default=300)
    a = ap.parse_args()
    torch.set_num_threads(1)
    tok, m, rng = Tokenizer.from_file(a.tokenizer), run.load_model(a.model), random.Random(7)
    tok.no_padding()
    rows = [r for r in data.questions(a.data, data.SHIFTS[:1], "held") if r[4]]
    by = {}
    for r in rows:
        by.setdefault(r[1], set()).add(r[2])
    items = []
    for _, article, c, q, answers in rng.sample(rows, min(a.count, len(rows))):
        gold = [t for _, t in answers]
        other = [x for x in sorted(by[article]) if not any(g.lower() in x.lower() for g in gold)]
        items.append((q, c, gold))
        if other:
            items.append((q, rng.choice(other), []))
    got = reading.answers(m, tok, [(q, c) for q, c, _ in items])
    d = torch.tensor([s - n for _, s, n in got])
    y = torch.tensor([float(bool(g)) for _, _, g in items])
    bias, log_t = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    opt = torch.optim.LBFGS([bias, log_t], max_iter=100)

    def closure():
        opt.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits((d - bias) / log_t.exp(), y)
        loss.backward()
        return loss

    opt.step(closure)
    right = ((d > bias) == (y > 0.5)).float().mean()
    f = [max(reading.f1(t, g) for g in gold) if gold else 0.0 for (t, _, _), (_, _, gold) in zip(got, items)]
    bias, log_t = bias.detach(), log_t.detach()
    value = dict(null_bias=round(float(bias), 4), temperature=round(float(log_t.exp()), 4))
    json.dump(value, open(a.out, "w"))
    score = sum(x if z > bias else 0.0 for x, z in zip(f, d)) + sum(1.0 for z, g in zip(d, items) if z <= bias and not g[2])
    print(json.dumps(dict(value, answerable=int(y.sum()), unanswerable=int((1 - y).sum()), decisions_right=round(float(right), 3),
                          f1_with_decision=round(100 * score / len(items), 1))))


if __name__ == "__main__":
    main()
