"""Content-Encoding: off with it, within bounds."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.encoding import Decoder, decode
from agent.errors import ContentError

LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6),
    "x-gzip": lambda data: gzip.compress(data, 1),
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data), quality=5),
    "zstd , identity,GZIP": lambda data: gzip.compress(zstandard.compress(data)),
}
CODED = pytest.mark.parametrize("name", ENCODERS)


@CODED
def test_what_was_put_on_comes_off(name: str) -> None:
    body = b'{"text": "' + b"hello " * 5000 + b'"}'
    assert decode(ENCODERS[name](body), name, limit=LIMIT) == body


@pytest.mark.parametrize("name", ["", "identity", " , "])
def test_no_encoding_leaves_the_body_as_it_is(name: str) -> None:
    assert decode(b"plain", name, limit=5) == b"plain"
    with pytest.raises(ContentError):
        decode(b"plain", name, limit=4)


@given(st.sampled_from(list(ENCODERS)), st.binary(max_size=300), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_chunking_changes_nothing(name: str, body: bytes, size: int) -> None:
    coded = ENCODERS[name](body)
    decoder = Decoder(name, limit=LIMIT)
    parts = [decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size)]
    assert b"".join(parts) + decoder.finish() == body


@CODED
def test_a_body_cut_short_is_refused(name: str) -> None:
    coded = ENCODERS[name](b"some text that is long enough to be cut anywhere")
    for length in range(1, len(coded)):
        with pytest.raises(ContentError):
            decode(coded[:length], name, limit=LIMIT)


@CODED
def test_a_body_followed_by_something_is_refused(name: str) -> None:
    for behind in (b"x", b"garbage that is no header"):
        with pytest.raises(ContentError):
            decode(ENCODERS[name](b"text") + behind, name, limit=LIMIT)


@CODED
def test_what_is_no_such_body_is_refused(name: str) -> None:
    with pytest.raises(ContentError):
        decode(b'{"not": "encoded at all"}', name, limit=LIMIT)


@CODED
def test_an_empty_body_is_empty(name: str) -> None:
    assert decode(b"", name, limit=0) == b""


@pytest.mark.parametrize("name", ["compress", "gzip, snappy", "br;q=1", "gzip,gzip,gzip,gzip,gzip"])
def test_unknown_encodings_and_long_lists_are_refused(name: str) -> None:
    with pytest.raises(ContentError):
        decode(b"x", name, limit=LIMIT)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_bomb_is_refused_without_being_unfolded(name: str) -> None:
    bomb = ENCODERS[name](bytes(16 << 20))
    tracemalloc.start()
    with pytest.raises(ContentError, match=str(LIMIT)):
        decode(bomb, name, limit=LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * LIMIT


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_the_limit_is_exact(name: str) -> None:
    coded = ENCODERS[name](b"x" * 1000)
    assert len(decode(coded, name, limit=1000)) == 1000
    with pytest.raises(ContentError):
        decode(coded, name, limit=999)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_one_after_another_are_one_body(name: str) -> None:
    two = ENCODERS[name](b"one ") + ENCODERS[name](b"two")
    assert decode(two, name, limit=LIMIT) == b"one two"


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_without_end_are_refused(name: str) -> None:
    with pytest.raises(ContentError):
        decode(ENCODERS[name](b"") * 2000, name, limit=LIMIT)


def test_a_second_deflate_stream_is_refused() -> None:
    with pytest.raises(ContentError):
        decode(zlib.compress(b"a") * 2, "deflate", limit=LIMIT)


def test_a_stream_is_given_out_as_it_comes() -> None:
    stream = zlib.compressobj(wbits=31)
    decoder = Decoder("gzip", limit=LIMIT)
    for text in (b"data: 1\n\n", b"data: 2\n\n"):
        assert decoder.feed(stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH)) == text
