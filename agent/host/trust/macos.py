"""The keychains of macOS, changed with security(1).

Since macOS 11 a person must confirm with a password or a finger, root or not: silently, only a profile of device
management makes a root trusted.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from agent.errors import HostError
from agent.host.pem import certificates_in, pem_of
from agent.host.roots_darwin import SECURITY, SYSTEM_KEYCHAIN
from agent.host.run import Runner
from agent.host.trust.store import Access, Root, Site, demand, handed, parted

_HINT = (
    "Someone must confirm at this Mac's screen, as an administrator. Without anybody there, deploy the root with "
    "device management (docs/trust.md)."
)


class Keychain:
    """A `TrustStore` of one keychain: the System keychain, trusted by everybody, or a user's own."""

    kind = "macos-keychain"

    def __init__(self, runner: Runner, *, keychain: Path = Path(SYSTEM_KEYCHAIN)) -> None:
        self._run = runner
        self._keychain = keychain
        self._admin = ["-d"] if str(keychain) == SYSTEM_KEYCHAIN else []

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`: the root, where the keychain has it and macOS takes it for trusted."""
        mark = self._mark(scope)
        done = self._run([SECURITY, "find-certificate", "-a", "-p", str(self._keychain)])
        for der in certificates_in(done.stdout) if done.code == 0 else ():
            if _sha1(der) == mark and self._is_trusted(pem_of(der).decode()):
                return pem_of(der).decode()
        return None

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        mark = self._mark(scope)
        keychain = str(self._keychain)
        if value is not None:
            with handed(value) as file:
                argv = [SECURITY, "add-trusted-cert", *self._admin, "-r", "trustRoot", "-p", "ssl"]
                demand(
                    self._run, [*argv, "-k", keychain, file], what="macOS did not trust the root", hint=_HINT
                )
            return
        before = self.read(scope)
        if before is None:
            return
        with handed(before) as file:
            argv = [SECURITY, "remove-trusted-cert", *self._admin, file]
            demand(self._run, argv, what="macOS still trusts the root", hint=_HINT)
        argv = [SECURITY, "delete-certificate", "-Z", mark.upper(), keychain]
        demand(self._run, argv, what="the root is still in the keychain, untrusted", hint=_HINT)

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        whose = "System keychain" if self._admin else "login keychain"
        title = f"{whose} (Safari, Chrome, Firefox, curl, most programs)"
        return (Site(place=str(self._keychain), title=title, access=Access.OPEN, remedy=_HINT),)

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`."""
        del place
        return self._is_trusted(root.pem)

    def _is_trusted(self, pem: str) -> bool:
        with handed(pem) as file:
            # -l: it is an authority, -L: this machine's word only, no network
            check = [SECURITY, "verify-cert", "-l", "-L", "-R", "offline", "-p", "ssl", "-c", file]
            return self._run(check).code == 0

    def _mark(self, scope: str) -> str:
        place, mark = parted(scope)
        if place != str(self._keychain):
            raise HostError(f"{place} is not the keychain {self._keychain}")
        return mark


def _sha1(der: bytes) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest()
