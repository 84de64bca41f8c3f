"""Encode the same texts with Alder and with ONNX Runtime on the same weights, and print the ratio.

One thread each, process CPU time, median of 5 after a warm-up, tokenisation included; texts are the sample collection
in pieces of 126 tokens (batches of 32) and of 14 tokens (one at a time), to which [CLS] and [SEP] come. ONNX Runtime runs
the graph after its own transformer optimiser, in f32 and with dynamic int8. Run by `benches/compare/encode`, which
installs what this needs into a folder of its own.
"""
import glob, json, os, statistics, subprocess, tempfile, time
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from tokenizers import Tokenizer
from transformers import AlbertModel

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "models", "alder-small")


def tokenizer():
    tokenizer = Tokenizer.from_file(os.path.join(PACKAGE, "tokenizer.json"))
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


def export(folder):
    """ONNX files of the package's encoder: f32 optimised, and int8 of the same graph."""
    model = AlbertModel.from_pretrained(PACKAGE, add_pooling_layer=False, attn_implementation="eager").eval().float()

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
    """Median over 5 passes of tokens per second of process CPU time; padding does not count."""
    count = tokenizer()
    tokens = sum(sum(encoding.attention_mask) for batch in data for encoding in count.encode_batch(batch))
    speeds = []
    for round_ in range(6):
        start = time.process_time()
        for batch in data:
            run(batch)
        if round_:
            speeds.append(tokens / (time.process_time() - start))
    return statistics.median(speeds)


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def alder(shapes, kernel):
    """Tokens per second of one of Alder's back ends, measured by its own program on the same texts."""
    environment = dict(os.environ, RAYON_NUM_THREADS="1", **({"ALDER_KERNEL": kernel} if kernel else {}))
    # The whole workspace: selecting one package would change features and build the dependencies again.
    subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--bins"], cwd=ROOT, check=True)
    program = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release", "encode-speed")
    run = subprocess.run([program], check=True, env=environment, input=json.dumps(shapes), text=True,
                         stdout=subprocess.PIPE)
    return json.loads(run.stdout)


def main():
    shapes = {"32x128": batches(128, 32), "1x16": batches(16, 1)}
    rows = alder(shapes, None) | alder(shapes, "candle")
    cut = tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        for name, path in export(folder).items():
            runtime = session(path)

            def run(batch):
                encodings = cut.encode_batch(batch)
                ids, mask = (np.array([getattr(e, n) for e in encodings]) for n in ("ids", "attention_mask"))
                hidden = runtime.run(None, {"input_ids": ids, "attention_mask": mask})[0]
                return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)

            rows[name] = {shape: tokens_per_second(run, data) for shape, data in shapes.items()}
    for shape in shapes:
        base = rows["ONNX Runtime int8"][shape]
        print(f"\n{shape}: tokens/s of one thread, ratio to ONNX Runtime int8")
        for name, speeds in sorted(rows.items(), key=lambda row: -row[1][shape]):
            print(f"  {name:24} {speeds[shape]:10.0f}  {speeds[shape] / base:6.2f}")


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    main()
