"""Requests whose body is signed."""

from __future__ import annotations

import pytest

from agent.gateway.signed_bodies import seals_body, signed_names
from agent.gateway.transport.base import Headers
from agent.model.surface import Endpoint

AWS = b"AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host;x-amz-date, Signature=0"


@pytest.mark.parametrize(
    ("fields", "sealed"),
    [
        (((b"authorization", AWS),), True),
        (((b"authorization", b"AWS4-ECDSA-P256-SHA256 Credential=x"),), True),
        (((b"authorization", AWS), (b"x-amz-content-sha256", b"0" * 64)), True),
        (((b"authorization", AWS), (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD")), False),
        (((b"authorization", b"Bearer AWS4-HMAC-SHA256"),), False),
        (((b"signature-input", b'sig1=("@method" "content-digest");created=1'),), True),
        (((b"signature-input", b'sig1=("@method" "@path");created=1'),), False),
        ((), False),
    ],
)
def test_what_signs_a_body(fields: Headers, sealed: bool) -> None:
    assert bool(seals_body(fields)) is sealed


def test_a_services_own_signature_is_named_by_its_row() -> None:
    endpoint = Endpoint(path="/api/chat", dialect="openai-chat", seal="x-signature")
    assert "x-signature" in seals_body(((b"x-signature", b"00"),), endpoint)
    assert seals_body((), endpoint) == ""


def test_the_names_that_a_signature_covers() -> None:
    assert signed_names(((b"authorization", AWS),)) == {b"host", b"x-amz-date"}
    assert signed_names(((b"authorization", b"Bearer x"),)) == frozenset()
