"""What a candidate's provider is shown, for one prepared request."""

from __future__ import annotations

from agent.credentials import Credentials
from agent.credentials.google import Fetched
from agent.gateway.unified.keys import Keys
from agent.gateway.unified.routebook import RouteBook
from agent.routing.plan import KEYLESS, KeyRef
from tests.unit.gateway.unified.conftest import candidate, forms

CHAT = b'{"model":"local/small","messages":[{"role":"user","content":"hi"}]}'


class Vault:
    """Where secrets are; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, reference: str) -> str:
        self.asked.append(reference)
        return f"secret-of-{reference}"


async def nobody(method: str, url: str, headers: object, body: bytes) -> Fetched:
    raise AssertionError


def keys(vault: Vault) -> Keys:
    return Keys(Credentials(vault, nobody, clock=lambda: 0.0, now=lambda: 0.0, environ={}))


async def test_a_key_is_shown_as_its_provider_wants_it(book: RouteBook) -> None:
    made = keys(Vault())
    claude, gpt = candidate(book, "anthropic/claude-sonnet-4-5"), candidate(book, "openai/gpt-5-nano")
    key = KeyRef(name="k", reference="env:K")
    prepared = forms(book, CHAT).prepare(gpt)
    assert await made.headers(gpt, key, prepared) == ((b"authorization", b"Bearer secret-of-env:K"),)
    assert await made.headers(claude, key, prepared) == ((b"x-api-key", b"secret-of-env:K"),)


async def test_who_needs_no_key_is_shown_none(book: RouteBook) -> None:
    local = candidate(book, "local/small")
    assert await keys(Vault()).headers(local, KEYLESS, forms(book, CHAT).prepare(local)) == ()


async def test_a_refused_key_is_read_anew(book: RouteBook) -> None:
    vault = Vault()
    made = keys(vault)
    gpt, key = candidate(book, "openai/gpt-5-nano"), KeyRef(name="k", reference="env:K")
    prepared = forms(book, CHAT).prepare(gpt)
    await made.headers(gpt, key, prepared)
    await made.headers(gpt, key, prepared)
    made.refused(key)
    await made.headers(gpt, key, prepared)
    assert vault.asked == ["env:K", "env:K"]
