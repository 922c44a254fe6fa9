"""What a token endpoint may answer."""

from __future__ import annotations

import json

import pytest

from agent.signin.discovery import discover
from agent.signin.problems import EndedError, SignInError
from agent.signin.requests import Tokens, granted, refusal, revoked, tokens_of
from agent.signin.web import Answer, HttpxWeb
from tests.fakes.identity_provider import CLIENT, IdentityProvider


def answer(status: int = 200, **document: object) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


def test_tokens_are_not_shown() -> None:
    assert "secret" not in repr(Tokens(id_token="secret", refresh_token="secret"))


@pytest.mark.parametrize(
    "document",
    [{}, {"id_token": 1}, {"id_token": "x" * 40_000}, {"id_token": "x", "refresh_token": 1},
     {"id_token": "x", "refresh_token": "y" * 20_000}],
)  # fmt: skip
def test_what_is_no_token_response_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(SignInError):
        tokens_of(answer(**document))


def test_an_invalid_grant_is_an_end_other_refusals_are_none() -> None:
    assert isinstance(refusal(answer(400, error="invalid_grant")), EndedError)
    for error in (answer(400, error="invalid_client"), answer(503, error="invalid_grant"), answer(400)):
        assert not isinstance(refusal(error), EndedError)
    assert "(503)" in str(refusal(Answer(status=503, body=b"<html>")))


def test_a_refresh_token_is_revoked(provider: IdentityProvider, web: HttpxWeb) -> None:
    found = discover(web, provider.issuer)
    assert revoked(web, found, CLIENT, "r")
    assert provider.revoked == ["r"]
    assert not revoked(web, found, CLIENT, "")
    provider.in_discovery = lambda word: word.pop("revocation_endpoint")
    assert not revoked(web, discover(web, provider.issuer), CLIENT, "r")


def test_a_token_endpoint_that_leads_elsewhere_gets_no_second_question(
    provider: IdentityProvider, web: HttpxWeb
) -> None:
    found = discover(web, provider.issuer)
    provider.redirects["/tenant/token"] = f"{provider.issuer}/elsewhere"
    with pytest.raises(SignInError):
        granted(web, found, CLIENT, {"grant_type": "refresh_token", "refresh_token": "x"})
    assert "/tenant/elsewhere" not in provider.paths()
