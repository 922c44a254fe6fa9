"""Signature Version 4 as its description has it, to hold ours against.

docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

from tests.fakes.services import Posted


def is_signed(request: Posted, *, secret: str, region: str, service: str) -> bool:
    """Whether the request carries the signature that `secret` makes for exactly what arrived."""
    fields = {name.lower(): value for name, value in request.headers.items()}
    parts = dict(
        each.strip().split("=", 1)
        for each in fields["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(",")
    )
    names = parts["SignedHeaders"].split(";")
    path, _, query = request.url.partition("?")
    canonical = "\n".join(
        (
            "POST",
            quote(path, safe="/~"),  # the path as it is written, encoded once more
            query,
            *(f"{name}:{fields[name].strip()}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    stamp = fields["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    wanted = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, wanted.encode(), "sha256").hexdigest(), parts["Signature"])
