"""A first index of a folder of 10,000 notes, then again while nothing changed, and once with one edit: seconds and ratio.

    python3 benches/folders/resync.py ALDER [NOTES [PARAGRAPHS_OF_EACH]]

The program as a user runs it, its start and the model's loading included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from make import make

alder, notes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
paragraphs = int(sys.argv[3]) if len(sys.argv) > 3 else 4


def index(data, folder):
    before, begun = os.times(), time.monotonic()
    done = subprocess.run([alder, "--data-dir", data, "index", folder, "--json", "--quiet"], capture_output=True, check=True)
    wall, after = time.monotonic() - begun, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, processor, json.loads(done.stdout)["totals"]


with tempfile.TemporaryDirectory() as scratch:
    folder, data = Path(scratch, "notes"), str(Path(scratch, "data"))
    make(folder, notes, paragraphs)
    # What was written a moment ago is read again, since its time may not tell a change.
    time.sleep(3)
    first_wall, first_processor, first = index(data, folder)
    print(f"first: {first_wall:.1f} s, {first_processor:.1f} s of processor, {first['documents']} documents, {first['passages']} passages")
    assert first["documents"] == notes
    for turn in range(3):
        wall, processor, totals = index(data, folder)
        assert totals["files_unchanged"] == notes and totals["files_read"] == 0, totals
        print(f"unchanged: {wall:.2f} s, {processor:.2f} s of processor; ratio {wall / first_wall:.4f}, "
              f"of processor {processor / first_processor:.4f}")
    edited = folder / "000/note-7.md"
    edited.write_text(edited.read_text() + "\nOne sentence more.\n")
    wall, processor, totals = index(data, folder)
    assert totals["files_changed"] == 1 and totals["documents"] == 1, totals
    print(f"one edited: {wall:.2f} s, {processor:.2f} s of processor; ratio {wall / first_wall:.4f}")
