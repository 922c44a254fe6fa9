"""W3C Trace Context (https://www.w3.org/TR/trace-context/, level 1) and `x-request-id`: what a client says of its call,
and what we say to the next one. Pure.

A trace context is parsed strictly and dropped where it is malformed, as the recommendation asks. The ids of our own
spans are made from the exchange's id, so that the record is all that is needed to build the spans later, also those
whose ids were sent on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

REQUEST_ID = b"x-request-id"
_TRACEPARENT = b"traceparent"
_TRACESTATE = b"tracestate"
_HEX = frozenset("0123456789abcdef")
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@")
_LONGEST_ID = 128
_LONGEST_STATE = 512  # characters that everybody must pass on; more may be dropped (section 3.3.1.5)
_MOST_MEMBERS = 32
_KEY_START = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_KEY = _KEY_START | frozenset("_-*/@")
_LOWEST_56 = (1 << 56) - 1

type Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """Where an exchange stands in a trace. Ids are lower-case hex."""

    trace_id: str
    span_id: str  # of our span
    parent_id: str = ""  # the client's span, empty where it sent none
    sampled: bool = True
    state: str = ""  # `tracestate`, as it came
    traceparent: str = ""  # the client's, empty where it sent none: what the record keeps


def accept(headers: Headers, *, exchange_id: str, sample_ratio: float = 1.0) -> TraceContext:
    """The context of an exchange whose client sent `headers` (names in lower case). Where the client took part in a
    trace, its decision to sample stands; else `sample_ratio` decides by the id."""
    fields = [(name, value) for name, value in headers if name in (_TRACEPARENT, _TRACESTATE)]
    parents = [value for name, value in fields if name == _TRACEPARENT]
    given = parents[0].decode("latin-1") if len(parents) == 1 else ""
    context = resumed(given, exchange_id=exchange_id, sample_ratio=sample_ratio)
    if not context.parent_id:
        return context
    return TraceContext(
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_id=context.parent_id,
        sampled=context.sampled,
        state=_state([value for name, value in fields if name == _TRACESTATE]),
        traceparent=context.traceparent,
    )


def resumed(traceparent: str, *, exchange_id: str, sample_ratio: float = 1.0) -> TraceContext:
    """The context of an exchange of which only the record is left."""
    span_id = span_of(exchange_id)
    parsed = _parse(traceparent)
    if parsed is None:
        trace_id = UUID(exchange_id).hex
        return TraceContext(trace_id=trace_id, span_id=span_id, sampled=chosen(trace_id, sample_ratio))
    trace_id, parent_id, flags = parsed
    return TraceContext(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        sampled=bool(flags & 1),
        traceparent=f"00-{trace_id}-{parent_id}-{flags & 1:02x}",
    )


def outgoing(context: TraceContext, *, attempt: int = 0) -> list[tuple[bytes, bytes]]:
    """The headers for the request that goes on; `attempt` counts the tries, from 0. Whether they may be sent is the
    policy's word: a trace id tells a provider which of its requests belong together."""
    flags = "01" if context.sampled else "00"
    parent = f"00-{context.trace_id}-{child_of(context.span_id, attempt)}-{flags}"
    fields = [(_TRACEPARENT, parent.encode())]
    if context.state:
        fields.append((_TRACESTATE, context.state.encode("latin-1")))
    return fields


def request_id(headers: Headers, *, exchange_id: str) -> str:
    """The client's `x-request-id` where it is one that can be shown and logged as it is, else the exchange's id."""
    given = [value for name, value in headers if name == REQUEST_ID]
    if len(given) == 1 and 0 < len(given[0]) <= _LONGEST_ID and not set(given[0]) - _SAFE:
        return given[0].decode("ascii")
    return exchange_id


def span_of(exchange_id: str) -> str:
    """The id of an exchange's span: the half of its UUIDv7 that is random, and never all zeros."""
    return UUID(exchange_id).hex[16:]


def child_of(span_id: str, number: int) -> str:
    """The id of a child span: distinct for each number, and never all zeros."""
    value = (int(span_id, 16) + (number + 1) * 0x9E3779B97F4A7C15) % (
        1 << 64
    )  # 2^64 / golden ratio: spreads them
    return f"{value or 1:016x}"


def is_sampled(traceparent: str, *, exchange_id: str, sample_ratio: float) -> bool:
    """Whether `resumed` would say so, of a `traceparent` that `accept` has made: every exchange asks this."""
    if traceparent:
        return traceparent[-1] in "13579bdf"
    return sample_ratio >= 1 or chosen(exchange_id.replace("-", ""), sample_ratio)


def chosen(trace_id: str, ratio: float) -> bool:
    """Whether a trace is among the part that is sampled: by the 56 random bits, so that all who use the ratio agree."""
    return (int(trace_id, 16) & _LOWEST_56) >= (1 - ratio) * (1 << 56)


def _parse(traceparent: str) -> tuple[str, str, int] | None:
    """Trace id, parent id and flags, None for what must be ignored (section 3.2)."""
    parts = traceparent.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    version, trace_id, parent_id, flags = parts[:4]
    if set(version + trace_id + parent_id + flags) - _HEX or version == "ff":
        return None
    if len(parts) > 4 and version == "00":
        return None  # a later version may say more
    if set(trace_id) == {"0"} or set(parent_id) == {"0"}:
        return None
    return trace_id, parent_id, int(flags, 16)


def _state(values: list[bytes]) -> str:
    """The vendors' list, empty where it is malformed or longer than must be passed on (section 3.3)."""
    members = [part.strip(" \t") for value in values for part in value.decode("latin-1").split(",")]
    members = [member for member in members if member]
    joined = ",".join(members)
    if len(members) > _MOST_MEMBERS or len(joined) > _LONGEST_STATE:
        return ""
    keys = [member.partition("=")[0] for member in members]
    if len(set(keys)) != len(keys) or not all(_is_member(member) for member in members):
        return ""
    return joined


def _is_member(member: str) -> bool:
    key, equals, value = member.partition("=")
    return (
        bool(equals and key and value)
        and len(key) <= 256
        and key[0] in _KEY_START
        and not set(key) - _KEY
        and len(value) <= 256
        and all("\x20" <= each <= "\x7e" and each not in ",=" for each in value)
    )
