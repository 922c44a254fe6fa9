"""Who vouches for a program on macOS: its code signature, as codesign(1) checks it.

The signature must lead to Apple's root (Developer ID, App Store, or Apple itself): anybody can sign for himself. The
resources of a bundle are not read again, only the program: a browser's take seconds.
"""

from __future__ import annotations

from functools import partial

from agent.host.run import Runner, run
from agent.model.traffic import UNSIGNED, Signature

_SECONDS = 20.0
_OUTPUT = 256 * 1024
_CODESIGN = "/usr/bin/codesign"
_REQUIREMENT = "=anchor apple generic or anchor apple"


class CodeSignatures:
    """A `Verifier` that asks codesign."""

    @property
    def protects(self) -> bool:
        """See `Verifier`."""
        return False  # users install applications, too

    def __init__(self, runner: Runner | None = None) -> None:
        self._run = runner or partial(run, timeout=_SECONDS, limit=_OUTPUT)

    def verify(self, executable: str) -> Signature:
        """See `Verifier`."""
        checked = self._run((_CODESIGN, "--verify", "--ignore-resources", "-R", _REQUIREMENT, executable))
        if checked.code != 0:
            return UNSIGNED
        shown = self._run((_CODESIGN, "--display", "--verbose=2", executable))
        if shown.code != 0:
            return UNSIGNED
        facts: dict[str, str] = {}
        for line in shown.stderr.decode(errors="replace").splitlines():  # it writes there what is asked for
            name, _, value = line.partition("=")
            facts.setdefault(name, value.strip())
        team = facts.get("TeamIdentifier", "")
        return Signature(
            signer=facts.get("Authority", "").removeprefix("Developer ID Application: ").partition(" (")[0],
            team="" if team == "not set" else team,
            identifier=facts.get("Identifier", ""),
            verified=True,
        )
