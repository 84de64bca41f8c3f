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


def rounded(tensors, bits):
    """The tensors as a package stores them: matrices rounded (16: not), everything else f16."""
    out = {}
    for k, v in tensors.items():
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
