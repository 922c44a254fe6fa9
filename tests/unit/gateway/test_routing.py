"""Where requests go, and which go nowhere."""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from agent.gateway.routing import Refusal, Route, route_base_url, route_intercepted, split_target, target_of
from agent.inspection import RuleBook
from agent.model.traffic import Connection, Target, Tier
from tests.fakes.rulebooks import rule_book, toy_policy

CENTRAL = """
upstream:
  route: central
  central: {base_url: 'https://hub.example/gw/', virtual_key: 'env:HUB_KEY', header: x-bf-vk}
"""
PROVIDER = """
providers:
  openai: {key: 'env:OPENAI_KEY'}
  gemini: {key: 'env:GEMINI_KEY', base_url: 'https://gemini.corp.example/proxy'}
"""
CHAT = b"/v1/chat/completions"


def rules(more: str = "") -> RuleBook:
    return rule_book(toy_policy(more))


def intercepted(
    host: bytes | None = b"api.openai.com",
    *,
    asked: str = "api.openai.com",
    sni: str = "api.openai.com",
    port: int = 443,
    target: bytes = CHAT,
    more: str = "",
) -> Route | Refusal:
    connection = Connection(id="c", tier=Tier.RELAY, connect_host=asked, connect_port=port, sni=sni)
    head = () if host is None else ((b"host", host),)
    return route_intercepted(rules(more), connection, head, target)


def route(found: Route | Refusal) -> Route:
    assert isinstance(found, Route)
    return found


def refusal(found: Route | Refusal) -> Refusal:
    assert isinstance(found, Refusal)
    return found


def test_a_request_goes_where_the_app_asked() -> None:
    found = route(intercepted(target=b"/v1/chat/completions?x=1"))
    assert found.target == Target(host="api.openai.com", port=443)
    assert (found.path, found.query, found.upstream) == ("/v1/chat/completions", b"x=1", "native")
    assert found.endpoint is not None
    assert found.endpoint.dialect == "openai-chat"
    assert found.credential is None


@pytest.mark.parametrize(
    "host",
    [
        b"API.OpenAI.com",
        b"api.openai.com.",
        b"api.openai.com:443",
        b" api.openai.com ",
        b"api.openai.com:8443",
    ],
)
def test_a_host_may_be_spelled_as_it_likes(host: bytes) -> None:
    assert route(intercepted(host)).host == "api.openai.com"


def test_the_port_is_that_of_the_connection() -> None:
    assert route(intercepted(port=8443)).target.port == 8443
    assert route(intercepted(port=0)).target.port == 443


@pytest.mark.parametrize(
    ("asked", "sni"), [("203.0.113.7", "api.openai.com"), ("2001:db8::1", ""), ("api.openai.com", "")]
)
def test_an_address_names_nobody(asked: str, sni: str) -> None:
    assert route(intercepted(asked=asked, sni=sni)).target.host == "api.openai.com"


@pytest.mark.parametrize(
    ("host", "asked", "sni"),
    [
        (b"api.anthropic.com", "api.openai.com", "api.openai.com"),
        (b"api.openai.com", "api.anthropic.com", "api.openai.com"),
        (b"api.openai.com", "api.openai.com", "api.anthropic.com"),
        (b"evil.example", "api.openai.com", "api.openai.com"),
        (b"evil.example", "203.0.113.7", ""),
        (b"api.openai.com.evil.tld", "203.0.113.7", ""),
        (b"user@api.openai.com", "api.openai.com", "api.openai.com"),
        (b"", "api.openai.com", "api.openai.com"),
        (b"[::1]:443", "203.0.113.7", ""),
    ],
)
def test_names_that_disagree_lead_nowhere(host: bytes, asked: str, sni: str) -> None:
    refused = refusal(intercepted(host, asked=asked, sni=sni))
    assert refused.status == 421
    assert refused.misdirected


def test_a_request_has_exactly_one_host() -> None:
    assert refusal(intercepted(None)).status == 400
    connection = Connection(id="c", tier=Tier.RELAY, sni="api.openai.com")
    twice = ((b"host", b"api.openai.com"), (b"host", b"api.openai.com"))
    assert refusal(route_intercepted(rules(), connection, twice, b"/")).status == 400


def test_a_path_that_asks_no_model_has_no_endpoint() -> None:
    assert route(intercepted(target=b"/v1/models")).endpoint is None


@pytest.mark.parametrize(
    "target", [b"/v1//chat/completions", b"/v1/%63hat/completions;a", b"/v1/x/../chat/completions/"]
)
def test_a_path_is_judged_by_its_one_spelling_and_forwarded_as_it_came(target: bytes) -> None:
    found = route(intercepted(target=target))
    assert found.endpoint is not None
    assert found.plain_path == "/v1/chat/completions"
    assert found.path.encode() == target


def test_a_central_gateway_gets_what_asks_models_with_its_own_key() -> None:
    found = route(intercepted(more=CENTRAL))
    assert found.target == Target(host="hub.example", base_path="/gw")
    assert found.path == "/openai/v1/chat/completions"
    assert (found.upstream, found.credential) == ("central", ("x-bf-vk", "env:HUB_KEY"))
    assert found.host == "api.openai.com"
    assert found.plain_path == "/v1/chat/completions"


def test_a_central_gateway_gets_nothing_else() -> None:
    found = route(intercepted(target=b"/v1/models", more=CENTRAL))
    assert (found.upstream, found.target.host, found.credential) == ("native", "api.openai.com", None)


def test_what_a_central_gateway_has_no_route_for_is_refused_and_known_by_its_dialect() -> None:
    found = intercepted(b"api.groq.com", asked="api.groq.com", sni="api.groq.com", more=CENTRAL)
    refused = refusal(found)
    assert refused.status == 403
    assert "Groq" in refused.message
    assert refused.bound_for is not None
    assert refused.bound_for.endpoint is not None


@pytest.mark.parametrize(
    ("target", "query"),
    [
        (b"?key=AI-1&alt=sse", b"alt=sse"),
        (b"?alt=sse&KEY=AI-1", b"alt=sse"),
        (b"?%6bey=AI-1&alt=sse", b"alt=sse"),
        (b"?key", b""),
        (b"?monkey=1&keyed=2", b"monkey=1&keyed=2"),
    ],
)
@pytest.mark.parametrize("more", [CENTRAL, PROVIDER])
def test_the_users_own_key_in_the_query_goes_to_nobody_else(target: bytes, query: bytes, more: str) -> None:
    path = b"/genai/v1beta/models/g:generateContent"
    assert route(route_base_url(rules(more), path + target)).query == query


def test_where_the_users_own_key_is_used_it_stays() -> None:
    path = b"/genai/v1beta/models/g:generateContent?key=AI-1"
    assert route(route_base_url(rules(), path)).query == b"key=AI-1"


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        (b"/openai/v1/chat/completions", "api.openai.com", "/v1/chat/completions"),
        (b"/anthropic/v1/messages", "api.anthropic.com", "/v1/messages"),
        (
            b"/genai/v1beta/models/g:generateContent",
            "generativelanguage.googleapis.com",
            "/v1beta/models/g:generateContent",
        ),
        (b"//openai/v1/models", "api.openai.com", "/v1/models"),
        (b"/openai", "api.openai.com", "/"),
    ],
)
def test_a_base_url_leads_to_its_provider(target: bytes, host: str, path: str) -> None:
    found = route(route_base_url(rules(), target))
    assert (found.target, found.path) == (Target(host=host), path)
    assert (found.upstream, found.credential) == ("native", None)


def test_a_base_url_may_use_a_key_and_a_place_of_the_policys() -> None:
    openai = route(route_base_url(rules(PROVIDER), b"/openai/v1/chat/completions"))
    assert (openai.upstream, openai.credential) == ("provider", ("authorization", "env:OPENAI_KEY"))
    assert openai.target.host == "api.openai.com"
    gemini = route(route_base_url(rules(PROVIDER), b"/genai/v1beta/models/g:generateContent"))
    assert gemini.target == Target(host="gemini.corp.example", base_path="/proxy")
    assert gemini.credential == ("x-goog-api-key", "env:GEMINI_KEY")
    assert route(route_base_url(rules(PROVIDER), b"/anthropic/v1/messages")).credential is None


@pytest.mark.parametrize(
    ("target", "dialect"),
    [
        (b"/v1/chat/completions", "openai-chat"),
        (b"/v1/responses", "openai-responses"),
        (b"/v1/messages?beta=true", "anthropic-messages"),
        (b"/v1beta/models/gemini-3:streamGenerateContent?alt=sse", "gemini-generate-content"),
        (b"/v1beta/models/openai/gpt-5:generateContent", "gemini-generate-content"),
    ],
)
def test_the_gateways_own_api_takes_every_dialect(target: bytes, dialect: str) -> None:
    found = route(route_base_url(rules(), target))
    assert found.upstream == "gateway"
    assert found.endpoint is not None
    assert found.endpoint.dialect == dialect


def test_with_a_central_gateway_its_own_api_is_asked_there() -> None:
    found = route(route_base_url(rules(CENTRAL), b"/v1/chat/completions"))
    assert (found.upstream, found.path) == ("central", "/v1/chat/completions")


@pytest.mark.parametrize("target", [b"/", b"", b"/v2/chat/completions", b"/OpenAI/v1/models", b"/groq/x"])
def test_an_unknown_base_url_names_the_known_ones(target: bytes) -> None:
    refused = refusal(route_base_url(rules(), target))
    assert refused.status == 404
    assert "/openai, /anthropic, /genai" in refused.message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example", Target(host="h.example")),
        ("https://h.example:8443/a/b/", Target(host="h.example", port=8443, base_path="/a/b")),
        ("http://127.0.0.1:9", Target(host="127.0.0.1", port=9, tls=False)),
        ("http://localhost/x", Target(host="localhost", port=80, tls=False, base_path="/x")),
    ],
)
def test_a_url_is_a_target(url: str, expected: Target) -> None:
    assert target_of(url) == expected


@pytest.mark.parametrize("url", ["ftp://x", "h.example", "https://", ""])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        target_of(url)


def test_a_target_is_path_and_query() -> None:
    assert split_target(b"/a%20b?x=1?y") == ("/a%20b", b"x=1?y")
    assert split_target(b"/a\xe9") == ("/aé", b"")


# By program


def test_a_way_of_its_own_takes_the_place_of_the_policys() -> None:
    connection = Connection(id="c", tier=Tier.RELAY, connect_host="api.openai.com", sni="api.openai.com")
    head = ((b"host", b"api.openai.com"),)
    book = rules(CENTRAL + PROVIDER)
    for word, upstream in (("native", "native"), ("gateway", "gateway"), ("central", "central")):
        found = route(route_intercepted(book, connection, head, CHAT + b"?key=own&x=1", lambda _, w=word: w))
        assert found.upstream == upstream
        assert found.query == (b"key=own&x=1" if word == "native" else b"x=1")
        assert (found.credential is None) == (word != "central")


def test_what_asks_no_model_goes_to_its_host_by_every_way() -> None:
    connection = Connection(id="c", tier=Tier.RELAY, connect_host="api.openai.com", sni="api.openai.com")
    found = route_intercepted(
        rules(PROVIDER), connection, ((b"host", b"api.openai.com"),), b"/x", lambda _: "gateway"
    )
    assert route(found).upstream == "native"


def test_base_urls_have_their_way_too() -> None:
    book = rules(CENTRAL + PROVIDER)
    assert (
        route(route_base_url(book, b"/openai/v1/chat/completions", lambda _: "gateway")).upstream == "gateway"
    )
    assert route(route_base_url(book, b"/anthropic/v1/messages", lambda _: "native")).upstream == "native"
    assert route(route_base_url(book, CHAT, lambda _: "native")).upstream == "gateway"
