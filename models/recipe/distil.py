"""Stage 1: distil a BERT-shaped sentence encoder (all-MiniLM-L6-v2) into an ALBERT with its own vocabulary.

Signal: the hidden state of every whitespace word after every pass (both tokenizers agree on words), the sentence
embedding, and the similarities inside the batch. Texts: passages, sentences, titles, questions, and question-passage
pairs, so that the student also copies how the teacher reads two texts at once.
"""
import argparse
import os
import random
import re

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import BertModel

import data
import run
from evaluate import retrieval
from model import Alder, mean_pool


@torch.no_grad()
def initialise(s, te, tt, st, counts):
    """Trunk from the teacher: embedding output reduced by a frequency-weighted SVD, layer i from layer i."""
    e, k = te.embeddings, s.w.weight.shape[1]
    W, P, T = e.word_embeddings.weight, e.position_embeddings.weight, e.token_type_embeddings.weight
    middle, tv = P[8:64].mean(0), tt.get_vocab()
    special = {"[CLS]": "[CLS]", "[SEP]": "[SEP]", "[MASK]": "[MASK]", "<unk>": "[UNK]", "<pad>": "[PAD]"}
    Z = W.mean(0).repeat(len(counts), 1)
    for piece, i in st.get_vocab().items():
        text = piece.replace("\u2581", " ").strip()
        if piece in special:
            Z[i] = W[tv[special[piece]]]
        elif text:
            inside = not piece.startswith("\u2581") and "##" + text in tv
            ids = [tv["##" + text]] if inside else tt.encode(text, add_special_tokens=False).ids
            if ids:
                Z[i] = W[ids].mean(0)
    Y = e.LayerNorm(Z + middle + T[0])  # the teacher's embedding output for every piece of ours
    weight = (counts + 1.0) / (counts + 1.0).sum()
    mean = weight @ Y
    B = torch.linalg.svd((Y - mean) * weight.sqrt()[:, None], full_matrices=False)[2][:k]
    common = Z[counts.topk(2000).indices]
    base = e.LayerNorm(common + middle + T[0]).mean(0)
    s.w.weight.copy_((Y - mean) @ B.T)
    s.p.weight.copy_(torch.stack([(e.LayerNorm(common + p + T[0]).mean(0) - base) @ B.T for p in P]))
    s.t.weight.copy_(torch.stack([(e.LayerNorm(common + middle + t).mean(0) - base) @ B.T for t in T]))
    x = s.w.weight + s.p.weight[16]
    scale = (weight @ x.pow(2).mean(1)).sqrt()
    s.map.weight.copy_(B.T * scale)
    s.map.bias.copy_(mean)
    n = len(te.encoder.layer)
    for i, g in enumerate(s.layers):
        l = te.encoder.layer[int((i + 0.5) * n / s.groups)]
        a = l.attention
        for w in ("weight", "bias"):
            getattr(g.qkv, w).copy_(torch.cat([getattr(x, w) for x in (a.self.query, a.self.key, a.self.value)]))
        for ours, theirs in ((g.o, a.output.dense), (g.n1, a.output.LayerNorm), (g.f1, l.intermediate.dense),
                             (g.f2, l.output.dense), (g.n2, l.output.LayerNorm)):
            ours.load_state_dict(theirs.state_dict())


def texts(folder, share, rng):
    """Endless stream of shuffled chunks of texts; a text is a string or a (question, passage) pair."""
    docs = [(t, [p for p in ps if len(p) >= 60]) for t, ps in data.documents(folder, share=share)]
    docs = [d for d in docs if d[1]]
    asked = data.questions(folder, data.SHIFTS + data.EXTRA)
    print(len(docs), "documents", len(asked), "questions", flush=True)
    while True:
        out = []
        for title, ps in rng.choices(docs, k=400):
            for _ in range(3):
                p, r = rng.choice(ps), rng.random()
                if r < 0.30:
                    out.append(p[:600])
                elif r < 0.35:
                    out.append(title + ". " + p[:400])
                elif r < 0.80:
                    s = data.sentences(p)
                    k = rng.randrange(len(s))
                    out.append(" ".join(s[k:k + rng.choice((1, 1, 2))])[:400])
                elif r < 0.90:
                    s = data.sentences(p)
                    out.append((rng.choice(s)[:200], p[:450]))
                else:
                    out.append(title if r < 0.95 else " ".join(p.split()[:rng.randrange(3, 12)]))
        for _, _, context, question, _ in rng.sample(asked, 400):
            r = rng.random()
            out.append(question if r < 0.6 else (question, context[:500]) if r < 0.9 else context[:600])
        yield [x for x in out if len(x) > 2]


def words(text):
    """Whitespace words of a text or pair as (sequence, first, last + 1)."""
    parts = text if isinstance(text, tuple) else (text,)
    return [(k, *m.span()) for k, x in enumerate(parts) for m in re.finditer(r"\S+", x)]


def word_average(encodings, spans, L):
    """(B, W, L) matrix that averages tokens into words, and which words have tokens."""
    A = np.zeros((len(encodings), max(map(len, spans)), L), np.float32)
    for b, (e, ws) in enumerate(zip(encodings, spans)):
        j = 0
        for t, (k, (start, end)) in enumerate(zip(e.sequence_ids, e.offsets)):
            if k is None or end <= start or t >= L:
                continue
            while j + 1 < len(ws) and ws[j + 1][:2] <= (k, end - 1):
                j += 1
            if ws[j][0] == k and ws[j][1] <= end - 1 < ws[j][2]:
                A[b, j, t] = 1
    A = torch.from_numpy(A)
    n = A.sum(2, keepdim=True)
    return A / n.clamp(min=1), n[..., 0] > 0


def encode(tok, batch):
    """Encodings, ids, mask and token types of texts or pairs."""
    es = tok.encode_batch(batch)
    ids, mask = data.pad([e.ids for e in es])
    return es, ids, mask, data.pad([e.type_ids for e in es], ids.shape[1])[0]


@torch.no_grad()
def spread(te, tt, chunk):
    """Standard deviation of every coordinate of the teacher's states, to weigh all coordinates alike."""
    _, ids, mask, types = encode(tt, [x for x in chunk if isinstance(x, str)][:96])
    hs = te(ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True).hidden_states
    std = [h[mask.bool()].std(0) for h in hs]
    return [s.clamp(min=0.3 * float(s.median())) for s in std]  # the teacher has a few dead coordinates


def piece_counts(st, chunks):
    n = torch.zeros(st.get_vocab_size())
    for c in chunks:
        for e in st.encode_batch(c):
            n.index_add_(0, torch.tensor(e.ids), torch.ones(len(e.ids)))
    return n


def teacher(path, state=None):
    """The teacher and its tokenizer; `state`: a checkpoint of teach.py, whose trunk has learned to read."""
    tt = Tokenizer.from_file(path + "/tokenizer.json")
    tt.no_padding()
    tt.enable_truncation(192)
    te = BertModel.from_pretrained(path, add_pooling_layer=False).eval()
    if state:
        sd = run.load_state(state)
        te.load_state_dict({k[len("trunk.bert."):]: v for k, v in sd.items() if k.startswith("trunk.bert.")})
    return te, tt


def sentence_losses(m, te, tt, st, batch):
    """1 - cosine with the teacher's sentence embeddings, and the divergence of the similarities inside the batch."""
    (_, ti, tm, ty), (_, si, sm, sy) = encode(tt, batch), encode(st, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            zt = mean_pool(te(ti, attention_mask=tm, token_type_ids=ty).last_hidden_state, tm)
        zs = mean_pool(m.trunk(si, sm, sy), sm)
    return 1 - (zt * zs).sum(1).mean(), similarity_loss(zs, zt), int(sm.sum())


def similarity_loss(zs, zt):
    own = torch.eye(len(zs)).bool()
    ours, theirs = ((z @ z.T * 20).masked_fill(own, -1e4) for z in (zs, zt))
    return F.kl_div(F.log_softmax(ours, 1), F.softmax(theirs, 1), reduction="batchmean")


def losses(m, te, tt, st, batch, std):
    spans = [words(x) for x in batch]
    et, ti, tm, ty = encode(tt, batch)
    es, si, sm, sy = encode(st, batch)
    (At, vt), (As, vs) = word_average(et, spans, ti.shape[1]), word_average(es, spans, si.shape[1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            ht = te(ti, attention_mask=tm, token_type_ids=ty, output_hidden_states=True).hidden_states
        hs = m.trunk(si, sm, sy, states=True)
    ok, layer = vt & vs, []
    At, As = At.bfloat16(), As.bfloat16()
    for a, b, s in zip(ht, hs, std):
        d = (torch.bmm(At, a.bfloat16()) - torch.bmm(As, b.bfloat16()))[ok].float() / s
        layer.append(d.pow(2).mean())
    zt, zs = mean_pool(ht[-1], tm), mean_pool(hs[-1], sm)
    sentence = 1 - (zt * zs).sum(1).mean()
    return sum(layer) / len(layer) + layer[-1], sentence, similarity_loss(zs, zt), layer, int(sm.sum())


def main():
    ap = run.arguments(argparse.ArgumentParser(description=__doc__))
    ap.add_argument("--teacher", required=True)
    ap.add_argument("--share", type=float, default=0.3, help="share of the documents to read")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed + os.getpid())
    (te, tt), st = teacher(a.teacher), Tokenizer.from_file(a.tokenizer)
    st.no_padding()
    st.enable_truncation(192)
    gate, stream = data.retrieval_gate(a.data, 250, 200), texts(a.data, a.share, rng)
    std = spread(te, tt, next(stream))
    if a.start:
        m = run.load_model(a.start)
    else:
        m = Alder(vocab=st.get_vocab_size(), groups=a.groups)
        if not os.path.exists(a.out):
            initialise(m.trunk, te, tt, st, piece_counts(st, [next(stream) for _ in range(12)]))
    for n, p in m.named_parameters():
        p.requires_grad = n.startswith("trunk.")
    r = run.Run(a, m, run.optimiser(m, a.lr, (("trunk.layers.", 0.2 if a.groups > 1 else 1.0),)))
    while not r.done:
        chunk = next(stream)
        rows = list(zip(chunk, (len(e.ids) for e in st.encode_batch(chunk))))
        for b in data.batches(rows, lambda x: x[1], a.batch, rng):
            word, sentence, kl, layer, n = losses(m, te, tt, st, [x for x, _ in b], std)
            (word + 5 * sentence + kl).backward()
            r.update(n, word=word, sentence=sentence, kl=kl, first=layer[0], mid=layer[3], last=layer[-1])
            if r.done or r.due():
                r.report(lambda: retrieval(m, st, *gate))
            if r.done:
                break


if __name__ == "__main__":
    main()
