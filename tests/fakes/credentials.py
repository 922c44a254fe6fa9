"""What credentials are made from in tests: clocks moved by hand, keys made on the spot, a token service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.credentials.google import Fetched
from agent.errors import ConfigError


class Hand:
    """A clock moved by hand."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def secrets_of(**values: str) -> dict[str, str]:
    """References of environment variables with their values."""
    return {f"env:{name}": value for name, value in values.items()}


class Secrets:
    """Resolves the references it was given."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self.reads: list[str] = []

    def __call__(self, reference: str) -> str:
        self.reads.append(reference)
        if reference not in self.values:
            raise ConfigError(f"{reference} is not set")
        return self.values[reference]


def service_account(token_uri: str) -> str:
    """The JSON of a service account whose key was made now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "robot@p.example",
            "client_id": "2",
            "token_uri": token_uri,
        }
    )


def signed_in_user(token_uri: str) -> str:
    """The JSON that `gcloud auth application-default login` leaves."""
    return json.dumps(
        {
            "type": "authorized_user",
            "client_id": "c",
            "client_secret": "made-up",
            "refresh_token": "made-up-too",
            "token_uri": token_uri,
        }
    )


class TokenService:
    """Google's token service in memory. Implements `credentials.google.Fetch`."""

    def __init__(self, *, seconds: int = 3600, status: int = 200) -> None:
        self.seconds = seconds
        self.status = status
        self.asked: list[dict[str, list[str]]] = []

    async def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        """A new token each time."""
        self.asked.append(parse_qs(body.decode()))
        answer: dict[str, object] = {
            "access_token": f"token-{len(self.asked)}",
            "expires_in": self.seconds,
            "token_type": "Bearer",
        }
        if self.status != 200:
            answer = {"error": "invalid_grant", "error_description": f"quoted: {body.decode()}"}
        return Fetched(status=self.status, headers={}, body=json.dumps(answer).encode())
