"""Files of a package that lie packed as NAME.gz; `package.rs` of the engine reads them the same way."""
import os
import zlib


def read(path):
    """The content of `path`, from PATH.gz if that is what there is."""
    if os.path.exists(path) or not os.path.exists(path + ".gz"):
        return open(path, "rb").read()
    return zlib.decompress(open(path + ".gz", "rb").read(), 31)


def pack(path, text=False):
    """Replaces `path` by PATH.gz. Rounded weights have no repetitions, only rare and frequent numbers: Huffman's code alone
    comes within 1 % of their entropy, and a search for repetitions costs 10 %."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31, 9, zlib.Z_DEFAULT_STRATEGY if text else zlib.Z_HUFFMAN_ONLY)
    content = open(path, "rb").read()
    with open(path + ".gz", "wb") as f:
        f.write(packer.compress(content) + packer.flush())
    os.remove(path)
