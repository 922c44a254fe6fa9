"""Files as people attach them, made by the libraries that everybody makes them with, or byte by byte where those make
none that are broken enough."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping

from agent.extraction import Limits
from agent.extraction.reading import read
from agent.model.reading import Reading


class HereParser:
    """Implements `FileParser` in this very process; a test may say what it answers instead."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # names of the files
        self.instead: Reading | None = None

    async def read(self, data: bytes, *, name: str, declared: str, limits: Limits) -> Reading:
        self.asked.append(name)
        return self.instead or read(data, name=name, declared=declared, limits=limits)


def docx(*paragraphs: str, header: str = "", comment: str = "") -> bytes:
    """A Word document."""
    import docx as library

    document = library.Document()
    for each in paragraphs:
        document.add_paragraph(each)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    if comment:
        document.add_comment(document.paragraphs[0].runs, text=comment, author="Ann", initials="A")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def xlsx(rows: list[list[object]], *, hidden: str = "") -> bytes:
    """An Excel workbook; `hidden` stands on a sheet that is not shown."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if hidden:
        other = book.create_sheet("other")
        other.sheet_state = "hidden"
        other["B2"] = hidden
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def pptx(title: str, body: str, *, notes: str = "") -> bytes:
    """A PowerPoint presentation of one slide."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        import pptx as library

        deck = library.Presentation()
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
        file = io.BytesIO()
        deck.save(file)
    return file.getvalue()


def pdf(*pages: str, password: str | None = None) -> bytes:
    """A PDF of so many pages. With a `password` it is encrypted: the empty one opens it to everybody."""
    from reportlab.lib import pdfencrypt
    from reportlab.pdfgen import canvas

    file = io.BytesIO()
    lock = None
    if password is not None:
        lock = pdfencrypt.StandardEncryption(password, ownerPassword="owner-of-it", strength=128)
    paper = canvas.Canvas(file, encrypt=lock)
    for each in pages:
        for number, line in enumerate(each.split("\n")):
            paper.drawString(50, 780 - 14 * number, line)
        paper.showPage()
    paper.save()
    return file.getvalue()


def archive(entries: Mapping[str, bytes]) -> bytes:
    """A ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return file.getvalue()


def encrypted_archive() -> bytes:
    """A ZIP archive whose entry says that it is encrypted."""
    made = bytearray(archive({"a.txt": b"what it says is locked away"}))
    made[6] |= 1  # in the local head, and in the directory
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def odt(text: str) -> bytes:
    """A text of LibreOffice."""
    content = (
        '<?xml version="1.0"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
        f"<text:p>{text}</text:p></office:text></office:body></office:document-content>"
    )
    return archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


def png(width: int = 3, height: int = 2) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\0" * width * 3 for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def mail(text: str, *, attached: bytes = b"", name: str = "a.txt") -> bytes:
    """A message."""
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.com", "ben@example.com", "the plan"
    message.set_content(text)
    if attached:
        message.add_attachment(attached, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()
