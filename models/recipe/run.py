"""What every training stage shares: arguments, checkpoints, the log, learning rates."""
import json
import os
import time

import torch

from model import Alder, from_hf, groups_of
from rounding import widened


def arguments(parser):
    parser.add_argument("--data", default="data", help="folder with the unpacked training files")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True, help="checkpoint to write (and to resume from)")
    parser.add_argument("--start", help="checkpoint or model.safetensors to start from when there is nothing to resume")
    parser.add_argument("--tokens", type=float, default=4e6, help="tokens to train for; the learning rate falls over them")
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--batch", type=int, default=4096, help="padded tokens in a batch")
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=float, default=300, help="seconds between checkpoints")
    parser.add_argument("--score", type=float, default=400, help="CPU seconds between held-back scores")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser


def weights(text):
    """Numbers by name of "a=1,b=2"."""
    out = {}
    for part in text.split(","):
        k, v = part.split(":" if ":" in part else "=")
        out[int(k) if k.isdigit() else k] = float(v)
    return out


def load_state(path):
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file
        return from_hf(widened(load_file(path)))
    sd = torch.load(path, map_location="cpu")
    return sd.get("model", sd)


def load_model(path, vocab=30000, **shape):
    sd = load_state(path)
    m = Alder(vocab=vocab, emb=sd["trunk.w.weight"].shape[1], groups=groups_of(sd), **shape)
    missing = m.load_state_dict(sd, strict=False).missing_keys
    if missing:
        print("new tensors:", ", ".join(missing), flush=True)
    return m


def optimiser(model, lr, scales):
    """AdamW; `scales`: (name prefix, factor of the learning rate), the first match counts."""
    groups = {}
    for n, p in model.named_parameters():
        if p.requires_grad:
            f = next((f for s, f in scales if n.startswith(s)), 1.0)
            groups.setdefault((f, p.ndim > 1), []).append(p)
    return torch.optim.AdamW([dict(params=ps, factor=f, weight_decay=0.01 if d else 0.0) for (f, d), ps in groups.items()],
                             lr, betas=(0.9, 0.98), fused=True)


class Run:
    """Counts tokens, sets the learning rate, writes checkpoints and log lines."""

    def __init__(self, args, model, opt, warm=0.04):
        self.a, self.m, self.opt, self.warm = args, model, opt, warm
        self.seen, self.step, self.ema = 0, 0, {}
        if os.path.exists(args.out):
            d = torch.load(args.out, map_location="cpu")
            if "opt" in d:
                model.load_state_dict(d["model"])
                opt.load_state_dict(d["opt"])
                self.seen, self.step = d["seen"], d["step"]
                print(f"resumed at {self.seen/1e6:.2f}M tokens", flush=True)
        self.t0 = self.last = time.time()
        self.cpu0 = self.scored = time.process_time()
        self.seen0 = self.seen
        self.rate()

    def rate(self):
        f = self.seen / self.a.tokens
        for g in self.opt.param_groups:
            g["lr"] = self.a.lr * g["factor"] * min(1.0, f / self.warm + 0.01) * max(0.02, 1 - f)

    def update(self, tokens, **parts):
        """A step of the optimiser by the gradients there are."""
        torch.nn.utils.clip_grad_norm_(self.m.parameters(), 1.0)
        self.opt.step()
        self.opt.zero_grad(set_to_none=True)
        self.seen += tokens
        self.step += 1
        for n, x in parts.items():
            x = float(x.detach()) if torch.is_tensor(x) else x
            self.ema[n] = 0.97 * self.ema.get(n, x) + 0.03 * x
        self.rate()

    @property
    def done(self):
        return self.seen >= self.a.tokens

    def due(self):
        return time.time() - self.last > self.a.report

    def report(self, score):
        """A checkpoint and a log line; held-back scores only now and then, by CPU time, for they cost tokens."""
        now, scores = time.time(), {}
        if self.done or time.process_time() - self.scored > self.a.score:
            scores = score()
            self.scored = time.process_time()
        line = dict(seconds=round(now - self.t0), cpu=round(time.process_time() - self.cpu0), tokens=self.seen, step=self.step, clock=time.strftime("%H:%M:%S"),
                    tokens_per_s=round((self.seen - self.seen0) / max(1, now - self.t0)),
                    **{k: round(v, 4) for k, v in self.ema.items()}, **scores)
        print(json.dumps(line), flush=True)
        with open(self.a.out + ".log", "a") as f:
            f.write(json.dumps(line) + "\n")
        torch.save(dict(model=self.m.state_dict(), opt=self.opt.state_dict(), seen=self.seen, step=self.step), self.a.out + ".tmp")
        os.replace(self.a.out + ".tmp", self.a.out)
        self.last = time.time()
