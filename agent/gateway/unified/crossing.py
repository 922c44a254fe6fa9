"""What of a client's head goes on to a provider that the gateway chose: never what was meant for another one.

A client's own keys, the accounts it names and where it comes from are between it and the provider it had in mind.
Pure.
"""

from __future__ import annotations

from agent.gateway import headers
from agent.gateway.routing import parameter
from agent.gateway.transport.base import Headers
from agent.routing.configured import ConfiguredProvider

_HARMLESS = frozenset({b"accept", b"content-type", b"user-agent"})
"""Fields that mean the same in every format."""

_GONE = frozenset(
    (
        *(b"accept-encoding", b"content-length", b"content-encoding", b"expect", b"host", b"origin"),
        *(b"traceparent", b"tracestate", b"x-request-id"),  # what becomes of these is the policy's word
        *(b"forwarded", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip"),
        # whose bill it is, beside the key
        *(b"openai-organization", b"openai-project", b"chatgpt-account-id", b"x-goog-user-project"),
        *(b"x-http-method", b"x-http-method-override", b"x-method-override"),
    )
)
_GONE_PREFIXES = (b"x-drawbridge-", b"x-forwarded-", b"x-amz-")
_SECRET_ENDINGS = (b"key", b"token", b"secret", b"password", b"auth", b"authorization", b"cookie")
_NO_SECRET = frozenset({b"idempotency-key", b"x-idempotency-key"})

_ASKED_OF_MODELS = frozenset({b"alt", b"api-version", b"beta"})
"""All that any format of a model's API knows in a query, beside keys."""


def crossing_fields(
    fields: Headers, provider: ConfiguredProvider, *, same: bool
) -> list[tuple[bytes, bytes]]:
    """The headers of a request for `provider`, without its key. `same`: it is asked in the client's own format, whose
    fields it knows. The policy's fields for the provider go before the client's, the catalog's after."""
    ruled = {name.lower().encode() for name in provider.settings.headers}
    kept = [
        each
        for each in headers.forwardable(fields, drop=_GONE)
        if (same or each[0] in _HARMLESS) and not _held_back(each[0]) and each[0] not in ruled
    ]
    given = {name for name, _ in kept}
    return [*kept, *(each for each in provider.headers if each[0] not in given)]


def crossing_query(query: bytes) -> bytes:
    """The parts of a query that may go with a question to a model."""
    return b"&".join(part for part in query.split(b"&") if parameter(part) in _ASKED_OF_MODELS)


def _held_back(name: bytes) -> bool:
    if name in headers.CREDENTIALS or name.startswith(_GONE_PREFIXES):
        return True
    return name.endswith(_SECRET_ENDINGS) and name not in _NO_SECRET
