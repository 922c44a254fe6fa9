"""The parts of the room that makes files into text, each by itself."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.extraction import kinds
from agent.extraction.archives import entries
from agent.extraction.budget import Budget, Limits, Stopped
from agent.extraction.frames import Broken, read_answer, read_question, write_answer, write_question
from agent.extraction.mail import read_mail
from agent.extraction.markup import html_text, xml_text
from agent.extraction.office import read_office
from agent.extraction.pdf import read_pdf
from agent.extraction.pictures import pixels_of
from agent.extraction.rtf import rtf_text
from agent.extraction.texts import strings
from agent.extraction.worker import serve
from agent.model.reading import Passage, Problem, Reading
from tests.fakes import documents


def budget(**limits: float) -> Budget:
    return Budget(Limits(**limits))  # type: ignore[arg-type]


# Kinds


@pytest.mark.parametrize(
    ("data", "name", "declared", "kind"),
    [
        (b"%PDF-1.7 x", "a.txt", "text/plain", "pdf"),
        (b"junk\n%PDF-1.7 x", "", "", "pdf"),
        (b"\xff\xd8\xff\xe0", "a.pdf", "", "jpeg"),
        (b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0", "a.txt", "", "program"),
        (b"MZ is how this text begins", "a.txt", "", "text"),
        (b"BMW and others", "", "", "text"),
        (b"a,b\n1,2\n", "a.csv", "", "csv"),
        (b"a,b\n1,2\n", "", "text/csv; charset=utf-8", "csv"),
        (b'{"a": 1}', "", "", "json"),
        (b'{"a": 1}\n{"a": 2}', "a.jsonl", "", "jsonl"),
        (b"[section]\na = 1", "", "", "text"),
        (b"<!DOCTYPE html><p>", "a.txt", "", "html"),
        (b"<?xml version='1.0'?><a/>", "", "", "xml"),
        (b"<svg xmlns='x'/>", "", "", "svg"),
        (b"def f(): pass", "a.py", "", "source"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "", "webp"),
        (b"\0\0\0\x18ftypmp42", "", "", "mp4"),
        (b"", "a.pdf", "", "empty"),
        (bytes(range(256)), "a.txt", "", "unknown"),
    ],
)
def test_content_goes_before_name_and_name_before_declaration(
    data: bytes, name: str, declared: str, kind: str
) -> None:
    assert kinds.kind_of(data, name=name, declared=declared) == kind


@given(st.binary(max_size=400))
def test_any_bytes_are_of_some_kind(data: bytes) -> None:
    assert kinds.kind_of(data)


@pytest.mark.parametrize(("name", "last"), [("a.PDF", "pdf"), ("a.tar.gz", "gz"), (".env", ""), ("a", "")])
def test_an_extension_is_the_last(name: str, last: str) -> None:
    assert kinds.extension(name) == last


# Pictures


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (documents.png(7, 5), "png", (7, 5)),
        (b"GIF89a" + struct.pack("<HH", 7, 5), "gif", (7, 5)),
        (b"BM" + b"\0" * 16 + struct.pack("<ii", 7, -5), "bmp", (7, 5)),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x05\0\x07" + b"\0" * 20, "jpeg", (7, 5)),
        (b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + b"\x06\0\0\x04\0\0", "webp", (7, 5)),
        (b"\x89PNG", "png", None),
        (b"\xff\xd8\xff" * 9, "jpeg", None),
    ],
)
def test_the_size_of_a_picture(data: bytes, kind: str, size: tuple[int, int] | None) -> None:
    assert pixels_of(data, kind) == size


# Texts, markup


def test_words_are_picked_out_of_binary_data_narrow_and_wide() -> None:
    data = b"\0\1\2 some words \0\3" + "wide words here".encode("utf-16-le") + b"\xff\xfe\xfd"
    found = strings(data, most=1000)
    assert "some words" in found
    assert "wide words here" in found
    assert len(strings(b"abcdefgh" * 100, most=10)) == 10


def test_a_page_is_read_with_its_attributes_and_without_its_styles() -> None:
    page = "<style>p {color: red}</style><p title='a hint'>one<br>two</p><a href='data:xyz'>three</a>"
    found = html_text(page, budget())
    assert found.split() == ["a", "hint", "one", "two", "three"]


def test_xml_is_read_as_far_as_it_goes() -> None:
    spent = budget()
    assert xml_text(b"<a b='c'><d>e</d><f>", spent).split() == ["c", "e"]
    assert spent.problem is Problem.DAMAGED


def test_rich_text_knows_its_escapes() -> None:
    data = (
        rb"{\rtf1\ansi\ansicpg1252{\stylesheet Normal;}{\*\unknown said}\'fcber \u8364?uro \{x\}\line next}"
    )
    assert rtf_text(data, budget()) == "saidüber €uro {x}\nnext"


def test_a_message_with_bad_heads_is_read_all_the_same() -> None:
    spent = budget()
    nested: list[tuple[str, bytes]] = []
    data = b"From: =?x?q?\xff?=\r\nContent-Type: text/plain; charset=none\r\n\r\nthe body"
    read_mail(data, spent, lambda name, content: nested.append((name, content)))
    assert "the body" in "".join(each.text for each in spent.passages)


# Budgets


def test_a_budget_ends_where_it_should() -> None:
    spent = budget(characters=5)
    spent.text("   ")
    spent.text("abc")
    with pytest.raises(Stopped) as stopped:
        spent.text("defg")
    assert stopped.value.problem is Problem.TOO_LARGE
    assert [each.text for each in spent.passages] == ["abc", "de"]
    with pytest.raises(Stopped):
        budget(entries=1).entry(2)
    with pytest.raises(Stopped):
        budget(unpacked=10).unpacked(11, whole=11, packed=11)
    with pytest.raises(Stopped):
        budget().unpacked(1, whole=2 * 2**20, packed=10)
    with pytest.raises(Stopped):
        budget(seconds=-1).check_time()


def test_archives_are_told_apart_from_what_is_none() -> None:
    with pytest.raises(Stopped) as stopped:
        list(entries(b"PK\x05\x06 no archive", "zip", budget()))
    assert stopped.value.problem is Problem.DAMAGED
    spent = budget()
    data = bytearray(documents.archive({"a.txt": b"some words in it" * 20}))
    data[45] ^= 0xFF  # in the packed bytes
    list(entries(bytes(data), "zip", spent))
    assert spent.problem is Problem.DAMAGED


def test_office_parts_without_words_are_left_out() -> None:
    spent = budget()
    book = documents.archive({"word/styles.xml": b"<a>style</a>", "word/document.xml": b"<a><p>text</p></a>"})
    read_office(book, "docx", spent, lambda *_: None)
    assert [each.text for each in spent.passages] == ["text"]


def test_a_link_out_of_a_document_is_read() -> None:
    rels = b'<R xmlns="x"><Relationship Target="https://evil.example/?q=1" TargetMode="External"/></R>'
    spent = budget()
    book = documents.archive({"word/_rels/document.xml.rels": rels, "word/document.xml": b"<a/>"})
    read_office(book, "docx", spent, lambda *_: None)
    assert spent.passages == [Passage(text="https://evil.example/?q=1")]


def test_a_pdf_says_what_stands_beside_its_pages() -> None:
    import pypdf
    from pypdf.annotations import FreeText

    writer = pypdf.PdfWriter(io.BytesIO(documents.pdf("the page")))
    writer.add_metadata({"/Title": "the title"})
    writer.add_outline_item(title="the bookmark", page_number=0)
    writer.add_annotation(page_number=0, annotation=FreeText(text="the note", rect=(0, 0, 9, 9)))
    writer.add_attachment(filename="a.txt", data=b"the attachment")
    file = io.BytesIO()
    writer.write(file)
    spent = budget()
    nested: list[tuple[str, bytes]] = []
    read_pdf(file.getvalue(), spent, lambda name, content: nested.append((name, content)))
    said = "\n".join(each.text for each in spent.passages)
    for word in ("the page", "the title", "the bookmark", "the note"):
        assert word in said
    assert nested == [("a.txt", b"the attachment")]


# What crosses to the process and back


def test_questions_and_answers_are_read_as_they_were_written() -> None:
    stream = io.BytesIO()
    limits = Limits(pages=3)
    write_question(stream, b"data", name="n\ud800", declared="d", limits=limits)
    stream.seek(0)
    assert read_question(stream) == (b"data", "n?", "d", limits)
    assert read_question(stream) is None
    reading = Reading(
        type="pdf",
        passages=(Passage(text="é\0", rewritable=True), Passage(text="x")),
        codec="utf-8",
        problem=Problem.DAMAGED,
        pages=2,
        pixels=(1, 2),
    )
    stream = io.BytesIO()
    write_answer(stream, reading)
    stream.seek(0)
    assert read_answer(stream, limits) == reading


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{",
        b'{"type": 1}',
        (
            b'{"type":"a","passages":[{"text":"abcdef","rewritable":false}],"codec":"","problem":null,"pages":null,'
            b'"entries":null,"pixels":null,"silent":false}'
        ),
        (
            b'{"type":"a","passages":[],"codec":"","problem":"unheard of","pages":null,"entries":null,"pixels":null,'
            b'"silent":false}'
        ),
    ],
)
def test_an_answer_that_is_none_is_broken(answer: bytes) -> None:
    with pytest.raises(Broken):
        read_answer(io.BytesIO(struct.pack(">Q", len(answer)) + answer), Limits(characters=5))
    with pytest.raises(Broken):
        read_answer(io.BytesIO(struct.pack(">Q", 2**60)), Limits())


def test_the_worker_answers_until_nothing_follows() -> None:
    asked, answered = io.BytesIO(), io.BytesIO()
    for _ in range(2):
        write_question(
            asked, documents.archive({"a.txt": b"abcdef"}), name="a.zip", declared="", limits=Limits()
        )
    asked.seek(0)
    unlimited = Limits(memory=2**62)  # this very process must live on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.extraction.worker._confine", lambda _: None)
        serve(asked, answered)
    answered.seek(0)
    assert [read_answer(answered, unlimited).type for _ in range(2)] == ["zip", "zip"]


def test_a_zip_is_known_for_what_it_holds() -> None:
    assert kinds.kind_of(documents.docx("x")) == "docx"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a", "b")
    assert kinds.kind_of(file.getvalue()) == "zip"
