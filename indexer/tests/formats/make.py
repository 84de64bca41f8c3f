#!/usr/bin/env python3
"""Makes one small file of every format that Alder reads with real producers, all in our own words.

    pip install python-docx python-pptx openpyxl odfpy ebooklib reportlab fpdf2
    apt-get install pandoc libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui
    python3 indexer/tests/formats/make.py            # writes the files beside this script

Each file holds one planted fact; `facts.json` says where it must be found. The texts tell of an invented town,
so that no fact can come from anywhere else.
"""

import bz2
import datetime
import email.message
import email.utils
import gzip
import html
import io
import json
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import docx
import odf.opendocument
import odf.style
import odf.table
import odf.text
import openpyxl
import pptx
import reportlab.rl_config
from ebooklib import epub
from fpdf import FPDF
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

HERE = Path(__file__).parent
FACTS = []
# The same bytes whenever it is run, as far as the libraries allow.
MADE = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def fact(document, sentence, question, page=None, heading=None, file=None):
    """`document` is an id; one that a record carries does not tell its file."""
    FACTS.append({"file": file or document.split("/")[0].split("#")[0], "document": document, "sentence": sentence,
                  "question": question, "page": page, "heading": heading})


def filler(subject, sentences=6):
    return " ".join(f"The {subject} of Quellmark is described here in part {n}, and nobody disputes it."
                    for n in range(1, sentences + 1))


def pdf_reportlab():
    sentence = "The Quellmark lighthouse was lit for the first time in the winter of 1871."
    reportlab.rl_config.invariant = 1
    styles = getSampleStyleSheet()
    story = []
    for page in (1, 2, 3):
        story.append(Paragraph(f"Chapter {page}", styles["Heading1"]))
        story.append(Paragraph(filler("harbour"), styles["BodyText"]))
        if page == 2:
            story.append(Paragraph(sentence, styles["BodyText"]))
        story.append(PageBreak())
    SimpleDocTemplate(str(HERE / "lighthouse.pdf"), pagesize=A4, title="The lighthouse of Quellmark",
                      author="Ida Renn").build(story)
    fact("lighthouse.pdf", sentence, "When was the Quellmark lighthouse first lit?", page=2, heading="Chapter 2")


def pdf_fpdf():
    sentence = "The ferry Marlow carries forty passengers across the strait."
    pdf = FPDF()
    pdf.set_title("Ferries")
    pdf.set_creation_date(MADE)
    for page in range(1, 5):
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, 8, filler("ferry") + (" " + sentence if page == 4 else ""))
    pdf.output(str(HERE / "ferries.pdf"))
    fact("ferries.pdf", sentence, "How many passengers does the ferry Marlow carry?", page=4)
    scanned = FPDF()
    scanned.set_creation_date(MADE)
    for _ in range(3):
        scanned.add_page()
        scanned.rect(20, 20, 100, 100)
    scanned.output(str(HERE / "scanned.pdf"))


def word():
    sentence = "Mayor Odile Brandt signed the charter of Quellmark in 1604."
    document = docx.Document()
    document.core_properties.author = "Ida Renn"
    document.add_heading("History of Quellmark", level=0)
    document.add_paragraph(filler("history", 3))
    document.add_heading("The charter", level=1)
    document.add_paragraph(sentence)
    document.add_paragraph("Salt", style="List Bullet")
    document.add_paragraph("Wool", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, (good, duty) in enumerate([("Good", "Duty"), ("Salt", "three pence")]):
        table.cell(row, 0).text, table.cell(row, 1).text = good, duty
    document.save(HERE / "history.docx")
    fact("history.docx", sentence, "Who signed the charter of Quellmark?", heading="The charter")


def slides():
    sentence = "The new tram line opens on the fourth of May."
    deck = pptx.Presentation()
    for number, (title, body) in enumerate([("Transport plan", "Where we stand"),
                                            ("Buses", "Twelve buses run every hour."),
                                            ("Trams", sentence)]):
        slide = deck.slides.add_slide(deck.slide_layouts[1 if number else 0])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    deck.slides[2].notes_slide.notes_text_frame.text = "Thank the volunteers."
    deck.save(HERE / "transport.pptx")
    fact("transport.pptx", sentence, "When does the new tram line open?", page=3, heading="Trams")


def opendocument():
    sentence = "The orchard of Quellmark grows ninety kinds of pear."
    document = odf.opendocument.OpenDocumentText()
    document.text.addElement(odf.text.H(outlinelevel=1, text="Gardens"))
    document.text.addElement(odf.text.P(text=filler("garden", 3)))
    document.text.addElement(odf.text.H(outlinelevel=2, text="The orchard"))
    document.text.addElement(odf.text.P(text=sentence))
    document.save(HERE / "gardens.odt")
    fact("gardens.odt", sentence, "How many kinds of pear grow in the orchard?", heading="The orchard")
    sheet = odf.opendocument.OpenDocumentSpreadsheet()
    table = odf.table.Table(name="Bridges")
    for cells in [("Bridge", "Length"), ("Millbridge", "212 metres")]:
        row = odf.table.TableRow()
        for cell in cells:
            entry = odf.table.TableCell(valuetype="string")
            entry.addElement(odf.text.P(text=cell))
            row.addElement(entry)
        table.addElement(row)
    sheet.spreadsheet.addElement(table)
    sheet.save(HERE / "bridges.ods")
    fact("bridges.ods", "Millbridge | 212 metres", "How long is the Millbridge?", heading="Bridges")


def spreadsheet():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Staff"
    for row in [("Name", "Post", "Since"), ("Tomas Vell", "harbour master", 1998), ("Rike Odom", "librarian", 2011)]:
        sheet.append(row)
    book.create_sheet("Empty")
    book.save(HERE / "staff.xlsx")
    fact("staff.xlsx", "Rike Odom | librarian | 2011", "Who is the librarian?", heading="Staff")


def book():
    sentence = "The miller's daughter hid the silver spoon under the third step."
    made = epub.EpubBook()
    made.set_identifier("quellmark-tales")
    made.set_title("Tales of Quellmark")
    made.set_language("en")
    made.add_author("Ida Renn")
    chapters = []
    for number, (title, text) in enumerate([("The well", filler("well", 3)), ("The spoon", sentence)], 1):
        chapter = epub.EpubHtml(title=title, file_name=f"chapter {number}.xhtml", lang="en")
        chapter.content = f"<h1>{title}</h1><p>{text}</p>"
        made.add_item(chapter)
        chapters.append(chapter)
    made.toc = chapters
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    made.spine = ["nav", *chapters]
    epub.write_epub(str(HERE / "tales.epub"), made)
    fact("tales.epub", sentence, "Where was the silver spoon hidden?", heading="The spoon")


def message(subject, body, number, page=None):
    mail = email.message.EmailMessage()
    mail["From"] = "Ida Renn <ida@quellmark.example>"
    mail["To"] = "Tomas Vell <tomas@quellmark.example>"
    mail["Subject"] = subject
    mail["Date"] = "Tue, 03 Mar 2026 09:30:00 +0100"
    mail["Message-ID"] = f"<m{number}@quellmark.example>"
    mail.set_content(body)
    if page:
        mail.add_alternative(page, subtype="html")
    return mail


def mail():
    sentence = "The council meets in the old granary at seven o'clock."
    quoted = "On Monday Tomas wrote:\n> Where does the council meet?\n"
    one = message("Re: Meeting – Größe", f"Dear Tomas,\n\n{sentence}\n\n{quoted}", 1,
                  page=f"<p>Dear Tomas,</p><p>{sentence}</p>")
    one.add_attachment(b"%PDF-1.4 nothing", maintype="application", subtype="pdf", filename="agenda.pdf")
    one.set_boundary("quellmark-boundary")
    (HERE / "meeting.eml").write_bytes(one.as_bytes())
    fact("meeting.eml", sentence, "Where does the council meet?")
    key = "The key of the boathouse hangs behind the clock."
    box = b""
    for number, (subject, body) in enumerate([("Weather", "It rains.\n\nFrom the sea comes more.\n"),
                                              ("Boathouse", key + "\n")], 2):
        content = message(subject, body, number).as_bytes().replace(b"\nFrom the", b"\n>From the")
        box += b"From ida@quellmark.example Tue Mar  3 09:30:00 2026\n" + content + b"\n"
    (HERE / "inbox.mbox").write_bytes(box)
    fact("inbox.mbox#m3@quellmark.example", key, "Where does the key of the boathouse hang?")


def texts():
    sentence = "The bakery of Quellmark sells rye bread only on Fridays."
    (HERE / "bakery.rst").write_text(
        f"Bakeries\n========\n\n.. comment for machines\n\nOpening hours\n-------------\n\n{sentence}\n"
        "See :ref:`the mill <mill>` and ``rye``::\n\n    rye = 7\n\n.. note:: Closed in August.\n")
    fact("bakery.rst", sentence, "When does the bakery sell rye bread?", heading="Opening hours")
    sentence = "The tide at Quellmark rises by exactly six metres."
    marked = sentence.replace(" exactly", " {\\bf exactly}")
    (HERE / "tides.tex").write_text(
        "\\documentclass{article}\n\\title{On \\emph{tides}}\n\\author{Ida Renn}\n\\begin{document}\n\\maketitle\n"
        f"\\section{{Heights}}\\label{{h}}\n% not text\n{marked}\n"
        "It is 100\\% known~\\cite{renn}, with $h = 6$.\n\\end{document}\n")
    fact("tides.tex", sentence, "By how much does the tide rise?", heading="Heights")
    (HERE / "pump.py").write_text(
        '"""The pump of the water works."""\n\n\ndef pressure():\n    # The pump stops above nine bar.\n    return 9\n')
    fact("pump.py", "# The pump stops above nine bar.", "When does the pump stop?")


def dump():
    sentence = "The river Quell rises below the Hollow Stone."
    article = ("{{Infobox|a=b}}Water.\n== Source ==\n"
               + sentence.replace("Hollow Stone", "[[Hollow Stone (rock)|Hollow Stone]]") + "<ref>none</ref>")
    pages = [("Quell", 0, 7, article), ("Quell (river)", 0, 8, "#REDIRECT [[Quell]]"),
             ("Talk:Quell", 1, 9, "Is it long?")]
    xml = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n'
    for title, namespace, number, text in pages:
        redirect = '<redirect title="Quell" />' if text.startswith("#") else ""
        xml += (f"<page><title>{title}</title><ns>{namespace}</ns><id>{number}</id>{redirect}<revision><id>1</id>"
                f'<text xml:space="preserve">{html.escape(text)}</text></revision></page>\n')
    (HERE / "wiki.xml.bz2").write_bytes(bz2.compress((xml + "</mediawiki>\n").encode()))
    fact("wiki.xml.bz2#7", sentence, "Where does the river Quell rise?", heading="Source")


def archives():
    stamp = (2026, 1, 1, 0, 0, 0)
    sentence = "The bell of Saint Orme cracked during the frost of 1709."
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(zipfile.ZipInfo("deep.txt", stamp), "too deep")
    with zipfile.ZipFile(HERE / "parish.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("notes/bells.md", stamp), f"# Bells\n\n{sentence}\n")
        archive.writestr(zipfile.ZipInfo("inner.zip", stamp), inner.getvalue())
        archive.writestr(zipfile.ZipInfo("../outside.txt", stamp), "escape")
        archive.writestr(zipfile.ZipInfo("people.csv", stamp), "name,post\nOrla Finch,sexton\n")
        archive.write(HERE / "staff.xlsx", "papers/staff.xlsx")
    fact("parish.zip/notes/bells.md", sentence, "When did the bell of Saint Orme crack?")
    sentence = "The brewery of Quellmark draws its water from the chalk."
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as archive:
        member = tarfile.TarInfo("brewery/water.txt")
        member.size = len(sentence)
        archive.addfile(member, io.BytesIO(sentence.encode()))
        link = tarfile.TarInfo("brewery/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (HERE / "brewery.tar.gz").write_bytes(gzip.compress(unpacked.getvalue(), mtime=0))
    fact("brewery.tar.gz/brewery/water.txt", sentence, "Where does the brewery draw its water?")
    sentence = "The archive of Quellmark keeps its maps in the east tower."
    (HERE / "maps.txt.bz2").write_bytes(bz2.compress(sentence.encode()))
    fact("maps.txt.bz2", sentence, "Where are the maps kept?")



def notes():
    sentence = "The cellar of the town hall floods every eleven years."
    (HERE / "cellar.txt").write_text(f"{filler('cellar', 2)}\n\n{sentence}\n\n{filler('attic', 2)}\n")
    fact("cellar.txt", sentence, "How often does the cellar of the town hall flood?")
    line = "2026-02-01 06:12:09 WARN sluice: gate seven is stuck half open"
    (HERE / "sluice.log").write_text(f"2026-02-01 06:11:58 INFO sluice: started\n{line}\n2026-02-01 06:13:00 INFO sluice: waiting\n")
    fact("sluice.log", line, "Which gate of the sluice is stuck?")
    sentence = "The honey of Quellmark is harvested in the second week of July."
    (HERE / "honey.md").write_text(
        f"---\ntags: [bees]\n---\n# Beekeeping\n\n{filler('meadow', 2)}\n\n## Harvest\n\n{sentence.replace('honey', '**honey**')}\n\n"
        "| Hive | Kilos |\n|---|---|\n| North | 14 |\n")
    fact("honey.md", sentence, "When is the honey harvested?", heading="Harvest")
    sentence = "The theatre seats two hundred and six people."
    (HERE / "theatre.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Theatre</title></head><body><header><nav>'
        '<a href="/">Start</a> <a href="/map">Map of the town</a></nav></header><main><h1>Theatre</h1>'
        f"<p>{filler('theatre', 3)}</p><h2>The hall</h2><p>{sentence.replace('two hundred', '<em>two</em> hundred')}</p></main>"
        "<footer>Imprint and privacy</footer></body></html>\n")
    fact("theatre.html", sentence, "How many people does the theatre seat?", heading="The hall")


def records():
    sentence = "Blue clay is dug at Harrow Pit."
    (HERE / "pits.csv").write_text(f'id;title;text\np1;Gravel;Gravel is dug at Low Pit.\np2;Clay;"{sentence}"\n')
    fact("p2", sentence, "Where is blue clay dug?", file="pits.csv")
    sentence = "The schooner Amaryl was built in 1788."
    (HERE / "ships.tsv").write_text(f"id\ttext\ns1\tThe brig Tern was built in 1802.\ns2\t{sentence}\n")
    fact("s2", sentence, "When was the schooner Amaryl built?", file="ships.tsv")
    sentence = "The chapel organ has nineteen stops."
    rows = [{"id": "o1", "title": "Organ", "text": sentence, "year": 1911}, {"id": "o2", "title": "Pulpit", "text": "It is of oak."}]
    (HERE / "chapel.json").write_text(json.dumps(rows, indent=1) + "\n")
    fact("o1", sentence, "How many stops does the chapel organ have?", file="chapel.json")
    sentence = "The cheese of Quellmark ripens in the caves for nine months."
    (HERE / "cheese.jsonl").write_text(json.dumps({"_id": "c1", "title": "Cheese", "text": sentence}) + "\n"
                                       + json.dumps({"_id": "c2", "title": "Butter", "text": "It is salted."}) + "\n")
    fact("c1", sentence, "How long does the cheese ripen in the caves?", file="cheese.jsonl")
    # The form of WikiExtractor.
    sentence = "Mount Ibex is the highest hill of the county."
    lines = [{"id": "31", "revid": "1", "url": "https://wiki.example/wiki?curid=31", "title": "Mount Ibex", "text": sentence},
             {"id": "32", "revid": "1", "url": "https://wiki.example/wiki?curid=32", "title": "Low Fen", "text": "It is wet."}]
    (HERE / "wiki_00").write_text("".join(json.dumps(line) + "\n" for line in lines))
    fact("31", sentence, "Which is the highest hill of the county?", file="wiki_00")


def bundles():
    sentence = "The ropewalk burned down on the night of Saint Lucy."
    (HERE / "ropes.md.gz").write_bytes(gzip.compress(f"# Ropes\n\n{sentence}\n".encode(), mtime=0))
    fact("ropes.md.gz", sentence, "When did the ropewalk burn down?")
    sentence = "The glassworks melts its sand with beech ash."
    with tarfile.open(HERE / "glass.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("glass/sand.rst")
        content = f"Glass\n=====\n\n{sentence}\n".encode()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    fact("glass.tar/glass/sand.rst", sentence, "What does the glassworks melt its sand with?")


def pandoc():
    sentences = {"docx": "The quarry of Quellmark closed after the flood of 1953.",
                 "odt": "The vineyard faces south and yields a dry white wine.",
                 "epub": "The ghost of the tollhouse wears a grey bonnet.",
                 "pptx": "The swimming bath will be heated with wood chips.",
                 "html": "The museum keeps a whale bone in its third room.",
                 "rst": "The observatory opens its dome on clear Thursdays.",
                 "tex": "The windmill grinds barley for the distillery."}
    questions = {"docx": "When did the quarry close?", "odt": "What wine does the vineyard yield?",
                 "epub": "What does the ghost of the tollhouse wear?", "pptx": "How will the swimming bath be heated?",
                 "html": "What does the museum keep in its third room?", "rst": "When does the observatory open its dome?",
                 "tex": "What does the windmill grind?"}
    for kind, sentence in sentences.items():
        name = f"pandoc-{kind}.{kind}"
        source = (f"---\ntitle: Papers of Quellmark ({kind})\nlang: en\n---\n\n# First part\n\n{filler('paper', 2)}\n\n"
                  f"# Second part\n\n{sentence}\n")
        subprocess.run(["pandoc", "--from", "markdown", "--standalone", "--output", HERE / name], input=source.encode(),
                       check=True, env={"SOURCE_DATE_EPOCH": str(int(MADE.timestamp())), "PATH": "/usr/bin:/bin"})
        page = 3 if kind == "pptx" else None
        fact(name, sentence, questions[kind], page=page, heading="Second part")


def office():
    """What LibreOffice writes: its own formats and those of others, from sources made here."""
    kinds = {"pdf": ("fodt", "The gate of the old wall is locked at ten in the evening.", "When is the gate of the old wall locked?"),
             "docx": ("fodt", "The mint of Quellmark struck copper coins until 1812.", "What coins did the mint strike?"),
             "odt": ("fodt", "The hospital was founded by a widow named Grete Aal.", "Who founded the hospital?"),
             "xlsx": ("csv", "Saltmarsh | 1430 hectares", "How many hectares has the Saltmarsh?"),
             "ods": ("csv", "Peat moor | 310 hectares", "How many hectares has the peat moor?"),
             "odp": ("fodp", "The new harbour crane lifts forty tonnes.", "How much does the new harbour crane lift?"),
             "pptx": ("fodp", "The dyke will be raised by ninety centimetres.", "By how much will the dyke be raised?")}
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"' for name, space in
                      [("office", "office"), ("text", "text"), ("draw", "drawing"), ("svg", "svg-compatible"),
                       ("presentation", "presentation"), ("style", "style")])
    with tempfile.TemporaryDirectory() as scratch:
        for kind, (source, sentence, question) in kinds.items():
            stem, form = Path(scratch, f"office-{kind}"), f'office:mimetype="application/vnd.oasis.opendocument.'
            if source == "csv":
                text = "\n".join(["Land,Size", "Common,12 hectares", sentence.replace(" | ", ",")]) + "\n"
            elif source == "fodp":
                text = (f'<?xml version="1.0"?><office:document {spaces} office:version="1.3" {form}presentation"><office:body>'
                        "<office:presentation>" + "".join(
                            f'<draw:page draw:name="p{n}"><draw:frame svg:x="1cm" svg:y="1cm" svg:width="20cm" svg:height="4cm">'
                            f"<draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame></draw:page>"
                            for n, words in enumerate(["What is planned", sentence], 1))
                        + "</office:presentation></office:body></office:document>")
            else:
                text = (f'<?xml version="1.0"?><office:document {spaces} office:version="1.3" {form}text"><office:body><office:text>'
                        f'<text:h text:outline-level="1">Customs</text:h><text:p>{filler("custom", 2)}</text:p>'
                        f"<text:p>{sentence}</text:p></office:text></office:body></office:document>")
            stem.with_suffix("." + source).write_text(text)
            subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{scratch}/profile", "--convert-to", kind,
                            "--outdir", HERE, stem.with_suffix("." + source)], check=True, capture_output=True)
            page = {"pdf": 1, "odp": 2, "pptx": 2}.get(kind)
            # The only heading of a text is its title.
            heading = {"xlsx": "office-xlsx", "ods": "office-ods"}.get(kind)
            fact(f"office-{kind}.{kind}", sentence, question, page=page, heading=heading)


for make in (pdf_reportlab, pdf_fpdf, word, slides, opendocument, spreadsheet, book, mail, texts, dump, archives,
             notes, records, bundles, pandoc, office):
    make()
(HERE / "facts.json").write_text(json.dumps(FACTS, indent=1, ensure_ascii=False) + "\n")
