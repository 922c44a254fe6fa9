"""Fingerprint files: written and read again, without text or names, and refused when they cannot be trusted."""

from __future__ import annotations

import json

import pytest

from agent.errors import PolicyError
from agent.guardrails.fingerprint_file import FingerprintWriter, Summary, read_index
from tests.unit.guardrails.test_fingerprints import words

SALT = bytes(16)
TEXT = " ".join(words(1, 400))


def writer(secret: bytes = b"") -> FingerprintWriter:
    return FingerprintWriter("source", SALT, secret)


def file(secret: bytes = b"") -> bytes:
    made = writer(secret)
    made.add("plan-of-next-year.txt", TEXT)
    return made.written()[0]


def test_what_was_written_is_recognised() -> None:
    assert read_index(file(), name="f").regions(TEXT)
    assert not read_index(file(), name="f").regions(" ".join(words(2, 400)))


def test_neither_text_nor_names_are_in_the_file() -> None:
    data = file()
    assert b"plan" not in data
    assert not any(word.encode() in data for word in words(1, 400) if len(word) > 5)


def test_the_file_is_the_same_whatever_the_order_of_the_documents() -> None:
    texts = {f"d{seed}": " ".join(words(seed, 100)) for seed in range(5)}
    one, two = writer(), writer()
    for name in texts:
        one.add(name, texts[name])
    for name in reversed(texts):
        two.add(name, texts[name])
    assert one.written() == two.written()


def test_what_many_documents_share_and_what_is_public_is_left_out() -> None:
    licence, notice = " ".join(words(50, 200)), " ".join(words(51, 200))
    made = writer()
    for seed in range(8):
        made.add(f"d{seed}", f"{licence} {notice if seed < 2 else ''} {' '.join(words(seed, 150))}")
    made.leave_out(notice)
    data, summary = made.written()
    index = read_index(data, name="f", min_match=0.1, min_shingles=5)
    assert summary.common > 20
    assert not index.regions(licence)
    assert not index.regions(notice)
    assert index.regions(" ".join(words(3, 150)))


def test_what_became_of_the_documents_is_summed_up() -> None:
    made = writer()
    made.add("a", TEXT)
    made.add("b", "too short")
    _, summary = made.written()
    assert summary == Summary(documents=1, hashes=summary.hashes, short=1, common=0)


def test_nothing_to_recognise_is_no_file() -> None:
    made = writer()
    made.add("b", "too short")
    with pytest.raises(PolicyError, match="cannot be one fingerprint file"):
        made.written()


def test_the_key_must_be_the_one_it_was_made_with() -> None:
    assert read_index(file(b"secret"), name="f", secret=b"secret").regions(TEXT)
    for data, secret, reason in (
        (file(b"secret"), b"other", "made with another key"),
        (file(b"secret"), b"", "needs the key"),
        (file(), b"secret", "made without a key"),
    ):
        with pytest.raises(PolicyError, match=reason):
            read_index(data, name="f", secret=secret)


def test_a_damaged_file_is_refused_by_name() -> None:
    good = file()
    header = json.loads(good.partition(b"\n")[0])
    for bad in (b"", b"x", good[:-1], good + b"12345678", good.partition(b"\n")[0]):
        with pytest.raises(PolicyError, match=r"^own\.dbfp: "):
            read_index(bad, name="own.dbfp")
    for change in ({"version": 2}, {"k": 5}, {"salt": "zz"}, {"more": 1}, {"documents": [["00" * 8, -1]]}):
        with pytest.raises(PolicyError, match=r"^own\.dbfp: "):
            read_index(json.dumps(header | change).encode() + b"\n", name="own.dbfp")


def test_a_salt_of_another_size_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        FingerprintWriter("x", b"short")
