"""Carriers: secrets in encoded, escaped, joined and broken text are found, whole or in pieces, and calm stays calm."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails import Scanner

KEY = "sk-" + "proj-" + "".join(random.Random(5).choices(string.ascii_letters + string.digits, k=60))
ASSIGNMENT = f"OPENAI_API_KEY={KEY}\n"
SPELLINGS: dict[str, Callable[[], str]] = {
    "base64": lambda: base64.b64encode(ASSIGNMENT.encode()).decode(),
    "base64 twice": lambda: base64.b64encode(base64.b64encode(ASSIGNMENT.encode())).decode(),
    "base64 for URLs": lambda: base64.urlsafe_b64encode(f'{{"k":"{KEY}"}}???>>>'.encode()).decode(),
    "base64 in lines": lambda: base64.encodebytes(f"a text that is long, with {KEY} in it".encode()).decode(),
    "base64 in a path": lambda: "/v1/cb/" + base64.b64encode(ASSIGNMENT.encode()).decode(),
    "base64 of UTF-16": lambda: base64.b64encode(f"$k='{KEY}'".encode("utf-16-le")).decode(),
    "hexadecimal": lambda: KEY.encode().hex(),
    "hexadecimal of base64": lambda: base64.b64encode(ASSIGNMENT.encode()).hex(),
    "percent": lambda: "https://h/x?t=" + KEY.replace("-", "%2D"),
    "percent throughout": lambda: "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "percent twice": lambda: "https://h/x?t=" + KEY.replace("-", "%252D"),
    "unicode escapes": lambda: "".join(f"\\u{ord(char):04x}" for char in KEY),
    "braced escapes": lambda: KEY.replace("-", "\\u{2d}"),
    "byte escapes": lambda: KEY.replace("-", "\\x2d"),
    "character references": lambda: "".join(f"&#{ord(char)};" for char in KEY),
    "joined by plus": lambda: f'k = "{KEY[:12]}" + "{KEY[12:40]}" + "{KEY[40:]}"',
    "joined by a dot": lambda: f"$k = '{KEY[:12]}' . '{KEY[12:]}';",
    "joined by standing together": lambda: f'k = (\n    "{KEY[:12]}"\n    f"{KEY[12:]}"\n)',
    "joined in Visual Basic": lambda: f'k = "{KEY[:12]}" & _\n    "{KEY[12:]}"',
    "joined by join": lambda: f'k = "".join(["{KEY[:12]}", "{KEY[12:40]}", "{KEY[40:]}"])',
    "joined by strings.Join": lambda: f'strings.Join([]string{{"{KEY[:12]}", "{KEY[12:]}"}}, "")',
    "joined by CONCAT": lambda: f"SELECT CONCAT('{KEY[:12]}', '{KEY[12:]}')",
    "broken over lines": lambda: f"the key {KEY[:30]}\n{KEY[30:]}",
    "broken in a quoted mail": lambda: f"> {KEY[:24]}\n> {KEY[24:]}",
    "zero-width": lambda: "\u200b".join(KEY),
    "full width": lambda: "".join(chr(ord(char) + 0xFEE0) for char in KEY),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_is_found_in_every_spelling(scanner: Scanner, spelling: str) -> None:
    spelt = SPELLINGS[spelling]()
    text = f"see {spelt} for it"
    findings = [each for each in scanner.scan(text) if each.rule == "openai-api-key"]
    assert len(findings) == 1
    for part in (KEY[10:40], KEY[-12:]):
        assert part not in text[: findings[0].start] + text[findings[0].end :]


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_and_in_a_stream(scanner: Scanner, spelling: str, size: int) -> None:
    text = f"see {SPELLINGS[spelling]()} for it"
    stream = scanner.stream()
    for at in range(0, len(text), size):
        stream.feed(text[at : at + size])
        assert all(each.end <= stream.cleared for each in stream.findings)
    stream.finish()
    assert tuple(stream.findings) == scanner.scan(text)


PIECES = st.sampled_from(
    [*(make() for make in SPELLINGS.values()), " ", "\n", '"', "word", "\\", "%", " + ", "é", "\u200b", KEY]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=5), st.integers(1, 40))
def test_streams_and_scans_agree_on_any_mixture(scanner: Scanner, parts: list[str], size: int) -> None:
    text = "".join(parts)[:1500]
    stream = scanner.stream()
    for at in range(0, len(text), size):
        stream.feed(text[at : at + size])
    stream.finish()
    assert tuple(stream.findings) == scanner.scan(text)
    assert stream.cleared == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "integrity sha512-" + base64.b64encode(random.Random(1).randbytes(64)).decode(),
        "data:image/png;base64,"
        + base64.b64encode(b"\x89PNG\r\n" + random.Random(2).randbytes(300)).decode(),
        "commit 3f786850e387550fdab836ed7e6dc881de23001b and d41d8cd98f00b204e9800998ecf8427e",
        "https://example.org/search?q=how%20to%20write%20a%20parser%20in%20rust&lang=en",
        'title = "Ein " + "ganz " + "normaler " + "Satz"',
        'os.path.join("/etc/agent", "rules-for-everything", "version-20240115")',
        "a_very_long_identifier_in_snake_case\nand_another_one_right_below_it",
        base64.encodebytes(random.Random(3).randbytes(900)).decode(),
    ],
    ids=["integrity", "picture", "hashes", "query", "sentence", "path", "identifiers", "lines"],
)
def test_encodings_of_nothing_special_are_no_findings(scanner: Scanner, text: str) -> None:
    assert scanner.scan(text) == ()


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_keys_in_a_list_are_told_apart(scanner: Scanner, size: int) -> None:
    keys = [f"{KEY[:-4]}{number:04d}" for number in range(3)]
    text = "\n".join(keys)
    stream = scanner.stream()
    for at in range(0, len(text), size):
        stream.feed(text[at : at + size])
    stream.finish()
    assert [text[each.start : each.end] for each in stream.findings] == keys


def test_what_is_nested_deeper_than_two_levels_is_not_looked_for(scanner: Scanner) -> None:
    spelt = ASSIGNMENT.encode()
    for _ in range(3):
        spelt = base64.b64encode(spelt)
    assert scanner.scan(spelt.decode()) == ()


@pytest.mark.parametrize("name", ["tion_352():", "retry_2: 5", "rows_7[0]"])
def test_a_name_on_the_next_line_is_no_rest_of_a_token(scanner: Scanner, name: str) -> None:
    text = f"OPENAI_API_KEY={KEY}\n{name}\n"
    (found,) = scanner.scan(text)
    assert text[found.start : found.end] == KEY


def test_of_a_run_that_is_too_long_to_open_the_beginning_is(scanner: Scanner) -> None:
    long = base64.b64encode((ASSIGNMENT + "x" * 300_000).encode()).decode()
    assert scanner.scan(f"data: {long}")
    assert not scanner.scan(f"data: {'a' * 300_000}")
