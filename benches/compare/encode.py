"""Encode the same texts with Alder and with ONNX Runtime on the same weights, and print the ratio.

One thread each, process CPU time, tokenisation included; median of ROUNDS turns in which all go one after another, so
that other load on the machine meets all alike. Texts are the sample collection in pieces of 126 tokens (batches of 32)
and of 14 tokens (one at a time), to which [CLS] and [SEP] come, and its paragraphs as they are (batches of 32, padded
for ONNX Runtime). ONNX Runtime runs the graph after its own transformer optimiser, in f32 and with dynamic int8. Run by
`benches/compare/encode`, which installs what this needs into a folder of its own.
"""
import glob, json, os, statistics, subprocess, sys, tempfile, time
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from tokenizers import Tokenizer
from safetensors.torch import load
from transformers import AlbertConfig, AlbertModel

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "models", "recipe"))
import packed  # noqa: E402: how packages store their files
from rounding import widened  # noqa: E402: and rounded tensors

PACKAGE = os.path.join(ROOT, "models", "alder-small")
ROUNDS = int(os.environ.get("ROUNDS", 5))
KERNELS = ("amx-int8", "amx", "avx512-int8", "avx512", "avx2-int8", "avx2", "candle")


def tokenizer():
    tokenizer = Tokenizer.from_str(packed.read(os.path.join(PACKAGE, "tokenizer.json")).decode())
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    return tokenizer


def batches(length, size):
    """Batches of `size` texts of about `length` tokens, made from the sample articles."""
    texts, cut = [], tokenizer()
    for path in sorted(glob.glob(os.path.join(ROOT, "datasets", "sample", "articles", "*.md"))):
        article = open(path).read()
        spans = cut.encode(article, add_special_tokens=False).offsets
        starts = [spans[i][0] for i in range(0, len(spans), length - 2)]
        texts += [article[a:b] for a, b in zip(starts, starts[1:])]
    return [texts[i : i + size] for i in range(0, len(texts) - size + 1, size)][: 64 // size]


def paragraphs(size):
    """Batches of `size` paragraphs of the sample articles."""
    texts = []
    for path in sorted(glob.glob(os.path.join(ROOT, "datasets", "sample", "articles", "*.md"))):
        texts += [p for p in open(path).read().split("\n\n") if len(p) > 80]
    return [texts[i : i + size] for i in range(0, len(texts) - size + 1, size)][:4]


def export(folder):
    """ONNX files of the package's encoder: f32 optimised, and int8 of the same graph."""
    model = AlbertModel(AlbertConfig.from_pretrained(PACKAGE, attn_implementation="eager"), add_pooling_layer=False)
    tensors = widened(load(packed.read(os.path.join(PACKAGE, "model.safetensors"))))
    own = {k.removeprefix("albert."): v.float() for k, v in tensors.items() if k.startswith("albert.")}
    missing = [k for k in model.load_state_dict(own, strict=False).missing_keys if not k.endswith("position_ids")]
    assert not missing, missing
    model.eval()

    class Hidden(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    plain, f32, int8 = (os.path.join(folder, n + ".onnx") for n in ("plain", "f32", "int8"))
    ids = torch.ones(2, 16, dtype=torch.long)
    names = {"input_ids": {0: "b", 1: "t"}, "attention_mask": {0: "b", 1: "t"}, "hidden": {0: "b", 1: "t"}}
    torch.onnx.export(Hidden(), (ids, ids), plain, input_names=["input_ids", "attention_mask"],
                      output_names=["hidden"], dynamic_axes=names, opset_version=17, dynamo=False)
    config = model.config
    optimizer.optimize_model(plain, model_type="bert", num_heads=config.num_attention_heads,
                             hidden_size=config.hidden_size).save_model_to_file(f32)
    # The optimiser's fused operators have no shape inference: say what they return.
    quantize_dynamic(f32, int8, weight_type=QuantType.QInt8, per_channel=True,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return {"ONNX Runtime f32": f32, "ONNX Runtime int8": int8}


def tokens_per_second(run, data):
    """Tokens per second of process CPU time over the data, after a warm-up; padding does not count."""
    count = tokenizer()
    tokens = sum(sum(encoding.attention_mask) for batch in data for encoding in count.encode_batch(batch))
    run(data[0])
    start = time.process_time()
    for batch in data:
        run(batch)
    return tokens / (time.process_time() - start)


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def build():
    """Alder's own program for this, which reads texts on stdin."""
    # The whole workspace: selecting one package would change features and build the dependencies again.
    subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--bins"], cwd=ROOT, check=True)
    return os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release", "encode-speed")


def alder(program, shapes, kernel):
    """Tokens per second of one of Alder's back ends by shape; None if the processor lacks it."""
    environment = dict(os.environ, RAYON_NUM_THREADS="1", ALDER_KERNEL=kernel)
    run = subprocess.run([program], env=environment, input=json.dumps(shapes), text=True, capture_output=True)
    if run.returncode:
        print(f"left out: {kernel}: {run.stderr.strip().splitlines()[-1]}")
        return None
    return next(iter(json.loads(run.stdout).values()))


def main():
    shapes = {"32x128": batches(128, 32), "1x16": batches(16, 1), "paragraphs": paragraphs(32)}
    program, cut = build(), tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        peers = {name: session(path) for name, path in export(folder).items()}
    found = {}

    def note(name, speeds):
        for shape, speed in (speeds or {}).items():
            found.setdefault(name, {}).setdefault(shape, []).append(speed)

    def encode(runtime, batch):
        encodings = cut.encode_batch(batch)
        ids, mask = (np.array([getattr(e, n) for e in encodings]) for n in ("ids", "attention_mask"))
        hidden = runtime.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)

    for _ in range(ROUNDS):
        for kernel in KERNELS:
            note(f"Alder {kernel}", alder(program, shapes, kernel))
        for name, runtime in peers.items():
            note(name, {s: tokens_per_second(lambda batch: encode(runtime, batch), data) for s, data in shapes.items()})
    for shape in shapes:
        rows = {name: statistics.median(speeds[shape]) for name, speeds in found.items()}
        print(f"\n{shape}: tokens/s of one thread, ratio to ONNX Runtime int8")
        for name, speed in sorted(rows.items(), key=lambda row: -row[1]):
            print(f"  {name:24} {speed:10.0f}  {speed / rows['ONNX Runtime int8']:6.2f}")


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    main()
