"""The roots of macOS: Apple's, and those of the System keychain that an administrator or a profile made trusted."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.pem import certificates_in, pem_of
from agent.host.run import Runner, run

SECURITY = "/usr/bin/security"
APPLE_ROOTS = "/System/Library/Keychains/SystemRootCertificates.keychain"
SYSTEM_KEYCHAIN = "/Library/Keychains/System.keychain"
_TIMEOUT = 60  # seconds
_ADDED_LIMIT = 64  # certificates of the System keychain that are verified; each costs a process


class Keychains:
    """A `RootStore` of the machine's keychains, read with security(1)."""

    def __init__(self, runner: Runner | None = None) -> None:
        self._run = runner or (lambda argv: run(argv, timeout=_TIMEOUT))

    def stamp(self) -> str:
        """See `RootStore`."""
        stamps = []
        for keychain in (APPLE_ROOTS, SYSTEM_KEYCHAIN):
            with suppress(OSError):
                stamps.append(str(Path(keychain).stat().st_mtime_ns))
        return " ".join(stamps)

    def certificates(self) -> tuple[bytes, ...]:
        """See `RootStore`. The System keychain also holds certificates nobody trusts: each is verified first."""
        roots = self._find(APPLE_ROOTS)
        if not roots:
            raise HostError("macOS gave no root certificates", hint=f"Try: {SECURITY} find-certificate -a -p")
        added = self._find(SYSTEM_KEYCHAIN)[:_ADDED_LIMIT]
        return (*roots, *(der for der in added if self._is_trusted(der)))

    def _find(self, keychain: str) -> tuple[bytes, ...]:
        done = self._run([SECURITY, "find-certificate", "-a", "-p", keychain])
        return certificates_in(done.stdout) if done.code == 0 else ()

    def _is_trusted(self, der: bytes) -> bool:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(pem_of(der))
            file.flush()
            # -l: it is an authority, -L: this machine's word only, no network
            check = [SECURITY, "verify-cert", "-l", "-L", "-R", "offline", "-p", "ssl", "-c", file.name]
            return self._run(check).code == 0
