"""How private keys lie on the disk: sealed by the operating system where it can do that for us, else plain, 0600.

A sealed file says by whom it was sealed, so that it is not taken for damaged where only the means to open it are
missing. Nothing in this module makes a new key: what cannot be opened is reported.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import HostError
from agent.host.files import read_limited, read_private, write_atomically

log = logging.getLogger(__name__)

CREDENTIAL = "drawbridge.seal"
"""The systemd credential that holds the secret of `CredentialSeal`."""
_HEAD = b"drawbridge-sealed "
_LIMIT = 1024 * 1024  # bytes of a file
_SECRET_BYTES = (32, 4096)  # of a credential: at least, at most
_NONCE = 12


class KeySeal(Protocol):
    """Something of this machine that closes a secret so that the file alone is worth nothing elsewhere."""

    @property
    def name(self) -> str:
        """Names it in the files it has sealed, for ever."""
        ...

    def opens(self, name: str) -> bool:
        """Whether it can open what the seal of that name has closed."""
        ...

    def close(self, secret: bytes) -> bytes:
        """The secret, sealed. Raises HostError; NoSealError where the system lets us have no seal."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """The secret again. Raises HostError, without any of it."""
        ...


class NoSealError(HostError):
    """There is no seal after all: what should be sealed lies plain, 0600."""


class SecretCipher:
    """Closes and opens under a secret, by AES-256-GCM. `told` names the secret in errors."""

    def __init__(self, secret: bytes, *, told: str) -> None:
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"drawbridge key seal 1")
        self._cipher = AESGCM(derived.derive(secret))
        self._told = told

    def close(self, secret: bytes) -> bytes:
        """The secret, sealed."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, None)

    def open(self, sealed: bytes) -> bytes:
        """The secret again. Raises HostError, without any of it."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            raise HostError(f"{self._told} is not the one it was sealed with") from None


class CredentialSeal:
    """A `KeySeal` with a secret that systemd hands to the unit (`LoadCredentialEncrypted=`): on the disk it is bound to
    the machine's TPM or host key, and no other process is given it."""

    name = "credential"

    def __init__(self, secret: bytes) -> None:
        """Raises HostError for a secret too short to be one."""
        if not _SECRET_BYTES[0] <= len(secret) <= _SECRET_BYTES[1]:
            raise HostError(
                f"the credential {CREDENTIAL} has {len(secret)} bytes; it must have "
                f"{_SECRET_BYTES[0]} to {_SECRET_BYTES[1]}",
                hint="Make it from random bytes: head -c 32 /dev/urandom | systemd-creds encrypt "
                f"--name={CREDENTIAL} - FILE",
            )
        self._cipher = SecretCipher(secret, told=f"the credential {CREDENTIAL}")

    def opens(self, name: str) -> bool:
        """See `KeySeal`."""
        return name == self.name

    def close(self, secret: bytes) -> bytes:
        """See `KeySeal`."""
        return self._cipher.close(secret)

    def open(self, sealed: bytes) -> bytes:
        """See `KeySeal`."""
        return self._cipher.open(sealed)


def key_seal(
    *, platform: str = sys.platform, environ: Mapping[str, str] = os.environ, machine: bool | None = None
) -> KeySeal | None:
    """The seal that this machine offers to this process, None where there is none. `machine`: it shall serve every
    account of the machine that may read the file, not ours alone. Blocks. Raises HostError for one that is unusable."""
    if platform == "win32":
        from agent.host.key_seal_windows import DataProtection
        from agent.host.paths import is_privileged

        return DataProtection(machine=is_privileged() if machine is None else machine)
    if platform == "darwin":
        from agent.host.key_seal_darwin import KeychainSeal
        from agent.host.paths import is_privileged

        # a person's keychain is locked where nobody is there to open it
        return KeychainSeal() if (is_privileged() if machine is None else machine) else None
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        secret = read_limited(Path(folder) / CREDENTIAL, limit=_SECRET_BYTES[1])
        return None if secret is None else CredentialSeal(secret)
    return None


class KeyFiles:
    """Files with a private key in each, 0600."""

    def __init__(self, seal: KeySeal | None = None, *, migrates: bool = True) -> None:
        """`migrates`: what lies there plain is sealed when it is read."""
        self._seal = seal
        self._migrates = migrates

    def write(self, path: Path, secret: bytes) -> None:
        """Put `secret` there, sealed where there is a seal. Raises HostError."""
        write_atomically(path, secret if self._seal is None else _sealed(self._seal, secret))

    def read(self, path: Path) -> bytes | None:
        """The secret, None where there is no such file. One that lay there plain is sealed from now on, where there is
        a seal. Raises HostError where it cannot be opened."""
        data = read_private(path, limit=_LIMIT)
        if data is None or not data.startswith(_HEAD):
            if data and self._seal is not None and self._migrates:
                self.write(path, data)
            return data
        head, _, body = data.removeprefix(_HEAD).partition(b"\n")
        name = head.decode("ascii", "replace")
        if self._seal is None or not self._seal.opens(name):
            raise HostError(
                f"{path} is sealed ({name[:40]}), and this process has no such seal", hint=_mend(name)
            )
        try:
            return self._seal.open(base64.b64decode(body, validate=False))
        except binascii.Error:
            raise HostError(f"{path} is damaged", hint="Restore it from a backup.") from None
        except HostError as error:
            raise HostError(f"{path} cannot be opened: {error}", hint=error.hint() or _mend(name)) from error


def _sealed(seal: KeySeal, secret: bytes) -> bytes:
    try:
        body = base64.b64encode(seal.close(secret))
    except NoSealError as error:
        log.warning("a key lies plain, 0600: %s", error)
        return secret
    return _HEAD + seal.name.encode() + b"\n" + body + b"\n"


def _mend(name: str) -> str:
    match name:
        case "keychain":
            return (
                "It opens as root, with the key in the System keychain of the machine that sealed it; restore that "
                "keychain or the key from a backup."
            )
        case "credential":
            return (
                f"It opens in the agent's unit only, which is given the credential {CREDENTIAL}: run the command "
                f"with systemd-run --pipe -p LoadCredentialEncrypted={CREDENTIAL}:FILE …"
            )
        case "dpapi-machine" | "dpapi-user":
            return (
                "It opens on the machine, and for the account, that sealed it; restore the key from a backup."
            )
        case _:
            return "A newer version may have sealed it; restore the key from a backup."
