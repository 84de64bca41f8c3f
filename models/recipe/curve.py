"""Draw the curves of one or more runs: curve.py OUT.png CKPT.log ... (needs matplotlib)."""
import json
import os
import sys

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

LOSSES = ("word", "sentence", "kl", "qa", "extra", "cloze", "mlm", "order", "pairs", "last")
SCORES = ("r1", "r10", "f1", "em", "fill")


def main():
    out, logs = sys.argv[1], sys.argv[2:]
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 5))
    for path in logs:
        lines, run = [json.loads(x) for x in open(path)], os.path.basename(path).split(".")[0]
        for ax, keys in ((left, LOSSES), (right, SCORES)):
            for k in keys:
                at = [(x["tokens"] / 1e6, x[k] / (100 if k in ("f1", "em") else 1)) for x in lines if k in x]
                if at:
                    ax.plot(*zip(*at), marker=".", label=f"{run} {k}")
    left.set(title="training losses (moving average)", xlabel="million tokens", yscale="log")
    right.set(title="held-back scores", xlabel="million tokens", ylim=(0, 1))
    for ax in (left, right):
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    fig.tight_layout()
    fig.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
