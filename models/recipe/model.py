"""ALBERT in plain PyTorch: the same maths and tensor names (on export) as Hugging Face's AlbertModel.

Two things differ from a textbook version, both for speed of training on a CPU with bf16:
attention is written with batched products (PyTorch's fused CPU attention has a backward pass that
took half of the whole step), and the residual stream stays in bf16 under autocast.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Layer(nn.Module):
    """One post-LayerNorm transformer layer: (B, T, H) -> (B, T, H)."""

    def __init__(self, hidden, heads, inner):
        super().__init__()
        self.heads = heads
        self.qkv, self.o = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.n1, self.n2 = nn.LayerNorm(hidden, 1e-12), nn.LayerNorm(hidden, 1e-12)
        self.f1, self.f2 = nn.Linear(hidden, inner), nn.Linear(inner, hidden)

    def forward(self, x, bias, drop=0.0):
        B, T, H = x.shape
        d = H // self.heads
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, d).permute(2, 0, 3, 1, 4).unbind(0)
        q, k, v = (a.reshape(B * self.heads, T, d) for a in (q * d ** -0.5, k, v))
        w = torch.bmm(q, k.transpose(1, 2)).view(B, self.heads, T, T) + bias
        w = torch.softmax(w, -1).to(v.dtype).view(B * self.heads, T, T)
        a = torch.bmm(w, v).view(B, self.heads, T, d).transpose(1, 2).reshape(B, T, H)
        x = self.n1(x + F.dropout(self.o(a), drop, drop > 0))
        return self.n2(x + F.dropout(self.f2(F.gelu(self.f1(x), approximate="tanh")), drop, drop > 0))


class Albert(nn.Module):
    """`groups` distinct layers used over `passes` passes (ALBERT's parameter sharing)."""

    def __init__(self, vocab=30000, emb=128, hidden=384, heads=12, inner=1536, passes=6, groups=1):
        super().__init__()
        self.passes, self.groups, self.hidden = passes, groups, hidden
        self.w, self.p, self.t = nn.Embedding(vocab, emb), nn.Embedding(512, emb), nn.Embedding(2, emb)
        self.ln, self.map = nn.LayerNorm(emb, 1e-12), nn.Linear(emb, hidden)
        self.layers = nn.ModuleList(Layer(hidden, heads, inner) for _ in range(groups))
        self.drop = 0.0

    def forward(self, ids, mask, types=None, states=False):
        """Hidden states (B, T, H); with `states`, the list after the embedding and after every pass."""
        T = ids.shape[1]
        t = self.t(types) if types is not None else self.t.weight[0]
        x = self.map(self.ln(self.w(ids) + self.p.weight[:T] + t))
        if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
            x = x.bfloat16()
        bias = torch.zeros(mask.shape, dtype=x.dtype, device=ids.device).masked_fill(mask == 0, -1e4)[:, None, None]
        drop, out = self.drop if self.training else 0.0, [x]
        for i in range(self.passes):
            x = self.layers[i * self.groups // self.passes](x, bias, drop)
            out.append(x)
        return out if states else x


class Alder(nn.Module):
    """A trunk with every head: span, relevance, masked LM, sentence order."""

    def __init__(self, **shape):
        super().__init__()
        self.trunk = Albert(**shape)
        H, (V, E) = self.trunk.hidden, self.trunk.w.weight.shape
        self.span, self.relevance, self.sop = nn.Linear(H, 2), nn.Linear(H, 1), nn.Linear(H, 2)
        self.pool = nn.Linear(H, H)  # ALBERT's pooler, used by the sentence-order head only
        self.mlm, self.mlm_ln, self.mlm_bias = nn.Linear(H, E), nn.LayerNorm(E, 1e-12), nn.Parameter(torch.zeros(V))
        for m in (self.span, self.relevance, self.sop, self.pool, self.mlm):
            nn.init.normal_(m.weight, std=0.02)
            nn.init.zeros_(m.bias)
        nn.init.constant_(self.mlm_ln.weight, 0.05)  # the word table has long rows: begin near uniform logits

    def words(self, h):
        """Masked-LM logits over the vocabulary for the given (few) hidden vectors (N, H)."""
        x = self.mlm_ln(F.gelu(self.mlm(h), approximate="tanh"))
        return F.linear(x, self.trunk.w.weight.to(x.dtype)) + self.mlm_bias

    def order(self, h):
        """Sentence-order logits (B, 2) from hidden states (B, T, H)."""
        return self.sop(torch.tanh(self.pool(h[:, 0])))


def mean_pool(h, mask):
    """Unit-length sentence embeddings from hidden states."""
    h = h.float()
    return F.normalize((h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


PAIRS = (("o", "attention.dense"), ("n1", "attention.LayerNorm"), ("f1", "ffn"), ("f2", "ffn_output"),
         ("n2", "full_layer_layer_norm"))
EMBEDDING = {"w.weight": "embeddings.word_embeddings.weight", "p.weight": "embeddings.position_embeddings.weight",
             "t.weight": "embeddings.token_type_embeddings.weight", "ln.weight": "embeddings.LayerNorm.weight",
             "ln.bias": "embeddings.LayerNorm.bias", "map.weight": "encoder.embedding_hidden_mapping_in.weight",
             "map.bias": "encoder.embedding_hidden_mapping_in.bias"}
HEADS = {"span.": "qa_outputs.", "relevance.": "relevance.", "sop.": "sop_classifier.classifier.",
         "pool.": "albert.pooler.", "mlm.": "predictions.dense.", "mlm_ln.": "predictions.LayerNorm.",
         "mlm_bias": "predictions.bias"}


def to_hf(sd, heads):
    """Our state dict -> Hugging Face names. `heads`: which of span, relevance, sop, mlm to write."""
    o, H = {}, sd["trunk.map.weight"].shape[0]
    for ours, theirs in EMBEDDING.items():
        o["albert." + theirs] = sd["trunk." + ours]
    groups = 1 + max(int(k.split(".")[2]) for k in sd if k.startswith("trunk.layers."))
    for g in range(groups):
        theirs, ours = f"albert.encoder.albert_layer_groups.{g}.albert_layers.0.", f"trunk.layers.{g}."
        for w in ("weight", "bias"):
            for i, n in enumerate(("query", "key", "value")):
                o[theirs + f"attention.{n}.{w}"] = sd[ours + "qkv." + w][i * H:(i + 1) * H]
            for a, b in PAIRS:
                o[theirs + f"{b}.{w}"] = sd[ours + f"{a}.{w}"]
    for ours, theirs in HEADS.items():
        if ours.split("_")[0].strip(".") in heads or ours == "pool." and "sop" in heads:
            o.update({theirs + k[len(ours):]: v for k, v in sd.items() if k.startswith(ours)})
    return {k: v.detach().float().contiguous() for k, v in o.items()}


def from_hf(hf):
    """Hugging Face names -> our state dict (trunk, and the heads that are there)."""
    sd, g = {}, 0
    for ours, theirs in EMBEDDING.items():
        sd["trunk." + ours] = hf["albert." + theirs].float()
    while f"albert.encoder.albert_layer_groups.{g}.albert_layers.0.ffn.weight" in hf:
        theirs, ours = f"albert.encoder.albert_layer_groups.{g}.albert_layers.0.", f"trunk.layers.{g}."
        for w in ("weight", "bias"):
            sd[ours + "qkv." + w] = torch.cat([hf[theirs + f"attention.{n}.{w}"] for n in ("query", "key", "value")]).float()
            for a, b in PAIRS:
                sd[ours + f"{a}.{w}"] = hf[theirs + f"{b}.{w}"].float()
        g += 1
    for ours, theirs in HEADS.items():
        sd.update({ours + k[len(theirs):]: v.float() for k, v in hf.items() if k.startswith(theirs)})
    return sd


def groups_of(sd):
    return 1 + max(int(k.split(".")[2]) for k in sd if k.startswith("trunk.layers."))
