"""What the settings say of signing in: with whom, as whom, and what of an ID token is believed."""

from __future__ import annotations

from dataclasses import dataclass

from agent.host.settings import Settings

CALLBACK_PATH = "/sign-in"
"""The path of the redirect address; RFC 8252 lets its port vary, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The `sign_in_*` settings of a machine that has them."""

    issuer: str
    client: str
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    name_claim: str = "email"
    groups_claim: str = "groups"
    grace_seconds: float = 24 * 3600.0  # for which an identity outlives its token, as offline it must
    device_code: bool = False
    port: int = 0  # of the redirect address, for providers that want it exact


def terms_of(settings: Settings) -> Terms | None:
    """None where nobody can sign in: `sign_in_issuer` or `sign_in_client` is not set."""
    if not settings.sign_in_issuer or not settings.sign_in_client:
        return None
    return Terms(
        issuer=settings.sign_in_issuer,
        client=settings.sign_in_client,
        scopes=tuple(dict.fromkeys(("openid", *settings.sign_in_scopes))),
        name_claim=settings.sign_in_name_claim,
        groups_claim=settings.sign_in_groups_claim,
        grace_seconds=settings.sign_in_grace_hours * 3600.0,
        device_code=settings.sign_in_device_code,
        port=settings.sign_in_port,
    )
