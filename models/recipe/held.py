"""Held-back scores of checkpoints or package weights, on the same questions: held.py DATA TOKENIZER CKPT..."""
import sys

import torch
from tokenizers import Tokenizer

import data
import reading
import run
from evaluate import retrieval


def main():
    folder, tokenizer, *paths = sys.argv[1:]
    torch.set_num_threads(1)
    tok = Tokenizer.from_file(tokenizer)
    tok.no_padding()
    gate, held = data.retrieval_gate(folder, 250, 200), reading.held_back(folder, 120)
    for path in paths:
        m = run.load_model(path)
        print(path, retrieval(m, tok, *gate), reading.span_scores(m, tok, held), flush=True)


if __name__ == "__main__":
    main()
