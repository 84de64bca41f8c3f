"""Hundreds of damaged and hostile files of every format, indexed by the program as a user runs it.

    python3 benches/folders/hostile.py ALDER [COPIES]           # COPIES damaged copies of each good file, 20 by default

It must end by itself, name every file with its fate and reason, find the honest file among them, and keep its memory
within the cap: `CAP_MIB` more than it takes for the good files alone; the processes that read binary files have
their own limit (1 GiB of address space). The files are the same whenever it is run.
"""

import bz2
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

ALDER = sys.argv[1]
COPIES = int(sys.argv[2]) if len(sys.argv) > 2 else 20
CAP_MIB = 256
GOOD = Path(__file__).resolve().parents[2] / "indexer/tests/formats"
MEBIBYTE = 1 << 20


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, "/etc/passwd", len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def pdf(objects):
    """A PDF of these objects, the first its catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%btrailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out))


def stream(content, more=b""):
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), more, content)


def page(content):
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 9 9]/Resources<</Font<</F 5 0 R>>>>>>",
                content, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"])


def pdfs():
    zeros = zlib.compress(b"0 " * (200 * MEBIBYTE), 9)
    yield "bomb.pdf", page(stream(zeros, b"/Filter/FlateDecode"))
    yield "bomb-twice.pdf", page(stream(zlib.compress(zeros, 9), b"/Filter[/FlateDecode/FlateDecode]"))
    yield "huge-length.pdf", page(b"<</Length 99999999999>>stream\nBT\nendstream")
    yield "negative.pdf", page(b"<</Length -5>>stream\nBT\nendstream")
    yield "pages-loop.pdf", pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 9>>"])
    yield "pages-many.pdf", pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[" + b"2 0 R " * 50_000 + b"]/Count 50000>>"])
    yield "deep.pdf", page(b"[" * 100_000)
    yield "deep-dictionaries.pdf", page(b"<</A" * 50_000)
    yield "self-reference.pdf", pdf([b"1 0 R"])
    yield "no-end.pdf", b"%PDF-1.7\n" + b"1 0 obj<</Type/Catalog" * 20_000
    yield "long-text.pdf", page(stream(b"BT/F 9 Tf(" + b"word " * 400_000 + b")Tj ET"))
    yield "wide-predictor.pdf", page(stream(zlib.compress(b"x" * 9), b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647>>"))
    yield "names.pdf", page(stream(b"BT/F 9 Tf" + b"/" + b"n" * 1_000_000 + b" Tj ET"))
    yield "only-head.pdf", b"%PDF-1.4\n"


def parts(kind, content):
    return {"docx": [("[Content_Types].xml", "<Types/>"), ("word/document.xml", content)],
            "pptx": [("[Content_Types].xml", "<Types/>"), ("ppt/presentation.xml", "<p/>"), ("ppt/slides/slide1.xml", content)],
            "xlsx": [("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", content)],
            "odt": [("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content)],
            "ods": [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", content)],
            "epub": [("mimetype", "application/epub+zip"), ("META-INF/container.xml", content)]}[kind]


def offices():
    nested = "".join(f'<!ENTITY {this} "{before * 10}">' for before, this in [(f"&{a};", b) for a, b in zip("abcdefghi", "bcdefghij")])
    entities = f'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">{nested}]><a>&j;</a>'
    outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    for kind in ("docx", "pptx", "xlsx", "odt", "ods", "epub"):
        yield f"entities.{kind}", zipped(parts(kind, entities))
        yield f"outside.{kind}", zipped(parts(kind, outside))
        yield f"deep.{kind}", zipped(parts(kind, "<a>" * 200_000))
        yield f"bomb.{kind}", zipped(parts(kind, "<a>" + " " * (100 * MEBIBYTE)))
        yield f"attributes.{kind}", zipped(parts(kind, "<a " + " ".join(f'b{n}="c"' for n in range(200_000)) + "/>"))
        yield f"no-parts.{kind}", zipped([("nothing.xml", "<a/>")])
        yield f"not-xml.{kind}", zipped(parts(kind, "\\x00\\x01 not XML <<<< &&&&"))
        yield f"text.{kind}", b"This is plain text under another name."
        yield f"empty.{kind}", b""
    repeated = ('<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>'
                '<table:table table:name="a"><table:table-row table:number-rows-repeated="1048576">'
                '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
                "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>")
    yield "repeated.ods", zipped(parts("ods", repeated))
    yield "old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096


def archives():
    zeros = b"0" * (60 * MEBIBYTE)
    bomb = zipped([("a.txt", zeros)])
    yield "flat.zip", zipped([(f"{n}.txt", zeros[:4 * MEBIBYTE]) for n in range(20)])
    yield "nested.zip", zipped([("b.zip", zipped([("c.zip", bomb)]))])
    # Many entries of the directory point at one entry's bytes (Fifield, 2019).
    one = zipped([("a.txt", zeros[:8 * MEBIBYTE])])
    directory = one.index(b"PK\1\2")
    end = one.index(b"PK\5\6")
    entry = one[directory:end]
    many = 3000
    tail = bytearray(one[end:])
    tail[8:10] = tail[10:12] = many.to_bytes(2, "little")
    tail[12:16] = (len(entry) * many).to_bytes(4, "little")
    yield "overlapping.zip", one[:directory] + entry * many + bytes(tail)
    yield "many.zip", zipped([(f"{n}.txt", "") for n in range(60_000)], zipfile.ZIP_STORED)
    yield "names.zip", zipped([("../" * 50 + "etc/passwd", "x"), ("/etc/shadow", "x"), ("a/../../b.txt", "x"), ("C:\\boot.ini", "x"),
                               ("\\\\server\\share.txt", "x"), ("n" * 60_000 + ".txt", "x"), ("a\0b.txt", "x")])
    lying = bytearray(zipped([("a.txt", b"hello " * 100)], zipfile.ZIP_STORED))
    at = lying.index(b"PK\1\2")
    lying[at + 20:at + 28] = b"\xff\xff\xff\x7f" * 2
    yield "lying-size.zip", bytes(lying)
    locked = bytearray(zipped([("a.txt", b"hello " * 100)]))
    locked[6] |= 1
    locked[locked.index(b"PK\1\2") + 8] |= 1
    yield "password.zip", bytes(locked)
    yield "bomb.gz", gzip.compress(zeros, mtime=0)
    yield "bomb.txt.bz2", bz2.compress(zeros)
    yield "bomb.tar.gz", gzip.compress(tarred([("a.txt", tarfile.REGTYPE, zeros)]), mtime=0)
    yield "bomb-bomb.gz", gzip.compress(gzip.compress(zeros, mtime=0), mtime=0)
    yield "many-members.gz", gzip.compress(b"line\n", mtime=0) * 100_000
    kinds = [("../../x.txt", tarfile.REGTYPE), ("/abs.txt", tarfile.REGTYPE), ("link.txt", tarfile.SYMTYPE), ("hard.txt", tarfile.LNKTYPE),
             ("device", tarfile.CHRTYPE), ("pipe", tarfile.FIFOTYPE), ("fine.txt", tarfile.REGTYPE)]
    yield "members.tar", tarred([(name, kind, b"text" if kind == tarfile.REGTYPE else b"") for name, kind in kinds])
    big = bytearray(tarred([("a.txt", tarfile.REGTYPE, b"text")]))
    big[124:136] = b"77777777777\0"
    big[148:156] = b"%06o\0 " % (sum(big[:148]) + 8 * 32 + sum(big[156:512]))
    yield "lying-size.tar", bytes(big)
    yield "deep-names.tar", tarred([("d/" * 100 + f"{n}.txt", tarfile.REGTYPE, b"text") for n in range(500)])
    yield "dump.xml.bz2", bz2.compress(b"<mediawiki xmlns='x'><page><title>A</title><revision><text>" + b"{{" * 2_000_000)
    yield "entities.xml", b"<mediawiki xmlns='x'>" + b"&lol;" * 500_000
    yield "pages.xml.bz2", bz2.compress(b"<mediawiki xmlns='x'>" + b"<page>" * 300_000)


def pages():
    yield "elements.html", b"<p>" * 900_000 + b"x"
    yield "too-many.html", b"<p>" * 1_100_000 + b"x"
    yield "deep.html", b"<div>" * 500_000
    yield "deep-enough.html", b"<div>" * 500 + b"text" * 1000
    yield "formatting.html", b"<b><i><u><a>" * 200 + b"<p>x" * 10_000
    yield "tables.html", b"<table><tr><td>" * 160 + b"x"
    yield "attributes.html", b"<p " + b"".join(b"a%d=b " % n for n in range(300_000)) + b">text"
    yield "one-attribute.html", b'<p class="' + b"nav " * 3_000_000 + b'">text'
    yield "entities.html", b"&amp;" * 250_000
    yield "comment.html", b"<!--" + b"-" * 3_000_000
    yield "script.html", b"<script>" * 100_000 + b"x"
    yield "select.html", b"<select><option>" * 50_000
    yield "svg.html", b"<svg><foreignObject>" * 200 + b"<p>x"
    yield "plaintext.html", b"<plaintext>" + b"<b>" * 100_000
    yield "charset.html", b'<meta charset="utf-16"><p>\xff\xfe text ' * 50
    yield "zalgo.html", ("<p>" + "e" + "\u0301" * 100_000).encode()
    yield "large.html", b"<p>" + b"words and more " * 1_200_000
    yield "links.html", b"<a href=x>y</a> " * 20_000


def texts():
    yield "hundred-megabytes.txt", b"word " * (20 * MEBIBYTE)
    yield "one-word.txt", b"x" * MEBIBYTE
    yield "one-line.txt", b"some words " * 10_000
    yield "marks.txt", ("e" + "\u0301" * 100_000).encode()
    yield "right-to-left.txt", ("\u202e\u2066\u200f\u200b" * 50_000 + "end").encode()
    yield "emoji.txt", "👩‍👩‍👧‍👦".encode() * 20_000
    yield "private.txt", "\ue000\uf8ff\U0010ffff".encode() * 20_000
    yield "replacement.txt", "\ufffd".encode() * 50_000
    yield "newlines.txt", b"\n" * 5_000_000
    yield "returns.txt", b"a\r" * 100_000
    yield "tabs.txt", b"\t" * 2_000_000 + b"end"
    yield "nul.txt", b"a\0" * 100_000
    yield "controls.txt", bytes(range(32)) * 3000
    yield "all-bytes.txt", bytes(range(256)) * 2000
    yield "surrogates.txt", b"\xed\xa0\x80\xed\xb0\x80" * 10_000
    yield "overlong.txt", b"\xc0\xaf\xe0\x80\xaf" * 10_000
    yield "cut-utf8.txt", "für ".encode() * 1000 + b"\xc3"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "iso8859-2", "koi8-r", "cp1251", "shift_jis",
                     "euc-jp", "iso2022_jp", "gb18030", "big5", "euc-kr", "mac-roman", "utf-7", "cp437"):
        sample = {"koi8-r": "Где находится старая мельница?", "cp1251": "Где находится старая мельница?", "iso8859-2": "Żółta gęś śpi źle.",
                  "shift_jis": "古い水車はどこですか。", "euc-jp": "古い水車はどこですか。", "iso2022_jp": "古い水車はどこですか。",
                  "gb18030": "老磨坊在哪里？", "big5": "老磨坊在哪裡？", "euc-kr": "오래된 방앗간은 어디에 있습니까?"}.get(encoding, "Größe und Maß: é, à, ü.")
        yield f"{encoding}.txt", (sample * 40).encode(encoding)
        yield f"{encoding}-cut.txt", (sample * 40).encode(encoding)[:-1]
    yield "lone-surrogate-16.txt", b"\xff\xfe" + b"A\0\0\xd8" * 1000
    yield "odd-16.txt", b"\xff\xfeA\0B"
    for kind, word in (("md", b"> "), ("md", b"* "), ("md", b"["), ("md", b"*a_ `"), ("md", b"|"), ("md", b"#"), ("rst", b"* "), ("rst", b".. x::\n   "),
                       ("tex", b"{"), ("tex", b"\\begin{x}"), ("tex", b"$"), ("tex", b"\\def\\a{\\a\\a}"), ("csv", b'"'), ("csv", b","),
                       ("tsv", b"\t"), ("log", b"ERROR "), ("py", b"("), ("xml", b"<a>"), ("svg", b"<g>"), ("yaml", b"&a [*a,"),
                       ("ini", b"["), ("rtf", b"{\\rtf1 "), ("ps", b"%!PS "), ("ipynb", b'{"cells":[')):
        yield f"many-{word.hex()[:12]}.{kind}", word * 10_000


def records():
    yield "deep.json", b"[" * 1_000_000
    yield "deep-objects.json", b'{"a":' * 200_000
    yield "numbers.json", b"[" + b"1," * 5_000_000 + b"1]"
    yield "exponent.json", b'[{"text": 1e999999999}]'
    yield "long-key.json", b'[{"' + b"k" * 3_000_000 + b'": "v", "text": "t"}]'
    yield "many-keys.json", json.dumps([{f"key{n}": n for n in range(100_000)} | {"text": "t"}]).encode()
    yield "same-id.json", json.dumps([{"id": "same", "text": f"text {n}"} for n in range(3000)]).encode()
    yield "escapes.json", b'[{"text": "' + b"\\ud800" * 100_000 + b'"}]'
    yield "id.jsonl", b"".join(b'{"id": "%s", "text": "x"}\n' % (b"i" * n) for n in (1, 512, 5000, 100_000))
    yield "strange-ids.jsonl", json.dumps({"id": "../../etc", "text": "x"}).encode() + b"\n" + json.dumps({"id": "a\0b\n", "text": "x"}).encode()
    yield "long-line.jsonl", b'{"text": "' + b"x" * (17 * MEBIBYTE) + b'"}\n{"text": "after it"}\n'
    yield "no-lines.jsonl", b"\n" * 1_000_000
    yield "bad-lines.jsonl", b"nonsense\n" * 50_000
    yield "columns.csv", b",".join(b"c%d" % n for n in range(5_000)) + b"\n" + b"x," * 4_999 + b"x\n"
    yield "open-quote.csv", b'id,text\n1,"' + b"x\n" * 50_000
    yield "ragged.csv", b"a,b\n" + b"1\n1,2,3\n" * 500
    yield "boundaries.eml", b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 300_000
    yield "nested.eml", b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000))
    yield "headers.eml", b"".join(b"X-%d: y\n" % n for n in range(100_000)) + b"\ntext\n"
    yield "long-header.eml", b"Subject: " + b"=?utf-8?q?x?= " * 100_000 + b"\n\ntext\n"
    yield "base64.eml", b"Content-Transfer-Encoding: base64\n\n" + b"!!!!" * 100_000
    yield "bomb.eml", (b'Content-Type: application/zip; name="a.zip"\nContent-Disposition: attachment; filename="../../a.zip"\n'
                       b"Content-Transfer-Encoding: base64\n\n" + __import__("base64").encodebytes(zipped([("a.txt", b"0" * (30 * MEBIBYTE))])))
    yield "messages.mbox", b"From a\nSubject: x\n\ntext\n\n" * 5000
    yield "long-line.mbox", b"From a\n" + b"x" * (30 * MEBIBYTE)
    for magic, kind in ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff\xe0", "jpg"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\xfd7zXZ\0", "xz"), (b"\x7fELF", "so"),
                        (b"\x28\xb5\x2f\xfd", "zst"), (b"SQLite format 3\0", "db"), (b"\0asm", "wasm"), (b"OggS", "ogg"), (b"Rar!\x1a\x07", "rar")):
        yield f"binary.{kind}", magic + bytes(1000)
        yield f"binary-{kind}.txt", magic + bytes(1000)
        yield f"binary-{kind}.pdf", magic + bytes(1000)


def damaged(chooser):
    names = sorted(path for path in GOOD.iterdir() if path.name not in ("make.py", "facts.json"))
    for path in names:
        good = path.read_bytes()
        for copy in range(COPIES):
            content = bytearray(good)
            if copy % 4 == 0:
                del content[1 + chooser.randrange(len(content)):]
            elif copy % 4 == 1:
                for _ in range(copy + 1):
                    content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
            elif copy % 4 == 2:
                at = chooser.randrange(len(content))
                content[at:at] = chooser.randbytes(1 + copy * 8)
            else:
                at, end = sorted(chooser.randrange(len(content) + 1) for _ in range(2))
                content[at:end] = content[at:end][::-1]
            yield f"damaged/{copy}-{path.name}", bytes(content)


def place(folder):
    """Writes all of it; returns how many there are."""
    count = 0
    for make in (pdfs(), offices(), archives(), pages(), texts(), records(), damaged(random.Random(1))):
        for name, content in make:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert not path.exists(), name
            path.write_bytes(content)
            count += 1
    (folder / "loop").symlink_to(folder)
    (folder / "passwd.txt").symlink_to("/etc/passwd")
    (folder / "nowhere.txt").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.txt")
    deep = folder.joinpath(*["d"] * 200)
    deep.mkdir(parents=True)
    (deep / "deep.txt").write_text("Deep down.")
    (folder / "honest.txt").write_text("The honest file of Quellmark is found among the others.")
    (folder / os.fsdecode(b"not-unicode-\xff.txt")).write_text("x")
    return count + 7


def peak(process, into):
    """The most memory of a process in KiB, as long as it runs."""
    while process.poll() is None:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            break
        into += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
        time.sleep(0.01)


def index(data, folder):
    begun = time.monotonic()
    process = subprocess.Popen([ALDER, "--data-dir", data, "index", folder, "--json", "--quiet"], stdout=subprocess.PIPE, text=True)
    memory = [0]
    watcher = threading.Thread(target=peak, args=(process, memory))
    watcher.start()
    report = process.stdout.read()
    watcher.join()
    return process.wait(), json.loads(report), max(memory) / 1024, time.monotonic() - begun


def main():
    with tempfile.TemporaryDirectory() as scratch:
        code, good, before, _ = index(f"{scratch}/good-data", GOOD)
        folder = Path(scratch, "files")
        folder.mkdir()
        written = place(folder)
        code, report, after, seconds = index(f"{scratch}/data", folder)
        files = report["files"]
        fates = {}
        unreasoned = []
        for file in files:
            fates[file["fate"]] = fates.get(file["fate"], 0) + 1
            if file["fate"] in ("failed", "skipped") and not file.get("reason"):
                unreasoned.append(file["path"])
        found = subprocess.run([ALDER, "--data-dir", f"{scratch}/data", "search", "honest file Quellmark", "--format", "json", "-n", "1"],
                               capture_output=True, text=True, check=True)
        honest = json.loads(found.stdout)["hits"][0]["document"]
        print(f"{written} files in {seconds:.1f} s, exit code {code}: {fates}; {len(files) - written} unreported or twice, "
              f"{len(unreasoned)} without a reason")
        print(f"memory of the indexing process: {after:.0f} MiB; {before:.0f} MiB for the {len(good['files'])} good files; cap {before + CAP_MIB:.0f} MiB")
        if len(sys.argv) > 3:
            Path(sys.argv[3]).write_text(json.dumps(report, indent=1))
        assert code == 3 and len(files) == written and not unreasoned and honest == "honest.txt"
        assert after <= before + CAP_MIB, "more memory than the cap"


main()
