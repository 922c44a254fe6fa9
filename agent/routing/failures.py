"""What a failure means: whose fault it is, what is worth trying next, and what the client is told.

The table is in docs/routing.md. Providers' own words are looked at to tell failures apart and never kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from agent.dialects.anthropic_errors import STATUS_OF_KIND
from agent.routing.pauses import Fields, google_delay, retry_after

_CREDENTIAL_STATUS = frozenset({401, 402, 403})
_OVERLOADED = frozenset({503, 529})
_AGAIN = frozenset({408, 409, 425})  # the providers' own clients send these again
_LATE = frozenset({504, 524})
_LOOKED_AT = 16 * 1024  # bytes of an error's body


class Cause(StrEnum):
    """Classes of failure, as the audit trail and the metrics name them."""

    RATE_LIMITED = "rate_limited"
    CREDENTIALS = "credentials"  # the key is wrong, revoked, without rights, or out of money
    EXHAUSTED = "upstream_credentials_exhausted"  # that of every key
    OVERLOADED = "overloaded"
    SERVER = "server_error"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"
    STALLED = "first_token_timeout"
    EMPTY = "empty"  # a stream that ended in order and said nothing
    REJECTED = "rejected"  # the request itself is wrong: the same everywhere
    UNKNOWN_MODEL = "unknown_model"
    TOO_LONG = "context_length"
    BUSY = "busy"  # the key's own limit of requests at a time
    UNTRANSLATABLE = "untranslatable"  # the provider's format cannot say it
    BUDGET = "budget_exceeded"
    SECRET = "secret_unavailable"  # noqa: S105  a name, not a secret: the key cannot be read on this machine


class Remedy(Enum):
    """What is worth trying after a failure."""

    SAME_KEY = 1  # after a pause
    ROTATE = 2  # another key; this one again after its pause
    DROP_KEY = 3  # another key; this one no more for this request
    ELSEWHERE = 4  # the next candidate
    ELSEWHERE_ONCE = 5  # the next candidate, or the same once more; then it is the answer
    NAMED = 6  # the next candidate, if somebody named it as a fallback
    NONE = 7


_REMEDIES: Mapping[Cause, Remedy] = MappingProxyType(
    {
        Cause.RATE_LIMITED: Remedy.ROTATE,
        Cause.BUSY: Remedy.ROTATE,
        Cause.CREDENTIALS: Remedy.DROP_KEY,
        Cause.SECRET: Remedy.DROP_KEY,
        Cause.EXHAUSTED: Remedy.ELSEWHERE,
        Cause.OVERLOADED: Remedy.SAME_KEY,
        Cause.SERVER: Remedy.SAME_KEY,
        Cause.DNS: Remedy.SAME_KEY,
        Cause.CONNECT: Remedy.SAME_KEY,
        Cause.TIMEOUT: Remedy.SAME_KEY,
        Cause.CLOSED: Remedy.SAME_KEY,
        Cause.TLS: Remedy.ELSEWHERE,  # a certificate is no better half a second later
        Cause.PROTOCOL: Remedy.ELSEWHERE,
        Cause.STALLED: Remedy.ELSEWHERE,
        Cause.UNTRANSLATABLE: Remedy.ELSEWHERE,
        Cause.BUDGET: Remedy.ELSEWHERE,
        Cause.EMPTY: Remedy.ELSEWHERE_ONCE,
        Cause.UNKNOWN_MODEL: Remedy.NAMED,
        Cause.TOO_LONG: Remedy.NAMED,
        Cause.REJECTED: Remedy.NONE,
    }
)

_STATUS: Mapping[Cause, int] = MappingProxyType(
    {
        Cause.RATE_LIMITED: 429,
        Cause.BUSY: 429,
        Cause.OVERLOADED: 503,
        Cause.TIMEOUT: 504,
        Cause.STALLED: 504,
        Cause.UNTRANSLATABLE: 400,
        Cause.BUDGET: 402,
        Cause.REJECTED: 400,
        Cause.TOO_LONG: 400,
        Cause.UNKNOWN_MODEL: 404,
    }
)

ANSWERS = frozenset({Cause.REJECTED, Cause.UNKNOWN_MODEL, Cause.TOO_LONG, Cause.EMPTY})
"""Failures that are the client's to see as the provider put them."""

BLAMELESS = frozenset({*ANSWERS, Cause.BUSY, Cause.UNTRANSLATABLE, Cause.BUDGET, Cause.SECRET}) - {
    Cause.EMPTY
}
"""Failures that say nothing of the provider's health."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a try came to nothing. `message` is in our words and safe to show."""

    cause: Cause
    status: int = 0  # as the provider answered, 0 where it did not
    retry_after: float | None = None  # seconds that the provider asks for
    message: str = ""

    @property
    def remedy(self) -> Remedy:
        """What is worth trying next."""
        return _REMEDIES[self.cause]

    @property
    def client_status(self) -> int:
        """The HTTP status that tells a client of it."""
        if self.cause in ANSWERS and 400 <= self.status < 500:
            return self.status
        if self.cause is Cause.BUDGET and self.status:
            return self.status  # ours
        return _STATUS.get(self.cause, 502)


def of_status(status: int, fields: Fields = (), body: bytes = b"", *, wall: float = 0.0) -> Failure:
    """The failure that an answer of this status is (300 and above). `wall` is Unix time."""
    cause = _cause_of_status(status, body[:_LOOKED_AT].lower())
    pause = None
    if cause in (Cause.RATE_LIMITED, Cause.OVERLOADED, Cause.SERVER):
        pause = retry_after(fields, wall=wall)
        if pause is None and cause is Cause.RATE_LIMITED:
            pause = google_delay(body[:_LOOKED_AT])
    return Failure(cause=cause, status=status, retry_after=pause, message=f"answered HTTP {status}")


def of_stream_error(kind: str, status: int = 0, message: str = "") -> Failure:
    """The failure that an error inside a stream of status 200 is: `kind` is the provider's word for it. `message`, the
    provider's own, is only looked at. What is not known is taken for an error of the server."""
    word = kind.lower()
    known = status or _KINDS.get(word, 0) or _KINDS.get(word.removesuffix("exception"), 0)
    cause = (
        _cause_of_status(known, f"{word} {message}"[:_LOOKED_AT].lower().encode()) if known else Cause.SERVER
    )
    return Failure(cause=cause, status=known, message="reported an error inside its stream")


def _cause_of_status(status: int, body: bytes) -> Cause:
    if status == 429:
        return Cause.CREDENTIALS if _says(body, _NO_MONEY) else Cause.RATE_LIMITED
    if status in _CREDENTIAL_STATUS:
        return Cause.CREDENTIALS
    if status in _OVERLOADED:
        return Cause.OVERLOADED
    if status in _LATE:
        return Cause.TIMEOUT
    if status >= 500 or status in _AGAIN:
        return Cause.SERVER
    if status == 413 or (status in (400, 422) and _says(body, _LENGTH)):
        return Cause.TOO_LONG
    if status == 400 and _says(body, _BAD_KEY):
        return Cause.CREDENTIALS
    if status in (404, 410) or (status == 400 and _says(body, _NO_MODEL)):
        return Cause.UNKNOWN_MODEL
    return Cause.REJECTED


def _says(body: bytes, words: tuple[bytes, ...]) -> bool:
    return any(word in body for word in words)


# Words by which providers tell apart what has one status. Lower case.

_NO_MONEY = (b"insufficient_quota", b"billing_hard_limit", b"credit balance")
# OpenAI's codes with status 429: no waiting helps

_BAD_KEY = (
    b"api_key_invalid",  # Gemini, with status 400
    b"api key not valid",
    b"api key expired",
    b"credit balance is too low",  # Anthropic, with status 400
)
_LENGTH = (
    b"context_length_exceeded",  # OpenAI and most that speak its format
    b"maximum context length",  # vLLM, DeepSeek, OpenRouter
    b"prompt is too long",  # Anthropic
    b"input length and `max_tokens` exceed",
    b"exceeds the maximum number of tokens",  # Gemini
    b"input is too long",  # Bedrock
    b"too many tokens",  # Cohere
    b"exceeds the available context size",  # llama.cpp
    b"string_above_max_length",
)
_NO_MODEL = (
    b"model_not_found",
    b"model_decommissioned",  # Groq
    b"deploymentnotfound",  # Azure
    b"invalid model",  # Mistral
    b"model identifier is invalid",  # Bedrock
    b"model not exist",  # DeepSeek
)

_KINDS: Mapping[str, int] = MappingProxyType(
    {
        **STATUS_OF_KIND,  # Anthropic
        # OpenAI: codes and types
        "rate_limit_exceeded": 429,
        "insufficient_quota": 429,
        "tokens": 429,
        "requests": 429,
        "server_error": 500,
        "internal_error": 500,
        "invalid_api_key": 401,
        "context_length_exceeded": 400,
        "invalid_prompt": 400,
        "model_not_found": 404,
        # Google: canonical codes
        "invalid_argument": 400,
        "failed_precondition": 400,
        "unauthenticated": 401,
        "permission_denied": 403,
        "not_found": 404,
        "resource_exhausted": 429,
        "internal": 500,
        "unavailable": 503,
        "deadline_exceeded": 504,
        # Bedrock: exceptions of ConverseStream and InvokeModelWithResponseStream, without `Exception`
        "validation": 400,
        "accessdenied": 403,
        "resourcenotfound": 404,
        "throttling": 429,
        "servicequotaexceeded": 429,
        "internalserver": 500,
        "modelstreamerror": 500,
        "serviceunavailable": 503,
        "modelnotready": 503,
        "modeltimeout": 504,
    }
)
