"""Stage 2: one trunk learns to read while it keeps embedding: tasks mixed step by step.

joint.py --start a6.pt --mix qa=4,cloze=1,mlm=1,distil=2 --lengths 64:3,96:2,128:1 --out j6.pt ...
Tasks: qa (SQuADShifts), extra (QAMR, PolicyQA), asked (questions made by rule), written (our own), cloze (recurring
spans), mlm (masked LM over pairs and sentence order), distil (word and sentence states of the teacher), pairs
(question-passage contrast).
Weights are shares of steps; every step has about --batch tokens of one fixed length.
"""
import argparse
import os
import random

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import asked
import data
import distil
import masked
import reading
import run
from evaluate import retrieval
from model import mean_pool


READING = ("qa", "extra", "asked", "cloze", "written")
WRITTEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "questions/written.jsonl")


def weights(text):
    out = {}
    for part in text.split(","):
        k, v = part.split(":" if ":" in part else "=")
        out[int(k) if k.isdigit() else k] = float(v)
    return out


def draw(rng, w):
    return rng.choices(list(w), list(w.values()))[0]


def span_loss(m, batch):
    ids, mask, types, first, last, may = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = m.trunk(ids, mask, types)
        logits, rel = m.span(h), m.relevance(h[:, 0])[:, 0]
    logits = logits.float().masked_fill(~may[..., None], -1e4)
    right = (logits[..., 0].argmax(1) == first) & (logits[..., 1].argmax(1) == last)
    span = F.cross_entropy(logits[..., 0], first) + F.cross_entropy(logits[..., 1], last)
    return span, F.binary_cross_entropy_with_logits(rel.float(), (first > 0).float()), right.float().mean()


def contrast(m, tok, rows):
    """Questions against the paragraphs of the batch, in both directions."""
    qi, qm = data.pad([e.ids for e in tok.encode_batch([q for q, _ in rows])])
    pi, pm = data.pad([e.ids for e in tok.encode_batch([p for _, p in rows])], 192)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        q, p = mean_pool(m.trunk(qi, qm), qm), mean_pool(m.trunk(pi, pm), pm)
    s, t = q @ p.T * 20, torch.arange(len(rows))
    return (F.cross_entropy(s, t) + F.cross_entropy(s.T, t)) / 2, int(qm.sum() + pm.sum())


class Tasks:
    """One method per task; each does a forward pass and returns (loss, tokens, parts to log)."""

    def __init__(self, a, m, rng):
        self.a, self.m, self.rng, self.mix = a, m, rng, weights(a.mix)
        self.tok = Tokenizer.from_file(a.tokenizer)
        self.tok.no_padding()
        self.tok.no_truncation()
        self.lengths, self.reader = weights(a.lengths), reading.Reader(self.tok, rng)
        known, folder = reading.Texts(self.tok), a.data
        sources = dict(qa=lambda: reading.labelled(known, folder, data.SHIFTS),
                       extra=lambda: reading.labelled(known, folder, data.EXTRA),
                       asked=lambda: reading.Questions(known, [(p, p, q, [(at, t)]) for q, p, at, t in asked.made(folder, a.share, rng)]),
                       written=lambda: reading.Questions(known, [(i, p, q, x) for i, p, q, x in data.written(folder, WRITTEN)]),
                       cloze=lambda: reading.clozes(known, folder, a.share, rng))
        self.sets = {k: f() for k, f in sources.items() if k in self.mix or k == "qa" and "pairs" in self.mix}
        for k, x in self.sets.items():
            print(len(x.rows), k, "questions", flush=True)
        if "mlm" in self.mix:
            self.masked = masked.Masked(self.tok, a.data, a.share, rng)
        if "distil" in self.mix or "pairs" in self.mix:
            self.short = Tokenizer.from_file(a.tokenizer)
            self.short.no_padding()
            self.short.enable_truncation(192)
        if "distil" in self.mix:
            self.tt = Tokenizer.from_file(a.teacher + "/tokenizer.json")
            self.tt.no_padding()
            self.tt.enable_truncation(192)
            self.te = distil.BertModel.from_pretrained(a.teacher, add_pooling_layer=False).eval()
            self.stream, self.ready = distil.texts(a.data, a.share, rng), []
            self.std = distil.spread(self.te, self.tt, next(self.stream))

    def read(self, samples, L, name, **kw):
        b = self.reader.batch(samples, L, **kw)
        span, rel, right = span_loss(self.m, b)
        return span + 0.3 * rel, int(b[1].sum()), {name: span, name + "_hit": right, "rel": rel}

    def read_from(self, name):
        L = 64 if name == "extra" else draw(self.rng, self.lengths)
        return self.read([self.sets[name].sample(self.rng) for _ in range(self.a.batch // L)], L, name)

    def mlm(self):
        L = self.rng.choice((64, 128))
        b = self.masked.batch(self.a.batch // L, L)
        word, order = masked.loss(self.m, b)
        return word + 0.5 * order, int(b[1].sum()), dict(mlm=word, order=order)

    def pairs(self):
        rows = self.rng.sample(self.sets["qa"].rows, 24)
        loss, n = contrast(self.m, self.short, [(q, c) for _, c, q, _ in rows])
        return loss, n, dict(pairs=loss)

    def distil(self):
        if not self.ready:
            chunk = next(self.stream)
            rows = list(zip(chunk, (len(e.ids) for e in self.short.encode_batch(chunk))))
            self.ready = data.batches(rows, lambda x: x[1], self.a.batch, self.rng)
        batch = [x for x, _ in self.ready.pop()]
        _, sentence, kl, layer, n = distil.losses(self.m, self.te, self.tt, self.short, batch, self.std)
        return 2 * layer[-1] + 5 * sentence + kl, n, dict(sentence=sentence, kl=kl, last=layer[-1])

    def step(self):
        name = draw(self.rng, self.mix)
        return self.read_from(name) if name in READING else getattr(self, name)()


def main():
    ap = run.arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    ap.add_argument("--teacher")
    ap.add_argument("--share", type=float, default=0.3, help="share of the documents to read")
    ap.add_argument("--mix", default="qa=4,extra=2,cloze=1,mlm=1,distil=2")
    ap.add_argument("--lengths", default="64:3,96:2,128:1", help="lengths of span examples and their weights")
    ap.add_argument("--layer-rate", type=float, default=1.0, help="factor of the learning rate for the layers")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed + os.getpid())
    m = run.load_model(a.out if os.path.exists(a.out) else a.start)
    t = Tasks(a, m, rng)
    used = ["trunk."] + [h for k, hs in dict(qa=("span.", "relevance."), mlm=("mlm", "sop.", "pool.")).items()
                         for h in hs if k in t.mix or k == "qa" and any(x in t.mix for x in READING)]
    for n, p in m.named_parameters():
        p.requires_grad = n.startswith(tuple(used))
    r = run.Run(a, m, run.optimiser(m, a.lr, (("trunk.layers.", a.layer_rate), ("trunk.", 1.0), ("", 2.0))))
    gate, held = data.retrieval_gate(a.data, 250, 200), reading.held_back(a.data, 120)
    fill = masked.FillMask(t.tok, a.data, 100) if 'mlm' in t.mix else None

    def scores():
        out = retrieval(m, t.tok, *gate)
        if "span." in used:
            out.update(reading.span_scores(m, t.tok, held))
        if fill:
            out["fill"] = fill.score(m)
        return out

    while not r.done:
        loss, n, parts = t.step()
        r.update(loss, n, **parts)
        if r.done or r.due():
            r.report(scores)


if __name__ == "__main__":
    main()
