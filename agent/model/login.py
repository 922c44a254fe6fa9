"""With which account a request is made, as far as it shows without being told a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.direct import direct


class LoginKind(StrEnum):
    """What a request shows to say who it is."""

    UNKNOWN = ""
    API_KEY = "api_key"
    SUBSCRIPTION = "subscription"  # a token of a person's plan: Claude, ChatGPT, Copilot, Gemini Code Assist
    CLOUD = "cloud"  # a cloud account: AWS signatures, Google and Entra tokens
    SESSION = "session"  # the cookie of a web page
    ANONYMOUS = "anonymous"


class Tenancy(StrEnum):
    """Whose account it is."""

    UNKNOWN = ""
    PERSONAL = "personal"
    COMPANY = "company"
    OTHER = "other"  # of an organisation that is not the policy's own


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The account of one request. Never holds a credential: `tail` is the last four characters of an API key, and the
    rest are claims that the token itself makes, or headers that name an organisation. Nothing here is proven: only the
    provider checks the token."""

    kind: LoginKind = LoginKind.UNKNOWN
    key_type: str = ""  # the vendor's own word for the kind of key: project, admin, oauth, …
    tail: str = ""
    subject: str = ""  # the account's id or address, where the token says it
    organisation: str = ""
    domain: str = ""  # of the account's address or of its organisation, where the token says it
    plan: str = ""
    tenancy: Tenancy = Tenancy.UNKNOWN


NO_LOGIN = Login()
"""Nothing is known."""
