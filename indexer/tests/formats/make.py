#!/usr/bin/env python3
"""Makes one small file of every format that Alder reads from real producers' libraries, all in our own words.

    pip install python-docx python-pptx openpyxl odfpy ebooklib reportlab fpdf2
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
import tarfile
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


def fact(document, sentence, question, page=None, heading=None):
    FACTS.append({"document": document, "sentence": sentence, "question": question,
                  "page": page, "heading": heading})


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


for make in (pdf_reportlab, pdf_fpdf, word, slides, opendocument, spreadsheet, book, mail, texts, dump, archives):
    make()
(HERE / "facts.json").write_text(json.dumps(FACTS, indent=1, ensure_ascii=False) + "\n")
