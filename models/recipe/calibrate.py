"""Stage 3: how a package's logits become probabilities, fitted on held-back questions as the engine asks them.

calibrate.py --package ../alder-small --data data        writes "calibration" into alder.json

Every question (held-back articles of SQuADShifts; held-back own questions, a fifth without an answer) is asked of all
their paragraphs and others: the ten best by BM25 and embedding are read, and a question with an answer is asked once
more without its paragraph, counting a quarter. A span gets z = (margin - null_bias) / temperature - retrieval_weight *
(1 - r) + sentence_weight * c + relevance_weight * v, v the relevance logit of its passage (answer.rs); all spans and "no
answer" (z = 0) share a softmax. Fitted by maximum likelihood of the spans that are right; scores are of the half that
was not fitted. Held-back questions without an answer are more than people ask; the packaged null_bias is for a share of
--unanswerable of them (Saerens et al. 2002, eq. 4: the odds of a class change by the ratio of its priors).

A question about one given text (`given`) has a calibration of its own: fitted on held-back questions with their own
paragraph, weighted so that half have no answer, with the probability `shown_from` that gives the best F1 of SQuAD 2.0.
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
import reading

TOP = 10
SPANS = 5
LONGEST = 30  # tokens
LEXICAL_WEIGHT = 0.7  # the engine's default fusion
HIDDEN = 0.25  # weight of a question whose paragraph was taken away


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
    idf = np.log(1 + (len(docs) - (tf > 0).sum(0) + 0.5) / ((tf > 0).sum(0) + 0.5))
    weight = idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / length.mean()))
    return np.stack([weight[:, [vocab[w] for w in set(words(q)) if w in vocab]].sum(1) for q in questions])


def min_max(scores):
    return (scores - scores.min()) / max(scores.max() - scores.min(), 1e-9)


def held_back(folder, each, paragraphs):
    """(paragraphs, [(question, index of its paragraph, gold answers)])"""
    rng = random.Random(11)
    rows = [(q, c, [t for _, t in a]) for _, _, c, q, a in data.questions(folder, data.SHIFTS[:1], "held") if a]
    own = [(q, c, [t for _, t in a]) for _, c, q, a in data.written(folder, "held")]
    rows = rng.sample(rows, min(each, len(rows))) + rng.sample(own, min(each, len(own)))
    others = sorted({r[2] for r in data.questions(folder, data.SHIFTS[:1])} | {c for _, c, _, _ in data.written(folder)})
    pool = sorted({c for _, c, _ in rows})
    pool += rng.sample(others, max(0, paragraphs - len(pool)))
    where = {p: i for i, p in enumerate(pool)}
    rng.shuffle(rows)
    return pool, [(q, where[c], gold) for q, c, gold in rows]


def best_spans(starts, ends):
    """The SPANS best (first, last, logit) none of which overlaps a better one."""
    n = len(starts)
    table = (starts[:, None] + ends[None]).masked_fill(~torch.ones(n, n).triu().tril(LONGEST - 1).bool(), -1e9)
    out = []
    for _ in range(SPANS):
        x = int(table.argmax())
        s, e = divmod(x, n)
        if table[s, e] <= -1e8:
            break
        out.append((s, e, float(table[s, e])))
        table[:e + 1, s:] = -1e9  # every span that touches it
    return out


def read(m, tok, question, passages):
    """For each passage its spans [(text, first character, margin)] and relevance logit; windows of 256 tokens."""
    qi = tok.encode(question, add_special_tokens=False).ids[:64]
    cls, sep = tok.token_to_id("[CLS]"), tok.token_to_id("[SEP]")
    texts = [reading.Text(p, tok.encode(p, add_special_tokens=False)) for p in passages]
    seqs = [[cls, *qi, sep, *t.ids[:256 - len(qi) - 3], sep] for t in texts]
    ids, mask = data.pad(seqs)
    types, o = torch.zeros_like(ids), len(qi) + 2
    for b, s in enumerate(seqs):
        types[b, o:len(s)] = 1
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        h = m.trunk(ids, mask, types)
        logits, rel = m.span(h).float(), m.relevance(h[:, 0])[:, 0].float()
    out = []
    for b, (t, s) in enumerate(zip(texts, seqs)):
        null, n = float(logits[b, 0].sum()), len(s) - 1
        spans = best_spans(logits[b, o:n, 0], logits[b, o:n, 1])
        out.append(([(t.text[t.spans[i][0]:t.spans[j][1]].strip(), t.spans[i][0], z - null) for i, j, z in spans], float(rel[b])))
    return out


def sentence_at(sentences, text, at):
    """Index of the sentence of `text` that holds character `at`."""
    place = 0
    for k, s in enumerate(sentences):
        place = text.index(s, place) + len(s)
        if at < place:
            return k
    return len(sentences) - 1


def features(encoder, reader, tok, pool, rows):
    """For each question, with and without its paragraph: margins, retrieval scores, sentence cosines, relevance logits,
    which spans are right; and relevance logits, retrieval scores and which passage is the question's own."""
    parts = [data.sentences(p) for p in pool]
    first = np.cumsum([0] + [len(p) for p in parts])
    p, s, q = (evaluate.embed(encoder, tok, x) for x in (pool, [s for x in parts for s in x], [r[0] for r in rows]))
    tok.no_truncation()
    lexical = bm25(pool, [r[0] for r in rows])
    for (question, own, gold), e, words in zip(rows, q, lexical):
        dense = p @ e
        for hidden in (False, True)[:2 if gold else 1]:
            kept = np.array([i for i in range(len(pool)) if not (hidden and i == own)])
            fused = np.zeros(len(pool))
            for x, w in ((words, LEXICAL_WEIGHT), (dense, 1 - LEXICAL_WEIGHT)):
                best = kept[np.argsort(-x[kept])[:100]]
                fused[best] += w * min_max(x[best])
            top = kept[np.argsort(-fused[kept])[:TOP]]
            found = read(reader, tok, question, [pool[i] for i in top])
            spans, hits = [], []
            for i, (candidates, relevance) in zip(top, found):
                r = fused[i] / fused.max()
                hits.append((relevance, r, i == own))
                for text, at, margin in candidates:
                    c = float(s[first[i] + sentence_at(parts[i], pool[i], at)] @ e)
                    f1 = max((reading.f1(text, g) for g in gold), default=0.0) if i == own else 0.0
                    spans.append((margin, r, c, relevance, f1, text))
            yield spans, hits, bool(gold) and not hidden, HIDDEN if hidden else 1.0


def given(encoder, reader, tok, folder):
    """As features(), of every held-back question and its own paragraph alone; half of the weight has no answer."""
    rows = [(q, c, [t for _, t in a]) for _, _, c, q, a in data.questions(folder, data.SHIFTS[:1], "held") if a]
    own = [(q, c, [t for _, t in a]) for _, c, q, a in data.written(folder, "held")]
    rng = random.Random(12)
    rows = own + rng.sample(rows, min(len(own), len(rows)))
    rng.shuffle(rows)
    none = sum(not gold for _, _, gold in rows) / len(rows)
    tok.enable_truncation(256)
    questions = evaluate.embed(encoder, tok, [q for q, _, _ in rows])
    parts = [data.sentences(c) for _, c, _ in rows]
    first = np.cumsum([0] + [len(p) for p in parts])
    sentences = evaluate.embed(encoder, tok, [s for x in parts for s in x])
    tok.no_truncation()
    for k, (question, context, gold) in enumerate(rows):
        (candidates, relevance), = read(reader, tok, question, [context])
        spans = []
        for text, at, margin in candidates:
            c = float(sentences[first[k] + sentence_at(parts[k], context, at)] @ questions[k])
            spans.append((margin, 1.0, c, relevance, max((reading.f1(text, g) for g in gold), default=0.0), text))
        yield spans, [], bool(gold), 0.5 / (1 - none) if gold else 0.5 / none


def z_of(v, spans):
    margin, r, c, relevance = (torch.tensor([x[k] for x in spans], dtype=torch.float32) for k in range(4))
    return (margin - v[0]) / v[1].exp() - v[2].exp() * (1 - r) + v[3] * c + v[4] * relevance


def fit(rows):
    v = [torch.tensor(x, requires_grad=True) for x in (0.0, 1.0, 0.0, 0.0, 0.0)]
    opt = torch.optim.LBFGS(v, max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = torch.zeros(())
        for spans, _, _, weight in rows:
            z = torch.cat([torch.zeros(1), z_of(v, spans)])
            right = torch.tensor([x[4] > 0.5 for x in spans])
            target = torch.cat([torch.tensor([not right.any()]), right])
            loss = loss - weight * (torch.logsumexp(z[target], 0) - torch.logsumexp(z, 0))
        loss = loss / len(rows)
        loss.backward()
        return loss

    opt.step(closure)
    return [x.detach() for x in v]


def prior_shift(rows, share):
    """What every z gains when `share` of the questions asked have no answer instead of as many as in `rows`."""
    answerable = sum(has for _, _, has, _ in rows)
    had = answerable / sum(weight for _, _, has, weight in rows if not has)
    return float(np.log((1 - share) / (share + HIDDEN * (1 - share)) / had))


def best_answers(rows, v):
    """(probability, F1, answerable, weight) of every best answer, equal texts merged, as the engine gives it."""
    got = []
    for spans, _, answerable, weight in rows:
        p = torch.cat([torch.zeros(1), z_of(v, spans)]).softmax(0)[1:]
        merged = {}
        for x, (*_, f1, text) in zip(p, spans):
            key = reading.normal(text)
            old = merged.get(key, (0.0, 0.0))
            merged[key] = (old[0] + float(x), max(old[1], f1))
        got.append((*max(merged.values(), default=(0.0, 0.0)), answerable, weight))
    return (np.array(x, dtype=float) for x in zip(*got))


def declining(rows, v):
    """The probability from which an answer is worth giving, and the F1 of SQuAD 2.0 above always declining, in points."""
    P, F, A, W = best_answers(rows, v)
    order = np.argsort(-P)
    gain = np.cumsum((W * np.where(A > 0, F, -1))[order]) / W.sum()
    best = int(gain.argmax())
    return float(P[order][best]), round(100 * float(gain[best]), 2)


def gain_at(rows, v, t):
    P, F, A, W = best_answers(rows, v)
    return round(100 * float((W * np.where(A > 0, F, -1))[P >= t].sum() / W.sum()), 2)


def report(rows, v):
    """Shares over the answers as the engine gives them."""
    P, F, A, W = best_answers(rows, v)
    R = (F > 0.5).astype(float)
    order = np.argsort(-P)
    accuracy = np.cumsum((R * W)[order]) / np.cumsum(W[order])
    covered = np.cumsum(W[order]) / W.sum()
    bins = np.minimum((P * 15).astype(int), 14)
    ece = sum(abs((R * W)[bins == b].sum() - (P * W)[bins == b].sum()) for b in range(15)) / W.sum()
    asked = A > 0
    at = lambda t: dict(shown=round(float(W[P >= t].sum() / W.sum()), 3), right=round(float((R * W)[P >= t].sum() / max(W[P >= t].sum(), 1e-9)), 3))
    return dict(questions=len(P), best_right_of_answerable=round(float(R[asked].mean()), 3), ece=round(float(ece), 3),
                coverage_at_80=round(float(max(covered[accuracy >= 0.8], default=0)), 3), **{f"from_{t}": at(t) for t in (0.25, 0.35, 0.5, 0.7)})


def rerank(rows):
    """Mean reciprocal rank of the own passage, and its standard error, for weights of the relevance head."""
    out = {}
    for w in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7):
        ranks = []
        for _, hits, answerable, _ in rows:
            if answerable and any(own for _, _, own in hits):
                score = [(1 - w) * r + w / (1 + np.exp(-x)) for x, r, _ in hits]
                mine = score[[own for _, _, own in hits].index(True)]
                ranks.append(1 / (1 + sum(x > mine for x in score)))
        out[w] = round(float(np.mean(ranks)), 4), round(float(np.std(ranks) / len(ranks) ** 0.5), 4)
    return out


def cautious(mrr):
    """The smallest weight within one standard error of the best: not every query is a question."""
    best, error = max(mrr.values())
    return min(w for w, (mean, _) in mrr.items() if mean >= best - error)


def numbers(v):
    value = dict(null_bias=v[0], temperature=v[1].exp(), retrieval_weight=v[2].exp(), sentence_weight=v[3], relevance_weight=v[4])
    return {k: round(float(x), 4) for k, x in value.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ("package", "data"):
        ap.add_argument("--" + n, required=True)
    ap.add_argument("--each", type=int, default=400, help="questions of each source")
    ap.add_argument("--paragraphs", type=int, default=1500)
    ap.add_argument("--unanswerable", type=float, default=0.1, help="share of questions without an answer to expect")
    a = ap.parse_args()
    torch.set_num_threads(1)
    encoder, reader, tok, card = evaluate.package(a.package)
    encoder.eval(), reader.eval()
    pool, questions = held_back(a.data, a.each, a.paragraphs)
    rows = list(features(encoder, reader, tok, pool, questions))
    middle = len(rows) // 2
    print("other half", json.dumps(report(rows[middle:], fit(rows[:middle]))), flush=True)
    v = fit(rows)
    mrr = rerank(rows)
    print("all", json.dumps(report(rows, v)), "rerank", mrr)
    v[0] = v[0] - prior_shift(rows, a.unanswerable) * v[1].exp()
    card["calibration"] = dict(numbers(v), rerank_weight=cautious(mrr))
    rows = list(given(encoder, reader, tok, a.data))
    middle = len(rows) // 2
    half = fit(rows[:middle])
    at, best = declining(rows[:middle], half)
    print("given, other half", json.dumps(report(rows[middle:], half)), "from", round(at, 3), "gain", gain_at(rows[middle:], half, at),
          "of", declining(rows[middle:], half)[1])
    v = fit(rows)
    card["calibration_given"] = dict(numbers(v), retrieval_weight=0.0, shown_from=round(declining(rows, v)[0], 3))
    json.dump(card, open(os.path.join(a.package, "alder.json"), "w"), indent=1)
    print(json.dumps(card["calibration"]), json.dumps(card["calibration_given"]))


if __name__ == "__main__":
    main()
