"""Seconds from the edit of one file until `alder serve --watch` finds its new text, in a folder of many notes.

    python3 benches/folders/watch.py ALDER [NOTES [EDITS]]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from make import make

alder = sys.argv[1]
notes = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
edits = int(sys.argv[3]) if len(sys.argv) > 3 else 20


def get(address, path):
    with urllib.request.urlopen(address + path, timeout=60) as reply:
        return json.load(reply)


with tempfile.TemporaryDirectory() as scratch:
    folder, data = Path(scratch, "notes"), str(Path(scratch, "data"))
    make(folder, notes, 1)
    time.sleep(3)
    subprocess.run([alder, "--data-dir", data, "index", folder, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([alder, "--data-dir", data, "serve", folder, "--watch", "--address", "127.0.0.1:0", "--no-open"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = server.stdout.readline().strip().rstrip("/")
        while get(address, "/v1/status")["indexing"]["state"] != "done":
            time.sleep(0.2)
        waits = []
        for edit in range(edits):
            # What is looked for is in no text before.
            word = "zyx" + "".join(chr(ord("a") + int(digit)) for digit in str(1000 + edit))
            path = folder / f"{edit % (notes // 100):03}" / f"note-{edit % (notes // 100) * 100 + 1}.md"
            text = path.read_text() + f"\nThe {word} is described here.\n"
            path.write_text(text)
            begun = time.monotonic()
            while not any(word in hit["text"] for hit in get(address, f"/v1/search?q={word}&mode=lexical&limit=3")["hits"]):
                assert time.monotonic() - begun < 60, f"{path} was not found"
                time.sleep(0.02)
            waits.append(time.monotonic() - begun)
        waits.sort()
        print(f"{edits} edits among {notes} notes: median {statistics.median(waits):.2f} s, longest {waits[-1]:.2f} s; of 1-minute load {os.getloadavg()[0]:.1f}")
    finally:
        server.terminate()
        server.wait()
