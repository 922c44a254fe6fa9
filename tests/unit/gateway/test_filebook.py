"""What is remembered of uploaded files, and for how long."""

from __future__ import annotations

from agent.gateway import filebook
from agent.gateway.filebook import FileBook, Upload
from agent.model.content import Attachment

FILE = Attachment(kind="file", name="a.pdf")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_known_to_its_provider_for_a_while() -> None:
    clock = Clock()
    book = FileBook(clock)
    book.remember("openai", "f", FILE)
    assert book.find("openai", "f") == FILE
    assert book.find("anthropic", "f") is None
    clock.now = filebook.FILE_SECONDS + 1
    assert book.find("openai", "f") is None


def test_the_oldest_are_forgotten_first() -> None:
    book = FileBook(Clock())
    for number in range(filebook.MAX_FILES + 2):
        book.remember("p", str(number), FILE)
    assert book.find("p", "1") is None
    assert book.find("p", "2") == FILE
    for number in range(filebook.MAX_UPLOADS + 1):
        book.begin(str(number), Upload(attachment=FILE))
    assert book.upload("0") is None
    assert book.upload("1") is not None


def test_an_upload_ends_or_is_given_up() -> None:
    clock = Clock()
    book = FileBook(clock)
    book.begin("here", Upload(attachment=FILE))
    book.end("here")
    book.end("here")
    assert book.upload("here") is None
    book.begin("here", Upload(attachment=FILE))
    clock.now = filebook.UPLOAD_SECONDS + 1
    assert book.upload("here") is None


def test_parts_are_kept_while_there_is_room_for_all_of_them() -> None:
    book = FileBook(Clock())
    first, second = Upload(attachment=FILE), Upload(attachment=FILE)
    book.begin("1", first)
    book.begin("2", second)
    half = b"x" * (filebook.MAX_PARTS // 2)
    book.keep(first, half)
    book.keep(second, half)
    book.keep(second, b"y")
    assert (first.lost, second.lost) == (False, True)
    assert second.parts == {}
    book.keep(first, half)  # there is room again
    assert not first.lost
    book.end("1")
    book.begin("3", third := Upload(attachment=FILE))
    book.keep(third, half)
    assert third.joined() == half


def test_parts_are_joined_in_the_order_that_their_service_is_told() -> None:
    upload = Upload(attachment=FILE, parts={"p1": b"one", "p2": b"two", "p3": b"three"})
    assert upload.joined() == b"onetwothree"
    assert upload.joined(b'{"part_ids": ["p3", "p1"]}') == b"threeonetwo"


def test_addresses_are_not_kept_as_they_are() -> None:
    book = FileBook(Clock())
    book.begin("https://x/?sig=secret", Upload(attachment=FILE))
    assert "secret" not in repr(vars(book))
