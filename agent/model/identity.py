"""Who a person is to the company: what its identity provider vouches for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who has signed in. `name` is how rules and people call them, an e-mail address as a rule; `groups` are
    those of the company's directory. Holds no token, and nothing that changes when one is renewed."""

    issuer: str = ""
    subject: str = ""  # the provider's own id of the person, which no other ever gets
    name: str = ""
    full_name: str = ""
    groups: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anybody is signed in."""
        return bool(self.subject)


NO_IDENTITY = Identity()
"""Nobody is signed in."""
