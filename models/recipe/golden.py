"""Golden numbers of a package by PyTorch in f32, for the engine's tests: answers to the first 50 answerable questions of
the sample collection on their paragraph, and cosines of a few sentences.

golden.py ../alder-small ../../datasets/sample/squad.json ../../engine/tests/fixtures/alder-small.json
"""
import json
import sys

import torch

import evaluate
import reading

SENTENCES = ["The river floods the valley every spring.", "Each spring the valley is flooded by the river.",
             "Interest rates were raised by the central bank.", "Who painted the ceiling?", "Bees",
             "Michelangelo painted the ceiling of the chapel between 1508 and 1512.", "A telescope gathers light with a mirror."]


def main():
    package, squad, out = sys.argv[1:]
    torch.set_num_threads(1)
    encoder, reader, tok, _ = evaluate.package(package)
    rows = [(q["id"], q["question"], p["context"]) for a in json.load(open(squad))["data"] for p in a["paragraphs"]
            for q in p["qas"] if not q.get("is_impossible")][:50]
    vectors = evaluate.embed(encoder, tok, SENTENCES, bf16=False)
    got = reading.answers(reader, tok, [(q, c) for _, q, c in rows], longest=30, bf16=False)
    golden = dict(answers={i: text for (i, _, _), (text, _, _) in zip(rows, got)}, sentences=SENTENCES,
                  cosines=[[round(float(x), 5) for x in row] for row in vectors @ vectors.T])
    json.dump(golden, open(out, "w"), indent=1, ensure_ascii=False)
    print(len(rows), "answers")


if __name__ == "__main__":
    main()
