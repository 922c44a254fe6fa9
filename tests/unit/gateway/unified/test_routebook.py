"""What one policy says about providers, compiled."""

from __future__ import annotations

import pytest

from agent.catalog import bundled_surfaces
from agent.errors import ConfigError, PolicyError
from agent.gateway.unified.routebook import Backing, RouteBook
from agent.model.conversation import TokenCount
from agent.policy import load
from agent.routing.plan import KEYLESS
from tests.fakes.rulebooks import toy_policy
from tests.unit.gateway.unified.conftest import candidate

THOUSAND = TokenCount(input=1000, output=1000)


def test_a_deployments_price_is_that_of_the_policys_name_for_it(book: RouteBook) -> None:
    assert book.cost("local", "deployed-7", THOUSAND, 0) == 3_000_000
    assert book.cost("local", "deployed-8", THOUSAND, 0) is None


def test_a_candidate_has_the_keys_that_may_be_used(book: RouteBook) -> None:
    [ref] = book.names.resolve("openai/gpt-5-nano")
    assert [key.name for key in book.candidate(ref).keys] == ["first", "second"]
    assert [key.name for key in book.candidate(ref, keys=("second",)).keys] == ["second"]
    assert candidate(book, "local/small").keys == (KEYLESS,)


def test_a_place_is_where_the_model_stands(book: RouteBook) -> None:
    settings = candidate(book, "gemini/gemini-2.5-flash").settings
    assert isinstance(settings, Backing)
    [spoken] = settings.provider.speaks("gemini-2.5-flash")
    place = book.place(settings.provider, spoken, "chat", "gemini-2.5-flash", stream=True)
    assert place.target.host == "generativelanguage.googleapis.com"
    assert place.path == b"/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    assert place.query == b"alt=sse"
    with pytest.raises(ConfigError):
        book.place(settings.provider, spoken, "moderations", "m", stream=False)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("fast", ("local", "deployed-7")),
        ("gpt-5-nano", ("openai", "gpt-5-nano")),
        ("elsewhere/m", ("elsewhere", "m")),
        ("unheard-of", ("gateway", "unheard-of")),
    ],
)
def test_on_whose_account_a_name_goes(book: RouteBook, name: str, meant: tuple[str, str]) -> None:
    [own, *doors] = bundled_surfaces()
    assert book.meant(name, door=own) == meant
    assert book.meant(name, door=doors[0]) == (doors[0].id, name)


def test_a_provider_without_an_address_is_an_error_of_the_policy() -> None:
    text = toy_policy("providers: {mine: {uses: openai-compatible}}")
    with pytest.raises(PolicyError):
        RouteBook(load(text, source="p.yaml"))
