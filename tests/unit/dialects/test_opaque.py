"""How clients of private formats are told no."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects.opaque import Opaque


@pytest.mark.parametrize("kind", ["application/connect+proto", "application/connect+json; charset=utf-8"])
def test_a_connect_stream_ends_with_an_error(kind: str) -> None:
    block = Opaque(kind).block("No.")
    assert (block.status, dict(block.headers)[b"content-type"].decode()) == (200, kind.partition(";")[0])
    assert (block.body[0], int.from_bytes(block.body[1:5])) == (2, len(block.body) - 5)
    assert orjson.loads(block.body[5:]) == {"error": {"code": "permission_denied", "message": "No."}}


def test_a_connect_call_is_answered_with_an_error() -> None:
    block = Opaque("application/proto").block("No.")
    assert (block.status, orjson.loads(block.body)) == (403, {"code": "permission_denied", "message": "No."})


def test_grpc_is_told_in_its_headers() -> None:
    fields = dict(Opaque("application/grpc+proto").block("No: 100 %, ü\n").headers)
    assert (fields[b"grpc-status"], fields[b"grpc-message"]) == (b"7", b"No: 100 %25, %C3%BC%0A")


def test_others_are_told_in_plain_text() -> None:
    block = Opaque("application/x-protobuf").block("No.")
    assert (block.status, block.body) == (400, b"No.")
    assert Opaque("").error(502, "gone").status == 502
