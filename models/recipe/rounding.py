"""Rounded tensors as packages store them; `rounded.rs` of the engine reads the same layout."""
import torch


def round_rows(w, bits, run):
    """Whole numbers and scales (rows, runs) nearest to w; of some clippings of the largest value the best for each run."""
    x, top = w.float().reshape(w.shape[0], -1, run), 2 ** (bits - 1) - 1
    clips = (1.0,) if bits > 4 else (1.0, .95, .9, .85, .8, .75, .7)
    best = None
    for clip in clips:
        s = (x.abs().amax(-1, keepdim=True) * clip / top).half().float().clamp(min=1e-7)
        n = (x / s).round().clamp(-top - 1, top)
        e = ((x - n * s) ** 2).sum(-1, keepdim=True)
        if best is not None:
            n, s, e = (torch.where(e < best[2], new, old) for new, old in zip((n, s, e), best))
        best = n, s, e
    return best[0].reshape(w.shape), best[1].squeeze(-1)


def step(name, w, coarse):
    """Step of each row (rows, 1) of a matrix, in standard deviations of the row: coarse["layers"] for those of the layers,
    coarse["table"] for the rarest words and finer by the fourth root of the rank for the others, 1/4 elsewhere; None: not coarse."""
    if w.ndim < 2 or min(w.shape) < 16:
        return None
    wide = 0.25
    if "layers." in name or ".albert_layer_groups." in name:
        wide = coarse["layers"]
    elif name.endswith(("trunk.w.weight", "word_embeddings.weight")):  # pieces stand in the order of their frequency
        rank = torch.arange(1, w.shape[0] + 1, device=w.device) / w.shape[0]
        wide = coarse["table"] * rank[:, None] ** 0.25
    return (w.float().pow(2).mean(1, keepdim=True).sqrt() * wide).half().float().clamp(min=1e-6)


class Coarse:
    """While entered, the weights of a model are coarsely rounded ones; gradients go to the exact ones (straight-through,
    Bengio et al. 2013). Whole numbers that are mostly 0, 1 and -1 pack well: the steps set the size of the package."""

    def __init__(self, model, coarse):
        self.coarse = coarse
        self.named = [(n, p) for n, p in model.named_parameters() if coarse and p.ndim == 2]

    def __enter__(self):
        self.exact = [p.data for _, p in self.named]
        for n, p in self.named:
            s = step(n, p.data, self.coarse)
            if s is not None:
                p.data = (p.data / s).round_().clamp_(-127, 127).mul_(s)

    def __exit__(self, *_):
        for (_, p), exact in zip(self.named, self.exact):
            p.data = exact


def rounded(tensors, bits, coarse=None):
    """The tensors as a package stores them: matrices rounded (16: not), everything else f16."""
    out = {}
    for k, v in tensors.items():
        s = step(k, v, coarse) if coarse else None
        if s is not None:
            out[k], out[k + ".scale"] = (v.float() / s).round().clamp(-127, 127).to(torch.int8), s.half()
            continue
        four = bits == 4 and ".encoder.albert_layer_groups." in k
        if bits == 16 or v.ndim < 2 or min(v.shape) < 16:
            out[k] = v.half()
            continue
        n, out[k + ".scale"] = round_rows(v, 4 if four else 8, 32 if four else v.shape[1])
        out[k + ".scale"] = out[k + ".scale"].half()
        out[k] = ((n[:, ::2] + 8) + 16 * (n[:, 1::2] + 8)).to(torch.uint8) if four else n.to(torch.int8)
    return out


def widened(tensors):
    """What the engine computes with: the inverse of rounded()."""
    out = {}
    for k, v in tensors.items():
        if k + ".scale" in tensors:
            if v.dtype == torch.uint8:
                v = torch.stack(((v & 15).float() - 8, (v >> 4).float() - 8), -1).flatten(1)
            s = tensors[k + ".scale"].float()
            v = (v.float().view(v.shape[0], s.shape[1], -1) * s[..., None]).view(v.shape)
        if not k.endswith(".scale"):
            out[k] = v.float()
    return out
