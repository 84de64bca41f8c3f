"""ALBERT's own objectives: masked LM over pairs of segments with n-gram masking, and sentence order."""
import random

import torch
import torch.nn.functional as F

import data


class Masked:
    """Batches of [CLS] A [SEP] B [SEP], A and B consecutive pieces of a document, swapped half of the time."""

    def __init__(self, tok, folder, share, rng):
        self.rng, self.tok = rng, tok
        self.docs = [(t, [p for p in ps if len(p) > 80]) for t, ps in data.documents(folder, share=share, seed=9)]
        self.docs = [d for d in self.docs if d[1]]
        self.cls, self.sep, self.mask = (tok.token_to_id(x) for x in ("[CLS]", "[SEP]", "[MASK]"))
        self.size = tok.get_vocab_size()
        start = [False] * self.size
        for piece, i in tok.get_vocab().items():
            start[i] = piece.startswith("\u2581")
        self.start = start

    def rows(self, count, L):
        """`count` token lists that fill L tokens."""
        room, texts = L - 3, []
        for _ in range(count):
            _, ps = self.rng.choice(self.docs)
            i = self.rng.randrange(len(ps))
            text = " ".join(ps[i:i + 1 + L // 64])
            s = data.sentences(text)
            texts.append(" ".join(s[self.rng.randrange(max(1, len(s) - L // 32)):])[:room * 8])
        out = []
        for e in self.tok.encode_batch(texts, add_special_tokens=False):
            ids = e.ids[:room]
            cut = self.rng.randint(len(ids) // 4, max(len(ids) // 4, 3 * len(ids) // 4))
            while cut < len(ids) and not self.start[ids[cut]]:
                cut += 1
            out.append((ids[:cut], ids[cut:]))
        return out

    def batch(self, count, L, share=0.22):
        """ids, mask, types, flat positions of masked tokens, their words, order label."""
        rng = self.rng
        ids, mask, types = (torch.zeros(count, L, dtype=torch.long) for _ in range(3))
        where, word, order = [], [], torch.zeros(count, dtype=torch.long)
        for b, (x, y) in enumerate(self.rows(count, L)):
            if rng.random() < 0.5:
                x, y, order[b] = y, x, 1
            row = [self.cls, *x, self.sep, *y, self.sep]
            n = len(row)
            types[b, len(x) + 2:n], mask[b, :n] = 1, 1
            heads = [t for t in range(n) if self.start[row[t]]]
            budget, taken = max(1, round(share * n)), set()
            for _ in range(40):
                if len(taken) >= budget or not heads:
                    break
                k, words = rng.randrange(len(heads)), rng.choice((1, 1, 1, 2, 3))
                end = heads[k + words] if k + words < len(heads) else heads[k] + 1
                span = [t for t in range(heads[k], min(end, heads[k] + 6)) if row[t] not in (self.cls, self.sep)]
                taken.update(span)
            for t in sorted(taken):
                where.append(b * L + t)
                word.append(row[t])
                r = rng.random()
                row[t] = self.mask if r < 0.8 else rng.randrange(5, self.size) if r < 0.9 else row[t]
            ids[b, :n] = torch.tensor(row)
        return ids, mask, types, torch.tensor(where), torch.tensor(word), order


def loss(m, batch):
    """Masked-LM and sentence-order losses; only the masked positions meet the vocabulary."""
    ids, mask, types, where, word, order = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = m.trunk(ids, mask, types)
        logits, o = m.words(h.reshape(-1, h.shape[-1])[where]), m.order(h)
    return F.cross_entropy(logits.float(), word), F.cross_entropy(o.float(), order)


class FillMask:
    """Held-back Wikipedia sentences with one whole-piece word masked; top-1 accuracy."""

    def __init__(self, tok, folder, count=300):
        rng, self.rows = random.Random(11), []
        mask, vocab = tok.token_to_id("[MASK]"), tok.get_vocab()
        word = {i for p, i in vocab.items() if p.startswith("\u2581") and p[1:].isalpha() and len(p) > 1}
        tail = {i for p, i in vocab.items() if not p.startswith("\u2581") and p.isalpha()}  # continues a word
        docs = list(data.documents(folder, ("wikipedia-en-part-*",), held=True))
        while len(self.rows) < count:
            p = rng.choice(rng.choice(docs)[1])
            s = [x for x in data.sentences(p) if 60 < len(x) < 300]
            if not s:
                continue
            ids = tok.encode(rng.choice(s)).ids
            at = [t for t in range(1, len(ids) - 2) if ids[t] in word and ids[t + 1] not in tail]
            if at:
                t = rng.choice(at)
                self.rows.append((ids[:t] + [mask] + ids[t + 1:], t, ids[t]))

    def score(self, m, size=32):
        hit = 0
        m.eval()
        rows = sorted(self.rows, key=lambda r: len(r[0]))
        for i in range(0, len(rows), size):
            part = rows[i:i + size]
            ids, mask = data.pad([r[0] for r in part])
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
                h = m.trunk(ids, mask)[range(len(part)), [min(r[1], ids.shape[1] - 1) for r in part]]
                best = m.words(h).argmax(-1)
            hit += sum(int(b) == r[2] for b, r in zip(best, part))
        m.train()
        return round(hit / len(rows), 3)
