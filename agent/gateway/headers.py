"""Header rules of a forwarding intermediary (RFC 9110 section 7.6): what is ours, what travels on."""

from __future__ import annotations

from agent.gateway.transport.base import Headers

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie"})
"""Headers that carry the user's own credential to a provider."""

_ABOUT_BODY = frozenset(
    {b"content-length", b"content-encoding", b"content-md5", b"digest", b"content-digest"}
)


def get(headers: Headers | list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value of a header, or empty."""
    for key, value in headers:
        if key == name:
            return value
    return b""


def combined(headers: Headers | list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """All values of a list header as one list (RFC 9110 section 5.3), or empty."""
    return b", ".join([value for key, value in headers if key == name])


def count(headers: Headers | list[tuple[bytes, bytes]], name: bytes) -> int:
    """How often a header occurs."""
    return sum(key == name for key, _ in headers)


def forwardable(
    headers: Headers | list[tuple[bytes, bytes]], *, drop: frozenset[bytes] = frozenset()
) -> list[tuple[bytes, bytes]]:
    """The headers without those of this hop, those named by `Connection`, and those in `drop`."""
    named = {
        token.strip().lower() for key, value in headers if key == b"connection" for token in value.split(b",")
    }
    return [
        each for each in headers if each[0] not in drop and each[0] not in HOP_BY_HOP and each[0] not in named
    ]


def imposed(headers: list[tuple[bytes, bytes]], ours: Headers) -> list[tuple[bytes, bytes]]:
    """The headers with `ours` in the place of all that a server could take for the same: another case, a header that
    stands twice, and the `_` that some servers read as `-`."""
    names = {name for name, _ in ours}
    kept = [(key, value) for key, value in headers if key.lower().replace(b"_", b"-") not in names]
    return [*kept, *ours]


def without_body_facts(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers without those that describe body bytes which are no longer the ones that came."""
    return [each for each in headers if each[0] not in _ABOUT_BODY]
