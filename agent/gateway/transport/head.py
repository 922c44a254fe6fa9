"""Writes the head of an HTTP/1.1 request (RFC 9112), and refuses one that could be read as two.

Everything in a request head comes from a client we do not trust: a CR, LF or NUL in it would let that client write
header fields, or whole requests, of its own behind the gateway's back.
"""

from __future__ import annotations

from agent.gateway.transport.base import FailureKind, TransportError, UpstreamRequest

_TOKEN = (
    b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"  # RFC 9110 5.6.2, without upper case: see `_names`
)
_METHOD = _TOKEN + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))  # RFC 9110 5.5
_CONTROLS_AND_SPACE = bytes(range(0x21)) + b"\x7f"

_OURS = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",  # the door has answered 100-continue already
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that concern one hop only (RFC 9110 7.6.1) or frame the message: the transport's to write."""

_WITH_BODY = frozenset({b"POST", b"PUT", b"PATCH"})


def forwarded_fields(request: UpstreamRequest) -> list[tuple[bytes, bytes]]:
    """The request's fields without those that are the transport's to write.

    Raises TransportError where method, target or a field could not be sent as one HTTP/1.1 request.
    """
    fields = [pair for pair in request.headers if pair[0] not in _OURS]
    names = [name for name, _ in fields]
    method, target = request.method, request.target
    if not method or method.translate(None, _METHOD) or method == b"CONNECT":
        raise _refusal("method")
    if (target[:1] != b"/" and target != b"*") or len(target.translate(None, _CONTROLS_AND_SPACE)) != len(
        target
    ):
        raise _refusal("target")
    # Lower case is part of the check: a `Content-Length` that slips past _OURS would frame the message a second time.
    if b"" in names or b"".join(names).translate(None, _TOKEN):
        raise _refusal("header name")
    if b"".join([value for _, value in fields]).translate(None, _VALUE):
        raise _refusal("header value")
    if names.count(b"host") != 1:
        raise _refusal("host header")
    return fields


def framing_field(request: UpstreamRequest) -> tuple[bytes, bytes] | None:
    """The field that frames the body, or None where there is nothing to frame."""
    body = request.body
    if not isinstance(body, bytes):
        if request.content_length is None:
            return b"transfer-encoding", b"chunked"
        return b"content-length", b"%d" % request.content_length
    if body or request.method in _WITH_BODY:
        return b"content-length", b"%d" % len(body)
    return None


def encode_head(request: UpstreamRequest) -> bytes:
    """The request line and fields, up to and with the empty line. Raises TransportError as `forwarded_fields` does."""
    fields = forwarded_fields(request)
    if (framing := framing_field(request)) is not None:
        fields.append(framing)
    lines = [b"%b: %b\r\n" % pair for pair in fields]
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method, request.target, b"".join(lines))


def _refusal(part: str) -> TransportError:
    return TransportError(
        FailureKind.PROTOCOL,
        f"the request cannot be forwarded: its {part} is not valid HTTP/1.1",
        sent=False,
        hint="The program that made the request must send a well-formed one.",
    )
