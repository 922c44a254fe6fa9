"""Hosts that are never decrypted: strictly read, and no row covers one of them unasked."""

from __future__ import annotations

import pytest

from agent.catalog.never import Why, bundled_never, parse_never
from agent.errors import ConfigError
from agent.model.surface import Surface

ROW = '[[never]]\nof = "X"\nwhy = "sign-in"\nhosts = ["auth.x.example", "oidc.{region}.x.example", "*.flags.example"]\n'
TABLE = parse_never(ROW, source="t.toml")


def surface(*hosts: str) -> Surface:
    return Surface(id="s", name="S", provider="s", hosts=hosts)


@pytest.mark.parametrize(
    "host", ["auth.x.example", "AUTH.x.example.", "oidc.eu.x.example", "a.flags.example"]
)
def test_a_listed_host_is_found(host: str) -> None:
    found = TABLE.find(host)
    assert found is not None
    assert (found.of, found.why) == ("X", Why.SIGN_IN)


@pytest.mark.parametrize("host", ["x.example", "notauth.x.example", "oidc.x.example", "flags.example"])
def test_another_host_is_not(host: str) -> None:
    assert TABLE.find(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "auth.x.example",
        "*.x.example",
        "{name}.x.example",
        "oidc.eu.x.example",
        "oidc.{zone}.x.example",
        "*.eu.x.example",
        "a.flags.example",
        "*.example",
    ],
)
def test_a_row_that_covers_one_is_refused_with_the_way_round(host: str) -> None:
    with pytest.raises(ConfigError, match=r"row 's' .*never decrypted") as caught:
        TABLE.check((surface("fine.example", host),))
    assert "overrides_never" in caught.value.hint()


def test_a_row_beside_them_is_fine() -> None:
    TABLE.check((surface("x.example", "api.x.example", "*.api.y.example", "{region}-api.x.example"),))


def test_a_policy_may_insist_by_name_and_only_so() -> None:
    TABLE.check((surface("auth.x.example"),), overrides={"s": frozenset({"auth.x.example"})})
    with pytest.raises(ConfigError, match=r"covers 'oidc.\{region\}.x.example'"):
        TABLE.check((surface("*.x.example"),), overrides={"s": frozenset({"auth.x.example"})})
    with pytest.raises(ConfigError, match="never decrypted"):
        TABLE.check((surface("auth.x.example"),), overrides={"other": frozenset({"auth.x.example"})})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing never"),
        (ROW + "colour = 1", "unknown colour"),
        (ROW.replace("sign-in", "fun"), "'fun' is no reason"),
        (ROW.replace("auth.x.example", "https://x"), "is no host name"),
        (ROW + ROW, "'auth.x.example' stands twice"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        parse_never(text, source="t.toml")
    assert str(caught.value).startswith("t.toml")


@pytest.mark.parametrize(
    "host",
    ["auth.openai.com", "oauth2.googleapis.com", "login.microsoftonline.com", "oidc.eu-west-1.amazonaws.com"],
)
def test_the_bundled_table_has_where_people_sign_in(host: str) -> None:
    found = bundled_never().find(host)
    assert found is not None
    assert found.why is Why.SIGN_IN
