"""Span examples of a chosen length: question + window of a passage, short windows first, some without the answer."""
import collections
import random
import re
import string

import torch

import data

QUESTION = 40  # longest question in tokens; longer ones (cloze sentences) are cut


class Text:
    """Token ids of a text with the character span of each token."""
    __slots__ = ("text", "ids", "spans")

    def __init__(self, text, encoding):
        self.text, self.ids, self.spans = text, encoding.ids, encoding.offsets

    def find(self, start, end):
        """First and last token touching characters [start, end)."""
        t = [k for k, (a, b) in enumerate(self.spans) if b > a and a < end and b > start]
        return (t[0], t[-1]) if t else None


class Texts:
    """Text objects without special tokens, each distinct text encoded when first asked for."""

    def __init__(self, tok):
        self.tok, self.known = tok, {}

    def __getitem__(self, text):
        t = self.known.get(text)
        if t is None:
            t = self.known[text] = Text(text, self.tok.encode(text, add_special_tokens=False))
        return t


class Questions:
    """Questions with their passages and answers, ready to be cut to any length."""

    def __init__(self, texts, rows):
        """rows: (article key, passage, question, [(start, answer), ...]); without answers the passage does not answer."""
        self.texts, self.rows, self.near = texts, rows, collections.defaultdict(set)
        for key, c, _, _ in rows:
            self.near[key].add(c)
        self.near = {k: sorted(v) for k, v in self.near.items()}
        self.all = sorted({c for v in self.near.values() for c in v})

    def sample(self, rng):
        """(question ids, passage Text, [spans], another passage that lacks the answer or None)."""
        while True:
            key, c, q, answers = rng.choice(self.rows)
            text = self.texts[c]
            spans = [s for s in (text.find(x, x + len(t)) for x, t in answers) if s]
            if spans or not answers:
                break
        near = self.near[key]
        other = rng.choice(near if len(near) > 2 else self.all)
        if any(t.lower() in other.lower() for _, t in answers):
            other = None
        return self.texts[q].ids[:QUESTION], text, spans, self.texts[other] if other else None


def labelled(texts, folder, files, split="train"):
    return Questions(texts, [((n, a), c, q, s) for n, a, c, q, s in data.questions(folder, files, split) if s])


NAME = re.compile(r"\b(?:[A-Z][\w'-]+(?: (?:of|the|de|and) [A-Z][\w'-]+| [A-Z][\w'-]+)*|\d[\d,.]*\d|\d{2,})")


def clozes(texts, folder, share, rng, most=20000):
    """Cloze questions: a sentence whose name or number also occurs elsewhere in its document, blanked out.

    The passage is the paragraph(s) around the other occurrence; the answer is that occurrence (recurring spans).
    """
    raw = []
    for title, ps in data.documents(folder, ("wikipedia-en-part-*", "openstax-*"), share, seed=3):
        ps = [p for p in ps if len(p) > 200][:30]
        where = collections.defaultdict(list)
        for i, p in enumerate(ps):
            for s in data.sentences(p):
                for m in NAME.finditer(s):
                    if m.start() > 0 and len(m.group()) > 2 and m.group() not in title:
                        where[m.group()].append((i, s, m.start()))
        found = [(n, w) for n, w in where.items() if 2 <= len(w) <= 4]
        for name, w in rng.sample(found, min(6, len(found))):
            (i, s, at), (j, s2, _) = rng.sample(w, 2)
            if s == s2 or not 40 < len(s) < 200:
                continue
            passage = ps[j].replace(s, " ") if i == j else ps[j]
            k = passage.find(name)
            if k >= 0 and passage.count(name) <= 2:
                raw.append((s[:at] + "[MASK]" + s[at + len(name):], passage[max(0, k - 700):k + 700], name, title))
        if len(raw) >= most:
            break
    return Questions(texts, [(t, c, q, [(m.start(), n) for m in re.finditer(re.escape(n), c)]) for q, c, n, t in raw])


class Reader:
    """Makes batches of one length. [CLS] question [SEP] window [SEP]; both targets are 0 when nothing answers."""

    def __init__(self, tok, rng):
        self.rng = rng
        self.cls, self.sep = tok.token_to_id("[CLS]"), tok.token_to_id("[SEP]")

    def window(self, n, room, span):
        """First token of a window of `room` tokens that holds `span`."""
        if n <= room:
            return 0
        low, high = max(0, span[1] - room + 1), min(span[0], n - room)
        return self.rng.randint(min(low, high), max(low, high))

    def batch(self, samples, L, null=0.12):
        B, rng = len(samples), self.rng
        ids, mask, types = (torch.zeros(B, L, dtype=torch.long) for _ in range(3))
        first, last = torch.zeros(B, dtype=torch.long), torch.zeros(B, dtype=torch.long)
        may = torch.zeros(B, L, dtype=torch.bool)
        for b, (q, c, spans, other) in enumerate(samples):
            q = q[:L // 2]
            room, text = L - len(q) - 3, c.ids
            if other is not None and len(text) < 0.6 * room and null:  # fill the window with a text that does not answer
                if rng.random() < 0.5:
                    text = text + other.ids
                else:
                    text, spans = other.ids + text, [(x + len(other.ids), y + len(other.ids)) for x, y in spans]
            span = rng.choice(spans) if spans else None
            at = self.window(len(text), room, span or (rng.randint(0, len(text) - 1),) * 2)
            if spans and rng.random() < null:
                span = None
                if other is not None and rng.random() < 0.5:
                    text, at = other.ids, rng.randint(0, max(0, len(other.ids) - room))
                else:  # a window of the same passage without any answer, when there is one
                    low, high = min(s[0] for s in spans), max(s[1] for s in spans)
                    choices = [x for x in (low - room, high + 1) if x >= 0 and x < len(text) - 8]
                    if choices:
                        at = rng.choice(choices)
                    else:
                        span = rng.choice(spans)
            piece = text[at:at + room]
            row = [self.cls, *q, self.sep, *piece, self.sep]
            n, o = len(row), len(q) + 2
            ids[b, :n], mask[b, :n], types[b, o:n] = torch.tensor(row), 1, 1
            may[b, o:n - 1], may[b, 0] = True, True
            if span:
                f, l = o + span[0] - at, o + span[1] - at
                if o <= f and l < n - 1:
                    first[b], last[b] = f, l
        return ids, mask, types, first, last, may


def normal(s):
    s = "".join(c for c in s.lower() if c not in string.punctuation)
    return " ".join(w for w in s.split() if w not in ("a", "an", "the"))


def f1(p, g):
    p, g = normal(p).split(), normal(g).split()
    common = sum((collections.Counter(p) & collections.Counter(g)).values())
    return float(p == g) if not p or not g else 2 * common / (len(p) + len(g))


def answers(m, tok, items, longest=20, size=16, bf16=True):
    """(best text, its logit sum, the null logit sum) for every (question, passage); passages over 256 tokens in windows."""
    tok.no_truncation()
    rows = []
    for k, (q, c) in enumerate(items):
        qi = tok.encode(q, add_special_tokens=False).ids[:64]
        t = Text(c, tok.encode(c, add_special_tokens=False))
        room, at = 256 - len(qi) - 3, 0
        while True:
            rows.append((k, qi, t, at, min(len(t.ids), at + room)))
            if at + room >= len(t.ids):
                break
            at += room - 64
    rows.sort(key=lambda r: len(r[1]) + r[4] - r[3])
    best = [("", -1e9, -1e9)] * len(items)
    cls, sep = tok.token_to_id("[CLS]"), tok.token_to_id("[SEP]")
    m.eval()
    for i in range(0, len(rows), size):
        part = rows[i:i + size]
        seqs = [[cls, *q, sep, *t.ids[a:b], sep] for _, q, t, a, b in part]
        ids, mask = data.pad(seqs)
        types = torch.zeros_like(ids)
        for j, (_, q, _, _, _) in enumerate(part):
            types[j, len(q) + 2:len(seqs[j])] = 1
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits = m.span(m.trunk(ids, mask, types)).float()
        for j, (k, q, t, a, b) in enumerate(part):
            o = len(q) + 2
            s, e = logits[j, o:o + b - a, 0], logits[j, o:o + b - a, 1]
            table = (s[:, None] + e[None]).masked_fill(~torch.ones(b - a, b - a).triu().tril(longest).bool(), -1e9)
            x = int(table.argmax())
            score, null = float(table.flatten()[x]), float(logits[j, 0].sum())
            if score - null > best[k][1] - best[k][2] or best[k][1] == -1e9:
                best[k] = (t.text[t.spans[a + x // (b - a)][0]:t.spans[a + x % (b - a)][1]].strip(), score, null)
    m.train()
    return best


def span_scores(m, tok, items, **kw):
    """EM and F1 over (question, passage, [gold texts])."""
    got = answers(m, tok, [(q, c) for q, c, _ in items], **kw)
    em = sum(max(normal(a) == normal(g) for g in gold) for (a, _, _), (_, _, gold) in zip(got, items))
    f = sum(max(f1(a, g) for g in gold) for (a, _, _), (_, _, gold) in zip(got, items))
    return dict(em=round(100 * em / len(items), 2), f1=round(100 * f / len(items), 2))


def null_scores(m, tok, items, **kw):
    """How well the null logit tells questions without an answer, items as span_scores() with [] as gold for those.

    auc: how often a question without an answer has the higher null margin of the two; gain: SQuAD 2.0 F1 at the best
    threshold above always answering "none", in points.
    """
    got = answers(m, tok, [(q, c) for q, c, _ in items], **kw)
    rows = sorted((null - s, max((f1(a, g) for g in gold), default=-1.0)) for (a, s, null), (_, _, gold) in zip(got, items))
    none = sum(f < 0 for _, f in rows)
    best = total = 0.0
    above = seen = 0
    for _, f in rows:  # the threshold rises: this question is now answered
        total += f if f >= 0 else -1.0
        best = max(best, total)
        above, seen = above + (seen if f < 0 else 0), seen + (f >= 0)
    return dict(auc=round(above / max(1, none * seen), 3), gain=round(100 * best / len(rows), 2))


def held_back(folder, count=300):
    rows = [r for r in data.questions(folder, data.SHIFTS[:1], "held") if r[4]]
    rows = random.Random(3).sample(rows, min(count, len(rows)))
    return [(q, c, [t for _, t in a]) for _, _, c, q, a in rows]


def held_written(folder, count=300, answered=True):
    """As held_back(), of our own questions that are never trained on; `answered`: only those with an answer."""
    rows = [(q, c, [t for _, t in a]) for _, c, q, a in data.written(folder, "held") if a or not answered]
    return random.Random(3).sample(rows, min(count, len(rows)))
