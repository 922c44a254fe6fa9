"""The kinds of error of Anthropic's API. Source: the Claude API reference, "Errors"."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATUS_OF_KIND: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)
KIND_OF_STATUS: Mapping[int, str] = MappingProxyType(
    {status: kind for kind, status in STATUS_OF_KIND.items()}
)
