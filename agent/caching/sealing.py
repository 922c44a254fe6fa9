"""Entries at rest: compressed, encrypted and bound to their key. Prompts and answers are what Drawbridge guards.

AES-256-GCM with a random nonce for every entry. Both keys come from one secret by HKDF: what encrypts, and what names
questions, so that whoever has the file alone can neither read it nor try out what was asked.
"""

from __future__ import annotations

import secrets

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import ConfigError

SECRET_BYTES = 32
_NONCE = 12
_LEVEL = 1  # a level more costs twice the time for a twentieth of the size
_SMALL = 256  # bytes that are not worth compressing
_PLAIN, _PACKED = b"\0", b"\1"
_LARGEST = 64 * 1024 * 1024


class Sealer:
    """For one thread at a time."""

    def __init__(self, secret: bytes) -> None:
        """Raises ConfigError where `secret` is too short to be one."""
        if len(secret) < SECRET_BYTES:
            raise ConfigError(
                f"the secret of the cache is shorter than {SECRET_BYTES} bytes",
                hint="Use 32 random bytes or more, such as the output of: openssl rand -base64 32",
            )
        self.naming = _derived(secret, b"drawbridge cache naming")
        self._cipher = AESGCM(_derived(secret, b"drawbridge cache sealing"))
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)
        self._unpacker = zstandard.ZstdDecompressor()

    def seal(self, data: bytes, bound_to: bytes) -> bytes:
        """`data`, to be opened only together with `bound_to`."""
        form = _PLAIN
        if len(data) > _SMALL:
            form, data = _PACKED, self._packer.compress(data)
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, form + data, bound_to)

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """What was sealed; None where it was by another secret, for another key, or was changed."""
        try:
            opened = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
        except (InvalidTag, ValueError):
            return None
        if opened[:1] == _PACKED:
            try:
                return self._unpacker.decompress(opened[1:], max_output_size=_LARGEST)
            except zstandard.ZstdError:
                return None
        return opened[1:]


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
