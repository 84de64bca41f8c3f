#!/bin/sh
# Unpack the training files: unpack.sh SOURCE_FOLDER TARGET_FOLDER (names become folder-file).
set -e
mkdir -p "$2"
for f in "$1"/*/*.zst; do
  zstd -q -d --long=27 -f "$f" -o "$2/$(basename "$(dirname "$f")")-$(basename "${f%.zst}")"
done
