"""What an event says beyond OCSF: what the gateway did to have an exchange answered."""

from __future__ import annotations

from typing import Any

import orjson

from agent.audit.chain import canonical
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.model.record import Attempt, CacheUse, Exchange, Served, Timing
from tests.fakes.audit import DEVICE, make_exchange

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SERVED = Served(
    provider="bedrock-eu",
    model="claude-sonnet",
    key="main",
    attempts=(
        Attempt(provider="openai", model="gpt-5", key="k", status=429, failure="rate_limited", ms=1.5),
        Attempt(provider="bedrock-eu", model="claude-sonnet", ms=20),
    ),
    cache=CacheUse.MISS,
    dropped=("logit_bias",),
    virtual_key="ci",
    customer="acme",
    team="search",
    cost_nano_usd=1_234_567,
    estimated=True,
    rule="cheap-first",
)


def ocsf(event: Exchange) -> Any:
    mapper = OcsfMapper(DEVICE, {"bedrock-eu": "aws.bedrock"})
    return orjson.loads(canonical(mapper.document(event, Stamp(sequence=1, logged_ms=0))))


def test_how_an_exchange_was_served_is_told() -> None:
    event = ocsf(make_exchange(served=SERVED))
    assert event["unmapped"]["drawbridge"]["served"] == {
        "provider": "bedrock-eu",
        "model": "claude-sonnet",
        "key": "main",
        "rule": "cheap-first",
        "cache": "miss",
        "virtual_key": "ci",
        "customer": "acme",
        "team": "search",
        "attempts": [
            {
                "provider": "openai",
                "model": "gpt-5",
                "key": "k",
                "status": 429,
                "failure": "rate_limited",
                "us": 1500,
            },
            {"provider": "bedrock-eu", "model": "claude-sonnet", "us": 20000},
        ],
        "dropped": ["logit_bias"],
        "cost_nano_usd": 1_234_567,
        "estimated": True,
    }
    assert event["ai_model"]["ai_provider"] == event["unmapped"]["gen_ai.provider.name"] == "aws.bedrock"
    assert event["unmapped"]["gen_ai.response.model"] == "claude-sonnet"


def test_what_only_went_on_says_nothing_of_it() -> None:
    event = ocsf(make_exchange())
    assert "served" not in event["unmapped"]["drawbridge"]
    assert "uid" not in event["http_request"]
    assert "correlation_uid" not in event["metadata"]


def test_an_answer_that_cost_nothing_cost_nothing() -> None:
    event = ocsf(make_exchange(served=Served(cache=CacheUse.EXACT, cost_nano_usd=0)))
    assert event["unmapped"]["drawbridge"]["served"] == {"cache": "exact", "cost_nano_usd": 0}


def test_other_logs_can_be_joined_by_request_and_trace() -> None:
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    event = ocsf(make_exchange(request_id="req-7", trace=parent, answer_model="gpt-4o-2024-08-06"))
    assert event["http_request"]["uid"] == "req-7"
    assert event["http_request"]["http_method"] == "POST"
    assert event["metadata"]["correlation_uid"] == TRACE
    assert event["metadata"]["sequence"] == 1
    assert event["unmapped"]["drawbridge"]["traceparent"] == parent
    assert event["unmapped"]["gen_ai.response.model"] == "gpt-4o-2024-08-06"


def test_the_services_own_id_of_a_conversation_joins_its_events() -> None:
    assert ocsf(make_exchange(conversation="c-1"))["unmapped"]["gen_ai.conversation.id"] == "c-1"
    assert "gen_ai.conversation.id" not in ocsf(make_exchange())["unmapped"]


def test_streams_tell_their_length() -> None:
    timing = Timing(total_ms=10, overhead_ms=1, last_byte_ms=9.5, chunks=7)
    told = ocsf(make_exchange(timing=timing))["unmapped"]["drawbridge"]["timing"]
    assert (told["last_byte_us"], told["chunks"]) == (9500, 7)
