"""Scores of a model: on held-back training data (for selection) and on the judged sets (finished packages only)."""
import numpy as np
import torch

import data
from model import mean_pool


def embed(m, tok, texts, tokens=8192, bf16=True):
    """Unit-length embeddings (N, H) of texts."""
    es = [e.ids for e in tok.encode_batch(texts)]
    order = sorted(range(len(es)), key=lambda i: len(es[i]))
    out, i = np.zeros((len(es), m.trunk.hidden), np.float32), 0
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


def retrieval(m, tok, paragraphs, questions, gold):
    S = embed(m, tok, questions) @ embed(m, tok, paragraphs).T
    r = (S > S[np.arange(len(gold)), gold.numpy()][:, None]).sum(1)
    return dict(r1=round(float(np.mean(r < 1)), 3), r10=round(float(np.mean(r < 10)), 3))
