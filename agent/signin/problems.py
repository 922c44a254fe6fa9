"""What keeps a person from being signed in."""

from __future__ import annotations

from agent.errors import UpstreamError


class SignInError(UpstreamError):
    """The identity provider refused, or what it said cannot be trusted."""


class EndedError(SignInError):
    """The provider ended the session: what was kept of it is of no use any more."""


class UnknownKeyError(SignInError):
    """A token is signed with a key that the provider's set, as it is known here, does not have."""


def cleaned(text: object, *, most: int = 200) -> str:
    """A text of a stranger as one line that can be shown."""
    plain = "".join(each if each.isprintable() else " " for each in str(text or ""))
    return " ".join(plain.split())[:most]
