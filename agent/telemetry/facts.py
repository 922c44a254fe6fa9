"""What is read from an exchange's record for metrics, spans and the live view alike. Pure."""

from __future__ import annotations

from typing import NamedTuple

from agent.model.app import Evidence
from agent.model.content import Usage
from agent.model.record import CacheUse, Exchange, Outcome

ANSWERED = "answered"
_TOKENS = (
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("cache_read", "cache_read_tokens"),
    ("cache_write", "cache_write_tokens"),
    ("reasoning", "reasoning_tokens"),
)
TOKEN_KINDS = tuple(kind for kind, _ in _TOKENS)


class Pace(NamedTuple):
    """How fast an answer streamed, in seconds; None where it did not, or where it is not known."""

    first: float | None  # from the request's arrival to the first token
    each: float | None  # between two tokens after it


def provider_of(exchange: Exchange) -> str:
    """The id of the provider that answered; where the gateway did not choose one, the surface's."""
    return exchange.served.provider or exchange.surface


def model_of(exchange: Exchange) -> str:
    """The model that was asked in the end."""
    return exchange.served.model or exchange.model


def app_of(exchange: Exchange) -> str:
    """The catalog id of the app that asked, empty where unknown."""
    return exchange.asker.app or exchange.connection.app


def program_of(exchange: Exchange) -> str:
    """What people call who asked: the app, else the program. One that only says so itself has a question mark."""
    app, process = app_of(exchange), exchange.connection.process
    if not app:
        return process.name if process is not None else ""
    return app if exchange.asker.vouched or exchange.asker.evidence is Evidence.NONE else f"{app}?"


def account_of(exchange: Exchange) -> str:
    """The account in a few words: its plan or kind of key, and whose it is."""
    login = exchange.login
    words = [login.plan or login.key_type or login.kind.replace("_", " "), login.tenancy.value]
    return " ".join(word for word in words if word)


def failure_of(exchange: Exchange) -> str:
    """The class of error an exchange ended with, empty where there was none; a block by policy is none."""
    match exchange.outcome:
        case Outcome.BLOCKED:
            return ""
        case Outcome.COMPLETED:
            status = exchange.status or 0
            return str(status) if status >= 400 else ""
        case Outcome.UPSTREAM_FAILED:
            attempts = exchange.served.attempts
            return (attempts[-1].failure if attempts else "") or exchange.outcome.value
        case _:
            return exchange.outcome.value


def answered(exchange: Exchange) -> bool:
    """Whether the provider knew what it was asked for."""
    return exchange.outcome is Outcome.COMPLETED and (exchange.status or 0) < 400


def pace_of(exchange: Exchange) -> Pace:
    """How fast a provider's answer streamed; one that the cache kept says nothing of that."""
    timing = exchange.timing
    first = timing.first_byte_ms
    kept = exchange.served.cache in (CacheUse.EXACT, CacheUse.SEMANTIC)
    if not exchange.stream or first is None or kept or not answered(exchange):
        return Pace(None, None)
    last = timing.last_byte_ms if timing.last_byte_ms is not None else timing.total_ms
    tokens = exchange.usage.output_tokens
    if not tokens or tokens < 2 or last <= first:
        return Pace(first / 1e3, None)
    return Pace(first / 1e3, (last - first) / 1e3 / (tokens - 1))


def tokens_of(usage: Usage) -> list[tuple[str, int]]:
    """The tokens that were counted, by kind. Cached and reasoning tokens are parts of input and output."""
    return [(kind, count) for kind, name in _TOKENS if (count := getattr(usage, name))]
