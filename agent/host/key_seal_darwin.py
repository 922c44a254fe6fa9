"""The System keychain of macOS holds a random key of ours, under which the key files are sealed.

The keychain's own key lies in a file that only root reads, and which no copy of our folder has in it. Asked by
security(1); what it must keep is told to it by its standard input, since every account can read command lines.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from agent.errors import HostError
from agent.host.key_seal import NoSealError, SecretCipher
from agent.host.roots_darwin import SECURITY, SYSTEM_KEYCHAIN
from agent.host.run import Completed, run

SERVICE = "com.drawbridge.seal"
_ACCOUNT = "machine"
_SECONDS = 20.0
_NOT_FOUND = 44  # errSecItemNotFound, as the tool ends with it
_HEX_DIGITS = 64

type Ask = Callable[[Sequence[str], bytes | None], Completed]
"""Runs a command with that on its standard input. Raises HostError."""


class KeychainSeal:
    """A `KeySeal` for root. The key is made when something is first sealed; one that went away is not replaced when
    something is opened."""

    name = "keychain"

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask or (lambda argv, text: run(argv, timeout=_SECONDS, stdin=text))
        self._known: SecretCipher | None = None

    def opens(self, name: str) -> bool:
        """See `KeySeal`."""
        return name == self.name

    def close(self, secret: bytes) -> bytes:
        """See `KeySeal`."""
        try:
            cipher = self._found() or self._made()
        except HostError as error:
            raise NoSealError(f"the System keychain keeps no key for us: {error}") from error
        return cipher.close(secret)

    def open(self, sealed: bytes) -> bytes:
        """See `KeySeal`."""
        cipher = self._found()
        if cipher is None:
            raise HostError("its key is not in the System keychain any more")
        return cipher.open(sealed)

    def _found(self) -> SecretCipher | None:
        """Under the key that is there, None where there is none. Raises HostError."""
        if self._known is None:
            item = ("-a", _ACCOUNT, "-s", SERVICE, "-w", SYSTEM_KEYCHAIN)
            done = self._ask((SECURITY, "find-generic-password", *item), None)
            if done.code == _NOT_FOUND:
                return None
            word = done.stdout.decode("ascii", "replace").strip()
            if done.code != 0 or len(word) != _HEX_DIGITS or not set(word) <= set("0123456789abcdef"):
                raise HostError(f"security ended with {done.code}")
            self._known = SecretCipher(bytes.fromhex(word), told="the key in the System keychain")
        return self._known

    def _made(self) -> SecretCipher:
        """Under a new key. Where another of our processes was faster, its key is there. Raises HostError."""
        item = f"-a {_ACCOUNT} -s {SERVICE} -l Drawbridge -w {secrets.token_hex(32)} {SYSTEM_KEYCHAIN}"
        self._ask((SECURITY, "-i"), f"add-generic-password {item}\n".encode())
        found = self._found()
        if found is None:
            raise HostError("it did not take it")
        return found
