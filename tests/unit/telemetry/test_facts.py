"""What is read from a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.model.app import Asker, Evidence
from agent.model.content import Usage
from agent.model.login import Login, LoginKind, Tenancy
from agent.model.record import Attempt, CacheUse, Exchange, Outcome, Served, Timing
from agent.telemetry.facts import (
    Pace,
    account_of,
    app_of,
    failure_of,
    model_of,
    pace_of,
    program_of,
    provider_of,
    tokens_of,
)
from tests.fakes.audit import CONNECTION, make_block, make_exchange

FAILED = Attempt(provider="azure", model="m", failure="overloaded")


@pytest.mark.parametrize(
    ("exchange", "failure"),
    [
        (make_exchange(), ""),
        (make_exchange(status=429), "429"),
        (make_block(), ""),
        (make_exchange(outcome=Outcome.REFUSED, status=413), "refused"),
        (make_exchange(outcome=Outcome.UPSTREAM_FAILED, status=502), "upstream_failed"),
        (make_exchange(outcome=Outcome.UPSTREAM_FAILED, served=Served(attempts=(FAILED,))), "overloaded"),
        (make_exchange(outcome=Outcome.CLIENT_CLOSED, status=None), "client_closed"),
    ],
)
def test_an_error_has_a_class(exchange: Exchange, failure: str) -> None:
    assert failure_of(exchange) == failure


def test_the_provider_that_answered_counts_and_else_the_surface() -> None:
    routed = make_exchange(served=Served(provider="groq", model="llama"))
    assert (provider_of(routed), model_of(routed)) == ("groq", "llama")
    assert (provider_of(make_exchange()), model_of(make_exchange())) == ("openai", "gpt-4o")


def test_the_pace_of_a_stream_is_that_of_the_tokens_after_the_first() -> None:
    timing = Timing(total_ms=1300, overhead_ms=1, first_byte_ms=300, last_byte_ms=1200)
    usage = Usage(output_tokens=10)
    assert pace_of(make_exchange(timing=timing, usage=usage)) == pytest.approx(Pace(0.3, 0.1))


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": False},
        {"status": 500},
        {"outcome": Outcome.CLIENT_CLOSED},
        {"timing": Timing(total_ms=10, overhead_ms=1)},
        {"served": Served(cache=CacheUse.EXACT)},
        {"served": Served(cache=CacheUse.SEMANTIC)},
    ],
)
def test_what_did_not_stream_has_no_pace(changes: dict[str, object]) -> None:
    assert pace_of(make_exchange(**changes)) == Pace(None, None)


@pytest.mark.parametrize("tokens", [None, 0, 1])
def test_one_token_has_no_pace_but_a_beginning(tokens: int | None) -> None:
    assert pace_of(make_exchange(usage=Usage(output_tokens=tokens))) == Pace(0.30025, None)


def test_tokens_are_told_by_kind_where_there_were_any() -> None:
    usage = Usage(input_tokens=9, output_tokens=0, cache_read_tokens=4)
    assert tokens_of(usage) == [("input", 9), ("cache_read", 4)]


def test_who_asked_is_named_as_people_name_it() -> None:
    def named(**changes: object) -> tuple[str, str]:
        exchange = make_exchange(**changes)
        return app_of(exchange), program_of(exchange)

    claimed = Asker(app="claude-code", evidence=Evidence.CLAIMED, claimed="claude-code")
    guest = Asker(app="cline", evidence=Evidence.CLAIMED, claimed="cline", seen="vscode")
    unknown = replace(CONNECTION, app="")
    assert named() == ("codex-cli", "codex-cli")
    assert named(asker=claimed) == ("claude-code", "claude-code?")
    assert named(asker=guest) == ("cline", "cline")
    assert named(connection=unknown) == ("", "codex")
    assert named(connection=replace(unknown, process=None)) == ("", "")


def test_an_account_is_told_in_few_words() -> None:
    def told(**facts: object) -> str:
        return account_of(make_exchange(login=Login(**facts)))  # type: ignore[arg-type]

    assert told(plan="team", key_type="chatgpt", tenancy=Tenancy.COMPANY) == "team company"
    assert told(key_type="openai-project", kind=LoginKind.API_KEY) == "openai-project"
    assert told(kind=LoginKind.API_KEY) == "api key"
    assert told() == ""
