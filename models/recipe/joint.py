"""Stage 2: the student learns from the sentence encoder, the reading teacher and labels: tasks mixed step by step.

joint.py --reader teacher.pt --mix qa=4,written=2,mlm=1,distil=3,embed=2 --lengths 96:2,128:2,192:1 --out student.pt ...
Tasks: qa (SQuADShifts), extra (QAMR, PolicyQA), asked (questions made by rule), written (our own), cloze (recurring
spans), mlm (masked LM over pairs and sentence order), distil (states of the reading teacher, word by word), embed
(sentences of the encoder), pairs (question-passage contrast).
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
import rounding
import run
from evaluate import retrieval
from model import Alder, mean_pool


READING = ("qa", "extra", "asked", "cloze", "written")


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
        self.a, self.m, self.rng, self.mix = a, m, rng, run.weights(a.mix)
        self.tok = Tokenizer.from_file(a.tokenizer)
        self.tok.no_padding()
        self.tok.no_truncation()
        self.lengths, self.reader = run.weights(a.lengths), reading.Reader(self.tok, rng)
        known, folder = reading.Texts(self.tok), a.data
        sources = dict(qa=lambda: reading.labelled(known, folder, data.SHIFTS),
                       extra=lambda: reading.labelled(known, folder, data.EXTRA),
                       asked=lambda: reading.Questions(known, [(p, p, q, [(at, t)]) for q, p, at, t in asked.made(folder, a.share, rng)]),
                       written=lambda: reading.Questions(known, [(i, p, q, x) for i, p, q, x in data.written(folder)]),
                       cloze=lambda: reading.clozes(known, folder, a.share, rng))
        self.sets = {k: f() for k, f in sources.items() if k in self.mix or k == "qa" and "pairs" in self.mix}
        for k, x in self.sets.items():
            print(len(x.rows), k, "questions", flush=True)
        if "mlm" in self.mix:
            self.masked = masked.Masked(self.tok, a.data, a.share, rng)
        if {"distil", "embed", "pairs"} & set(self.mix):
            self.short = Tokenizer.from_file(a.tokenizer)
            self.short.no_padding()
            self.short.enable_truncation(192)
        if {"distil", "embed"} & set(self.mix):
            self.stream, self.ready = distil.texts(a.data, a.share, rng), {"distil": [], "embed": []}
            self.embedder, self.tt = distil.teacher(a.teacher)
            self.states = distil.teacher(a.teacher, a.reader)[0] if a.reader else self.embedder
            self.std = distil.spread(self.states, self.tt, next(self.stream))

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

    def texts(self, task, suits):
        """A batch of texts of similar length for `task`."""
        if not self.ready[task]:
            chunk = [x for x in next(self.stream) if suits(x)]
            rows = list(zip(chunk, (len(e.ids) for e in self.short.encode_batch(chunk))))
            self.ready[task] = data.batches(rows, lambda x: x[1], self.a.batch, self.rng)
        return [x for x, _ in self.ready[task].pop()]

    def distil(self):
        batch = self.texts("distil", lambda x: True)
        word, sentence, kl, layer, n = distil.losses(self.m, self.states, self.tt, self.short, batch, self.std)
        parts = dict(first=layer[0], mid=layer[3], last=layer[-1])
        if self.a.reader:  # sentences are judged by the embedder, in steps of their own
            return 2 * word, n, parts
        return 2 * layer[-1] + 5 * sentence + kl, n, dict(parts, sentence=sentence, kl=kl)

    def embed(self):
        batch = self.texts("embed", lambda x: isinstance(x, str))
        sentence, kl, n = distil.sentence_losses(self.m, self.embedder, self.tt, self.short, batch)
        return 10 * sentence + kl, n, dict(sentence=sentence, kl=kl)

    def step(self):
        name = draw(self.rng, self.mix)
        return self.read_from(name) if name in READING else getattr(self, name)()


def begin(a, rng):
    """A student with one group for each layer of the reading teacher, its embedding table as wide as its states."""
    (te, tt), st = distil.teacher(a.teacher, a.reader), Tokenizer.from_file(a.tokenizer)
    st.no_padding()
    stream = distil.texts(a.data, 0.03, rng)
    m = Alder(vocab=st.get_vocab_size(), groups=6, emb=te.config.hidden_size)
    distil.initialise(m.trunk, te, tt, st, distil.piece_counts(st, [next(stream) for _ in range(12)]))
    heads = {k: v for k, v in run.load_state(a.reader).items() if k.startswith(("span.", "relevance."))}
    m.load_state_dict(heads, strict=False)
    return m


def arguments(doc):
    ap = run.arguments(argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter))
    ap.add_argument("--teacher", help="folder of the sentence encoder")
    ap.add_argument("--reader", help="checkpoint of teach.py: gives the states of `distil`, and the student without --start")
    ap.add_argument("--share", type=float, default=0.3, help="share of the documents to read")
    ap.add_argument("--mix", default="qa=4,extra=2,cloze=1,mlm=1,distil=2")
    ap.add_argument("--lengths", default="64:3,96:2,128:1", help="lengths of span examples and their weights")
    ap.add_argument("--coarse", help="steps of rounded weights, such as layers=0.7,table=0.95; without it they stay exact")
    ap.add_argument("--layer-rate", type=float, default=1.0, help="factor of the learning rate for the layers")
    return ap


def train(a, model):
    """Trains model(rng) as the arguments say."""
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed + os.getpid())
    m = model(rng)
    t = Tasks(a, m, rng)
    used = ["trunk."] + [h for k, hs in dict(qa=("span.", "relevance."), mlm=("mlm", "sop.", "pool.")).items()
                         for h in hs if k in t.mix or k == "qa" and any(x in t.mix for x in READING)]
    for n, p in m.named_parameters():
        p.requires_grad = p.requires_grad and n.startswith(tuple(used))
    layers = ("trunk.layers.", "trunk.bert.")
    r = run.Run(a, m, run.optimiser(m, a.lr, ((layers, a.layer_rate), ("trunk.", 1.0), ("", 2.0))))
    coarse = rounding.Coarse(m, run.weights(a.coarse) if a.coarse else None)
    gate, held, own = data.retrieval_gate(a.data, 250, 200), reading.held_back(a.data, 120), reading.held_written(a.data, 100)
    doubt = reading.held_written(a.data, 400, answered=False)
    fill = masked.FillMask(t.tok, a.data, 100) if 'mlm' in t.mix else None

    def scores():
        with coarse:
            return measured()

    def measured():
        out = retrieval(m, t.tok, *gate)
        if "span." in used:
            out.update(reading.span_scores(m, t.tok, held), own=reading.span_scores(m, t.tok, own)["f1"],
                       **reading.null_scores(m, t.tok, doubt))
        if fill:
            out["fill"] = fill.score(m)
        return out

    while not r.done:
        with coarse:
            loss, n, parts = t.step()
            loss.backward()
        r.update(n, **parts)
        if r.done or r.due():
            r.report(scores)


def student(a, rng):
    """The checkpoint to go on with, or a student made from the reading teacher."""
    at = a.out if os.path.exists(a.out) else a.start
    return run.load_model(at) if at else begin(a, rng)


if __name__ == "__main__":
    arguments_ = arguments(__doc__).parse_args()
    train(arguments_, lambda rng: student(arguments_, rng))
