"""What files say, whoever made them; and what becomes of those that were made to do harm."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.extraction.budget import Limits
from agent.extraction.reading import read, read_plainly
from agent.model.reading import Problem, Reading
from tests.fakes import documents

WORD = "the word is Tiefgang"
LIMITS = Limits(seconds=20)


def reading(data: bytes, name: str = "", declared: str = "", limits: Limits = LIMITS) -> Reading:
    return read(data, name=name, declared=declared, limits=limits)


def said(found: Reading) -> str:
    return "\n".join(passage.text for passage in found.passages)


# What files say

KINDS = {
    "docx": lambda: documents.docx("one", WORD),
    "xlsx": lambda: documents.xlsx([["a", WORD]]),
    "pptx": lambda: documents.pptx("title", WORD),
    "pdf": lambda: documents.pdf("first", WORD),
    "odt": lambda: documents.odt(WORD),
    "rtf": lambda: rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 the word is {\b Tief}gang\par}",
    "eml": lambda: documents.mail(WORD),
    "html": lambda: b"<!doctype html><p>the word is Tiefgang</p>",
    "xml": lambda: b"<?xml version='1.0'?><a>the word is Tiefgang</a>",
    "zip": lambda: documents.archive({"a/b.txt": WORD.encode()}),
    "gzip": lambda: gzip.compress(WORD.encode()),
    "csv": lambda: b"a,b\n1,the word is Tiefgang\n",
    "json": lambda: b'{"a": ["the word is Tiefgang"]}',
    "text": lambda: WORD.encode(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_by_what_it_is(kind: str) -> None:
    found = reading(KINDS[kind](), name=f"file.{kind}")
    assert (found.type, found.problem) == (kind, None)
    assert WORD in said(found)


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "pdf", "odt", "rtf", "zip", "gzip"])
def test_what_a_file_is_called_changes_nothing(kind: str) -> None:
    found = reading(KINDS[kind](), name="picture.png", declared="image/png")
    assert found.type == kind
    assert WORD in said(found)


@pytest.mark.parametrize(
    "data",
    [
        documents.docx("shown", header=WORD),
        documents.docx("shown", comment=WORD),
        documents.xlsx([["shown"]], hidden=WORD),
        documents.pptx("shown", "shown", notes=WORD),
        documents.mail("shown", attached=documents.docx(WORD), name="a.docx"),
        b"<html><body><p style='display:none'>the word is Tiefgang</p></body></html>",
        b"<html><!-- the word is Tiefgang --></html>",
        b"<html><img alt='the word is Tiefgang'></html>",
        b"<html><p>the w<b>or</b>d is &#84;iefgang</p></html>",
    ],
    ids=["header", "comment", "hidden sheet", "notes", "attached", "hidden", "remark", "attribute", "split"],
)
def test_what_a_file_does_not_show_is_read_as_well(data: bytes) -> None:
    assert WORD in said(reading(data, name="m.eml" if data.startswith(b"From") else ""))


def test_a_long_number_in_a_sheet_is_read_with_all_its_digits() -> None:
    found = reading(documents.xlsx([["card", 4111111111111111], ["ratio", 0.5]]))
    assert "card\t4111111111111111" in said(found)


def test_a_sheet_that_stores_a_number_by_its_exponent_shows_it_in_full() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b"<row><c><v>4.111111111111111E15</v></c></row></sheetData></worksheet>"
    )
    book = documents.archive(
        {
            "[Content_Types].xml": b"<Types/>",
            "xl/worksheets/sheet1.xml": sheet,
            "xl/workbook.xml": b"<workbook/>",
        }
    )
    assert "4111111111111111" in said(reading(book))


def test_pages_and_entries_are_counted() -> None:
    assert reading(documents.pdf("a", "b", "c")).pages == 3
    assert reading(documents.archive({"a": b"x", "b": b"y"})).entries == 2


def test_a_picture_is_noted_with_its_size() -> None:
    found = reading(documents.png(640, 480))
    assert (found.type, found.pixels, found.silent, found.passages) == ("png", (640, 480), True, ())


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-32"]
)
def test_a_text_is_read_in_its_encoding(codec: str) -> None:
    text = "Grüße aus Köln, und noch mehr gewöhnlicher Text in ASCII"
    found = reading(text.encode(codec), name="a.txt")
    (passage,) = found.passages
    assert (passage.text.removeprefix("\ufeff"), passage.rewritable) == (text, True)


def test_a_plain_text_can_be_written_back_and_markup_cannot() -> None:
    assert reading(b"a,b", name="a.csv").passages[0].rewritable
    assert not any(each.rewritable for each in reading(b"<html><p>a</p></html>").passages)
    assert not any(each.rewritable for each in reading(documents.archive({"a.txt": b"abc"})).passages)


@pytest.mark.parametrize(
    "data", [b"x" * 40, documents.png(), b"", b"a,b\n"], ids=["text", "png", "empty", "csv"]
)
def test_what_needs_no_parser_is_read_at_once(data: bytes) -> None:
    assert read_plainly(data, name="a.csv", declared="", limits=LIMITS) is not None


@pytest.mark.parametrize("kind", ["docx", "pdf", "zip", "html", "eml", "rtf", "xml"])
def test_what_needs_a_parser_is_not(kind: str) -> None:
    assert read_plainly(KINDS[kind](), name=f"a.{kind}", declared="", limits=LIMITS) is None


# What cannot be read


def test_an_encrypted_pdf_says_so_and_one_that_opens_to_everybody_is_read() -> None:
    assert reading(documents.pdf(WORD, password="a-password")).problem is Problem.ENCRYPTED
    assert WORD in said(reading(documents.pdf(WORD, password="")))


def test_encrypted_archives_and_office_files_say_so() -> None:
    assert reading(documents.encrypted_archive()).problem is Problem.ENCRYPTED
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 512
    assert reading(ole).problem is Problem.ENCRYPTED


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "pdf", "zip", "gzip"])
def test_a_file_cut_short_says_that_it_is_damaged(kind: str) -> None:
    whole = KINDS[kind]()
    assert reading(whole[: len(whole) // 2]).problem in (Problem.DAMAGED, Problem.UNSUPPORTED)


def test_unknown_bytes_are_not_supported_but_the_words_in_them_are_seen() -> None:
    found = reading(bytes(range(256)) * 40 + WORD.encode() + bytes(range(128, 256)))
    assert (found.type, found.problem) == ("unknown", Problem.UNSUPPORTED)
    assert WORD in said(found)


# What was made to do harm


def bomb(size: int = 300 * 2**20) -> bytes:
    """Zeros that unpack to `size` bytes."""
    packer = zlib.compressobj(9, wbits=-15)
    block = b"\0" * 2**20
    packed = b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", b"")
    head = bytearray(file.getvalue())
    directory = head.index(b"PK\x01\x02")
    local = (
        bytes(head[:18]) + len(packed).to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(head[26:35])
    )
    entry = (
        bytes(head[directory : directory + 20])
        + len(packed).to_bytes(4, "little")
        + size.to_bytes(4, "little")
        + bytes(head[directory + 28 : directory + 51])
    )
    start = len(local) + len(packed)
    tail = (
        b"PK\x05\x06\0\0\0\0\1\0\1\0"
        + len(entry).to_bytes(4, "little")
        + start.to_bytes(4, "little")
        + b"\0\0"
    )
    return local + packed + entry + tail


def test_a_bomb_is_not_unpacked() -> None:
    assert reading(bomb()).problem is Problem.BOMB


def test_a_bomb_of_gzip_is_not_unpacked() -> None:
    assert reading(gzip.compress(b"\0" * 40_000_000)).problem is Problem.BOMB


def test_archives_within_archives_are_opened_twice_and_no_more() -> None:
    inner = documents.archive({"a.txt": WORD.encode()})
    twice = documents.archive({"b.zip": inner})
    thrice = documents.archive({"c.zip": twice, "beside.txt": b"this is read"})
    assert WORD in said(reading(twice))
    found = reading(thrice)
    assert found.problem is Problem.NESTED
    assert "this is read" in said(found)
    assert WORD not in said(found)


def test_ten_thousand_entries_are_too_many() -> None:
    many = documents.archive({f"{number}.txt": b"x" for number in range(10_000)})
    began = time.process_time()
    assert reading(many).problem is Problem.TOO_LARGE
    assert time.process_time() - began < 1


def test_names_that_lead_elsewhere_are_words_and_no_paths() -> None:
    found = reading(documents.archive({"../../etc/passwd": WORD.encode(), "/abs": b"x" * 20}))
    assert found.problem is None
    assert WORD in said(found)


def test_two_entries_of_one_name_are_both_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.txt", WORD)
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("a.txt", "something else")
    assert WORD in said(reading(file.getvalue()))


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><lolz>&c;</lolz>"""


def test_xml_that_declares_entities_is_refused() -> None:
    found = reading(LAUGHS, name="a.xml")
    assert found.problem is Problem.ENTITIES
    assert "lol" in said(found)  # as it stands there
    book = documents.archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": LAUGHS})
    assert reading(book).problem is Problem.ENTITIES


def test_a_picture_with_an_archive_behind_it_is_both() -> None:
    found = reading(documents.png() + documents.archive({"a.txt": WORD.encode()}))
    assert found.type == "png"
    assert WORD in said(found)
    assert not found.silent


def test_a_pdf_with_an_archive_behind_it_is_both() -> None:
    found = reading(documents.pdf("shown") + documents.archive({"a.txt": WORD.encode()}))
    assert "shown" in said(found)
    assert WORD in said(found)


def test_a_document_in_a_document_is_read() -> None:
    file = io.BytesIO(documents.docx("outer"))
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("word/embeddings/inner.xlsx", documents.xlsx([[WORD]]))
    assert WORD in said(reading(file.getvalue()))


def test_macros_are_told_of_as_unread() -> None:
    file = io.BytesIO(documents.docx("outer"))
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("word/vbaProject.bin", b"\0\1\2")
    assert reading(file.getvalue()).problem is Problem.UNSUPPORTED


def test_a_tar_is_read() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        entry = tarfile.TarInfo("../a.txt")
        entry.size = len(WORD)
        made.addfile(entry, io.BytesIO(WORD.encode()))
    assert WORD in said(reading(file.getvalue()))


def test_limits_end_a_reading_and_keep_what_was_read() -> None:
    found = reading(documents.pdf("first page", "second page"), limits=Limits(pages=1))
    assert (found.problem, said(found).strip()) == (Problem.TOO_LARGE, "first page")
    found = reading(b"a" * 100, limits=Limits(characters=10))
    assert (found.problem, said(found)) == (Problem.TOO_LARGE, "a" * 10)
    assert not found.passages[0].rewritable
    assert reading(b"a" * 100, limits=Limits(bytes=99)).problem is Problem.TOO_LARGE
    assert reading(documents.pdf("a", "b"), limits=Limits(seconds=-1)).problem is Problem.TIMEOUT


def test_a_huge_pdf_ends_at_its_limit_of_pages() -> None:
    data = documents.pdf(*("page" for _ in range(300)))
    assert reading(data, limits=Limits(pages=100)).problem is Problem.TOO_LARGE


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whatever_happens_to_a_file_reading_it_never_raises(kind: str, draw: st.DataObject) -> None:
    data = bytearray(KINDS[kind]())
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(data)))
    first = reading(bytes(data[:cut]), name=f"a.{kind}")
    assert first == reading(bytes(data[:cut]), name=f"a.{kind}")
