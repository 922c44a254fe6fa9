"""Few, small documents, within limits."""

from __future__ import annotations

import time

import pytest

from agent.errors import UpstreamError
from agent.signin.problems import SignInError
from agent.signin.web import MOST, Answer, HttpxWeb
from tests.fakes.identity_provider import IdentityProvider

WELL_KNOWN = "/tenant/.well-known/openid-configuration"


def test_a_document_is_fetched(provider: IdentityProvider, web: HttpxWeb) -> None:
    answer = web.get(f"{provider.issuer}/.well-known/openid-configuration")
    assert answer.document()["issuer"] == provider.issuer
    assert answer.date is not None
    assert abs(answer.date - time.time()) < 10


def test_a_form_is_posted(provider: IdentityProvider, web: HttpxWeb) -> None:
    assert web.post(f"{provider.issuer}/nowhere", {"a": "b c&d"}).status == 401
    assert provider.asked == [("/tenant/nowhere", {"a": "b c&d"})]


def test_huge_documents_are_refused(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.bodies[WELL_KNOWN] = b"{" + b" " * (MOST + 1) + b"}"
    with pytest.raises(UpstreamError, match="more than"):
        web.get(f"{provider.issuer}/.well-known/openid-configuration")


def test_slow_ones_too(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.slow = 0.02
    begun = time.monotonic()
    with pytest.raises(UpstreamError, match="takes longer"):
        web.get(f"{provider.issuer}/.well-known/openid-configuration", seconds=0.3)
    assert time.monotonic() - begun < 5


def test_redirects_are_not_followed(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.redirects[WELL_KNOWN] = f"{provider.issuer}/elsewhere"
    assert web.get(f"{provider.issuer}/.well-known/openid-configuration").status == 307
    assert provider.paths() == [WELL_KNOWN]


def test_nobody_there_is_said(web: HttpxWeb) -> None:
    with pytest.raises(UpstreamError, match=r"127\.0\.0\.1 does not answer") as raised:
        web.get("http://127.0.0.1:1/x")
    assert raised.value.hint()


@pytest.mark.parametrize("body", [b"", b"[1]", b"<html>", b"{", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(SignInError, match="no JSON"):
        Answer(status=200, body=body).document()


def test_an_answer_does_not_show_what_it_holds() -> None:
    assert "secret" not in repr(Answer(status=200, body=b"secret"))
