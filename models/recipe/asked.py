"""Questions made by rule from Wikipedia and textbook sentences, each with its paragraph and answer.

A name, year, number or date of a sentence is replaced by a question word, in place ("The library holds how many books?")
or, where plain word order allows it, in front ("When was the library founded?", "Who founded the library?"). A leading
pronoun becomes the article's title; some words are dropped, so that matching words alone is not always enough.
"""
import re

import data

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
NAME = r"[A-Z][\w'’-]+(?:(?: of| the| de| and| von| van)* [A-Z][\w'’-]+){0,4}"
PAST = (r"(?:\w{3,}ed|was|were|is|became|began|won|wrote|led|made|took|gave|held|built|found|came|went|fought|lost|saw|ran|"
        r"grew|left|met|sent|sold|set|taught|told|thought|had|has|can|may|served|bought|brought|chose|drew|drove|fell|flew|"
        r"knew|kept|paid|put|rose|sang|shot|spent|stood|struck|swam|threw|understood|wore)")
BE = r"(was|were|is|are)"


def after(*words):
    """Matches right after one of the words (a look-behind has to have one width, so one per word)."""
    return "(?:" + "|".join(rf"(?<=\b{w} )" for w in words) + ")"


SLOTS = [
    (re.compile(rf"\b(?:{MONTH}) \d{{1,2}}, \d{{4}}|\b\d{{1,2}} (?:{MONTH}) \d{{4}}|\b(?:{MONTH}) \d{{4}}"), ("what date", "when")),
    (re.compile(rf"{after('in', 'In', 'since')}(1\d{{3}}|20[01]\d)\b(?!-)"), ("what year", "which year")),
    (re.compile(r"(?<![$£€.,\d-])\b(?!(?:1\d|20)\d\d\b)\d[\d,]*(?: million| billion)?(?= (?!January|February|March|April|May|June|July|August)[a-z]{3,})"), ("how many",)),
    (re.compile(r"\b\d[\d.]*(?:%| percent| per cent)"), ("what percentage", "how much")),
    (re.compile(rf"{after('by')}(?:the )?{NAME}"), ("whom", "who")),
    (re.compile(rf"{after('in', 'at', 'of')}(?!(?:{MONTH}))(?:the )?{NAME}"), ("what place", "which place", "what")),
    (re.compile(rf"{after('from')}(?!(?:{MONTH}))(?:the )?{NAME}"), ("where", "what")),
    (re.compile(rf"{after('called', 'named')}(?:the )?{NAME}"), ("what",)),
    (re.compile(rf"{after('with', 'and', 'for', 'to')}(?:the )?{NAME}"), ("whom", "what")),
    (re.compile(rf"{after('known as', 'because of', 'due to', 'consists of', 'instead of', 'such as')}(?:the |a |an )?[a-z]+(?: [a-z]+){{0,2}}(?=[,.])"), ("what",)),
]
SUBJECT = re.compile(rf"^((?:The )?{NAME}) ((?:also |first |later |then )?{PAST} .{{8,}})$")
PASSIVE = re.compile(rf"^(.{{4,60}}?) {BE} ((?:first |originally |officially )?\w+(?:ed|en|wn|lt|t|ng|und) .{{0,80}}?)(in|on|by) ([^,.;]+)")


def tidy(q):
    q = re.sub(r"\s*\([^)]*\)", "", q)
    q = re.sub(r"\s+", " ", q).strip(" ,;:.\"")
    return q[:1].upper() + q[1:] + "?"


def shorten(s, a, b, rng):
    """The clause of `s` around [a, b): cut at commas and semicolons when enough words stay."""
    cuts = [0] + [m.end() for m in re.finditer(r"[;:] |, (?=and |but |which |who |while |where |although |after |before )", s)] + [len(s)]
    low = max(c for c in cuts if c <= a)
    high = min(c for c in cuts if c >= b)
    return (low, high) if len(s[low:high].split()) >= 6 else (0, len(s))


def lose_words(q, rng, share=0.12):
    w = q.split()
    if len(w) < 9 or rng.random() < 0.5:
        return q
    return " ".join([w[0]] + [x for x in w[1:-1] if rng.random() > share or x.lower() in ("what", "who", "how", "many", "year")] + [w[-1]])


def of_sentence(s, title, rng):
    """At most one (question, offset of the answer, answer) of a sentence."""
    pronoun = re.match(r"(He|She|It|They|His|Her|Its)\b", s)
    swap = lambda q: q if not pronoun else re.sub(rf"\b{pronoun.group()}\b", title + ("'s" if pronoun.group()[-1] == "s" else ""), q, count=1)
    ways = []
    m = SUBJECT.match(s)
    if m and not pronoun and m.group(1).split()[0] not in ("In", "On", "After", "When", "This", "These", "As", "At", "However", "While", "For", "By", "From", "During", "Although", "If", "There", "Some", "Many", "Most", "Another", "Since", "With", "Its", "His", "Her"):
        who = "What" if m.group(1).startswith("The ") else rng.choice(("Who", "Who", "What"))
        low, high = shorten(s, 0, m.end(1) + 12, rng)
        ways.append((who + s[m.end(1):high], 0, m.group(1)))
    m = PASSIVE.match(s)
    if m:
        what, at = m.group(5), m.start(5)
        x = re.match(rf"(?:{MONTH} \d{{1,2}}, \d{{4}}|\d{{1,2}} (?:{MONTH}) \d{{4}}|(?:{MONTH}) \d{{4}}|\d{{4}}\b)", what) or re.match(rf"(?:the )?{NAME}", what)
        if x:
            year = x.group()[-4:].isdigit()
            wh = "Who" if m.group(4) == "by" else "When" if year else "Where"
            if year or m.group(4) != "on":
                end = " by" if wh == "Who" else ""
                ways += 2 * [(f"{wh} {m.group(2)} {m.group(1)} {m.group(3).strip()}{end}", at, x.group())]
    for pattern, words in SLOTS:
        for m in pattern.finditer(s):
            low, high = shorten(s, m.start(), m.end(), rng)
            ways.append((s[low:m.start()] + rng.choice(words) + s[m.end():high], m.start(), m.group()))
    if not ways:
        return None
    q, at, answer = rng.choice(ways)
    q = lose_words(tidy(swap(q)), rng)
    return (q, at, answer) if 4 <= len(q.split()) <= 26 and 1 < len(answer) < 60 else None


def made(folder, share, rng, most=30000, names=("wikipedia-en-part-*", "openstax-*")):
    """[(question, paragraph, [answer offset], answer)], about five per document."""
    out = []
    for title, ps in data.documents(folder, names, share, seed=4):
        ps = [p for p in ps if 250 < len(p) < 1500]
        for p in rng.sample(ps, min(4, len(ps))):
            at = 0
            for s in data.sentences(p):
                at = p.index(s, at)
                if 40 < len(s) < 260 and rng.random() < 0.5:
                    x = of_sentence(s, title, rng)
                    if x and p.count(x[2]) <= 3:
                        out.append((x[0], p, at + x[1], x[2]))
        if len(out) >= most:
            break
    return out
