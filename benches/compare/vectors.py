"""Search the same vectors with Alder, hnswlib (f32), usearch (i8) and hnsw_rs (f32), and print ratios.

    benches/compare/vectors VECTORS [QUERIES.npy]

VECTORS is a two-dimensional f32 .npy file, a vector file of Alder in int8, or the folder of a collection with such
files. Without QUERIES, a thousand of the vectors are taken out and searched for. All sides get the vectors as Alder
stores them (int8 with a scale for each row), as f32 where they take f32; usearch gets the same int8 codes. What is
right is an exact scan of these vectors in f32, computed here.

Each index is built with 16 links and a breadth of construction of 200. For each, the smallest ef with recall@10 of at
least RECALL is sought; then ROUNDS turns of all, one after another, so that other load on the machine meets all alike.
Searches run in one thread pinned to the last processor, all queries in one call, and are timed in processor time;
builds run in THREADS threads, in turns too. Medians are printed. VECTOR_SPEED names a `vector-speed` that is built
already; otherwise cargo builds it.
"""
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hnswlib
import numpy as np
from usearch.index import Index

ROOT = Path(__file__).resolve().parent.parent.parent
TOP, LINKS, EF_CONSTRUCTION = 10, 16, 200
ROUNDS = int(os.environ.get("ROUNDS", 5))
BUILDS = int(os.environ.get("BUILDS", 5))
THREADS = int(os.environ.get("THREADS", 2))
RECALL = float(os.environ.get("RECALL", 0.99))
PROCESSORS = sorted(os.sched_getaffinity(0))


def normalised(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def rounded(rows):
    """Codes and scales as Alder stores them."""
    scales = np.abs(rows).max(axis=1, keepdims=True) / 127
    codes = np.clip(np.round(rows / np.maximum(scales, 1e-30)), -127, 127)
    return codes.astype(np.int8), scales.astype(np.float32)


def vector_file(path):
    """The rows of one of Alder's vector files (engine/src/vector/file.rs has the layout)."""
    data = path.read_bytes()
    assert data[:8] == b"ALDERVEC", f"{path} is not a vector file"
    version, kind, dimensions, rows = struct.unpack_from("<4I", data, 8)
    assert (version, kind) == (1, 1), f"{path}: version {version}, format {kind}; expected 1, 1 (int8)"
    codes = np.frombuffer(data, np.int8, rows * dimensions, 64).reshape(rows, dimensions)
    scales = np.frombuffer(data, np.float32, rows, -(-(64 + rows * dimensions) // 64) * 64)
    return codes.astype(np.float32) * scales[:, None]


def read(path):
    if path.is_dir():
        files = sorted((path / "vectors").glob("*.vec"))
        assert files, f"{path} is not a collection: it has no vectors/*.vec"
        return np.concatenate([vector_file(file) for file in files])
    return np.load(path) if path.suffix == ".npy" else vector_file(path)


def nearest(rows, queries, every=1):
    """Numbers of the nearest rows of each query, exactly."""
    numbers = np.arange(0, len(rows), every)
    found = []
    for part in range(0, len(queries), 100):
        scores = queries[part : part + 100] @ rows[::every].T
        best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
        found.append(numbers[best])
    return np.concatenate(found)


def recall(found, exact):
    return float(np.mean([len(set(f) & set(e)) / TOP for f, e in zip(found.tolist(), exact.tolist())]))


def resident():
    line = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


class Ours:
    """Alder, or hnsw_rs, in `vector-speed`, which does as told on its standard input."""

    def __init__(self, program, side, vectors, queries, folder):
        self.side, self.found, self.count = side, Path(folder) / f"{side}.found", len(queries)
        environment = dict(os.environ, RAYON_NUM_THREADS=str(THREADS))
        files = [Path(folder) / name for name in ("vectors.npy", "queries.npy")]
        self.child = subprocess.Popen([program, *files], env=environment, text=True, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)

    def tell(self, **command):
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def build(self):
        os.sched_setaffinity(self.child.pid, PROCESSORS)
        return self.tell(build=self.side)

    def search(self, ef, queries=None, every=1):
        """What was found, processor seconds of all queries, and of the slowest per cent."""
        os.sched_setaffinity(self.child.pid, PROCESSORS[-1:])
        took = self.tell(search=self.side, ef=ef, queries=queries or self.count, every=every, found=str(self.found))
        return np.fromfile(self.found, np.uint32).reshape(-1, TOP), took["seconds"], took["p99"]


class Peer:
    """An index in this process."""

    def build(self):
        os.sched_setaffinity(0, PROCESSORS)
        self.index = None
        before, wall, processor = resident(), time.time(), time.process_time()
        self.fill()
        return {"wall": time.time() - wall, "processor": time.process_time() - processor, "bytes": resident() - before}

    def search(self, ef):
        os.sched_setaffinity(0, PROCESSORS[-1:])
        start = time.process_time()
        found = self.ask(ef)
        return found, time.process_time() - start, None


class Hnswlib(Peer):
    def __init__(self, vectors, queries):
        self.vectors, self.queries = vectors, queries

    def fill(self):
        self.index = hnswlib.Index("ip", self.vectors.shape[1])
        self.index.init_index(len(self.vectors), M=LINKS, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(self.vectors, num_threads=THREADS)

    def ask(self, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(self.queries, k=TOP, num_threads=1)[0]


class Usearch(Peer):
    """int8 codes on both sides; `more` rows are asked for and rescored in f32, which is not timed."""

    def __init__(self, vectors, queries, more):
        self.vectors, self.queries, self.more = vectors, queries, more
        self.codes, self.query_codes = rounded(vectors)[0], rounded(queries)[0]

    def fill(self):
        self.index = Index(ndim=self.vectors.shape[1], metric="cos", dtype="i8", connectivity=LINKS,
                           expansion_add=EF_CONSTRUCTION)
        self.index.add(np.arange(len(self.codes)), self.codes, threads=THREADS)

    def ask(self, ef):
        self.index.expansion_search = ef
        return self.index.search(self.query_codes, self.more, threads=1).keys

    def search(self, ef):
        found, seconds, _ = super().search(max(ef, self.more))
        if self.more > TOP:
            scores = np.einsum("qd,qrd->qr", self.queries, self.vectors[found.astype(np.int64)])
            found = np.take_along_axis(found, np.argsort(-scores, axis=1)[:, :TOP], axis=1)
        return found, seconds, None


def smallest_ef(side, exact):
    """The smallest ef whose recall is high enough, with that recall; the best there is if none is."""
    found = {}

    def enough(ef):
        if ef not in found:
            found[ef] = recall(side.search(ef)[0], exact)
        return found[ef] >= RECALL

    low, high = TOP, 2 * TOP
    while not enough(high):
        if high > 2000:
            return high, found[high]
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high, found[high]


def program():
    if "VECTOR_SPEED" in os.environ:
        return os.environ["VECTOR_SPEED"]
    # The whole workspace: selecting one package would change features and build the dependencies again.
    subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--bin", "vector-speed"], cwd=ROOT, check=True)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / "vector-speed"


def build(sides):
    """Builds every index BUILDS times in turns, hnsw_rs and usearch once; prints and returns medians."""
    print(f"\nbuild, {THREADS} threads: seconds of processor time, of wall clock; bytes a vector")
    built = {name: [] for name in sides}
    for turn in range(BUILDS):
        for name, side in sides.items():
            if turn == 0 or name in ("Alder", "hnswlib f32"):
                built[name].append(side.build())
    peer = statistics.median(b["processor"] for b in built["hnswlib f32"])
    for name, turns in built.items():
        processor, wall = (statistics.median(b[key] for b in turns) for key in ("processor", "wall"))
        print(f"  {name:14} {processor:8.1f} {wall:8.1f} {turns[0]['bytes'] / sides['hnswlib f32'].vectors.shape[0]:8.0f}"
              f"   {peer / processor:5.2f} x hnswlib, {len(turns)} builds")


def compare(sides, exact):
    chosen = {name: smallest_ef(side, exact) for name, side in sides.items()}
    seconds = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            seconds[name].append(side.search(chosen[name][0])[1])
    rates = {name: len(exact) / statistics.median(times) for name, times in seconds.items()}
    print(f"\nsearch, one thread: queries per second of processor time at recall@{TOP} >= {RECALL}")
    for name, rate in rates.items():
        spread = f"{len(exact) / max(seconds[name]):.0f} to {len(exact) / min(seconds[name]):.0f}"
        short = "" if chosen[name][1] >= RECALL else " (the most it reaches)"
        print(f"  {name:24} {rate:8.0f}  ({spread})  ef {chosen[name][0]}, recall {chosen[name][1]:.4f}{short}"
              f"   Alder {rates['Alder'] / rate:.2f} x")


def compare_filtered(alder, hnsw_rs, vectors, queries):
    count, every = min(200, len(queries)), 100
    exact = nearest(vectors, queries[:count], every)
    print(f"\nsearch with 1 of {every} vectors allowed, {count} queries: milliseconds of the slowest per cent, mean; recall")
    slowest = {}
    for name, side, turns in (("Alder", alder, ROUNDS), ("hnsw_rs", hnsw_rs, 1)):
        results = [side.search(64, count, every) for _ in range(turns)]
        slowest[name] = statistics.median(p99 for _, _, p99 in results)
        mean = statistics.median(seconds for _, seconds, _ in results) / count
        print(f"  {name:14} {1000 * slowest[name]:9.3f} {1000 * mean:9.3f}   {recall(results[0][0], exact):.4f}, {turns} turns")
    print(f"  Alder {slowest['hnsw_rs'] / slowest['Alder']:.0f} x")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    original = normalised(read(Path(sys.argv[1])).astype(np.float32))
    if len(sys.argv) == 3:
        queries = normalised(np.load(sys.argv[2]).astype(np.float32))
    else:
        taken = np.random.default_rng(1).permutation(len(original))[:1000]
        queries, original = original[taken], np.delete(original, taken, axis=0)
    codes, scales = rounded(original)
    vectors = normalised(codes * scales)
    exact = nearest(vectors, queries)
    print(f"{len(vectors)} vectors, {vectors.shape[1]} dimensions, {len(queries)} queries; load {os.getloadavg()[0]:.1f}")
    print(f"recall@{TOP} of int8 rows, exact scan, against the rows in f32: {recall(exact, nearest(original, queries)):.4f}")
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "vectors.npy", vectors)
        np.save(Path(folder) / "queries.npy", queries)
        binary = program()
        sides = {
            "Alder": Ours(binary, "alder", vectors, queries, folder),
            "hnswlib f32": Hnswlib(vectors, queries),
            "usearch i8": Usearch(vectors, queries, TOP),
            "hnsw_rs f32": Ours(binary, "hnsw_rs", vectors, queries, folder),
        }
        build(sides)
        rescored = Usearch(vectors, queries, 3 * TOP)
        rescored.index = sides["usearch i8"].index
        compare(sides | {"usearch i8, rescored": rescored}, exact)
        compare_filtered(sides["Alder"], sides["hnsw_rs f32"], vectors, queries)


if __name__ == "__main__":
    main()
