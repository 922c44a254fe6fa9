"""Providers, names of models and prices in a policy."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.model.provider import Scheme, Spoken
from agent.policy import Key, KnownNames, Policy, load
from tests.fakes.providers import make_row

HEAD = "schema_version: 1\nid: p\n"
ROWS = (
    make_row("openai"),
    make_row("azure", origin="https://{resource}.example", parameters={"resource": ""}),
    make_row(
        "vertex",
        origin="https://{location}.example",
        parameters={"project": "", "location": "global"},
        scheme=Scheme.GOOGLE,
        speaks=(Spoken(dialect="openai-chat", paths={"chat": "/{project}/{location}/chat"}),),
    ),
    make_row("bedrock", scheme=Scheme.SIGV4),
    make_row("any", origin=""),
)
KNOWN = KnownNames(providers={row.id: row for row in ROWS})


def read(body: str) -> Policy:
    return load(HEAD + body, source="p.yaml", known=KNOWN)


def mistake(body: str) -> str:
    with pytest.raises(PolicyError) as caught:
        read(body)
    return str(caught.value)


def test_one_key_has_a_short_form() -> None:
    short = read("providers: {openai: {key: 'env:K'}}").providers["openai"]
    long = read("providers: {openai: {keys: [{name: default, key: 'env:K'}]}}").providers["openai"]
    assert short.credentials == long.credentials == (Key(name="default", key="env:K"),)


def test_a_provider_without_a_key_is_a_provider() -> None:
    assert read("providers: {openai: {}}").providers["openai"].credentials == ()


def test_a_provider_is_told_in_full() -> None:
    settings = read(
        """
providers:
  azure-eu:
    uses: azure
    parameters: {resource: corp-eu}
    keys:
      - {name: main, key: "keyring:drawbridge/azure", weight: 3, models: ["GPT-*"], concurrency: 20}
      - {name: spare, key: "exec:/usr/bin/az-key --eu", weight: 0}
    models: {gpt-5: gpt5-prod, "vendor/x:y": d}
    only_listed: true
    headers: {X-Team: research}
    private: true
    auth: bearer
    timeout_seconds: 90
    first_token_seconds: 12.5
"""
    ).providers["azure-eu"]
    assert [(key.name, key.weight, key.models, key.concurrency) for key in settings.credentials] == [
        ("main", 3, ("gpt-*",), 20),
        ("spare", 0, (), None),
    ]
    assert settings.models == {"gpt-5": "gpt5-prod", "vendor/x:y": "d"}
    assert settings.headers == {"x-team": "research"}
    assert (settings.auth, settings.private, settings.only_listed) == (Scheme.BEARER, True, True)


def test_an_alias_is_one_model_or_several() -> None:
    providers = "providers: {openai: {}, any: {base_url: 'https://x.example'}}\n"
    policy = read(providers + "models: {fast: openai/m, all: [openai/m, any/a/b]}")
    assert policy.models == {"fast": ("openai/m",), "all": ("openai/m", "any/a/b")}


def test_prices_are_usd_per_million_tokens() -> None:
    (price,) = read(
        "prices: [{models: ['My-*'], input: 3, output: 15, cache_read: 0.3, window: 200000}]"
    ).prices
    assert (price.models, price.input, price.output, price.cache_read, price.cache_write) == (
        ("my-*",),
        3,
        15,
        0.3,
        None,
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "providers: {opneai: {}}",
            "3: providers.opneai: is no provider of the catalog: did you mean 'openai'?",
        ),
        (
            "providers:\n  x:\n    uses: opneai",
            "5: providers.x.uses: is no provider of the catalog: did you mean",
        ),
        ("providers: {any: {}}", "'base_url' is required: Any has no address of its own"),
        ("providers: {azure: {}}", "'parameters: {resource: …}' is required for Azure"),
        (
            "providers: {azure: {parameters: {resorce: x}}}",
            "parameters.resorce: is no parameter of azure: did you mean 'resource'?",
        ),
        ("providers: {vertex: {base_url: 'https://x.example'}}", "'parameters: {project: …}' is required"),
        ("providers: {azure: {parameters: {resource: 'a/b'}}}", "must be letters, digits, '-', '_' and '.'"),
        ("providers: {azure: {parameters: {resource: 'a..b'}}}", "must be letters"),
        ("providers: {openai: {auth: header}}", "openai names no header for a key"),
        ("providers: {openai: {auth: basic}}", "must be one of: none, bearer, header, sigv4, google"),
        (
            "providers: {openai: {key: 'profile:work'}}",
            "is for providers that authenticate by sigv4, not by bearer",
        ),
        (
            "providers: {bedrock: {keys: [{name: a, key: 'adc:'}]}}",
            "is for providers that authenticate by google",
        ),
        ("providers: {bedrock: {key: 'profile:'}}", "must be profile:NAME"),
        ("providers: {openai: {key: 'exec:op read'}}", "exec: must be followed by the absolute path"),
        ("providers: {openai: {key: 'env:A', keys: [{name: a, key: 'env:B'}]}}", "give either of them"),
        (
            "providers: {openai: {keys: [{name: a, key: 'env:A'}, {name: a, key: 'env:B'}]}}",
            "have the same name",
        ),
        ("providers: {openai: {only_listed: true}}", "'only_listed' needs 'models'"),
        ("providers: {openai: {headers: {Authorization: x}}}", "carries a credential"),
        ('providers: {openai: {headers: {x-a: "b\\nc"}}}', "must be printable ASCII"),
        ("providers: {openai: {headers: {host: x}}}", "must be the name of a header"),
        ("providers: {openai: {keys: [{name: a, key: 'env:A', wieght: 1}]}}", "did you mean 'weight'?"),
        ("models: {fast: gpt-5}", "must be provider/model"),
        (
            "providers: {openai: {}}\nmodels: {fast: openia/m}",
            "4: models.fast: 'openia' is no provider of this policy",
        ),
        ("providers: {openai: {}}\nmodels: {fast: []}", "must have at least 1 item"),
        ("prices: [{models: [], input: 1}]", "must have at least 1 item"),
        ("prices: [{models: ['a'], input: -1}]", "must be greater than or equal to 0"),
    ],
)
def test_a_mistake_says_where_and_what(body: str, problem: str) -> None:
    assert problem in mistake(body)


def test_an_address_of_its_own_needs_no_parameter_of_the_usual_one() -> None:
    assert read("providers: {azure: {base_url: 'https://proxy.example'}}").providers["azure"].base_url


def test_without_a_catalog_nothing_is_checked_against_it() -> None:
    assert load(HEAD + "providers: {whatever: {}}", source="p").providers


def test_an_id_that_is_none_is_told_with_its_line() -> None:
    with pytest.raises(PolicyError, match=r"p:4: providers\.\(key not shown\): must be lower-case letters"):
        load(HEAD + "providers:\n  Open AI: {}", source="p")
