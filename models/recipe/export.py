"""Write a package folder: config.json, tokenizer.json.gz, model.safetensors.gz, reader.safetensors, alder.json.

export.py --encoder CKPT [--reader CKPT] --tokenizer tokenizer.json --heads embedding,span --bits 8 --out DIR
Matrices are f16, or rounded to 8 bits with a scale a row, or (layers only) to 4 bits with a scale for 32 numbers.
A checkpoint is a .pt of a stage or a Hugging Face .safetensors. Without --reader the encoder's trunk also reads, and
reader.safetensors holds its heads only. Checks itself against transformers.
"""
import argparse
import hashlib
import json
import os

import torch
from safetensors.torch import save_file

import packed
import run
from model import Albert, groups_of, to_hf
from rounding import rounded


def config(sd, types=2):
    V, E = sd["trunk.w.weight"].shape
    H = sd["trunk.map.weight"].shape[0]
    return dict(architectures=["AlbertModel"], model_type="albert", vocab_size=V, embedding_size=E, hidden_size=H,
                num_hidden_layers=6, num_hidden_groups=groups_of(sd), inner_group_num=1, num_attention_heads=12,
                intermediate_size=4 * H, hidden_act="gelu_new", hidden_dropout_prob=0, attention_probs_dropout_prob=0,
                classifier_dropout_prob=0.1, max_position_embeddings=512, type_vocab_size=types, layer_norm_eps=1e-12,
                pad_token_id=0, bos_token_id=2, eos_token_id=3, torch_dtype="float16")


def tokenizer(path, out):
    """The tokenizer in one line; [MASK] takes the space before it, as in ALBERT, for masks are trained so.

    Logarithms of four decimals cut the same pieces (of 12,000 paragraphs one has a tie) and take half the space."""
    spec = json.loads(packed.read(path))
    spec["model"]["vocab"] = [[piece, round(score, 4)] for piece, score in spec["model"]["vocab"]]
    for token in spec["added_tokens"]:
        if token["content"] == "[MASK]":
            token["lstrip"] = True
    with open(out, "w", encoding="utf-8") as f:
        json.dump(spec, f, ensure_ascii=False, separators=(",", ":"))


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def check(sd, tokenizer, out):
    """Largest difference from transformers' AlbertModel on one question-passage pair."""
    from tokenizers import Tokenizer
    from transformers import AlbertModel
    ours = Albert(emb=sd["trunk.w.weight"].shape[1], groups=groups_of(sd))
    ours.load_state_dict({k[6:]: v.half().float() for k, v in sd.items() if k.startswith("trunk.")})
    theirs = AlbertModel.from_pretrained(out, add_pooling_layer=False, dtype=torch.float32).eval()
    e = Tokenizer.from_file(tokenizer).encode("Who explained the photoelectric effect?", "Albert Einstein explained it in 1905.")
    ids, types = torch.tensor([e.ids]), torch.tensor([e.type_ids])
    mask = torch.ones_like(ids)
    with torch.no_grad():
        theirs = theirs(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
        d = float((ours.eval()(ids, mask, types) - theirs).abs().max())
    print("largest difference from transformers", d)
    assert d < 1e-4


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ("encoder", "tokenizer", "out"):
        ap.add_argument("--" + n, required=True)
    ap.add_argument("--reader")
    ap.add_argument("--heads", default="embedding,span")
    ap.add_argument("--calibration", help="JSON file with null_bias and temperature")
    ap.add_argument("--version", default="0.1.0")
    ap.add_argument("--bits", type=int, default=16, choices=(16, 8, 4))
    ap.add_argument("--coarse", help="as in joint.py, for a checkpoint trained with it")
    a = ap.parse_args()
    coarse = run.weights(a.coarse) if a.coarse else None
    heads = a.heads.split(",")
    os.makedirs(a.out, exist_ok=True)
    enc = run.load_state(a.encoder)
    reading = [h for h in heads if h in ("span", "relevance")]
    model = to_hf(enc, [h for h in heads if h in ("mlm", "sop")])
    save = lambda t, name: save_file(rounded(t, a.bits, coarse), os.path.join(a.out, name), metadata={"format": "pt"})
    save(model, "model.safetensors")
    red = to_hf(run.load_state(a.reader or a.encoder), reading)
    if reading:
        assert a.reader is None or groups_of(run.load_state(a.reader)) == groups_of(enc), "one config.json for both trunks"
        save({k: v for k, v in red.items() if k not in model or not torch.equal(v.half(), model[k].half())}, "reader.safetensors")
    json.dump(config(enc), open(os.path.join(a.out, "config.json"), "w"), indent=1)
    tokenizer(a.tokenizer, os.path.join(a.out, "tokenizer.json"))
    if a.bits == 16:
        check(enc, a.tokenizer, a.out)
    files = ["config.json", "tokenizer.json", "model.safetensors"] + (["reader.safetensors"] if reading else [])
    card = dict(name="alder-small", version=a.version, format=1, max_length=256, pooling="mean",
                encoder=dict(weights="model.safetensors"))
    if reading:
        card["reader"] = dict(weights="reader.safetensors")
    card.update(heads=heads, calibration=json.load(open(a.calibration)) if a.calibration else dict(null_bias=0.0, temperature=1.0),
                sha256={f: digest(os.path.join(a.out, f)) for f in files})
    json.dump(card, open(os.path.join(a.out, "alder.json"), "w"), indent=1)
    if a.bits != 16:
        packed.pack(os.path.join(a.out, "model.safetensors"))
        packed.pack(os.path.join(a.out, "tokenizer.json"), text=True)
    print(sum(os.path.getsize(os.path.join(a.out, f)) for f in os.listdir(a.out)), "bytes")


if __name__ == "__main__":
    main()
