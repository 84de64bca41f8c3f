"""Stage 0: a 30,000-piece Unigram vocabulary with ALBERT's normalisation: vocabulary.py OUT.json WIKI.jsonl..."""
import random
import sys

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import data


def lines(paths):
    rng = random.Random(0)
    for path in paths:
        for d in data.jsonl(path):
            for p in d["text"].split("\n"):
                if len(p) > 40 and rng.random() < 0.5:
                    yield p[:2000]


def main():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
        normalizers.Lowercase(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer, t.decoder = pre_tokenizers.Metaspace(prepend_scheme="always"), decoders.Metaspace()
    t.train_from_iterator(lines(sys.argv[2:]), trainers.UnigramTrainer(
        vocab_size=30000, unk_token="<unk>", max_piece_length=16,
        special_tokens=["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    t.save(sys.argv[1])


if __name__ == "__main__":
    main()
