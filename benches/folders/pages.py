"""Main text of real HTML pages: documentation packages of seventeen makers of pages, beside trafilatura and readability.

    benches/folders/pages [PAGES_OF_EACH [NAME]]

Where the text of a page is, and what stands around it, is known for each maker from its own class names: that is the
measure, and no extractor sees it as such. Of every page two things are asked:
- body kept: every paragraph, item and listing of the body (of eight words or more) is in the extracted text. One is
  there when nine tenths of its runs of five words are.
- clean: of the runs of three words that stand only in navigation and footers, at most one in fifty is in it.
"""

import json
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lxml.html

ROOT, ALDER = Path(sys.argv[1]), sys.argv[2]
EACH = int(sys.argv[3]) if len(sys.argv) > 3 else 40
ONLY = sys.argv[4] if len(sys.argv) > 4 else ""
SHOW = int(os.environ.get("SHOW", "0"))

# Name: pages, where the body is, what in it is neither, what stands around it (CSS-like names, see `find`).
SETS = {
    "Sphinx, Python": ("usr/share/doc/python3.11/html/*/*.html", "div.body", "div.contents nav.contents", "div.related div.sphinxsidebar div.footer"),
    "Sphinx, Django": ("usr/share/doc/python-django-doc/html/*/*.html", "div.yui-g", "div.contents", "div.nav #hd #ft #sidebar"),
    "Sphinx, CMake": ("usr/share/doc/cmake-data/html/*/*.html", "div.body", "div.contents nav.contents", "div.related div.sphinxsidebar div.footer"),
    "AsciiDoc, Git": ("usr/share/doc/git-doc/**/*.html", "#content", "#toc", "#footer-text"),
    "DocBook, PostgreSQL": ("usr/share/doc/postgresql-doc-15/html/*.html", "body", "div.toc div.navheader div.navfooter", "div.navheader div.navfooter"),
    "SQLite": ("usr/share/doc/sqlite3/**/*.html", "body", "div.nosearch div.searchmenu div.fancy_toc script", "div.mainmenu div.submenu div.searchmenu"),
    "Apache": ("usr/share/doc/apache2-doc/manual/en/**/*.html", "#page-content", "#quickview div.toplang div.bottomlang div.top #comments_section script", "#page-header div.up #path #footer div.toplang div.bottomlang"),
    "texinfo, zsh": ("usr/share/doc/zsh-common/html/*.html", "body", "table.header table.menu font", "table.header"),
    "texinfo, Maxima": ("usr/share/doc/maxima-doc/html/*.html", "body", "div.header table.menu ul.section-toc", "div.header"),
    "Javadoc": ("usr/share/doc/openjdk-17-jre-headless/api/java.base/java/*/*.html", "main", "section.summary div.inheritance", "header footer"),
    "gtk-doc": ("usr/share/gtk-doc/html/gtk3/*.html", "div.refentry div.chapter", "div.toc div.object-hierarchy", "table.navigation div.footer"),
    "QDoc": ("usr/share/qt5/doc/*/*.html", "div.mainContent", "div.sidebar", "div.navigationbar div.footer"),
    "Doxygen": ("usr/share/doc/libeigen3-dev/html/*.html", "div.contents", "div.toc div.dynheader div.dyncontent", "#titlearea #main-nav #nav-path #side-nav"),
    "Erlang": ("usr/share/doc/erlang-doc/lib/*/doc/html/*.html", "article", "nav", "#leftnav div.topbar div.footer"),
    "Node.js": ("usr/share/doc/nodejs/api/*.html", "#apicontent", "#toc details", "#column2 #gtoc"),
    "mdBook": ("rust/html/book/*.html rust/html/cargo/**/*.html rust/html/reference/**/*.html", "main", "script", "#mdbook-help-container #mdbook-sidebar #mdbook-menu-bar #mdbook-search-wrapper nav"),
    "rustdoc": ("rust/html/std/*/*.html rust/html/core/*/*.html", "#main-content", "div.sub-heading rustdoc-toolbar", "nav.sidebar"),
}
WORD = re.compile(r"\w+")


def matches(node, name):
    if not isinstance(node.tag, str):
        return False
    if name.startswith("#"):
        return node.get("id") == name[1:]
    tag, _, kind = name.partition(".")
    return node.tag == tag and (not kind or kind in (node.get("class") or "").split())


def find(tree, names):
    """The outermost elements that one of `names` names: `tag`, `tag.class` or `#id`."""
    return [node for node in tree.iter() if any(matches(node, name) for name in names.split())]


def words(node, without=frozenset()):
    """The words of `node` in order, without the elements in `without`."""
    out = []

    def walk(node):
        if node in without or not isinstance(node.tag, str) or node.tag in ("script", "style", "head", "template", "noscript", "button"):
            return
        out.append(node.text or "")
        for child in node:
            walk(child)
            out.append(child.tail or "")
        if node.tag not in INLINE:
            out.append(" ")

    walk(node)
    return [word.lower() for word in WORD.findall("".join(out))]


INLINE = set("a abbr b bdi big cite code del dfn em font i ins kbd mark q s samp small span strong sub sup tt u var wbr".split())


def runs(found, length):
    return {tuple(found[i:i + length]) for i in range(len(found) - length + 1)}


def truth(source, body, neither, around):
    """The paragraphs of the body, and the runs of words that stand only around it."""
    tree = lxml.html.document_fromstring(source)
    neither, around = set(find(tree, neither)), find(tree, around)
    outside = neither | set(around)
    paragraphs, inside = [], set()
    for root in find(tree, body):
        inside |= runs(words(root, set(around)), 3)
        for node in root.iter("p", "li", "dd", "pre"):
            if any(up in outside for up in [node, *node.iterancestors()]):
                continue
            # A block within a block counts by itself.
            nested = {inner for inner in node.iter("p", "li", "dd", "pre", "ul", "ol", "dl", "table") if inner is not node}
            found = words(node, nested | outside)
            if len(found) >= 8:
                paragraphs.append(found)
    title = tree.findtext(".//title") or ""
    known = inside | runs([word.lower() for word in WORD.findall(title)], 3)
    only = set().union(*(runs(words(node), 3) for node in around)) - known
    return paragraphs, only


def verdict(text, paragraphs, only):
    found = [word.lower() for word in WORD.findall(text)]
    fives, threes = runs(found, 5), runs(found, 3)
    lost = [p for p in paragraphs if len(runs(p, 5) & fives) < 0.9 * len(runs(p, 5))]
    return lost, only & threes


def ours(path):
    request = {"name": path.name, "format": "html", "max_file_bytes": 1 << 26, "max_line_bytes": 1 << 24, "memory_bytes": 1 << 32,
               "processor_seconds": 60, "fields": {"id": [], "title": [], "text": []}}
    with open(path, "rb") as file:
        done = subprocess.run([ALDER, "extract-child", json.dumps(request)], stdin=file, capture_output=True, check=True)
    texts = []
    for line in done.stdout.splitlines():
        item = json.loads(line).get("item")
        if item and "document" in item:
            texts += [item["document"]["title"], item["document"]["text"]]
    return "\n".join(texts)


def trafilatura_text(source):
    import trafilatura
    return trafilatura.extract(source, include_tables=True, include_comments=False, favor_recall=True) or ""


def readability_text(source):
    import readability
    summary = readability.Document(source).summary()
    return "\n".join(node.text_content() if node.tag == "pre" else " ".join(words(node)) for node in [lxml.html.fromstring(summary)])


def main():
    chooser = random.Random(7)
    tools = ["Alder"] + ([] if os.environ.get("OURS") else ["trafilatura", "readability"])
    sums = {tool: [0, 0, 0, 0, 0] for tool in tools}
    print(f"{'':22}{'pages':>6}{'paragraphs':>12}" + "".join(f"{tool:>14} kept, clean" for tool in tools))
    for name, (patterns, body, neither, around) in SETS.items():
        if ONLY not in name:
            continue
        pages = sorted(page for pattern in patterns.split() for page in ROOT.glob(pattern) if page.is_file())
        chooser.shuffle(pages)
        rows, taken, count = {tool: [0, 0, 0] for tool in tools}, 0, 0
        for path in pages:
            if taken == EACH:
                break
            source = path.read_bytes().decode("utf-8", "replace")
            source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source)
            paragraphs, only = truth(source, body, neither, around)
            if len(paragraphs) < 3 or not only:
                continue
            taken, count = taken + 1, count + len(paragraphs)
            texts = {"Alder": ours(path)}
            if len(tools) > 1:
                texts |= {"trafilatura": trafilatura_text(source), "readability": readability_text(source)}
            for tool in tools:
                lost, around_it = verdict(texts[tool], paragraphs, only)
                clean = len(around_it) * 50 <= len(only)
                rows[tool] = [a + b for a, b in zip(rows[tool], [not lost, clean, len(lost)])]
                if tool == "Alder" and SHOW and (lost or not clean):
                    print(f"  {path}: lost {len(lost)} of {len(paragraphs)}; {len(around_it)} of {len(only)} runs from around it")
                    print("".join(f"    - {' '.join(p[:24])}\n" for p in lost[:SHOW]), end="")
                    print("".join(f"    + {' '.join(r)}\n" for r in sorted(around_it)[:SHOW]) if not clean else "", end="")
        for tool in tools:
            sums[tool] = [a + b for a, b in zip(sums[tool], [*rows[tool], taken, count])]
        cells = "".join(f"{rows[t][0] / max(taken, 1):17.1%}{rows[t][1] / max(taken, 1):9.1%}" for t in tools)
        print(f"{name:22}{taken:6}{count:12}{cells}", flush=True)
    for tool, (kept, clean, lost, pages, paragraphs) in sums.items():
        print(f"{tool}: of {pages} pages {kept / pages:.1%} keep every body paragraph, {clean / pages:.1%} are free of navigation "
              f"and footers; {lost} of {paragraphs} paragraphs lost ({lost / paragraphs:.2%})")


main()
