"""The browser's way, with a provider that checks what it is shown, and with ones that cheat."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from agent.errors import HostError
from agent.signin.browser import by_browser, challenge_of, with_query
from agent.signin.discovery import discover
from agent.signin.problems import EndedError, SignInError
from agent.signin.requests import Tokens
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import CLIENT, Browser, IdentityProvider

type SignIn = Callable[..., Tokens]


@pytest.fixture
def sign_in(provider: IdentityProvider, web: HttpxWeb) -> SignIn:
    def run(browser: Browser, seconds: float = 5.0) -> Tokens:
        try:
            return by_browser(
                web,
                discover(web, provider.issuer),
                client=CLIENT,
                scopes=("openid", "email", "offline_access"),
                nonce="the-nonce",
                show=browser,
                seconds=seconds,
            )
        finally:
            browser.close()

    return run


def test_a_person_signs_in(provider: IdentityProvider, sign_in: SignIn) -> None:
    browser = Browser()
    tokens = sign_in(browser)
    assert tokens.id_token.count(".") == 2
    assert tokens.refresh_token
    assert "close this page" in browser.pages[0].text
    asked = parse_qs(urlsplit(browser.opened[0]).query)
    assert asked["nonce"] == ["the-nonce"]
    assert asked["redirect_uri"][0].startswith("http://127.0.0.1:")
    assert asked["redirect_uri"][0].endswith("/sign-in")


def test_the_verifier_never_leaves_before_the_code_is_there(
    provider: IdentityProvider, sign_in: SignIn
) -> None:
    browser = Browser()
    sign_in(browser)
    _, form = provider.asked[-1]
    assert form["code_verifier"] not in browser.opened[0]
    assert challenge_of(form["code_verifier"]) in browser.opened[0]
    assert "client_secret" not in form


def test_the_challenge_is_that_of_the_specification() -> None:
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def changed(**values: str) -> Browser:
    """A browser that is led back with other parameters."""

    def twist(address: str) -> str:
        query = dict(parse_qsl(urlsplit(address).query)) | values
        return address.partition("?")[0] + "?" + urlencode({k: v for k, v in query.items() if v})

    return Browser(twist)


def test_parameters_stand_beside_those_that_are_there() -> None:
    assert with_query("https://id/a", {"b": "c d"}) == "https://id/a?b=c+d"
    assert with_query("https://id/a?p=1", {"b": "c"}) == "https://id/a?p=1&b=c"


def test_a_wrong_state_is_no_answer(sign_in: SignIn) -> None:
    browser = changed(state="forged")
    with pytest.raises(SignInError, match="no answer came"):
        sign_in(browser, 0.5)
    assert browser.pages[0].status_code == 404


def test_an_answer_of_another_provider_is_refused(sign_in: SignIn) -> None:
    with pytest.raises(SignInError, match="another identity provider"):
        sign_in(changed(iss="https://evil.example"))
    with pytest.raises(SignInError, match="another identity provider"):
        sign_in(changed(iss=""))  # it says that it names itself


def test_a_refusal_is_told_in_one_line(sign_in: SignIn) -> None:
    with pytest.raises(SignInError, match=r"access_denied\): the person said no"):
        sign_in(changed(error="access_denied", error_description="the person\nsaid \x1bno"))


def test_no_code_is_no_sign_in(sign_in: SignIn) -> None:
    with pytest.raises(SignInError, match="without a code"):
        sign_in(changed(code=""))


def test_a_code_of_somebody_else_is_refused(provider: IdentityProvider, sign_in: SignIn) -> None:
    first = Browser()
    seen: list[str] = []
    provider.in_redirect = lambda found: seen.append(found["code"])
    sign_in(first)
    with pytest.raises(EndedError, match="invalid_grant"):
        sign_in(changed(code=seen[0]))  # used before


def test_no_browser_is_said(web: HttpxWeb, provider: IdentityProvider) -> None:
    with pytest.raises(HostError, match="no browser") as raised:
        by_browser(
            web,
            discover(web, provider.issuer),
            client=CLIENT,
            scopes=("openid",),
            nonce="n",
            show=lambda _: False,
        )
    assert "--no-browser" in raised.value.hint()
