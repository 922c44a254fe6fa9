"""Requests whose body is signed by the client: the service would refuse it changed, so there must be no change.

This is the one place that knows such signatures. A service with a header of its own has it in its catalog row (`seal`).
"""

from __future__ import annotations

from agent.gateway import headers
from agent.gateway.transport.base import Headers
from agent.inspection import RequestVerdict, Scope
from agent.model.surface import Endpoint

_AWS = (b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256")
_UNSIGNED = b"UNSIGNED-PAYLOAD"
_DIGESTS = (b'"content-digest"', b'"digest"')


def seals_body(fields: Headers, endpoint: Endpoint | None = None) -> str:
    """What signs the body of a request, in words; empty where nothing does.

    AWS Signature Version 4 and 4A: the hash of the body is part of what is signed, unless the request says
    UNSIGNED-PAYLOAD (AWS IAM user guide, "Create a signed AWS API request"). HTTP Message Signatures: where they cover
    a digest of the content (RFC 9421, RFC 9530).
    """
    if endpoint is not None and endpoint.seal and headers.get(fields, endpoint.seal.encode()):
        return f"the header {endpoint.seal}"
    signed_by_aws = headers.get(fields, b"authorization").lstrip().startswith(_AWS)
    if signed_by_aws and headers.get(fields, b"x-amz-content-sha256") != _UNSIGNED:
        return "AWS Signature Version 4"
    covered = headers.combined(fields, b"signature-input")
    if covered and any(digest in covered for digest in _DIGESTS):
        return "an HTTP message signature"
    return ""


def signed_names(fields: Headers) -> frozenset[bytes]:
    """The header fields that an AWS signature covers, in lower case: none of them may be changed either."""
    authorization = headers.get(fields, b"authorization")
    if not authorization.lstrip().startswith(_AWS):
        return frozenset()
    _, _, rest = authorization.partition(b"SignedHeaders=")
    return frozenset(rest.partition(b",")[0].strip().lower().split(b";"))


def unchanged_or_refused(verdict: RequestVerdict, body: bytes, seal: str, scope: Scope) -> RequestVerdict:
    """The verdict on a request whose body is signed by `seal`: what would have to be changed in it cannot go on."""
    if not seal or verdict.blocked or verdict.body is body:
        return verdict
    reason = (
        f"{verdict.decision.reason or 'something in the request'} would have to be taken out, but the request is signed"
        f" ({seal}) and the service would refuse it changed"
    )
    return verdict.refused(scope, reason, rule="signed_body")
