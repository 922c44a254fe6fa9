"""Errors, sorted by who must act. Each says what, where and how to mend it."""

from __future__ import annotations


class DrawbridgeError(Exception):
    """Base of every error this project raises on purpose.

    `str(error)` says what is wrong and where; `hint()` says how to mend it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self._hint = hint

    def hint(self) -> str:
        """How to mend it, one sentence, or an empty string."""
        return self._hint


class ConfigError(DrawbridgeError):
    """The person who configures this machine must act: a setting, path, port or secret reference is wrong."""


class PolicyError(DrawbridgeError):
    """The policy's author must act: the file is malformed, has an unknown key or a rule that cannot work."""


class ContentError(DrawbridgeError):
    """The client's author must act: bytes that do not follow the format they claim (JSON, SSE, gzip …)."""


class UpstreamError(DrawbridgeError):
    """The provider or the network must act: no connection, bad TLS, a broken or late answer."""


class HostError(DrawbridgeError):
    """The operating system refused something the agent needs."""


class AuditError(DrawbridgeError):
    """The audit trail cannot be written or does not verify."""


class CacheError(DrawbridgeError):
    """The cache of answers cannot be used; requests go on without it."""
