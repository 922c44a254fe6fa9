"""Certificates come out of any PEM text; keys never do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.host.pem import certificates_in, pem_of

ders = st.lists(st.binary(max_size=200).map(lambda body: b"\x30" + body), max_size=4)


@given(
    ders,
    st.sampled_from(
        [b"", b"# comment\n", b"\r\n", b"-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n"]
    ),
)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_found_whatever_stands_between(written: list[bytes], between: bytes) -> None:
    assert certificates_in(between.join(map(pem_of, written)) + between) == tuple(written)


def test_lines_are_of_64_characters() -> None:
    lines = pem_of(b"\x30" * 100).splitlines()
    assert [len(line) for line in lines[1:-1]] == [64, 64, 8]


def test_a_private_key_in_the_file_is_left_out() -> None:
    kind = b"PRIVATE KEY"
    key = b"-----BEGIN " + kind + b"-----\nMAAA\n-----END " + kind + b"-----\n"
    assert certificates_in(key + pem_of(b"\x30\x00") + key) == (b"\x30\x00",)


def test_damaged_blocks_are_left_out() -> None:
    begin, end = pem_of(b"\x30").splitlines()[0], pem_of(b"\x30").splitlines()[-1]
    text = b"\n".join((begin, b"!!!", end, begin, b"AAAA", end, pem_of(b"\x30\x01"), begin, b"MAAA"))
    assert certificates_in(text) == (b"\x30\x01",)
