"""Mean of the weights of several checkpoints of one run (instead of a decayed learning rate): average.py OUT.pt CKPT..."""
import sys

import torch

import run


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    mean = run.load_state(paths[0])
    mean = {k: v.double() for k, v in mean.items()}
    for p in paths[1:]:
        for k, v in run.load_state(p).items():
            mean[k] += v
    torch.save({k: (v / len(paths)).float() for k, v in mean.items()}, out)


if __name__ == "__main__":
    main()
